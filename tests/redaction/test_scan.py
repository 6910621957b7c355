import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from mcp_tools.redaction import Redactor
from tests.redaction.samples import ALNUM, TOKENS, Sample, draw, pem

KEY = b"a key of one run"
PASSWORD = "Tr0ub" + '4d/r&3"x'
TOKEN = "gh" + "p_" + draw(ALNUM, 36)


def body(content: object, *, ascii_only: bool = True) -> bytes:
    request = {
        "model": "kimi-k2.6",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 4096,
        "stream": True,
    }
    return json.dumps(request, ensure_ascii=ascii_only).encode()


def escaped(text: str) -> str:
    """Each character as the JSON escape of its code."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("sample", TOKENS, ids=lambda sample: sample.kind)
def test_a_body_with_a_token_does_not_pass(sample: Sample) -> None:
    assert sample.kind in Redactor(KEY).scan(body(f"line one\nx = '{sample.before}{sample.token}'\n"))


_BODIES: dict[str, bytes] = {
    "text": body(f"see\n{TOKEN}\n"),
    "nested": body(json.dumps({"a": f"b\n{TOKEN}"})),
    "twice": body(json.dumps({"a": json.dumps({"b": [f"\n{TOKEN}\n"]})})),
    "escaped": body("x").replace(b'"x"', b'"' + escaped(TOKEN).encode() + b'"'),
    "nested-escaped": body(json.dumps({"a": "x"}).replace('"x"', f'"{escaped(TOKEN)}"')),
    "key": body({TOKEN: 1}),
    "repeated-key": body("x").replace(b'"x"', f'"{TOKEN}", "content": "y"'.encode()),
    "no-json": f"not JSON {TOKEN}".encode(),
    "no-utf8": f"\xff\xfe {TOKEN}".encode("latin-1"),
    "keyed": body(f"password = '{TOKEN}'", ascii_only=False),
    "deep": b"[" * 100_000 + TOKEN.encode(),
}
_DRESSES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "inside": lambda value: f"x{value}y",
    "json": json.dumps,
    "json-twice": lambda value: json.dumps(json.dumps(value)),
    "url": lambda value: quote(value, safe=""),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64+1": lambda value: base64.b64encode(b"a" + value.encode() + b"zz").decode(),
    "base64+2": lambda value: base64.urlsafe_b64encode(b"ab" + value.encode()).decode(),
    "unicode": escaped,
    "html": lambda value: value.replace("&", "&amp;").replace('"', "&quot;"),
}


@pytest.mark.parametrize("raw", _BODIES.values(), ids=_BODIES)
def test_a_token_is_seen_in_any_body(raw: bytes) -> None:
    assert Redactor(KEY).scan(raw) != []


@pytest.mark.parametrize("dress", _DRESSES.values(), ids=_DRESSES)
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
            {"role": "system", "content": "Report passwords, tokens and api_key values. Keep ⟦SECRET:kind:tag⟧."},
            {"role": "user", "content": "def login(password: str) -> Token:\n    return issue(password)\n"},
            {"role": "assistant", "tool_calls": [{"id": "call_8f3kD92m", "function": {"arguments": '{"token": 1}'}}]},
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


_NOTHING: list[object] = ["", [""], {"": ""}, None, 1, [[None]], "\x00", "\ud800"]


@pytest.mark.parametrize("content", _NOTHING)
def test_nothing_is_found_in_nothing(content: object) -> None:
    assert Redactor(KEY).scan(body(content)) == []


@pytest.mark.parametrize("raw", [b"", b"{", b'"', b"\x00\xff", b"nan"])
def test_a_broken_body_is_looked_at_as_text(raw: bytes) -> None:
    assert Redactor(KEY).scan(raw) == []
