"""Columns in UTF-16 units and UTF-8 bytes, against a plain count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.finding import Location, Region
from mcp_tools.output.places import Measure, by_file, measured, utf8_bytes, utf16_units
from mcp_tools.project import Source
from tests.output.samples import HARD, RELAXED, regions, source_texts

MEASURES: list[tuple[Measure, str, int]] = [(utf16_units, "utf-16-le", 2), (utf8_bytes, "utf-8", 1)]


@pytest.mark.parametrize(("measure", "encoding", "unit"), MEASURES)
@RELAXED
@given(text=source_texts, wanted=st.lists(regions(), max_size=6))
def test_a_column_counts_the_encoded_units_before_it(
    measure: Measure, encoding: str, unit: int, text: str, wanted: list[Region]
) -> None:
    source = Source("a", text)
    found = measured(source, wanted, measure)

    def plainly(line: int, column: int) -> int:
        whole = source.line(line) if line < source.line_count else ""
        past = max(0, column - len(whole))
        return len(whole[:column].encode(encoding, "surrogatepass")) // unit + past

    assert set(found) == set(wanted)
    for before, after in found.items():
        assert (after.start_line, after.end_line) == (before.start_line, before.end_line)
        assert after.start_column == plainly(before.start_line, before.start_column)
        assert after.end_column == plainly(before.end_line, before.end_column)


def test_without_a_source_columns_stay() -> None:
    region = Region(3, 5, 4, 1)
    assert measured(None, [region], utf16_units) == {region: region}


def test_places_are_gathered_by_file_with_related_ones_beside_but_not_among_the_primary() -> None:
    places = by_file(HARD.findings)["src/db.py"]
    assert places.regions == {Region(1, 15, 1, 23), Region(0, 13, 0, 14)}
    assert places.primary_lines == {1}


def test_a_finding_about_a_whole_file_stands_on_its_first_line() -> None:
    whole = [finding for finding in HARD.findings if finding.location == Location("empty.md")]
    assert by_file(whole)["empty.md"].primary_lines == {0}
    assert by_file(whole)["empty.md"].regions == set()
