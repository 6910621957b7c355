"""Fit entries on a page: as many as were asked for, as few as there is room for, never a line cut in two."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from mcp_tools.catalog.values import JsonObject
from mcp_tools.output import printable

T = TypeVar("T")

DEFAULT_CHARS = 8_000
"""Characters of text and data together that an answer has unless more was asked for."""
RESERVED_CHARS = 1_200
"""Of them those for the header, counts and closing lines."""
_PATH_CHARS = 1_024  # as many as an argument may have: a longer path cannot be asked for


@dataclass(frozen=True, slots=True)
class Room:
    """What a page may take up. None is no bound: the terminal gets whole answers."""

    chars: int | None = DEFAULT_CHARS
    entries: int | None = 20
    with_report: bool = False  # name the whole report as a resource

    @property
    def is_whole(self) -> bool:
        """True where nothing is left out."""
        return self.chars is None and self.entries is None

    def beside(self, chars: int) -> "Room":
        """What is left of it beside so many characters that the page has anyway."""
        return self if self.chars is None else replace(self, chars=self.chars - chars)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as a line (or lines) of text and as JSON."""

    text: str
    data: JsonObject

    @property
    def chars(self) -> int:
        """What it takes up."""
        return len(self.text) + 1 + len(json.dumps(self.data, ensure_ascii=False)) + 1


@dataclass(frozen=True, slots=True)
class Fitted(Generic[T]):
    """The entries of a page, and where the next one begins; None at the end."""

    entries: tuple[Entry, ...]
    next_offset: int | None


def fit(items: Sequence[T], offset: int, room: Room, *forms: Callable[[T], Entry]) -> Fitted[T]:
    """The entries from an offset on, in the fullest form in which all that were asked for fit; else as many as fit.

    Args:
        items: everything.
        offset: the first one.
        room: what may be taken up.
        forms: how an item is said, the fullest form first.
    """
    wanted = items[offset:] if room.entries is None else items[offset : offset + room.entries]
    entries: list[Entry] = []
    for form in forms:
        entries = [form(item) for item in wanted]
        if room.chars is None or sum(entry.chars for entry in entries) <= room.chars - RESERVED_CHARS:
            break
    else:
        assert room.chars is not None
        left = room.chars - RESERVED_CHARS
        kept = 0
        for entry in entries:
            left -= entry.chars
            if left < 0 and kept:
                break
            kept += 1
        entries = entries[:kept]
    stop = offset + len(entries)
    return Fitted(tuple(entries), stop if stop < len(items) else None)


def clip(text: str, limit: int) -> str:
    """One printable line of at most `limit` characters."""
    return _cut(printable(" ".join(text.split()) if "\n" in text or "\r" in text else text), limit)


def shown_path(path: str, limit: int = _PATH_CHARS) -> str:
    """A path as a caller can hand it back, unless it is longer than that."""
    return _cut(printable(path), limit)


def _cut(shown: str, limit: int) -> str:
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
