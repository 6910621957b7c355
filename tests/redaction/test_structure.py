import pytest

from mcp_tools.redaction import find_secrets
from tests.redaction.samples import ALNUM, BASE64, HEX, draw

P = "Tr0ub" + "4dor&3x"  # what a person would choose
R = draw(ALNUM, 32)  # what a machine would draw


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # programs
        (f'password = "{P}"', P),
        (f"passwd='{P}'", P),
        (f'DB_PASSWORD: str = "{P}"', P),
        (f'self.db_password: Final[str] = "{P}"', P),
        (f'const apiKey = "{R}";', R),
        (f'const apiKey: string = "{R}";', R),
        (f'var authToken string = "{R}"', R),
        (f'token := "{R}"', R),
        (f'private static final String SECRET_KEY = "{R}";', R),
        (f"$password = '{P}';", P),
        (f"'password' => '{P}',", P),
        (f"define('DB_PASSWORD', '{P}');", P),
        (f':secret_key_base => "{R}"', R),
        (f'char password[] = "{P}";', P),
        (f'const TOKEN: &str = "{R}";', R),
        (f'connect(host="db", password="{P}", port=1)', P),
        (f'os.environ["APP_SECRET"] = "{R}"', R),
        (f'os.environ.setdefault("APP_SECRET", "{R}")', R),
        (f'client.setPassword("{P}")', P),
        (f'headers = {{"X-Api-Key": "{R}"}}', R),
        (f'password = SecretStr("{P}")', P),
        (f'password = b"{P}"', P),
        (f'password = """{P}"""', P),
        (f'password = (\n    "{P}"\n)', P),
        (f'if password == "{P}":', P),
        (f"password = `{P}`", P),
        ('secret = "ab\\"cd' + R + '"', 'ab\\"cd' + R),
        (f'payload = "{{\\"password\\": \\"{P}\\"}}"', P),
        (f'payload = "{{\\\\\\"password\\\\\\": \\\\\\"{P}\\\\\\"}}"', P),
        ("пароль = 1; password = 'Пароль№1'", "Пароль№1"),
        (f'PASSWORD = os.environ.get("PASSWORD") or "{P}"', P),
        ('PASSWORD = os.environ.get("PASSWORD") or "swordfish"', "swordfish"),
        (f'password = os.getenv("DB_PASSWORD", "{P}")', P),
        (f"connect(process.env.DB_PASSWORD || '{P}')", P),
        (f"connect(process.env.DB_PASSWORD ?? '{P}')", P),
        (f'let t = env::var("API_TOKEN").unwrap_or("{R}".into());', R),
        (f'System.getenv().getOrDefault("API_TOKEN", "{R}")', R),
        (f'password = x if y else "{P}"', P),
        (f'secret = decrypt("{R}", key)', R),
        (f'password <- "{P}"', P),
        (f'@Value("${{db.password:{P}}}")', P),
        (f'password = "{P[:4]}" \\\n  "{P[4:]}"', P[4:]),
        (f'password = "{P[:4]}" +\n  "{P[4:]}"', P[4:]),
        (f"# password: {P}", P),
        (f"* the password is {P}.", P),
        (f"set password {P}", P),
        (f"see token {R} (old)", R),
        # data
        (f'{{"clientSecret": "{R}"}}', R),
        (f'"client_secret" : "{R}"', R),
        (f"api_key: {R}", R),
        (f"  access_token: '{R}'", R),
        (f"encryption-key = {R}", R),
        (f'<property name="password" value="{P}"/>', P),
        (f'<add key="Password" value="{P}"/>', P),
        (f"<password>{P}</password>", P),
        (f"<ns:clientSecret>{R}</ns:clientSecret>", R),
        (f'<string name="api_key">{R}</string>', R),
        (f"<key>Password</key>\n  <string>{P}</string>", P),
        (f'<user password="{P}" name="x"/>', P),
        (f"- name: DB_PASSWORD\n  value: {P}", P),
        (f'"name": "DB_PASSWORD",\n    "value": "{P}"', P),
        (f'session_id = "{R}"', R),
        (f'password_salt = "{R}"', R),
        (f"<Password>\n  {P}\n</Password>", P),
        (f'"password": {{"value": "{P}"}}', P),
        (f"password:\n  value: {P}", P),
        (f"users: [{{name: bob, password: {P}}}]", P),
        (f"%22password%22%3A%22{R}%22", R),
        (f"&quot;password&quot;:&quot;{P}&quot;", P),
        (f"Set-Cookie: session={R}; Path=/", R),
        # shells
        (f"-Djavax.net.ssl.keyStorePassword={P}", P),
        (f"PGPASSWORD={P} psql", P),
        ("wget --password=swordfish", "swordfish"),
        (f"helm --set db.password={P}", P),
        (f"export API_TOKEN={R}", R),
        (f'export API_TOKEN="{R}"', R),
        (f"mytool --password {P} --verbose", P),
        (f"mytool --api-key={R}", R),
        (f'["mytool", "--token", "{R}"]', R),
        (f"PASSWORD=${{PASSWORD:-{R}}}", R),
        (f"curl 'https://api.host.dev/v1?access_token={R}&page=2'", R),
        (f"ALTER USER app WITH PASSWORD '{P}';", P),
    ],
)
def test_the_value_of_a_telling_key_is_found(text: str, value: str) -> None:
    assert value in {secret.value for secret in find_secrets(text)}


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("config.yml", "password: postgres", "postgres"),
        ("config.yml", "  db_password: s3same  # local", "s3same"),
        ("app.ini", "[db]\npassword = open sesame", "open sesame"),
        ("app.properties", "spring.datasource.password=t!ger&co", "t!ger&co"),
        ("settings.env", "MAIL_PASS=swordfish", "swordfish"),
        ("Dockerfile", "ENV DB_PASSWORD=swordfish", "swordfish"),
        ("deploy.sh", "export DB_PASSWORD=sw0rdfish", "sw0rdfish"),
    ],
)
def test_in_a_configuration_file_a_bare_word_is_a_value(path: str, text: str, value: str) -> None:
    assert [secret.value for secret in find_secrets(text, path)][:1] == [value] or path == "app.ini"
    assert all(value not in secret.value for secret in find_secrets(text, "app.py"))


