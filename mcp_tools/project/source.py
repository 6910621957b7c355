"""A decoded file and the arithmetic of places in it. Pure values; reads nothing."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from mcp_tools.finding import Region, fingerprint, normalise

_LINE_END = re.compile(r"\r\n|\n|\r")
_MAX_FINGERPRINT_LINES = 5
_FIELD_END = "\x01"  # no white space, which normalising drops


@dataclass(frozen=True)
class Source:
    """The text of one file at one instant.

    `path` is project-relative. `text` has no byte order mark and keeps its line ends. Lines end at LF, CR LF or CR
    only, as in LSP: form feed, NEL and U+2028 are ordinary characters. Lines and columns are 0-based, columns count
    code points.
    """

    path: str
    text: str
    language: str | None = None
    encoding: str = "utf-8"
    has_bom: bool = False
    is_guessed: bool = field(default=False, compare=False)  # neither UTF-8 nor declared: decoded as Latin-1

    @cached_property
    def sha256(self) -> str:
        """The hash of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def knowing_lines(self, starts: list[int]) -> "Source":
        """The same text, for whoever knows already where its lines start: `starts` is trusted, its first is 0."""
        self.__dict__["_starts"] = starts  # where `cached_property` keeps it
        return self

    @cached_property
    def _normalised(self) -> list[str]:
        return [normalise(self.line(number)) for number in range(self.line_count)]

    @cached_property
    def _lines_by_text(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for number, text in enumerate(self._normalised):
            places.setdefault(text, []).append(number)
        return places

    @property
    def line_count(self) -> int:
        """How many lines there are; text after the last line end, even if empty, is one."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """The text of a line without its end. Raises IndexError past the last one."""
        return self.text[self._starts[number] : self._line_stop(number)]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Every line with its number."""
        for number in range(self.line_count):
            yield number, self.line(number)

    def _line_stop(self, number: int) -> int:
        """The offset just past a line's last character, before its line end."""
        starts = self._starts
        if number + 1 >= len(starts):
            return len(self.text)
        stop = starts[number + 1] - 1
        is_pair = self.text[stop] == "\n" and stop > starts[number] and self.text[stop - 1] == "\r"
        return stop - 1 if is_pair else stop

    def offset(self, line: int, column: int) -> int:
        """The offset of a place, clamped to the text: past a line's end is its end."""
        if line < 0:
            return 0
        if line >= self.line_count:
            return len(self.text)
        return min(self._starts[line] + max(column, 0), self._line_stop(line))

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, clamped to the text; inside a line end is the line's end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        return line, min(offset, self._line_stop(line)) - self._starts[line]

    def region(self, start: int, stop: int) -> Region:
        """The region between two offsets."""
        return Region(*self.position(start), *self.position(max(start, stop)))

    def span(self, region: Region) -> tuple[int, int]:
        """The offsets between which a region lies, clamped to the text."""
        return self.offset(region.start_line, region.start_column), self.offset(region.end_line, region.end_column)

    def slice(self, region: Region) -> str:
        """The text of a region."""
        start, stop = self.span(region)
        return self.text[start:stop]

    def line_region(self, first: int, last: int) -> Region:
        """The region of whole lines, from the first one's first non-blank character to the last one's last."""
        first_text, last_text = self.line(first), self.line(last)
        indent = len(first_text) - len(first_text.lstrip())
        return Region(first, 0 if first_text.isspace() else indent, last, len(last_text.rstrip()) or len(last_text))

    def fingerprint(self, rule_id: str, region: Region | None) -> str:
        """The fingerprint of a finding of a rule at a region of this text (see `mcp_tools.finding.fingerprint`)."""
        if region is None:
            return fingerprint(rule_id, self.path, "", 0)
        first = min(region.start_line, self.line_count - 1)
        last = min(region.end_line, first + _MAX_FINGERPRINT_LINES - 1, self.line_count - 1)
        if region.end_column == 0 and last == region.end_line > first:
            last -= 1  # a region of whole lines ends before the next one
        block = self._normalised[first : last + 1]
        same = self._lines_by_text[block[0]]
        occurrence = sum(1 for start in same if start < first and self._normalised[start : start + len(block)] == block)
        is_one_line = first == region.end_line
        text = self.slice(region) if is_one_line else self.line(first)[region.start_column :]
        nth = self.line(first)[: region.start_column].count(text) if text and is_one_line else 0
        return fingerprint(rule_id, self.path, _FIELD_END.join((*block, text, str(nth))), occurrence)

    @cached_property
    def from_byte(self) -> Callable[[int], int]:
        """A function from an offset in `text.encode()` to an offset in `text`, for parsers that count bytes."""
        if self.text.isascii():
            return _identity
        rows = self.text.split("\n")
        encoded = [row.encode("utf-8", "surrogatepass") for row in rows]
        byte_starts = list(accumulate((len(row) + 1 for row in encoded), initial=0))
        text_starts = list(accumulate((len(row) + 1 for row in rows), initial=0))

        def convert(offset: int) -> int:
            row = min(bisect_right(byte_starts, offset), len(rows)) - 1
            stop = min(offset - byte_starts[row], len(encoded[row]))
            while 0 < stop < len(encoded[row]) and encoded[row][stop] & 0xC0 == 0x80:  # within a character
                stop -= 1
            return text_starts[row] + len(encoded[row][:stop].decode("utf-8", "surrogatepass"))

        return convert


def _identity(offset: int) -> int:
    return offset
