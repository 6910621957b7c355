"""About forty secrets planted in a small project: none may survive in any text, name or number of a request."""

import base64
import json
from urllib.parse import quote

import pytest

from mcp_tools.redaction import Redactor, is_denied
from tests.redaction.samples import ALNUM, BASE64, HEX, TOKENS, UPPER, draw, pem, uuid


def _chosen(number: int) -> str:
    """A password as people make them."""
    return f"{draw(ALNUM, 5, number)}-{'!#%+'[number % 4]}{draw(ALNUM, 6, number + 900)}{number}"


def _drawn(number: int, size: int = 32) -> str:
    return draw(ALNUM, size, number)


_BASIC_PASSWORD = _drawn(28, 18)
_NAME = _drawn(33, 20)
_TOKENS = {f"token{number}": sample for number, sample in enumerate(TOKENS[::8])}

CANARIES: dict[str, str] = {
    **{name: sample.token for name, sample in _TOKENS.items()},
    "py": _chosen(1),
    "py_bytes": _chosen(2),
    "py_kwarg": _chosen(3),
    "py_triple": _chosen(4),
    "py_half": _drawn(5, 24),
    "js": _drawn(6),
    "js_template": _drawn(7),
    "go": _drawn(8),
    "java": _drawn(9),
    "rust": _drawn(10),
    "php": _chosen(11),
    "ruby": _drawn(12, 64),
    "csharp": _chosen(13),
    "yaml": _chosen(14),
    "yaml_word": "mondschein" + "sonate",
    "k8s": _chosen(15),
    "json": _drawn(16),
    "json_escaped": _drawn(17),
    "toml": _drawn(18),
    "ini": _chosen(19),
    "xml_attribute": _chosen(20),
    "xml_element": _drawn(21),
    "env": _chosen(22),
    "env_plain_key": _drawn(23, 20),
    "dockerfile": _chosen(24),
    "shell": _drawn(25),
    "flag": _chosen(26),
    "query": _drawn(27),
    "basic": base64.b64encode(f"bot:{_BASIC_PASSWORD}".encode()).decode(),
    "url": _drawn(29, 16),
    "ado": _drawn(30, 14),
    "netrc": _chosen(31),
    "hex": draw(HEX, 64, 32),
    "in_a_name": _NAME,
    "uuid": uuid(34),
    "base64_of_env": _drawn(35, 21),
    "url_encoded": "p@ss/" + _drawn(36, 12),
    "comment_only": _drawn(37, 18),
    "unicode": "pä$$wört" + _drawn(38, 8),
    "blob": draw(BASE64, 60, 39),
    "terraform": _drawn(40),
    "aws_secret": draw(BASE64, 40, 41),
}  # fmt: skip
C = CANARIES
_KEY = pem(seed=77)

FILES: dict[str, str] = {
    ".env": f"""APP_PASSWORD={C["env"]}
PLAIN={C["env_plain_key"]}
NOTE='{C["comment_only"]}'
B={C["base64_of_env"]}
export U="{C["url_encoded"]}"
N={_NAME}
""",
    ".netrc": f"machine git.corp.io\n  login bob\n  password {C['netrc']}\n",
    "server.key": _KEY,
    "app.py": f"""
import os
PASSWORD = "{C["py"]}"  # was {C["comment_only"]}
KEY = b"{C["py_bytes"]}"; secret = b"{C["py_bytes"]}"
db = connect("db", user="app", password="{C["py_kwarg"]}", port=5432)
token = \"\"\"{C["py_triple"]}\"\"\"
API_KEY = "{C["py_half"][:12]}" + "{C["py_half"][12:]}"
ENV = "{C["env_plain_key"]}"
def rotate_{_NAME}_now(): ...
request_token = "{C["uuid"]}"
signing_key = "{C["hex"]}"
password = "{C["unicode"]}"
BLOB = "{C["blob"]}"
key = \"\"\"{_KEY}\"\"\"
""",
    "web/app.ts": f"""const apiKey: string = '{C["js"]}';
const s = {{ clientSecret: `{C["js_template"]}` }};
fetch('/x?access_token={C["query"]}&a=1')
""",
    "main.go": f'var authToken string = "{C["go"]}"\nurl := "postgres://app:{C["url"]}@db.corp.io/app"\n',
    "Main.java": f'  private static final String SECRET_KEY = "{C["java"]}";\n',
    "lib.rs": f'const ACCESS_TOKEN: &str = "{C["rust"]}";\n',
    "index.php": f"<?php define('DB_PASSWORD', '{C['php']}');\n",
    "secrets.rb": f'config.secret_key_base = "{C["ruby"]}"\n',
    "Db.cs": f"""var cs = "Server=db;User Id=sa;Password={C["ado"]};Encrypt=true";
string password = @"{C["csharp"]}";
""",
    "app.yml": f"db:\n  password: {C['yaml']}\n  passphrase: {C['yaml_word']}\n",
    "k8s.yaml": f"""env:
  - name: DB_PASSWORD
    value: {C["k8s"]}
  - name: OTHER
    value: {base64.b64encode(C["base64_of_env"].encode()).decode()}
""",
    "config.json": json.dumps(
        {"apiKey": C["json"], "nested": json.dumps({"secret_token": C["json_escaped"]})}, indent=1
    ),
    "pyproject.toml": f'[tool.x]\ntoken = "{C["toml"]}"\n',
    "setup.ini": f"[db]\r\npassword = {C['ini']}\r\n",
    "web.config": f"""<add key="DbPassword" value="{C["xml_attribute"]}"/>
<clientSecret>{C["xml_element"]}</clientSecret>
""",
    "Dockerfile": f"FROM x\nENV DB_PASSWORD={C['dockerfile']}\n",
    "run.sh": f"""export API_TOKEN={C["shell"]}
tool --password {C["flag"]} run
curl -H 'Authorization: Basic {C["basic"]}' https://x.io
""",
    "main.tf": f'client_secret = "{C["terraform"]}"\naws_secret_access_key = "{C["aws_secret"]}"\n',
    "NOTES.md": f"Ask for {C['comment_only']} or {quote(C['url_encoded'], safe='')}; see {_NAME}.\n",
    "tokens.txt": "\n".join(f"{name} {sample.before}{sample.token}" for name, sample in _TOKENS.items()),
    f"dump_{_NAME}.sql": "SELECT 1;\n",
}


