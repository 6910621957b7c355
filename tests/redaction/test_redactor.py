import hmac
import json
import re
import threading
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.redaction import Redactor, find_secrets
from tests.redaction.samples import ALNUM, BASE64, HEX, TOKENS, draw, pem

KEY = b"a key of one run"
PASSWORD = "Tr0ub" + "4dor&3x"
TOKEN = "gh" + "p_" + draw(ALNUM, 36)
_PLACEHOLDER = re.compile(r"⟦SECRET:([a-z0-9-]+):([0-9a-f]{8,})⟧")

_BEGIN = "-----BEGIN " + "PRIVATE " + "KEY-----"
_END = "-----END " + "PRIVATE " + "KEY-----"
_KEYS = "password|token|api_key|secret|x|Bearer |basic |value|Password=|name: |machine |login |curl -u a:|export |if "
_SIGNS = (
    ' = |: |=|"|\'|`|\\|\\"|\\n|\\u0041|\n|\r|\r\n| |  |,|(|)|{|}|<|>|</|+|&|://|@|;|--|⟦|⟧|SECRET:|é|🔑|\u2028|12| '
)
_VALUES = [
    *("None", "changeme", "hunter2", PASSWORD, TOKEN, draw(ALNUM, 40), draw(BASE64, 64), draw(HEX, 32)),
    *("AK" + "IA" + draw("ABCDEFGH234567", 16), "⟦SECRET:password:0123abcd⟧", _BEGIN, _END),
    *(sample.before + sample.token for sample in TOKENS[::9]),
]
_words = st.sampled_from([*_KEYS.split("|"), *_SIGNS.split("|"), *_VALUES])
texts = st.lists(_words | st.text(max_size=6), max_size=24).map("".join)
paths = st.sampled_from(["", "app.py", "config.yml", ".env", "tests/test_x.py", "deploy.sh"])


def lines(text: str) -> int:
    return len(re.findall(r"\r\n|\n|\r", text))


def numbered(text: str) -> str:
    return "".join(f"{number:>4}| {line}" for number, line in enumerate(re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), 1))


def body(text: str, *, ascii_only: bool = True) -> bytes:
    request = {
        "model": "kimi-k2.6",
        "messages": [{"role": "user", "content": text}],
        "prompt_cache_key": "kimi-lsp-9f8e7d6c5b4a",
    }
    return json.dumps(request, ensure_ascii=ascii_only).encode()


@settings(deadline=None)
@given(texts, paths)
def test_restoring_gives_every_text_back(text: str, path: str) -> None:
    redactor = Redactor(KEY)
    assert redactor.restore(redactor.redact(text, path)) == text


@settings(deadline=None)
@given(texts, paths)
def test_the_lines_stay_as_many(text: str, path: str) -> None:
    redacted = Redactor(KEY).redact(text, path)
    assert lines(redacted) == lines(text)
    assert len(redacted.splitlines()) == len(text.splitlines())


@settings(deadline=None)
@given(texts, paths)
def test_redacting_again_changes_nothing(text: str, path: str) -> None:
    redactor = Redactor(KEY)
    once = redactor.redact(text, path)
    assert redactor.redact(once, path) == once
    assert find_secrets(once, path) == []


@settings(max_examples=300, deadline=None)
@given(texts, texts, paths, st.booleans())
def test_what_was_redacted_passes_the_scan(text: str, other: str, path: str, ascii_only: bool) -> None:
    redactor = Redactor(KEY)
    redactor.learn(other, ".env")
    redacted = redactor.redact(text, path)
    prompt = f"Review this file.\n```\n{numbered(redacted)}\n```\nAnswer in JSON.\n{redactor.redact(other)}\n"
    assert redactor.scan(body(redacted, ascii_only=ascii_only)) == []
    assert redactor.scan(body(prompt, ascii_only=ascii_only)) == []
    assert redactor.scan(body(redactor.redact(json.dumps({"result": redacted})), ascii_only=ascii_only)) == []


@settings(deadline=None)
@given(texts)
def test_no_found_value_survives_on_its_line(text: str) -> None:
    redactor = Redactor(KEY)
    redacted = _PLACEHOLDER.sub("", redactor.redact(text))
    for secret in find_secrets(text):
        for piece in re.split(r"[\s\"'\\]+", secret.value):
            assert len(piece) < 24 or piece not in redacted


