"""The lines of one text, kept up while it is edited: places and fingerprints as `Source` gives them."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from mcp_tools.finding import Region, fingerprint, normalise
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.live import Hunk

_LINE_END = Lazy(r"\r\n|\n|\r")
_MAX_FINGERPRINT_LINES = 5  # this and the next as in `Source.fingerprint`; a test compares the two
_FIELD_END = "\x01"

Blot = Callable[[int, int], str]
"""Gives the text between two offsets with the secrets blotted out."""


class Lines:
    """Where lines begin, and what they read like without white space and secrets."""

    def __init__(self, path: str, text: str, blot: Blot) -> None:
        self._path, self._text, self._blot = path, text, blot
        self._starts = _starts(text, 0, len(text))
        self._normalised = self._read(self._starts, len(text))

    def splice(self, text: str, stretches: Sequence[Hunk], blot: Blot) -> frozenset[str]:
        """Take a text in of which only some stretches of lines are new; give what those read like, then and now.

        A fingerprint counts the lines before that read the same: only those of the lines given can have changed.
        """
        self._text, self._blot = text, blot
        touched: set[str] = set()
        shift = 0
        for stretch in stretches:
            first = max(bisect_right(self._starts, stretch.old_start + shift) - 1, 0)
            is_end = stretch.stop >= len(text)
            last = len(self._starts) if is_end else bisect_left(self._starts, stretch.old_stop + shift)
            growth = stretch.shift
            shift += growth
            start = self._starts[first]
            stop = len(text) if is_end else self._starts[last] + growth
            starts = _starts(text, start, stop)
            if not is_end and starts[-1] == stop:
                starts.pop()  # it is the next line's
            normalised = self._read(starts, stop)
            touched.update(self._normalised[first:last], normalised)
            rest = self._starts[last:]
            self._starts[first:] = [*starts, *([at + growth for at in rest] if growth else rest)]
            self._normalised[first:last] = normalised
        return frozenset(touched)

    def _read(self, starts: Sequence[int], stop: int) -> list[str]:
        if not starts:
            return []
        text, first = self._blot(starts[0], stop), starts[0]
        ends = (*starts[1:], stop)
        return [normalise(text[at - first : end - first]) for at, end in zip(starts, ends, strict=True)]

    def _stop(self, number: int) -> int:
        """The offset just past a line's last character, before its line end."""
        if number + 1 >= len(self._starts):
            return len(self._text)
        start, stop = self._starts[number], self._starts[number + 1] - 1
        is_pair = self._text[stop] == "\n" and stop > start and self._text[stop - 1] == "\r"
        return stop - 1 if is_pair else stop

    def line(self, number: int) -> str:
        """The text of a line without its end."""
        return self._text[self._starts[number] : self._stop(number)]

    def number(self, offset: int) -> int:
        """The line of an offset."""
        return bisect_right(self._starts, offset) - 1

    def block(self, region: Region) -> str:
        """What the first line of a region reads like."""
        return self._normalised[region.start_line]

    def region(self, start: int, stop: int) -> Region:
        """The region between two offsets."""
        return Region(*self._position(start), *self._position(stop))

    def _position(self, offset: int) -> tuple[int, int]:
        line = self.number(offset)
        return line, min(offset, self._stop(line)) - self._starts[line]

    def fingerprint(self, rule_id: str, region: Region) -> str:
        """The fingerprint of a finding of a rule."""
        first = region.start_line
        last = min(region.end_line, first + _MAX_FINGERPRINT_LINES - 1)
        if region.end_column == 0 and last == region.end_line > first:
            last -= 1  # a region of whole lines ends before the next one
        block = self._normalised[first : last + 1]
        line = self._blot(self._starts[first], self._stop(first))
        text = line[region.start_column :]
        nth = 0
        if first == region.end_line:
            text = line[region.start_column : region.end_column]
            nth = line[: region.start_column].count(text) if text else 0
        joined = _FIELD_END.join((*block, text, str(nth)))
        return fingerprint(rule_id, self._path, joined, self._occurrences(block, first))

    def _occurrences(self, block: Sequence[str], stop: int) -> int:
        """How many places before a line read like a block."""
        if len(block) == 1:
            return self._normalised[:stop].count(block[0])
        lines, count, at = self._normalised, 0, -1
        try:
            while True:
                at = lines.index(block[0], at + 1, stop)
                count += lines[at : at + len(block)] == block
        except ValueError:
            return count


def _starts(text: str, start: int, stop: int) -> list[int]:
    """Where the lines of a part of a text begin; one after a line end at its very end too."""
    return [start, *(end.end() for end in _LINE_END.finditer(text, start, stop))]
