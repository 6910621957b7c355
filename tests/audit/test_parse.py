"""Findings come out of every form an answer takes, as soon as each one closes, however the text is cut into chunks."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_lsp.audit.parse import Candidate, FindingParser, Malformed
from tests.audit.replies import BREAKS, ENCODERS, WRAPPERS, candidates, finding, read_reply, said

_ONE = '{"rule": "r1", "line": 3, "quote": "x = 1", "message": "m"}'
_TWO = '{"rule": "r2", "line": 4, "quote": "y = 2", "message": "n"}'


def _rules(text: str) -> list[str]:
    return [candidate.rule for candidate in candidates(read_reply(text))]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_finding_of_every_style_comes_out_exactly(wrapper: str, encoder: Callable[[object], str]) -> None:
    for seed in range(6):
        random_ = random.Random(seed)
        items = [finding(number, random_) for number in range(random_.randrange(1, 6))]
        items_out, is_complete, saw_json = read_reply(WRAPPERS[wrapper]([encoder(item) for item in items]))
        assert [said(item) for item in items_out if isinstance(item, Candidate)] == items
        assert len(items_out) == len(items)
        assert is_complete
        assert saw_json


@given(st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_one_broken_finding_takes_no_other_with_it(seed: int) -> None:
    random_ = random.Random(seed)
    items = [finding(number, random_) for number in range(random_.randrange(2, 6))]
    texts = [encoder(item) for encoder in [random_.choice(ENCODERS)] for item in items]
    broken = random_.randrange(len(items))
    texts[broken] = random_.choice(BREAKS)(texts[broken], random_)
    text = WRAPPERS[random_.choice(list(WRAPPERS))](texts)
    found = [said(candidate) for candidate in candidates(read_reply(text))]
    others = [item for number, item in enumerate(items) if number != broken]
    assert [item for item in found if item in others] == others, text


@given(st.integers(0, 10**9), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_the_result_does_not_depend_on_the_chunks(seed: int, size: int) -> None:
    random_ = random.Random(seed)
    texts = [random_.choice(ENCODERS)(finding(number, random_)) for number in range(3)]
    texts[1] = random_.choice(BREAKS)(texts[1], random_)
    text = WRAPPERS[random_.choice(list(WRAPPERS))](texts)
    text = text[: random_.randrange(1, len(text) + 1)]
    assert read_reply(text, size) == read_reply(text)


def test_every_split_point_gives_the_same() -> None:
    broken = '{"rule": "say "a" b"'
    text = f'It\'s {{x}}:\n```json\n{{"summary": "a {{b}}", "findings": [{_ONE}, // c\n {_TWO}, {broken}]}}\n```'
    whole = read_reply(text)
    for at in range(len(text)):
        parser = FindingParser()
        parts = [*parser.feed(text[:at]), *parser.feed(text[at:]), *parser.close()]
        assert (parts, parser.is_complete, parser.saw_json) == whole


@given(st.text(alphabet=list("{}[]\"'`:,/\\#* \nrule-x1<>"), max_size=80), st.integers(1, 7))
@settings(max_examples=250, deadline=None)
def test_any_text_at_all_is_read_without_an_error_and_alike_in_chunks(text: str, size: int) -> None:
    assert read_reply(text, size) == read_reply(text)


def test_a_finding_comes_out_with_the_character_that_closes_it() -> None:
    parser = FindingParser()
    head = '{"findings": ['
    assert not list(parser.feed(head + _ONE[:-1]))
    assert [item.raw for item in parser.feed("}")] == [_ONE]
    assert not parser.is_complete
    assert not list(parser.feed(", "))
    assert [item.raw for item in parser.feed(_TWO)] == [_TWO]
    assert not list(parser.feed("]}"))
    assert parser.is_complete


@pytest.mark.parametrize(
    "text", ['{"findings": []}', "[]", "```json\n[]\n```", '{"findings": [ ] }\n', "{'issues': []}"]
)
def test_no_finding_is_a_complete_answer(text: str) -> None:
    assert read_reply(text) == ([], True, True)
    assert read_reply(text, 1) == ([], True, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "I found nothing wrong.",
        "The list items[] is fine, and so is {x}.",
        "{}",
        '{"error": "overloaded"}',
        '{"findings": null}',
        "null",
        '<think>{"findings": []}',
        '<think>{"findings": []}</think> The code is fine.',
        '{"findings": []} no, wait </think>',
    ],
)
def test_an_answer_without_findings_that_does_not_say_so_is_not_complete(text: str) -> None:
    items, is_complete, _ = read_reply(text)
    assert items == []
    assert not is_complete


@pytest.mark.parametrize(
    "text", ['{"findings": [', '{"findings": []', f'{{"findings": [{_ONE}', f"[{_ONE},", _ONE[:-1], "["]
)
def test_an_answer_whose_brackets_stay_open_is_not_complete(text: str) -> None:
    assert not read_reply(text)[1]


def test_a_finding_that_was_cut_is_malformed() -> None:
    items, is_complete, _ = read_reply(f'{{"findings": [{_ONE}, {{"rule": "r2", "quote": "y = ')
    assert [item.raw for item in items] == [_ONE, '{"rule": "r2", "quote": "y = ']
    assert isinstance(items[1], Malformed)
    assert items[1].reason == "it was cut"
    assert not is_complete


def test_a_cut_finding_whose_main_fields_are_whole_is_salvaged() -> None:
    items, is_complete, _ = read_reply('[{"rule": "r", "quote": "x = 1", "message": "m", "line": 3, "why": "Beca')
    assert [(item.rule, item.quote, item.why, item.is_salvaged) for item in items if isinstance(item, Candidate)] == [
        ("r", "x = 1", "", True)
    ]
    assert not is_complete


def test_a_cut_never_looks_complete_whatever_brackets_the_quote_holds() -> None:
    text = json.dumps({"findings": [{"rule": "r", "message": "m", "quote": "f({a: [{}]}) }]} tail", "why": "w"}]})
    for at in range(1, len(text)):
        assert not read_reply(text[:at])[1], text[:at]


def test_inner_quotation_marks_that_nobody_escaped_are_kept() -> None:
    items = candidates(read_reply('[{"rule": "r", "quote": "print("a", b)", "message": "m", "line": 7}]'))
    assert [(item.quote, item.line, item.is_salvaged) for item in items] == [('print("a", b)', 7, True)]


def test_a_missing_brace_does_not_nest_the_next_finding() -> None:
    assert _rules(f"[{_ONE[:-1]}, {_TWO}]") == ["r1", "r2"]
    assert _rules(f"[{_ONE[:-1]} {_TWO}]") == ["r1", "r2"]
    assert _rules(f'{{"findings": [{_ONE[1:]}, {_TWO}]}}') == ["r1", "r2"]


def test_objects_and_lists_within_a_finding_belong_to_it() -> None:
    text = (
        '{"findings": [{"location": {"line": 9, "quote": "q"}, "related": [{"line": 3, "message": "x"}], '
        '"rule": "r1", "message": "m", "tags": ["a", "b"]}, {"rule": "r2", "message": "n"}]}'
    )
    items = candidates(read_reply(text))
    assert [(item.rule, item.line, item.quote) for item in items] == [("r1", 9, "q"), ("r2", None, "")]


def test_findings_grouped_by_file_come_out_in_order() -> None:
    text = f'{{"files": [{{"path": "a", "findings": [{_ONE}]}}, {{"path": "b", "findings": [{_TWO}]}}]}}'
    assert _rules(text) == ["r1", "r2"]
    assert read_reply(text)[1]


def test_findings_numbered_by_keys_come_out() -> None:
    assert _rules(f'{{"findings": {{"1": {_ONE}, "2": {_TWO}}}}}') == ["r1", "r2"]


def test_code_in_the_prose_is_no_finding() -> None:
    text = f'Such as `{{"a": 1}}` or `{{ foo: bar(1), b }}` or `if (x) {{ "y" }}`:\n{_ONE}\nDon\'t {{panic}}.'
    assert read_reply(text)[0] == read_reply(_ONE)[0]


def test_what_is_no_object_in_a_list_of_findings_is_malformed() -> None:
    items, is_complete, _ = read_reply(f'{{"findings": [{_ONE}, "and more", {_TWO}]}}')
    assert [type(item) for item in items] == [Candidate, Malformed, Candidate]
    assert is_complete


def test_of_two_values_under_one_key_the_last_counts() -> None:
    assert [item.line for item in candidates(read_reply('{"rule":"r","message":"m","line":1,"line":2}'))] == [2]
