"""A file's text as it may be shown: every secret replaced, the lines as many as they were. Nothing is opened."""

import hashlib
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mcp_tools.project import Source
from mcp_tools.redaction import Redactor, find_secrets
from mcp_tools.redaction.pem import KIND
from mcp_tools.redaction.placeholder import MARK

_KEY = b"no tag is shown"
_JOINT = re.compile(r"(?:\\+[nrt]|%0[aAdD]|[ \t])*")  # what stands between the rows of a key in a string literal
_REMEMBERED_FILES = 4_096
_REMEMBERED_CHARS = 8_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a shown text where a secret stood: offsets of `[redacted:KIND]`."""

    start: int
    stop: int
    kind: str


@dataclass(frozen=True)
class Shown:
    """A text whose lines end in a line feed alone, with its marks in order."""

    text: str
    marks: tuple[Mark, ...] = ()

    @cached_property
    def starts(self) -> list[int]:
        """Where each line starts. What follows the last line end is a line only where something follows."""
        starts = [0, *(end.end() for end in re.finditer("\n", self.text))]
        if starts[-1] == len(self.text):
            starts.pop()
        return starts

    @property
    def sha256(self) -> str:
        """The hash of this text: one of the file's own would let a short secret be guessed."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def line(self, number: int) -> str:
        """A line by its number, from 0."""
        start = self.starts[number]
        stop = self.text.find("\n", start)
        return self.text[start : stop if stop >= 0 else len(self.text)]

    def lines(self, first: int, stop: int) -> tuple[str, ...]:
        """The lines from one number, from 0, to before another."""
        starts, text = self.starts, self.text
        stop = min(stop, len(starts))
        if first >= stop:
            return ()
        end = starts[stop] - 1 if stop < len(starts) else len(text) - text.endswith("\n")
        return tuple(text[starts[first] : end].split("\n"))

    def marks_between(self, start: int, stop: int) -> tuple[Mark, ...]:
        """The marks that overlap a span."""
        first = bisect_right(self.marks, start, key=lambda mark: mark.stop)
        last = bisect_right(self.marks, stop - 1, key=lambda mark: mark.start)
        return self.marks[first:last]

    def counts(self, start: int, stop: int) -> dict[str, int]:
        """How many secrets were replaced within a span, by kind. The rows of a private key are one."""
        counts: dict[str, int] = {}
        marks = self.marks_between(start, stop)
        for before, mark in pairwise((None, *marks)):
            assert mark is not None
            is_more = before is not None and before.kind == mark.kind == KIND
            if is_more and before is not None and self.text.count("\n", before.stop, mark.start) <= 1:
                continue
            counts[mark.kind] = counts.get(mark.kind, 0) + 1
        return dict(sorted(counts.items()))


def plain(text: str) -> str:
    """A text with every line end (CR LF, CR) as a line feed: as many lines as before."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def shown(source: Source) -> Shown:
    """A source as it may be shown. A value that is secret somewhere in a file is replaced wherever it stands in it."""
    key = (source.path, source.sha256)
    if (known := _memory.get(key)) is not None:
        return known.shown or Shown(plain(source.text))
    if find_secrets(source.text, source.path):
        made = _redacted(plain(Redactor(_KEY).redact(source.text, source.path)))
        _memory.put(key, made)
        return made
    _memory.put(key, None)
    return Shown(plain(source.text))


def forget() -> None:
    """Forget what was found of texts before; for measurements."""
    _memory.clear()


def _redacted(text: str) -> Shown:
    """A text whose secrets are placeholders, with marks in their place."""
    parts: list[str] = []
    marks: list[Mark] = []
    at = length = 0
    for start, stop, kind in _places(text):
        parts.append(text[at:start])
        word = f"[redacted:{kind}]"
        length += start - at
        marks.append(Mark(length, length + len(word), kind))
        parts.append(word)
        length += len(word)
        at = stop
    return Shown("".join([*parts, text[at:]]), tuple(marks))


def _places(text: str) -> Iterator[tuple[int, int, str]]:
    """The placeholders of a text; those of the rows of one key in a string literal as one."""
    pending: tuple[int, int, str] | None = None
    for match in MARK.finditer(text):
        start, stop, kind = *match.span(), match[1]
        if pending and pending[2] == kind == KIND and _JOINT.fullmatch(text, pending[1], start):
            pending = (pending[0], stop, kind)
            continue
        if pending:
            yield pending
        pending = (start, stop, kind)
    if pending:
        yield pending


@dataclass(frozen=True, slots=True)
class _Known:
    shown: Shown | None  # None: the text holds no secret

    @property
    def cost(self) -> int:
        return len(self.shown.text) if self.shown else 0


class _Memory:
    """What was found of texts before, by path and hash; the least recently used goes first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._chars = 0

    def get(self, key: tuple[str, str]) -> _Known | None:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
            return known

    def put(self, key: tuple[str, str], made: Shown | None) -> None:
        with self._lock:
            if key in self._known:
                return
            self._known[key] = known = _Known(made)
            self._chars += known.cost
            while len(self._known) > _REMEMBERED_FILES or self._chars > _REMEMBERED_CHARS:
                self._chars -= self._known.popitem(last=False)[1].cost

    def clear(self) -> None:
        with self._lock:
            self._known.clear()
            self._chars = 0


_memory = _Memory()
