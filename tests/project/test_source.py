"""The arithmetic of places in a text, against brute force."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mcp_tools.finding import Region
from mcp_tools.project import Source

_texts = st.text(st.sampled_from("ab \t\r\né😀\u2028\x0c\x85\ud800"), max_size=40)
_lines = st.text(st.sampled_from("ab (é😀"), max_size=6)


def _source(text: str) -> Source:
    return Source("a.py", text)


@given(_texts)
def test_the_lines_are_the_text_without_its_line_ends(text: str) -> None:
    source = _source(text)
    assert [line for _, line in source.lines()] == re.split(r"\r\n|\n|\r", text)
    assert source.line_count == len(list(source.lines()))
    with pytest.raises(IndexError):
        source.line(source.line_count)


@given(_texts, st.integers(-3, 45))
def test_position_is_the_inverse_of_offset(text: str, offset: int) -> None:
    source = _source(text)
    line, column = source.position(offset)
    assert 0 <= column <= len(source.line(line))
    clamped = min(max(offset, 0), len(text))
    back = source.offset(line, column)
    assert back == clamped or text[back:clamped] in ("\r", "\n", "\r\n"), "inside a line end is the line's end"
    assert source.position(back) == (line, column)


@given(_texts, st.integers(-2, 12), st.integers(-2, 12))
def test_offset_is_clamped_to_the_text(text: str, line: int, column: int) -> None:
    source = _source(text)
    lines = re.split(r"(\r\n|\n|\r)", text)
    if line < 0:
        expected = 0
    elif line >= source.line_count:
        expected = len(text)
    else:
        expected = sum(map(len, lines[: 2 * line])) + min(max(column, 0), len(lines[2 * line]))
    assert source.offset(line, column) == expected


@given(_texts, st.integers(0, 40), st.integers(0, 40))
def test_a_region_holds_the_text_between_its_offsets(text: str, start: int, stop: int) -> None:
    source = _source(text)
    region = source.region(start, stop)
    low, high = source.span(region)
    assert source.slice(region) == text[low:high]
    assert source.region(low, high) == region
    start, stop = (min(offset, len(text)) for offset in (start, max(start, stop)))
    assert 0 <= start - low <= 1
    assert 0 <= stop - high <= 1


@given(_texts, st.data())
def test_a_region_of_lines_is_trimmed_of_white_space(text: str, data: st.DataObject) -> None:
    source = _source(text)
    first = data.draw(st.integers(0, source.line_count - 1))
    last = data.draw(st.integers(first, source.line_count - 1))
    region = source.line_region(first, last)
    assert (region.start_line, region.end_line) == (first, last)
    head, tail = source.line(first), source.line(last)
    assert not head[: region.start_column].strip()
    assert not tail[region.end_column :].strip()
    if head.strip():
        assert not head[region.start_column].isspace()
    if tail.strip():
        assert not tail[region.end_column - 1].isspace()


@given(_texts)
def test_from_byte_is_the_number_of_whole_characters_before(text: str) -> None:
    sizes = [len(char.encode("utf-8", "surrogatepass")) for char in text]
    convert = _source(text).from_byte
    for offset in range(sum(sizes) + 1):
        expected, left = 0, offset
        while expected < len(sizes) and left >= sizes[expected]:
            left -= sizes[expected]
            expected += 1
        assert convert(offset) == expected


@given(st.lists(_lines, min_size=1, max_size=4), st.lists(_lines, max_size=4), st.lists(_lines, max_size=4), st.data())
def test_lines_added_above_and_below_never_change_a_fingerprint(
    lines: list[str], above: list[str], below: list[str], data: st.DataObject
) -> None:
    before = _source("\n".join(lines))
    start = data.draw(st.integers(0, len(before.text)))
    region = before.region(start, data.draw(st.integers(start, len(before.text))))
    touched = {re.sub(r"\s", "", line) for line in lines}
    assume(not touched & {re.sub(r"\s", "", line) for line in above})  # an equal line above is an earlier occurrence
    after = _source("\n".join((*above, *lines, *below)))
    moved = Region(region.start_line + len(above), region.start_column, region.end_line + len(above), region.end_column)
    assert after.fingerprint("rule", moved) == before.fingerprint("rule", region)


@given(st.lists(_lines.filter(str.strip), min_size=1, max_size=4), st.text(" \t", max_size=4), st.data())
def test_a_new_indentation_keeps_a_fingerprint(lines: list[str], indent: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(lines) - 1))
    before, after = _source("\n".join(lines)), _source("\n".join(indent + line for line in lines))
    assert after.fingerprint("rule", after.line_region(number, number)) == before.fingerprint(
        "rule", before.line_region(number, number)
    )


@given(_lines, st.integers(2, 5))
def test_equal_lines_have_different_fingerprints(line: str, count: int) -> None:
    source = _source("\n".join([line] * count))
    prints = {source.fingerprint("rule", source.line_region(number, number)) for number in range(count)}
    assert len(prints) == count


@given(st.text("ab1(", min_size=1, max_size=12))
def test_different_places_on_one_line_have_different_fingerprints(line: str) -> None:
    source = _source(line)
    regions = [Region(0, start, 0, stop) for start in range(len(line)) for stop in range(start + 1, len(line) + 1)]
    prints = {source.fingerprint("rule", region) for region in regions}
    starts = {
        (
            line[region.start_column : region.end_column],
            line[: region.start_column].count(line[region.start_column : region.end_column]),
        )
        for region in regions
    }
    assert len(prints) == len(starts)


def test_a_place_and_its_number_on_the_line_do_not_run_together() -> None:
    source = _source("x" * 11 + "1")
    assert source.fingerprint("rule", Region(0, 10, 0, 12)) != source.fingerprint("rule", Region(0, 10, 0, 11))


def test_whole_lines_do_not_depend_on_the_line_after_them() -> None:
    whole = Region(0, 0, 2, 0)
    assert _source("a\nb\nc\n").fingerprint("rule", whole) == _source("a\nb\nother\n").fingerprint("rule", whole)


def test_nested_places_over_several_lines_have_different_fingerprints() -> None:
    source = _source("f(g(\n  1\n))\n")
    assert source.fingerprint("rule", Region(0, 0, 2, 2)) != source.fingerprint("rule", Region(0, 2, 2, 1))


def test_an_edit_deep_inside_a_long_place_keeps_its_fingerprint() -> None:
    lines = [f"line {number}" for number in range(30)]
    edited = [*lines[:20], "other", *lines[21:]]
    whole = Region(0, 0, 29, 7)
    assert _source("\n".join(lines)).fingerprint("rule", whole) == _source("\n".join(edited)).fingerprint("rule", whole)


def test_a_finding_about_a_whole_file_is_known_by_its_path() -> None:
    assert _source("a").fingerprint("rule", None) == _source("b").fingerprint("rule", None)
    assert _source("a").fingerprint("rule", None) != Source("b.py", "a").fingerprint("rule", None)


def test_a_region_past_the_end_still_has_a_fingerprint() -> None:
    assert _source("a\nb").fingerprint("rule", Region(90, 3, 95, 1))
    assert _source("").fingerprint("rule", Region(0, 0, 0, 0))


def test_the_hash_is_of_the_text_alone() -> None:
    assert Source("a", "x\ud800").sha256 == Source("b", "x\ud800", "python", "utf-16-le", has_bom=True).sha256
    assert Source("a", "x").sha256 != Source("a", "y").sha256
