"""Cut files into units: the text that one model request reviews. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from mcp_tools.finding import Notice
from mcp_tools.project import Source
from mcp_tools.project.syntax import Symbol, lines_of, parse, symbols

_MAX_LINE_CHARS = 5_000  # longer lines are generated or minified: no human wrote or reads them
_OUTLINE_LINES = 80


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


def units_of(source: Source, max_chars: int) -> Iterator[Unit | Notice]:
    """Cut a file at the borders of its symbols into units of at most `max_chars`, unless a single line is longer.

    Yields:
        nothing for a blank file, a Notice `generated-file` for one with lines over 5,000 characters.
    """
    if not source.text.strip():
        return
    lengths = [len(line) + 1 for _, line in source.lines()]
    if max(lengths) > _MAX_LINE_CHARS:
        yield Notice("generated-file", f"no model review: a line of {max(lengths):,} characters", source.path)
        return
    if len(source.text) <= max_chars:
        yield Unit(source, 0, source.line_count - 1)
        return
    tree = parse(source)
    starts = _borders(source, tree, lengths, max_chars) if tree else ()
    named = tuple(symbols(source, tree)) if tree else ()
    for first, last in _pack(lengths, starts, max_chars):
        if any(
            line.strip() for line in source.text[source.offset(first, 0) : source.offset(last, 1 << 30)].split("\n")
        ):
            yield Unit(source, first, last, tuple(_outline(named, first, last)))


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


def _pack(lengths: Sequence[int], borders: Sequence[int], max_chars: int) -> Iterator[tuple[int, int]]:
    """Fill slices greedily up to the cap and end each at the last border that fits, else at the last line that fits."""
    first, total, chosen = 0, 0, set(borders)
    best: int | None = None  # the last line before a border inside the current slice
    line = 0
    while line < len(lengths):
        if line > first and line in chosen and total * 4 >= max_chars:
            best = line - 1
        if total and total + lengths[line] > max_chars:
            last = best if best is not None and best >= first else line - 1
            yield first, last
            first, total, best = last + 1, sum(lengths[last + 1 : line]), None
            continue
        total += lengths[line]
        line += 1
    if first < len(lengths):
        yield first, len(lengths) - 1


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
