"""The text of one open document as the client has it, kept up change by change. Pure state; no I/O."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_lsp.lsp.encoding import PositionEncoding, to_character, to_column
from kimi_lsp.lsp.splice import Splice, splices_between
from mcp_tools.project import Source

_LINE_END = re.compile(r"\r\n|\n|\r")
_MAX_LOG_SPLICES = 20_000
_MAX_LOG_CHARS = 4_000_000

ClientRange = tuple[int, int, int, int]
"""Start line, start character, end line, end character, in the client's units."""


@dataclass(frozen=True, slots=True)
class Change:
    """One content change of a `didChange`; without a range, `text` is the whole new text."""

    range: ClientRange | None
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A moment in a document's life, held by whoever must know later what has changed since."""

    version: int
    text: str


class Mirror:
    """One open document.

    Lines end at LF, CR LF or CR only. Places are clamped as the specification has it: past a line's end is its end,
    past the last line is the end of the text. A range that ends before it starts is taken the other way round.
    """

    def __init__(self, text: str, version: int, encoding: PositionEncoding = PositionEncoding.UTF16) -> None:
        self._text, self._version, self._encoding = text, version, encoding
        self._starts = _Starts(text)
        self._source: Source | None = None
        self._log: list[Splice] = []
        self._log_chars = 0
        self._log_first = 0  # how many splices the log has forgotten
        self._held: dict[Ticket, int] = {}

    @property
    def text(self) -> str:
        """The present text."""
        return self._text

    @property
    def version(self) -> int:
        """The version that the client gave the present text."""
        return self._version

    @property
    def encoding(self) -> PositionEncoding:
        """What the client counts."""
        return self._encoding

    @property
    def line_count(self) -> int:
        """How many lines there are; text after the last line end, even if empty, is one."""
        return len(self._starts)

    def apply(self, changes: Sequence[Change], version: int) -> tuple[Splice, ...]:
        """Take a `didChange` in: each change applies to the text that the one before it left.

        Returns:
            What was done as splices, one after the other. A change that replaces lines by lines, or the whole text, is
            taken apart into small ones.
        """
        done: list[Splice] = []
        for change in changes:
            done.extend(self._apply(change))
        self._version = version
        if done:
            self._source = None
            if self._held:
                self._record(done)
        return tuple(done)

    def _apply(self, change: Change) -> Sequence[Splice]:
        text = self._text
        if change.range is None:
            splices = splices_between(text, change.text)
            if splices:
                self._text, self._starts = change.text, _Starts(change.text)
            return splices
        start_line, start_character, end_line, end_character = change.range
        start, stop = self.offset(start_line, start_character), self.offset(end_line, end_character)
        if stop < start:
            start, stop = stop, start
        old = text[start:stop]
        if old == change.text:
            return ()
        self._text = "".join((text[:start], change.text, text[stop:]))
        self._starts.replace(self._text, start, stop, len(change.text))
        if _LINE_END.search(old) and _LINE_END.search(change.text):
            return [splice.moved(start) for splice in splices_between(old, change.text)]
        return (Splice(start, old, change.text),)

    def offset(self, line: int, character: int) -> int:
        """The offset, in code points, of a place that the client names."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self._text)
        first, stop = self._starts[line], self._line_stop(line)
        if self._text.isascii():
            return min(first + max(character, 0), stop)
        return first + to_column(self._text[first:stop], character, self._encoding)

    def position(self, offset: int) -> tuple[int, int]:
        """The line and character by which the client knows an offset; inside a line end is the line's end."""
        offset = min(max(offset, 0), len(self._text))
        line = self._starts.line_of(offset)
        first, stop = self._starts[line], min(offset, self._line_stop(line))
        if self._text.isascii():
            return line, stop - first
        return line, to_character(self._text[first:stop], stop - first, self._encoding)

    def source(self, path: str, language: str | None) -> Source:
        """The present text for a tool; the same object until the next change."""
        known = self._source
        if known is None or known.path != path or known.language != language:
            known = self._source = Source(path, self._text, language).knowing_lines(self._starts.all())
        return known

    def mark(self) -> Ticket:
        """Begin to record changes for somebody. Every ticket must be released."""
        ticket = Ticket(self._version, self._text)
        self._held[ticket] = self._log_first + len(self._log)
        return ticket

    def since(self, ticket: Ticket) -> tuple[Splice, ...] | None:
        """All splices since the ticket, in order; None when the ticket is not one of this document's or was released.

        After more changes than are recorded, they are what tells the two texts apart instead.
        """
        at = self._held.get(ticket)
        if at is None:
            return None
        if at < self._log_first:
            return splices_between(ticket.text, self._text)
        return tuple(self._log[at - self._log_first :])

    def release(self, ticket: Ticket) -> None:
        """Forget a ticket and what was recorded for it alone."""
        self._held.pop(ticket, None)
        self._forget(min(self._held.values(), default=self._log_first + len(self._log)) - self._log_first)

    @property
    def recorded(self) -> int:
        """How many splices are kept for tickets."""
        return len(self._log)

    def _record(self, splices: Sequence[Splice]) -> None:
        self._log.extend(splices)
        self._log_chars += sum(map(_size, splices))
        if len(self._log) > _MAX_LOG_SPLICES or self._log_chars > _MAX_LOG_CHARS:
            self._forget(len(self._log))

    def _forget(self, count: int) -> None:
        if count > 0:
            self._log_chars -= sum(map(_size, self._log[:count]))
            self._log_first += count
            del self._log[:count]

    def _line_stop(self, line: int) -> int:
        """The offset just past a line's last character, before its line end."""
        if line + 1 >= len(self._starts):
            return len(self._text)
        first, stop = self._starts[line], self._starts[line + 1] - 1
        is_pair = self._text[stop] == "\n" and stop > first and self._text[stop - 1] == "\r"
        return stop - 1 if is_pair else stop


