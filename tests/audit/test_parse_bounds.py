"""The parser holds little, works in linear time, and says so where it stops."""

import json

import pytest

from kimi_lsp.audit.parse import Candidate, FindingParser, Malformed
from kimi_lsp.audit.scan import ObjectScan
from tests.audit.replies import read_reply

_ONE = '{"rule": "r1", "line": 3, "quote": "x = 1", "message": "m"}'


def test_ten_thousand_findings_all_come_out() -> None:
    text = json.dumps({"findings": [{"rule": f"r{n}", "message": "m", "quote": "q"} for n in range(10_000)]})
    items, is_complete, _ = read_reply(text, 512)
    assert [item.rule for item in items if isinstance(item, Candidate)] == [f"r{n}" for n in range(10_000)]
    assert is_complete


def test_past_the_cap_on_findings_there_is_one_notice_and_no_completeness() -> None:
    parser = FindingParser(max_findings=2)
    items = [*parser.feed("[" + ",".join([_ONE] * 5) + "]"), *parser.close()]
    assert [isinstance(item, Malformed) for item in items] == [False, False, True]
    assert "more than 2" in getattr(items[-1], "reason", "")
    assert not parser.is_complete


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_finding_over_the_cap_is_given_up_and_the_next_one_read(size: int) -> None:
    text = '{"findings": [{"rule": "big", "message": "' + "x" * 900 + '"}, ' + _ONE + "]}"
    parser = FindingParser(max_object=300)
    items = [item for at in range(0, len(text), size) for item in parser.feed(text[at : at + size])]
    items.extend(parser.close())
    assert [type(item) for item in items] == [Malformed, Candidate]
    assert "longer than 300" in getattr(items[0], "reason", "")


@pytest.mark.parametrize("opening", ["[", '{"rule":', '{"findings":[', "{a:", '{"rule": [', "[{"])
def test_deep_nesting_is_no_recursion(opening: str) -> None:
    items, is_complete, _ = read_reply(opening * 10_000, 4_096)
    assert not any(isinstance(item, Candidate) for item in items)
    assert not is_complete


def test_a_closed_but_deeply_nested_finding_is_malformed() -> None:
    deep = '{"rule": "r", "message": ' + "[" * 5_000 + "]" * 5_000 + "}"
    items, _, _ = read_reply(f"[{deep}, {_ONE}]")
    assert [item.rule for item in items if isinstance(item, Candidate)] == ["r1"]


def test_numbers_without_end_are_no_error() -> None:
    items, _, _ = read_reply('{"rule": "r", "message": "m", "quote": "q", "line": ' + "9" * 6_000 + "}")
    assert [getattr(item, "line", 0) for item in items] == [None]


@pytest.mark.parametrize(
    "unit",
    [
        "{a:",
        '{"rule":',
        '{"rule":"a","rule":',
        '{"rule":"a" x',
        "{",
        "[{",
        '"',
        '{"findings":[ /*',
        "{ //",
        "</think",
        " ",
        "x,",
    ],
)
def test_the_work_on_hostile_text_stays_linear(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts what the object scanner reads and holds: a fixed number of times the text, and one object."""
    read = longest = 0
    plain = ObjectScan.run

    def counted(self: ObjectScan, text: str, *, is_final: bool) -> object:
        nonlocal read, longest
        before, longest = self.at, max(longest, len(text))
        outcome = plain(self, text, is_final=is_final)
        read += self.at - before
        return outcome

    monkeypatch.setattr(ObjectScan, "run", counted)
    text = (unit * (80_000 // len(unit)))[:80_000]
    parser = FindingParser(max_object=20_000)
    for at in range(0, len(text), 97):
        list(parser.feed(text[at : at + 97]))
    list(parser.close())
    assert longest <= 21_000
    assert read <= 12 * len(text) + 1_050_000
