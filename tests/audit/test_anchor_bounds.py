"""Anchoring never raises, gives places that exist, does bounded work, and holds its goals on generated answers."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_lsp.audit import similar, squeezed
from kimi_lsp.audit.anchor import Anchored, Anchorer, Method, Unanchored, anchor
from kimi_lsp.audit.quote import column, squeeze
from mcp_tools.finding import Region
from mcp_tools.project import Source
from tests.audit.corpus import dressed, made_up
from tests.audit.corruptions import answers

_ALPHABET = st.sampled_from([*"ab_1 \t\n\r\\\"'`{}().,:#+-/|\u00e9\u0301\u2026\u201c\ufeff\ud800\U0001f600\u0130"])
_TEXTS = st.text(_ALPHABET, max_size=120)


@given(_TEXTS, _TEXTS, st.none() | st.integers(-2, 12), st.none() | st.integers(0, 6), st.none() | st.just("a.b"))
@settings(max_examples=400, deadline=None)
def test_any_quote_of_any_text_gives_a_place_that_exists_or_a_reason(
    text: str, quote: str, line: int | None, top: int | None, symbol: str | None
) -> None:
    source = Source("a", text)
    within = None if top is None else Region(top, 0, top + 2, 0)
    found = anchor(source, quote, line, within=within, symbol=symbol)
    if isinstance(found, Unanchored):
        assert found.reason
        return
    for region in (found.region, *found.alternatives):
        assert source.region(*source.span(region)) == region
        assert source.slice(region).strip()
        assert within is None or (top is not None and top <= region.start_line <= region.end_line <= top + 1)


@given(st.text(st.sampled_from([*"ab_ (=)\n\t"]), max_size=200), st.integers(0, 120), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_what_is_cut_out_of_a_text_is_found_as_itself(text: str, start: int, size: int) -> None:
    source = Source("a", text)
    quote = text[start : start + size]
    found = anchor(source, quote, None)
    if isinstance(found, Anchored) and found.method != Method.FUZZY:
        assert {squeeze(source.slice(region)) for region in (found.region, *found.alternatives)} == {squeeze(quote)}
    elif not isinstance(found, Anchored):
        assert found.reason != "the quoted text is not in the file"


@given(st.text(_ALPHABET.filter(lambda character: character not in "\r\n"), max_size=40))
@settings(max_examples=300, deadline=None)
def test_every_squeezed_character_has_its_column(line: str) -> None:
    columns = [column(line, index) for index in range(len(squeeze(line)))]
    assert columns == sorted(columns)
    assert all(squeeze(line[at]) or line[at] == "\\" for at in columns)


def test_the_same_question_has_the_same_answer() -> None:
    source = made_up("python", random.Random(1))
    quotes = [answer.quote for answer in answers([source], 5, 40)]
    assert [Anchorer(source).anchor(quote, 50) for quote in quotes] == [anchor(source, quote, 50) for quote in quotes]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("a" * 1_000_000, "a" * 10_000),
        ("a" * 1_000_000, "b" + "a" * 10_000),
        ("ab" * 500_000, "ab" * 2_000 + "c"),
        ("call(x);" * 125_000, "call(x);call(y);"),
        ("x = 1\n" * 100_000, "x = 1\n" * 10_000),
        ("x = 1\ny = 2\n" * 50_000, "x = 1\n...\nz = 2"),
        ("return value\n" * 50_000, "return values"),
        ("\n".join(f"line_{n} = {n}" for n in range(20_000)), "\n".join(f"lime_{n} = {n}" for n in range(10_000))),
        ("(" * 200_000, "(" * 5_000 + "name"),
        ("short\n", "... " * 50_000),
        ("short\n", "12| x\n" * 20_000),
        ("short\n", "\\n" * 100_000),
        ("short\n", "`" * 100_000),
        ("short\n", " " * 200_000 + "x"),
        ("short\n", "x" + "\\" * 200_000 + "x"),
        ("short\n", "x\n" + "``` \t" * 50_000),
        ("short\n", "/ * # ; " * 50_000),
        ("a = b\n" * 50_000, "a = b ... " * 10_000),
        ("a = b\n" * 50_000, "a = b\n...\n" * 90 + "c"),
    ],
)
def test_the_work_is_bounded(text: str, quote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts searches and compared characters, which is what grows, and not the time."""
    finds = compared = 0
    occurrences, common = squeezed.Squeezed.occurrences, similar.common_length

    def counted_occurrences(self: squeezed.Squeezed, piece: str, near: int | None = None) -> list[int]:
        nonlocal finds
        found = occurrences(self, piece, near)
        finds += len(found) * max(len(piece), 1)
        assert len(found) <= 2 * squeezed.MAX_PLACES
        return found

    def counted_common(masks: dict[str, int], length: int, parts: list[str]) -> object:
        nonlocal compared
        compared += sum(map(len, parts)) * length
        return common(masks, length, parts)

    monkeypatch.setattr(squeezed.Squeezed, "occurrences", counted_occurrences)
    monkeypatch.setattr(similar, "common_length", counted_common)
    anchor(Source("a", text), quote, 3)
    assert finds <= 20 * squeezed.MAX_COMPARED
    assert compared <= 40 * (3 * similar.MAX_CHARS) * similar.MAX_CHARS


def test_the_goals_hold_on_generated_answers() -> None:
    """A small run of the bench that only knows made-up programs: five languages, every corruption and hint error."""
    random_ = random.Random(3)
    sources = [dressed(made_up(name, random_), random_) for name in ("python", "typescript", "go", "java", "rust") * 2]
    outcomes: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for answer in answers(sources, 3, 60):
        found = Anchorer(answer.source).anchor(answer.quote, answer.line)
        totals[answer.kind] += 1
        if isinstance(found, Unanchored):
            outcomes[answer.kind, "rejected"] += 1
            continue
        is_right = (found.region.start_line, found.region.end_line) == answer.truth
        outcomes[answer.kind, "right" if is_right else "doubtful" if found.is_ambiguous else "wrong"] += 1
    assert min(totals.values()) > 50
    assert outcomes["unique", "right"] >= 0.97 * totals["unique"]
    assert outcomes["unique", "wrong"] <= 0.01 * totals["unique"]
    assert outcomes["repeated", "wrong"] <= 0.03 * totals["repeated"]
    assert outcomes["invented", "rejected"] >= 0.98 * totals["invented"]