def test_the_same_value_gets_the_same_placeholder_and_another_key_another_tag() -> None:
    text = f"a = '{TOKEN}'\nb = '{TOKEN}'"
    first, second = _PLACEHOLDER.findall(Redactor(KEY).redact(text))
    assert first == second == (first[0], first[1])
    assert first[0] == "github-token"
    assert _PLACEHOLDER.findall(Redactor(b"another").redact(text))[0] != first


def test_a_placeholder_says_the_kind_and_nothing_of_the_value() -> None:
    redacted = Redactor(KEY).redact(f'password = "{PASSWORD}"\n')
    assert re.fullmatch(r'password = "⟦SECRET:password:[0-9a-f]{8}⟧"\n', redacted)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kind", ["RSA ", "", "EC ", "OPENSSH ", "DSA ", "ENCRYPTED "])
def test_each_line_of_a_private_key_becomes_its_own_placeholder(end: str, kind: str) -> None:
    key = pem(kind, end=end)
    redactor = Redactor(KEY)
    redacted = redactor.redact(f"x = 1{end}{key}{end}y = 2")
    rows = redacted.split(end)
    assert rows[0] == "x = 1"
    assert rows[-1] == "y = 2"
    assert all(re.fullmatch(_PLACEHOLDER.pattern + "(==)?", row) for row in rows[2:-2])
    assert len(rows) == len(key.split(end)) + 2
    assert redactor.restore(redacted) == f"x = 1{end}{key}{end}y = 2"


_WRAPPINGS: dict[str, Callable[[str], str]] = {
    "literal": lambda key: "KEY = '''" + key + "'''",
    "one-line": lambda key: 'KEY = "' + key.replace("\n", "\\n") + '"',
    "json": lambda key: json.dumps({"private_key": key, "type": "service_account"}),
    "joined": lambda key: "KEY = (\n" + "\n".join(f'    "{line}\\n"' for line in key.split("\n")) + "\n)",
    "comment": lambda key: "\n".join(f"# {line}" for line in key.split("\n")),
    "yaml": lambda key: "data: |\n" + "\n".join(f"    {line}" for line in key.split("\n")),
    "numbered": lambda key: "\n".join(f"{number:>5}| {line}" for number, line in enumerate(key.split("\n"), 1)),
    "cut": lambda key: key.rsplit("\n", 3)[0] + "\nx = compute()\n",
}


@pytest.mark.parametrize("wrap", _WRAPPINGS.values(), ids=_WRAPPINGS)
def test_no_line_of_a_private_key_survives_in_any_wrapping(wrap: Callable[[str], str]) -> None:
    key = pem()
    text = wrap(key)
    redactor = Redactor(KEY)
    redacted = redactor.redact(text, "app.py")
    assert not [line for line in key.split("\n")[1:-4] if line[:20] in redacted]
    assert redactor.restore(redacted) == text
    assert ("x = compute()" in redacted) == ("x = compute()" in text)
    assert redactor.scan(body(text)) != []
    assert redactor.scan(body(redacted)) == []


def test_the_markers_of_a_private_key_without_a_body_are_code() -> None:
    text = "begin = '-----BEGIN PRIVATE KEY-----'\nend = '-----END PRIVATE KEY-----'\nbody = read(path)\n"
    assert Redactor(KEY).redact(text) == text


