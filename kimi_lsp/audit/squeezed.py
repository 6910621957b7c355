"""A file's text without its white space, and the places of quotes in it: verbatim, in pieces, or nearly. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from kimi_lsp.audit.quote import column, fold
from mcp_tools.finding import Region
from mcp_tools.project import Source

WHOLE = 0.8  # a fit from here on covers whole lines
FAR = 1_000_000  # lines, where no line is named
MAX_PLACES = 256
MAX_COMPARED = 5_000_000  # characters of quote compared before a search gives up: bounds periodic texts
_MAX_TRIES = 8
_MAX_LINE = 5_000
_CLOSERS = ",;:)]}{"
_COMMENTS = ("#", "//", "/*", "--", "<!--")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A span of the squeezed text, the 0-based lines it lies on, and how well it fits a quote (0..1)."""

    start: int
    stop: int
    first: int
    last: int
    fit: float
    is_fuzzy: bool = False

    def distance(self, lines: Sequence[int]) -> int:
        """Lines between this place and the nearest of some 0-based lines; below its first line is not quite a hit."""
        return min((self._distance(line) for line in lines), default=FAR)

    def _distance(self, line: int) -> int:
        if line < self.first:
            return self.first - line
        return min(line - self.first, 1) if line <= self.last else line - self.last


class Squeezed:
    """The squeezed form of a source. `joined` is all lines without white space; `starts[n]` is where line n begins."""

    def __init__(self, source: Source) -> None:
        self.source = source
        text = source.text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.lines = ["".join(line.split()) for line in fold(text).split("\n")]
        self.starts = list(accumulate(map(len, self.lines), initial=0))
        self.joined = "".join(self.lines)

    @cached_property
    def lower(self) -> str:
        """The joined text in lower case, at the same offsets."""
        lower = self.joined.lower()
        return lower if len(lower) == len(self.joined) else self.joined

    def line_of(self, offset: int) -> int:
        """The line that holds the character at an offset."""
        return min(bisect_right(self.starts, offset), len(self.lines)) - 1

    def occurrences(self, piece: str, near: int | None = None) -> list[int]:
        """Where a piece stands, overlaps included: those after `near` (an offset) first, then those before it."""
        near = min(near or 0, len(self.joined))
        budget = MAX_COMPARED
        found: list[int] = []
        for begin, end in ((near, len(self.joined)), (0, near + len(piece) - 1)) if near else ((0, len(self.joined)),):
            limit = len(found) + MAX_PLACES
            at = self.joined.find(piece, begin, end)
            while at >= 0 and len(found) < limit and budget > 0:
                found.append(at)
                budget -= len(piece)
                at = self.joined.find(piece, at + 1, end)
        return found

    def places(self, pieces: Sequence[str], max_gap: int, hints: Sequence[int]) -> list[Place]:
        """Every place of a quote that was read as these pieces; of chains that end alike the longer ones fit less."""
        # The search begins some way before the hint, so that the cap on places keeps the ones round it.
        near = self.starts[max(hints[0] - 40, 0)] if hints else None
        found: list[Place] = []
        ends: Counter[int] = Counter()
        for start in sorted(self.occurrences(pieces[0], near), reverse=True):
            stop = self._chain(pieces[1:], start + len(pieces[0]), max_gap)
            if stop is not None:
                place = self.place(start, stop)
                rank = ends[stop]  # how many shorter chains end there
                found.append(replace(place, fit=place.fit / (20 * rank * rank)) if rank else place)
                ends[stop] += 1
        return sorted(found)

    def place(self, start: int, stop: int, fit: float | None = None) -> Place:
        """The place between two offsets; where no fit is given, it says how well the place keeps to whole lines."""
        first, last = self.line_of(start), self.line_of(stop - 1)
        is_fuzzy = fit is not None
        return Place(start, stop, first, last, self._fit(start, stop, first, last) if fit is None else fit, is_fuzzy)

    def region(self, place: Place) -> Region:
        """The region of a place: whole trimmed lines for a fuzzy one, else from its first to its last character."""
        if place.is_fuzzy:
            return self.source.line_region(place.first, place.last)
        start = column(self.source.line(place.first), place.start - self.starts[place.first])
        stop = column(self.source.line(place.last), place.stop - 1 - self.starts[place.last]) + 1
        return Region(place.first, start, place.last, stop)

    def _chain(self, pieces: Sequence[str], stop: int, max_gap: int) -> int | None:
        """Where the last of some pieces ends when each follows the one before within `max_gap` lines."""
        for piece in pieces:
            line = self.line_of(stop - 1)
            end = self.starts[min(line + max_gap + 2, len(self.lines))]
            at = next((at for at in self._finds(piece, stop, end) if self._is_apart(at, at + len(piece))), None)
            if at is None:
                return None
            stop = at + len(piece)
        return stop

    def _finds(self, piece: str, begin: int, end: int) -> Iterator[int]:
        for _ in range(_MAX_TRIES):
            begin = self.joined.find(piece, begin, end)
            if begin < 0:
                return
            yield begin
            begin += 1

    def _fit(self, start: int, stop: int, first: int, last: int) -> float:
        head, rest = start - self.starts[first], self.lines[last][stop - self.starts[last] :]
        if not head:
            if not rest:
                return 1.0
            if rest[0] in _CLOSERS or rest.startswith(_COMMENTS):
                return WHOLE
        begins, ends = not head or self._is_border(start), not rest or self._is_border(stop)
        if begins and ends:
            return 0.4 if not head else 0.3
        if not head:
            return 0.2
        return 0.05 if begins or ends else 0.02

    def _is_apart(self, start: int, stop: int) -> bool:
        """Say whether a span begins and ends where words do. A long span may be cut anywhere."""
        return stop - start >= 12 or (self._is_border(start) and self._is_border(stop))

    def _is_border(self, offset: int) -> bool:
        """Say whether no word of the source runs across a squeezed offset."""
        if not 0 < offset < len(self.joined) or not (
            _is_word(self.joined[offset - 1]) and _is_word(self.joined[offset])
        ):
            return True
        line = self.line_of(offset)
        index = offset - self.starts[line]
        if not index:
            return True
        text = self.source.line(line)
        if len(text) > _MAX_LINE:
            return False  # not worth reading a minified file from its start for each place
        at = column(text, index)
        return not at or not _is_word(text[at - 1])


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()
