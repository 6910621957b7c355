import base64

import pytest

from mcp_tools.redaction import find_secrets
from tests.redaction.samples import ALNUM, draw

P = "Tr0ub" + "4dor3x"
R = draw(ALNUM, 40)
_BASIC = base64.b64encode(b"deploy:" + P.encode()).decode()


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        (f"postgres://app:{P}@db.corp.io:5432/x", P, "url-password"),
        (f"mongodb+srv://app:{P}@cluster0.mongodb.net/?retryWrites=true", P, "url-password"),
        (f"redis://:{P}@cache:6379/0", P, "url-password"),
        ("https://bob:pa" + "ss@wo" + "rd1@git.corp.io/x.git", "pa" + "ss@wo" + "rd1", "url-password"),
        (f"git clone https://{R}@git.corp.io/x.git", R, "url-token"),
        (f'"Authorization": "Bearer {R}"', R, "bearer-token"),
        (f"curl -H 'Authorization: Bearer {R}' https://x.io", R, "bearer-token"),
        (f"Authorization: Basic {_BASIC}", _BASIC, "basic-auth"),
        (f"Authorization: token {R}", R, "authorization"),
        (f'cs = "Server=db;User Id=sa;Password={P};Encrypt=yes"', P, "connection-password"),
        (f"Data Source=x;pwd={P};", P, "connection-password"),
        (f'{{"auths": {{"registry.corp.io": {{"auth": "{_BASIC}"}}}}}}', _BASIC, "docker-auth"),
        (f"curl -u deploy:{P} https://x.io", P, "curl-password"),
        (f"machine git.corp.io login bob password {P}", P, "login-password"),
        (f"db.corp.io:5432:app:bob:{P}", P, "pgpass"),
        (f"sshpass -p {P} ssh x", P, "sshpass"),
        (f'requests.get(url, auth=("bob", "{P}"))', P, "login-pair"),
        (f"creds = ('bob', '{P}')", P, "login-pair"),
        (f'client.login("bob", "{P}")', P, "login-pair"),
        (f'connect("host=db user=bob password={P} dbname=x")', P, "connection-password"),
        (f'jwt.encode(payload, "{P}", algorithm="HS256")', P, "signing-key"),
        (f'hmac.new(b"{P}", message)', P, "signing-key"),
        (f"jdbc:oracle:thin:scott/{P}@db:1521", P, "oracle-password"),
        (f"docker login -u bob -p {P}", P, "command-password"),
        (f"redis-cli -a {P}", P, "command-password"),
        (f"openssl rsa -passin pass:{P}", P, "openssl-password"),
        (f"echo {P} | sudo -S ls", P, "piped-password"),
        (f"echo '{P}' | docker login -u bob --password-stdin", P, "piped-password"),
        (f"mysqldump -h db -u root -p{P} app", P, "mysql-password"),
        (f"CREATE USER 'a'@'%' IDENTIFIED BY '{P}';", P, "sql-password"),
    ],
)
def test_a_credential_is_found_in_its_place(text: str, value: str, kind: str) -> None:
    found = {secret.value: secret.kind for secret in find_secrets(text)}
    assert value in found, found
    assert found[value] == kind


@pytest.mark.parametrize(
    "text",
    [
        "https://host.io:8080/path@2x",
        "postgres://user:password@localhost/db",
        "postgres://$USER:$PASS@$HOST/db",
        "f'postgres://{user}:{password}@{host}/db'",
        "https://user@host.io/x",
        "git@github.com:org/repo.git",
        "Bearer authentication is required",
        "Authorization: Bearer <token>",
        "Authorization: Bearer ${TOKEN}",
        "Basic authentication of users",
        "Basic64encoded",
        "this.password=password; this.name=name;",
        "curl -u $USER:$PASS https://x.io",
        "sudo -u www-data php app.php",
        'auth = ("user", "password")',
        'login("user", get_password())',
        "docker run -p 8080:80 app",
        "docker login -u bob -p $PASSWORD",
        "jwt.decode(token, key, algorithms=['HS256'])",
    ],
)
def test_what_holds_no_credential_is_left_alone(text: str) -> None:
    assert find_secrets(text) == []