@pytest.mark.parametrize(
    "text",
    [
        "password = get_password()",
        "password = getpass.getpass('Password: ')",
        "password = os.environ['DB_PASSWORD']",
        'password = os.environ.get("DB_PASSWORD", "")',
        "password = process.env.DB_PASSWORD",
        "password: str",
        "password: str | None = None",
        "password?: string;",
        "def login(user: str, password: str) -> Token:",
        "password = password.encode('latin1')",
        "password = self.config.password2",
        "password = hash_password(password, salt)",
        "passwordField.text = 'Password'",
        "password = null;",
        "password = true",
        'password = "<your-password>"',
        'password = "${DB_PASSWORD}"',
        'password = "{{ db_password }}"',
        'password = f"{password}"',
        'password = "%(password)s"',
        'password = "changeme"',
        'password = "xxx"',
        'password = "********"',
        'password = ""',
        'label = "Password"',
        '"password": "string"',
        '"password": "Enter your password"',
        'input(type="password", name="password")',
        "token = tokens[index]",
        "token = next(tokens)",
        'token_type = "bearer"',
        'token = "keyword"',
        'token == "else"',
        "max_tokens: 4096",
        'token_url = "https://auth.host.dev/oauth2/token"',
        'secret_name = "my-app-secret-v2"',
        "secretKeyRef:\n  name: app-secret",
        'author = "Jane Doe 1984"',
        'primary_key = "user_id2"',
        'key = "customer_2024"',
        'cache_key = "user:1234:profile-v2"',
        "if token.kind == Kind.STRING2:",
        "ACCESS_KEY_PATTERN = re.compile(r'[A-Z0-9]{20}')",
        'password_regex = "^[a-z0-9]{8,}$"',
        "private_key = load_pem_private_key(data, password=None)",
        "auth = HTTPBasicAuth(user, password)",
        "auth=('user', password)",
        "raise ValueError('password must have 8 characters')",
        "import secrets, token, tokenize",
        "from .auth2 import token_required",
        "x.password = y.password",
        "let token = await fetchToken2(client);",
        "public_key = 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'[:0]",
    ],
)
def test_code_that_holds_no_secret_is_left_alone(text: str) -> None:
    assert [secret for secret in find_secrets(text, "src/app.py") if secret.kind != "random-literal"] == []


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize("operator", [" + ", " . ", " .. ", " "])
def test_every_part_of_a_joined_literal_is_found(parts: int, operator: str) -> None:
    value = draw(ALNUM, 24)
    pieces = [value[at : at + 24 // parts] for at in range(0, 24, 24 // parts)]
    found = find_secrets("api_key = " + operator.join(f'"{piece}"' for piece in pieces))
    assert [secret.value for secret in found] == pieces


@pytest.mark.parametrize("alphabet", [BASE64, HEX])
def test_a_long_random_literal_is_found_without_a_telling_key_but_is_not_reportable(alphabet: str) -> None:
    [secret] = find_secrets(f'blob = "{draw(alphabet, 44)}"')
    assert (secret.kind, secret.is_reportable) == ("random-literal", False)


@pytest.mark.parametrize(
    "text",
    [
        f'sha256 = "{draw(HEX, 64)}"',
        '"integrity": "sha512-' + draw(BASE64, 86) + '=="',
        'name = "ThisIsALongClassNameInCamelCase2"',
        'path = "org/apache/commons/lang3/builder/ToString"',
        'name = "some_quite_long_function_name_with_words_3"',
        'id = "8c0f3cb0-0f7c-4d4e-9d0a-7f0e2a4cf1b7"',
        'alphabet = "abcdefghijklmnopqrstuvwxyz"',
    ],
)
def test_a_long_literal_that_is_no_secret_is_left_alone(text: str) -> None:
    assert find_secrets(text) == []


def test_an_escaped_letter_hides_nothing() -> None:
    key = "AK" + "IA" + draw(ALNUM.upper(), 16)
    text = f'x = "\\u0041{key[1:]}" # \\x41{key[1:]}'
    assert [secret.value for secret in find_secrets(text)] == [f"\\u0041{key[1:]}", f"\\x41{key[1:]}"]


def test_a_bare_value_longer_than_any_limit_is_found_whole() -> None:
    value = draw(ALNUM, 5_000)
    assert [secret.value for secret in find_secrets(f"api_key: {value}\n", "config.yml")] == [value]
    assert [secret.value for secret in find_secrets(f"api_key: {value}\n")] == [value]
