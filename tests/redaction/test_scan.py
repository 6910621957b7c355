import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from mcp_tools.redaction import Redactor
from tests.redaction.samples import ALNUM, TOKENS, Sample, draw, pem

KEY = b"a key of one run"
PASSWORD = "Tr0ub" + "4d/r&3\"x"
TOKEN = "gh" + "p_" + draw(ALNUM, 36)


def body(content: object, *, ascii_only: bool = True) -> bytes:
    request = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": content}], "max_tokens": 4096, "stream": True}
    return json.dumps(request, ensure_ascii=ascii_only).encode()


def escaped(text: str) -> str:
    """Each character as the JSON escape of its code."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("sample", TOKENS, ids=lambda sample: sample.kind)
def test_a_body_with_a_token_does_not_pass(sample: Sample) -> None:
    assert sample.kind in Redactor(KEY).scan(body(f"line one\nx = '{sample.before}{sample.token}'\n"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: body(f"see\n{TOKEN}\n"),
        lambda: body(json.dumps({"a": f"b\n{TOKEN}"})),
        lambda: body(json.dumps({"a": json.dumps({"b": [f"\n{TOKEN}\n"]})})),
        lambda: body("x").replace(b'"x"', b'"' + escaped(TOKEN).encode() + b'"'),
        lambda: body(json.dumps({"a": "x"}).replace('"x"', f'"{escaped(TOKEN)}"')),
        lambda: body({TOKEN: 1}),
        lambda: body("x").replace(b'"x"', f'"{TOKEN}", "content": "y"'.encode()),
        lambda: f"not JSON {TOKEN}".encode(),
        lambda: f"\xff\xfe {TOKEN}".encode("latin-1"),
        lambda: body(f"password = '{TOKEN}'", ascii_only=False),
        lambda: b"[" * 100_000 + TOKEN.encode(),
    ],
    ids=["text", "nested", "twice", "escaped", "nested-escaped", "key", "repeated-key", "no-json", "no-utf8", "keyed", "deep"],
)  # fmt: skip
def test_a_token_is_seen_in_any_dress(make: Callable[[], bytes]) -> None:
    assert Redactor(KEY).scan(make()) != []


@pytest.mark.parametrize(
    "dress",
    [
        lambda value: value,
        lambda value: f"x{value}y",
        lambda value: json.dumps(value),
        lambda value: json.dumps(json.dumps(value)),
        lambda value: quote(value, safe=""),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(b"a" + value.encode() + b"zz").decode(),
        lambda value: base64.urlsafe_b64encode(b"ab" + value.encode()).decode(),
        lambda value: escaped(value),
        lambda value: value.replace("&", "&amp;").replace('"', "&quot;"),
    ],
    ids=["plain", "inside", "json", "json-twice", "url", "base64", "base64+1", "base64+2", "unicode", "html"],
)  # fmt: skip
def test_a_learned_value_is_seen_and_replaced_in_any_dress(dress: Callable[[str], str]) -> None:
    redactor = Redactor(KEY)
    redactor.learn(f"DB_PASSWORD={PASSWORD}\n", ".env")
    text = f"note: {dress(PASSWORD)}."
    assert redactor.scan(body(text)) != []
    assert redactor.scan(text.encode()) != []
    redacted = redactor.redact(text)
    assert redactor.scan(body(redacted)) == []
    assert redactor.restore(redacted) == text


def test_a_private_key_does_not_pass() -> None:
    assert Redactor(KEY).scan(body(pem())) == ["private-key"]


def test_an_ordinary_request_passes() -> None:
    request = {
        "model": "kimi-k2.6",
        "messages": [
            {"role": "system", "content": "Report hard-coded passwords, tokens and api_key values. Keep ⟦SECRET:kind:tag⟧ as it is."},
            {"role": "user", "content": "def login(password: str) -> Token:\n    token = issue(password)\n    return token\n"},
            {"role": "assistant", "tool_calls": [{"id": "call_8f3kD92mZq", "function": {"name": "f", "arguments": '{"token": "x"}'}}]},
        ],
        "tools": [{"type": "function", "function": {"parameters": {"properties": {"token": {"type": "string"}}}}}],
        "prompt_cache_key": "3f0c9d1e7b2a4c5d8e6f",
        "safety_identifier": "user-9d8f7a6b5c4d",
        "max_tokens": 4096,
    }  # fmt: skip
    assert Redactor(KEY).scan(json.dumps(request).encode()) == []


def test_an_escape_does_not_make_a_learned_value_of_ordinary_text() -> None:
    redactor = Redactor(KEY)
    redactor.learn("A_TOKEN=nx7Gq92LmWz\nB_TOKEN=e9x7Gq92LmWw\n", ".env")
    assert redactor.scan(body("\nx7Gq92LmWz")) == []
    assert redactor.scan(body("éx7Gq92LmWw")) == []
    assert redactor.scan(body("nx7Gq92LmWz")) == ["token"]


@pytest.mark.parametrize("content", ["", [], {}, None, 1, [[[[]]]], "\x00", "\ud800"])
def test_nothing_is_found_in_nothing(content: object) -> None:
    assert Redactor(KEY).scan(body(content)) == []


@pytest.mark.parametrize("raw", [b"", b"{", b'"', b"\x00\xff", b"nan"])
def test_a_broken_body_is_looked_at_as_text(raw: bytes) -> None:
    assert Redactor(KEY).scan(raw) == []