def test_text_that_looks_like_a_placeholder_is_itself_replaced_and_comes_back() -> None:
    text = f'a = "⟦SECRET:password:0123abcd⟧"; password = "⟦SECRET:x:0123abcd⟧{PASSWORD}"'
    redactor = Redactor(KEY)
    redacted = redactor.redact(text)
    assert "0123abcd" not in redacted
    assert PASSWORD not in redacted
    assert redactor.restore(redacted) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("⟦SECRET:{kind}:{tag}⟧", "{value}"),
        ("\\u27e6SECRET:{kind}:{tag}\\u27e7", "{json}"),
        ("\\u27E6SECRET:{kind}:{tag}\\u27E7", "{json}"),
        ("\\\\u27e6SECRET:{kind}:{tag}\\\\u27e7", "{json2}"),
        ("'⟦SECRET:{kind}:{tag}⟧'", "'{value}'"),
        ("⟦ SECRET: {kind}: {tag} ⟧", "{value}"),
        ("⟦SECRET:{kind}:{tag}", "{value}"),
        ("SECRET:{kind}:{tag}⟧", "{value}"),
        ("the SECRET:{kind}:{tag} here", "the {value} here"),
        ("[[SECRET:{kind}:{tag}]]", "{value}"),
        ("[⟦SECRET:{kind}:{tag}⟧]", "[{value}]"),
        ("⟦SECRET:other:{tag}⟧", "{value}"),
        ("⟦SECRET:{kind}:00000000⟧", "⟦SECRET:{kind}:00000000⟧"),
        ("⟦SECRET:{kind}:{tag}0⟧", "⟦SECRET:{kind}:{tag}0⟧"),
        ("⟦SECRET:{kind}", "⟦SECRET:{kind}"),
    ],
)
def test_a_placeholder_is_recognised_as_a_model_writes_it(written: str, read: str) -> None:
    value = 'qu"ote\\' + PASSWORD
    redactor = Redactor(KEY)
    redacted = redactor.redact("password = 'qu\"ote\\" + PASSWORD + "'")
    [(kind, tag)] = _PLACEHOLDER.findall(redacted)
    inner = json.dumps(value)[1:-1]
    names = {"kind": kind, "tag": tag, "value": value, "json": inner, "json2": json.dumps(inner)[1:-1]}
    assert redactor.restore(written.format(**names)) == read.format(**names)


def test_learned_values_are_replaced_wherever_they_occur() -> None:
    redactor = Redactor(KEY)
    redactor.learn(f"DB_PASSWORD={PASSWORD}\nPLAIN=x7Gq92LmWz\n", ".env")
    text = f"# the old one was {PASSWORD}\ndef use_x7Gq92LmWz_now(): ...\n"
    redacted = redactor.redact(text, "app.py")
    assert PASSWORD not in redacted
    assert "x7Gq92LmWz" not in redacted
    assert redactor.restore(redacted) == text


def test_a_word_that_is_a_password_somewhere_is_not_replaced_everywhere() -> None:
    redactor = Redactor(KEY)
    redactor.learn("password: postgres\nuser: admin\nsecret: true\n", "config.yml")
    text = "import postgres\nhost = 'postgres'\n"
    assert redactor.redact(text) == text


def test_what_is_found_in_one_place_is_replaced_in_the_whole_text() -> None:
    text = f"# remember {PASSWORD}\npassword = '{PASSWORD}'\n"
    assert PASSWORD not in Redactor(KEY).redact(text)


def _alike() -> tuple[str, str]:
    """Two values whose tags have the same first eight digits; some 80,000 are tried."""
    seen: dict[str, str] = {}
    numbers = count()
    while True:
        number = next(numbers)
        value = f"p{number:x}Wq{number * 7919 % 10007}z"
        other = seen.setdefault(hmac.digest(KEY, value.encode(), "sha256")[:4].hex(), value)
        if other != value:
            return value, other


def test_two_values_whose_tags_begin_alike_stay_apart() -> None:
    value, other = _alike()
    text = f"password = '{value}'\npassword = '{other}'\n"
    redactor = Redactor(KEY)
    redacted = redactor.redact(text)
    (_, first), (_, second) = _PLACEHOLDER.findall(redacted)
    assert (len(first), len(second)) == (8, 12)
    assert second.startswith(first)
    assert redactor.restore(redacted) == text


def test_a_private_key_counts_once() -> None:
    redactor = Redactor(KEY)
    redactor.redact(pem() + "\n" + pem(seed=5) + "\n" + pem())
    assert redactor.counts == {"private-key": 2}


def test_counts_say_how_many_distinct_values_of_each_kind_were_replaced() -> None:
    redactor = Redactor(KEY)
    redactor.redact(f"password = '{PASSWORD}'\nx = '{TOKEN}'\ny = '{TOKEN}'")
    redactor.redact(f"password = '{PASSWORD}'")
    assert dict(redactor.counts) == {"github-token": 1, "password": 1}
    assert PASSWORD not in repr(redactor.counts)


def test_threads_share_a_redactor() -> None:
    redactor = Redactor(KEY)
    texts = [f"password = 'p{draw(ALNUM, 20, number % 10)}'\n" for number in range(40)]
    results: dict[int, str] = {}

    def work(number: int) -> None:
        redactor.learn(texts[number])
        results[number] = redactor.redact(texts[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(results.values())) == 10
    assert [redactor.restore(results[number]) for number in range(len(texts))] == texts
    assert redactor.counts == {"password": 10}
