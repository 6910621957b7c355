"""Cut files into units: the text that one model request reviews. Pure."""

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import tree_sitter

from mcp_tools.finding import Notice
from mcp_tools.project import Source
from mcp_tools.project.syntax import Symbol, lines_of, parse, symbols

_MAX_LINE_CHARS = 5_000  # longer lines are generated or minified: no human wrote or reads them
_OUTLINE_LINES = 80
_MIN_FOCUS_LINES = 40  # a changed line alone says too little

Lines = tuple[int, int]
"""The first and the last line of a range, 0-based, both included."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines of one file, 0-based, `last_line` included. `outline` names what of the file lies outside the unit."""

    source: Source
    first_line: int
    last_line: int
    outline: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """True when the unit is the whole file."""
        return self.first_line == 0 and self.last_line == self.source.line_count - 1

    @property
    def label(self) -> str:
        """`path`, or `path:10-90` (1-based) for a slice."""
        if self.is_whole:
            return self.source.path
        return f"{self.source.path}:{self.first_line + 1}-{self.last_line + 1}"

    @property
    def text(self) -> str:
        """The unit's lines, as they are."""
        start = self.source.offset(self.first_line, 0)
        stop = self.source.offset(self.last_line, len(self.source.text))
        return self.source.text[start:stop]


def units_of(source: Source, max_chars: int, focus: Sequence[Lines] | None = None) -> Iterator[Unit | Notice]:
    """Cut a file at the borders of its symbols into units of at most `max_chars`, unless a single line is longer.

    Args:
        source: the file.
        max_chars: the size of a unit, in characters.
        focus: lines to review with the symbols they lie in, and not the rest of the file; None is the whole file.

    Yields:
        nothing for a blank file, a Notice `generated-file` for one with lines over 5,000 characters.
    """
    if not source.text.strip():
        return
    lengths = [len(line) + 1 for _, line in source.lines()]
    if max(lengths) > _MAX_LINE_CHARS:
        yield Notice("generated-file", f"no model review: a line of {max(lengths):,} characters", source.path)
        return
    if len(source.text) <= max_chars and focus is None:
        yield Unit(source, 0, source.line_count - 1)
        return
    tree = parse(source)
    starts = _borders(source, tree, lengths, max_chars) if tree else ()
    named = tuple(symbols(source, tree)) if tree else ()
    spans = [(0, source.line_count - 1)] if focus is None else _around(focus, starts, source.line_count)
    for start, stop in spans:
        within = {border - start: _weight(source.line(border)) for border in starts if start <= border <= stop}
        for first, last in _pack(lengths[start : stop + 1], within, max_chars):
            unit = Unit(source, start + first, start + last)
            if unit.text.strip():
                yield replace(
                    unit, outline=() if unit.is_whole else tuple(_outline(named, start + first, start + last))
                )


def _weight(line: str) -> int:
    return zlib.crc32(line.encode("utf-8", "surrogatepass"))


def _around(focus: Sequence[Lines], borders: Sequence[int], line_count: int) -> list[Lines]:
    """The lines in focus, grown to the borders around them and to a size that can be understood; merged, in order."""
    cuts = sorted({0, *borders, line_count})
    spans: list[Lines] = []
    for first, last in sorted(focus):
        low = max(bisect_right(cuts, min(first, line_count - 1)) - 1, 0)
        high = min(max(bisect_right(cuts, min(last, line_count - 1)), low + 1), len(cuts) - 1)
        while cuts[high] - cuts[low] < _MIN_FOCUS_LINES and (low > 0 or high < len(cuts) - 1):
            is_upwards = high == len(cuts) - 1 or (low > 0 and cuts[low] - cuts[low - 1] <= cuts[high + 1] - cuts[high])
            low, high = (low - 1, high) if is_upwards else (low, high + 1)
        start, stop = cuts[low], cuts[high] - 1
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((start, stop))
    return spans


def _borders(source: Source, tree: tree_sitter.Tree, lengths: Sequence[int], max_chars: int) -> Sequence[int]:
    """Lines at which a symbol starts; inside a symbol that is too large itself, its members' lines too."""
    borders: set[int] = set()
    pending = list(tree.root_node.children)
    while pending:
        node = pending.pop()
        first, last = lines_of(source, node)
        borders.add(first)
        if last > first and sum(lengths[first : last + 1]) > max_chars:
            pending.extend(node.children)
    return sorted(borders)


def _pack(lengths: Sequence[int], borders: Mapping[int, int], max_chars: int) -> Iterator[Lines]:
    """Fill slices up to the cap and end each before a border in its second half, else at the last line that fits.

    Of several borders the one with the smallest weight is taken: weights come from the text, so that an edit moves the
    slices around it and not all that follow.
    """
    first, total = 0, 0
    ends: list[int] = []  # borders inside the current slice that leave it large enough
    line = 0
    while line < len(lengths):
        if line > first and line in borders and total * 4 >= max_chars:
            ends.append(line)
        if total and total + lengths[line] > max_chars:
            stop = min(_late(ends, lengths, first, max_chars), key=borders.__getitem__, default=line)
            yield first, stop - 1
            first, total, ends = stop, sum(lengths[stop:line]), []
            ends = [border for border in borders if stop < border < line and sum(lengths[stop:border]) * 4 >= max_chars]
            continue
        total += lengths[line]
        line += 1
    if first < len(lengths):
        yield first, len(lengths) - 1


def _late(ends: Sequence[int], lengths: Sequence[int], first: int, max_chars: int) -> Sequence[int]:
    """The borders in a slice's second half where there are such, else the last one there is."""
    late = [end for end in ends if sum(lengths[first:end]) * 2 >= max_chars]
    return late or ends[-1:]


def _outline(named: Sequence[Symbol], first: int, last: int) -> Iterator[str]:
    """The signatures of the symbols that lie outside the slice, or reach over its border."""
    outside = [
        symbol for symbol in named if symbol.last_line < first or symbol.first_line > last or symbol.last_line > last
    ]
    if len(outside) > _OUTLINE_LINES:
        outside = [symbol for symbol in outside if symbol.depth == 0]
    for symbol in outside[:_OUTLINE_LINES]:
        yield f"{symbol.first_line + 1}-{symbol.last_line + 1}| {'    ' * symbol.depth}{symbol.signature[:160]}"
    if len(outside) > _OUTLINE_LINES:
        yield f"... and {len(outside) - _OUTLINE_LINES} more"
