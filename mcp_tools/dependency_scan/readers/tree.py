"""The tree that JSON, TOML and YAML texts become: plain values that know where they stand. Pure values."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from mcp_tools.finding import Notice
from mcp_tools.project import Source

MAX_DEPTH: Final = 100
MAX_NODES: Final = 1_000_000
TOO_MANY: Final = f"more than {MAX_NODES:,} values"
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?:[ \r\n]|$)", re.MULTILINE)


class Node(NamedTuple):
    """A value and its place, in offsets: of a string, what is between the quotes. A missing place is -1."""

    value: "str | int | float | bool | list[Node] | dict[str, Node] | None"
    start: int = -1
    stop: int = -1
    key_start: int = -1
    key_stop: int = -1

    @property
    def table(self) -> "dict[str, Node]":
        """Its members; empty when it is no table."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def array(self) -> "list[Node]":
        """Its elements; empty when it is no array."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str | None:
        """Its text, without white space around it; None when it is no string or blank."""
        return (self.value.strip() or None) if isinstance(self.value, str) else None

    @property
    def is_missing(self) -> bool:
        """True for what is not in the text."""
        return self is MISSING

    def at(self, *keys: str) -> "Node":
        """The node below, key by key; MISSING where there is none."""
        node = self
        for key in keys:
            node = node.table.get(key, MISSING)
        return node

    def first(self, *keys: str) -> "Node":
        """The first member present among some keys."""
        table = self.table
        return next((table[key] for key in keys if key in table), MISSING)

    def members(self) -> "Iterator[tuple[str, Node]]":
        """Its members in order."""
        yield from self.table.items()

    def texts(self) -> tuple[str, ...]:
        """The strings among its elements, or itself when it is one."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(item.value for item in self.array if isinstance(item.value, str))

    @property
    def key_place(self) -> tuple[int, int]:
        """The place of its key, else its own."""
        return (self.key_start, self.key_stop) if self.key_start >= 0 else self.place

    @property
    def place(self) -> tuple[int, int]:
        """Its own place."""
        return max(self.start, 0), max(self.stop, self.start, 0)


MISSING: Final = Node(None)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text. After an error `root` holds what came before it, and `notices` say so."""

    root: Node
    notices: tuple[Notice, ...] = ()


def not_parsed(source: Source, syntax: str, reason: str, offset: int) -> Notice:
    """The notice that a text breaks off its grammar; what was read before that place is kept."""
    line = source.position(offset)[0]
    around = source.line(line)
    if _CONFLICT.match(around) or (_CONFLICT.match(source.line(line + 1)) if line + 1 < source.line_count else False):
        reason = "a merge conflict is not resolved"
    return Notice("not-parsed", f"not read to its end: {syntax}, line {line + 1}: {reason}", source.path, True)


def duplicates(source: Source, syntax: str, found: Iterable[tuple[str, int]]) -> Iterator[Notice]:
    """One notice for all keys that stand twice in a table."""
    repeated = list(found)
    if repeated:
        key, offset = repeated[0]
        line = source.position(offset)[0] + 1
        more = f" and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        said = f"{key[:80]!r} stands twice (line {line}){more}; the last one counts"
        yield Notice("duplicate-key", f"{syntax}: {said}", source.path)
