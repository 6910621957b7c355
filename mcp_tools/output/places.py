"""Turn places into a format's own column units, every source fetched and walked once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from mcp_tools.finding import Finding, Location, Region
from mcp_tools.project import Source

Measure = Callable[[str], int]


def utf16_units(text: str) -> int:
    """How many UTF-16 code units a text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """How many bytes of UTF-8 a text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class FilePlaces:
    """What a report says of one file: the regions, and where findings start (not related places)."""

    regions: set[Region] = field(default_factory=set[Region])
    primary_lines: set[int] = field(default_factory=set[int])


def by_file(findings: Iterable[Finding]) -> dict[str, FilePlaces]:
    """Gather the places of findings and of what relates to them, by path."""
    files: dict[str, FilePlaces] = {}
    for finding in findings:
        region = finding.location.region
        places = files.setdefault(finding.location.path, FilePlaces())
        places.primary_lines.add(region.start_line if region else 0)
        for location in _locations(finding):
            if location.region is not None:
                files.setdefault(location.path, FilePlaces()).regions.add(location.region)
    return files


def _locations(finding: Finding) -> Iterator[Location]:
    yield finding.location
    yield from (related.location for related in finding.related)


def measured(source: Source | None, regions: Iterable[Region], measure: Measure) -> dict[Region, Region]:
    """Say regions in other column units.

    Args:
        source: the text they lie in; without it columns stay as they are, which is right for ASCII.
        regions: in code points. Columns past a line's end and lines past the text's end count one each.
        measure: how many units a piece of text takes.

    Returns:
        every region with its 0-based counterpart. The time is linear in the text, however many regions there are.
    """
    wanted = set(regions)
    if source is None or source.text.isascii():
        return {region: region for region in wanted}
    points = sorted({point for region in wanted for point in _points(region)})
    columns: dict[tuple[int, int], int] = {}
    line, text, done, units = -1, "", 0, 0
    for point in points:
        if point[0] != line:
            line, done, units = point[0], 0, 0
            text = source.line(line) if line < source.line_count else ""
        units += measure(text[done : point[1]]) + max(0, point[1] - max(done, len(text)))
        done = point[1]
        columns[point] = units
    return {region: _with_columns(region, columns) for region in wanted}


def _points(region: Region) -> tuple[tuple[int, int], tuple[int, int]]:
    return (region.start_line, region.start_column), (region.end_line, region.end_column)


def _with_columns(region: Region, columns: dict[tuple[int, int], int]) -> Region:
    start, end = _points(region)
    return Region(region.start_line, columns[start], region.end_line, columns[end])
