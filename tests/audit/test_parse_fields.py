"""A finding's fields are read under whatever names and types a model gives them."""

import json

import pytest

from kimi_lsp.audit.parse import Candidate
from tests.audit.replies import candidates, read_reply


def _read(**fields: object) -> Candidate:
    (candidate,) = candidates(read_reply(json.dumps([{"message": "m", **fields}])))
    return candidate


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"line": 12}, (12, 12)),
        ({"line": "12"}, (12, 12)),
        ({"line": 12.0}, (12, 12)),
        ({"line": "L12"}, (12, 12)),
        ({"lines": "12-14"}, (12, 14)),
        ({"lines": "lines 12 to 14"}, (12, 14)),
        ({"lines": "L12-L14"}, (12, 14)),
        ({"lines": [12, 14]}, (12, 14)),
        ({"line_number": 12}, (12, 12)),
        ({"startLine": 12, "endLine": 14}, (12, 14)),
        ({"start_line": "12", "end_line": "14"}, (12, 14)),
        ({"range": {"start": 12, "end": 14}}, (12, 14)),
        ({"range": {"start": {"line": 12}, "end": {"line": 14}}}, (12, 14)),
        ({"location": {"file": "a.py", "line": 12}}, (12, 12)),
        ({"location": "src/a2.py:12"}, (12, 12)),
        ({"location": "src/a2.py#L12-L14"}, (12, 14)),
        ({"line": None}, (None, None)),
        ({"line": "unknown"}, (None, None)),
        ({"line": True}, (None, None)),
        ({"line": -3}, (None, None)),
        ({"line": 0}, (None, None)),
        ({"line": 1e300}, (None, None)),
        ({"line": {}}, (None, None)),
        ({"line": []}, (None, None)),
    ],
)
def test_a_line_is_read_from(fields: dict[str, object], lines: tuple[int | None, int | None]) -> None:
    candidate = _read(**fields)
    assert (candidate.line, candidate.last_line) == lines


@pytest.mark.parametrize("key", ["quote", "code", "snippet", "existing_code", "existingCode", "Code Snippet"])
def test_a_quote_is_read_from(key: str) -> None:
    assert _read(**{key: "  x = 1"}).quote == "  x = 1"


def test_a_quote_may_be_a_list_of_lines_or_an_object() -> None:
    assert _read(quote=["a", "  b"]).quote == "a\n  b"
    assert _read(quote={"text": "a"}).quote == "a"
    assert _read(quote=12).quote == "12"
    assert _read(quote=None).quote == ""


def test_a_title_is_the_message_and_the_description_the_reason() -> None:
    (candidate,) = candidates(read_reply('[{"title": "t", "description": "d", "severity": "HIGH", "check_id": "c"}]'))
    assert (candidate.message, candidate.why, candidate.level, candidate.rule) == ("t", "d", "high", "c")


def test_a_description_alone_is_the_message() -> None:
    (candidate,) = candidates(read_reply('[{"description": "d", "rule": "r"}]'))
    assert (candidate.message, candidate.why) == ("d", "")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("High", "high"),
        (0.9, "high"),
        (0.6, "medium"),
        (0.2, "low"),
        (85, "high"),
        ("55%", "medium"),
        (8, "high"),
        (None, ""),
        (True, ""),
    ],
)
def test_a_confidence_is_a_word(given: object, word: str) -> None:
    assert _read(confidence=given).confidence == word


def test_a_finding_without_a_message_is_malformed() -> None:
    items, _, _ = read_reply('[{"rule": "r", "quote": "q", "message": null}]')
    assert [getattr(item, "reason", "") for item in items] == ["it has no message"]


def test_half_a_surrogate_pair_cannot_break_a_writer() -> None:
    (candidate,) = candidates(read_reply('[{"message": "a\\ud83d b \\ud83d\\ude00 \\u0000", "rule": "r"}]'))
    assert candidate.message == "a\ufffd b \U0001f600 \ufffd"
    candidate.message.encode()


def test_an_unknown_escape_stands_as_written() -> None:
    (candidate,) = candidates(read_reply('[{"message": "m", "quote": "re.match(\'\\d+\\.\\n\')", "rule": "r"}]'))
    assert candidate.quote == "re.match('\\d+\\.\n')"