def _size(splice: Splice) -> int:
    return len(splice.old) + len(splice.text)


class _Starts:
    """Where the lines of a text start: a sequence with a gap at the last edit.

    Starts before the gap count from the start of the text, those after it from its end, so that an edit moves neither;
    only the way to the next edit costs.
    """

    def __init__(self, text: str) -> None:
        self._low = [0, *(end.end() for end in _LINE_END.finditer(text))]
        self._high: list[int] = []  # the nearest to the gap last
        self._total = len(text)

    def __len__(self) -> int:
        return len(self._low) + len(self._high)

    def __getitem__(self, line: int) -> int:
        if line < len(self._low):
            return self._low[line]
        return self._total - self._high[len(self._low) - 1 - line]

    def all(self) -> list[int]:
        """Every start, in order."""
        total = self._total
        return [*self._low, *[total - offset for offset in reversed(self._high)]]

    def line_of(self, offset: int) -> int:
        """The line that an offset lies on."""
        if self._high and self._total - self._high[-1] <= offset:
            return len(self) - 1 - bisect_left(self._high, self._total - offset)
        return bisect_right(self._low, offset) - 1

    def replace(self, text: str, start: int, stop: int, length: int) -> None:
        """Take in that `start..stop` became so many characters; `text` is the whole text after it."""
        low, high, total = self._low, self._high, self._total
        first = max(start, 1)  # whether a line starts at an offset depends on the characters on both sides of it
        if low[-1] >= first:
            at = bisect_left(low, first)
            high.extend([total - offset for offset in reversed(low[at:])])
            del low[at:]
        elif high and total - high[-1] < first:
            at = bisect_right(high, total - first)
            low.extend([total - offset for offset in reversed(high[at:])])
            del high[at:]
        del high[bisect_left(high, total - stop) :]
        self._total, end = len(text), start + length
        for line_end in _LINE_END.finditer(text, max(start - 1, 0), end + 1):
            if start <= line_end.end() <= end:
                low.append(line_end.end())
