"""Quote the lines of a region with carets below it, for a terminal with a fixed-width font."""

import unicodedata
from collections.abc import Iterator

from mcp_tools.finding import Region
from mcp_tools.output.escape import printable
from mcp_tools.project import Source

_MAX_LINES = 4  # of a longer region: the first two and the last
_MAX_COLUMNS = 160  # a longer line is cut to a window round the region
_LEAD = 40  # how much of it the window shows before the region
_TAB = "    "
_FAR = 1 << 60


def excerpt(source: Source, region: Region) -> list[str]:
    """The lines of a region, each with its number and carets below.

    Tabs are shown as four spaces, unseen characters are made visible, wide characters count two columns.

    Returns:
        no lines where the region lies past the end of the text, which then is not the text it was made for.
    """
    if region.start_line >= source.line_count:
        return []
    last = min(region.end_line, source.line_count - 1)
    if region.end_column == 0 and last == region.end_line > region.start_line:
        last -= 1  # whole lines: the region ends before the next one
    margin = len(str(last + 1))
    rows: list[str] = []
    for number in _chosen(region.start_line, last):
        if number is None:
            rows.append(f"  {'':{margin}} ...")
            continue
        code, carets = _quote(source, number, region)
        rows.append(f"  {number + 1:{margin}} | {code}".rstrip())
        rows.append(f"  {'':{margin}} | {carets}")
    return rows


def _chosen(first: int, last: int) -> Iterator[int | None]:
    if last - first < _MAX_LINES:
        yield from range(first, last + 1)
    else:
        yield from (first, first + 1, None, last)


def _quote(source: Source, number: int, region: Region) -> tuple[str, str]:
    start, stop = source.offset(number, 0), source.offset(number, _FAR)
    length = stop - start
    begin = min(region.start_column, length) if number == region.start_line else 0
    end = min(region.end_column, length) if number == region.end_line else length
    low = 0
    if length > _MAX_COLUMNS:
        low = max(0, min(begin - _LEAD, length - _MAX_COLUMNS))
    high = min(length, low + _MAX_COLUMNS)
    text = source.text[start + low : start + high]
    if number != region.start_line:
        begin = low + len(text) - len(text.lstrip())
    head = "…" if low else ""
    tail = "…" if high < length else ""
    before = head + _shown(text[: begin - low])
    marked = head + _shown(text[: max(min(end, high), begin) - low])
    carets = max(1, _width(marked) - _width(before))
    return head + _shown(text) + tail, " " * _width(before) + "^" * carets


def _shown(text: str) -> str:
    return printable(text.replace("\t", _TAB))


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