def _learned() -> Redactor:
    redactor = Redactor(b"the key of this run")
    for path, text in FILES.items():
        redactor.learn(text, path)
    return redactor


REDACTOR = _learned()
SENT = {path: REDACTOR.redact(text, path) for path, text in FILES.items()}


def test_about_forty_canaries_are_planted_and_all_are_in_some_file() -> None:
    everything = "\n".join(FILES.values())
    missing = [
        name for name, value in C.items() if value not in everything and json.dumps(value)[1:-1] not in everything
    ]
    assert len(C) >= 40
    assert missing == ["py_half"], "only this one is written in two parts"


@pytest.mark.parametrize("name", C)
def test_no_canary_survives_in_any_text(name: str) -> None:
    value = C[name]
    dresses = {
        value,
        json.dumps(value)[1:-1],
        quote(value, safe=""),
        base64.b64encode(value.encode()).decode().rstrip("=")[:-1],
    }
    halves = {value[:12], value[12:]} if name == "py_half" else set[str]()
    for path, redacted in SENT.items():
        assert not [dress for dress in dresses | halves if dress in redacted], path


def test_no_canary_survives_in_a_path() -> None:
    paths = REDACTOR.redact("\n".join(FILES))
    assert _NAME not in paths
    assert REDACTOR.restore(paths).split("\n") == list(FILES)


def test_no_line_of_the_private_key_survives() -> None:
    sent = "\n".join(SENT.values())
    assert not [line for line in _KEY.split("\n")[1:-2] if line[:16] in sent or line[-16:] in sent]


def test_the_request_with_everything_passes_and_without_redaction_it_does_not() -> None:
    prompt = "\n".join(f"File {REDACTOR.redact(path)}\n{text}" for path, text in SENT.items())
    assert REDACTOR.scan(json.dumps({"messages": [{"role": "user", "content": prompt}]}).encode()) == []
    for path, text in FILES.items():
        if text != "SELECT 1;\n":
            assert REDACTOR.scan(json.dumps({"messages": [{"content": text}]}).encode()) != [], path


def test_every_text_comes_back_and_keeps_its_lines() -> None:
    for path, text in FILES.items():
        assert REDACTOR.restore(SENT[path]) == text
        assert len(SENT[path].splitlines()) == len(text.splitlines())


def test_code_around_the_canaries_is_still_there() -> None:
    redacted = SENT["app.py"]
    for code in (
        "import os\n",
        'connect("db", user="app", password="',
        "port=5432)",
        "def rotate_",
        "_now(): ...",
        " + ",
    ):
        assert code in redacted


def test_files_made_for_secrets_are_denied() -> None:
    assert [path for path in FILES if is_denied(path)] == [".env", ".netrc", "server.key"]


def test_a_token_without_learning_is_found_in_each_file_that_holds_it() -> None:
    redacted = Redactor(b"k").redact(FILES["tokens.txt"], "tokens.txt")
    assert not [sample for sample in _TOKENS.values() if sample.token in redacted]


def test_upper_case_tokens_in_names_are_found_too() -> None:
    key = "AK" + "IA" + draw(UPPER, 16, 5)
    assert key not in Redactor(b"k").redact(f"backup_{key}_old.tar")
