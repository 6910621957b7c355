from itertools import pairwise

import pytest

from mcp_tools.redaction import find_secrets
from tests.redaction.samples import ALNUM, BASE64, HEX, draw, pem, uuid

STRONG = "vR7#" + "kq2!mZ9w"
R = draw(ALNUM, 32)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/app.py", f'DB_PASSWORD = "{STRONG}"'),
        ("src/app.ts", f'const apiKey = "{R}";'),
        ("config/prod.yml", f"api_key: {R}"),
        ("deploy.sh", f"export API_TOKEN={R}"),
        ("src/a.go", f'token := "{R}"'),
        ("src/app.py", f'url = "postgres://app:{STRONG.replace("#", "")}@db.corp.io/x"'),
        ("src/app.py", f'h = {{"Authorization": "Bearer {R}"}}'),
        ("src/key.py", f'KEY = """{pem()}"""'),
        ("src/app.py", f'client_secret = "{draw(BASE64, 43)}="'),
        ("src/app.py", f'api_key = "{draw(HEX, 32)}"'),
        ("", f'secret_key = "{R}"'),
    ],
)
def test_a_real_secret_is_reportable(path: str, text: str) -> None:
    assert any(secret.is_reportable for secret in find_secrets(text, path))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/app.py", 'password = "password123"'),
        ("src/app.py", 'password = "changeme123!"'),
        ("src/app.py", 'api_key = "your-api-key-1234567890"'),
        ("src/app.py", 'api_key = "EXAMPLE' + R + '"'),
        ("src/app.py", "password = os.environ['DB_PASSWORD']"),
        ("src/app.py", f'password = "{draw(HEX, 32)}"  # md5'),
        ("src/app.py", f'token_hash = "{draw(HEX, 64)}"'),
        ("src/app.py", f'secret_checksum = "{draw(HEX, 40)}"'),
        ("src/app.py", f'request_token = "{uuid()}"'),
        ("src/app.py", f'password == "{STRONG}"'),
        ("src/app.py", f'blob = "{draw(BASE64, 64)}"'),
        ("src/app.py", 'url = "postgres://app:s3cr3t99@localhost/x"'),
        ("src/app.py", 'url = "postgres://scott:tiger@example.com/x"'),
        ("src/app.py", f'password_salt = "{R}"'),
        ("src/app.py", '"password": "hunter2hunter2"'),
        ("tests/test_app.py", f'DB_PASSWORD = "{STRONG}"'),
        ("src/app.spec.ts", f'const apiKey = "{R}";'),
        ("docs/setup.md", f'api_key = "{R}"'),
        ("examples/app.py", f'api_key = "{R}"'),
        ("src/locales/de.json", '"password": "Kennwort8"'),
    ],
)
def test_a_dummy_a_hash_and_a_lookup_are_not_reportable(path: str, text: str) -> None:
    assert [secret.value for secret in find_secrets(text, path) if secret.is_reportable] == []


def test_a_token_of_a_vendor_is_reportable_even_in_a_test() -> None:
    [secret] = find_secrets(f"x = '{'gh' + 'p_' + draw(ALNUM, 36)}'", "tests/test_app.py")
    assert secret.is_reportable


_EDGES = ["", "\n", " ", "password", "password =", 'password = "', "=", '"', "\x00", "\ud800" * 3]


@pytest.mark.parametrize("text", [*_EDGES, "İ" * 5 + f'password = "{STRONG}"'])
def test_secrets_are_sorted_apart_and_say_where_they_stand(text: str) -> None:
    found = find_secrets(text)
    assert all(text[secret.start : secret.stop] == secret.value for secret in found)
    assert all(first.stop <= second.start for first, second in pairwise(found))
    assert bool(found) == (STRONG in text)
