"""JSON text to a tree with places; one pass, no recursion. Keeps what came before an error."""

import json
import re
from typing import Final

from mcp_tools.dependency_scan.readers.tree import (
    MAX_DEPTH,
    MAX_NODES,
    MISSING,
    TOO_MANY,
    Document,
    Node,
    duplicates,
    not_parsed,
)
from mcp_tools.project import Source

_SPACE = r"[ \t\n\r]*+"
_LOOSE_SPACE = r"(?:[ \t\n\r]++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_STRING = r'"((?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*+)"'
_SCALAR = r"(true|false|null|-?[0-9][0-9.eE+\-]*+)"


class _Grammar:
    """The compiled expressions; the loose ones also skip comments."""

    def __init__(self, space: str) -> None:
        self.space = re.compile(space)
        self.key = re.compile(rf"{space}{_STRING}{space}:")
        self.value = re.compile(rf"{space}(?:{_STRING}|([{{\[])|{_SCALAR})")
        self.next = re.compile(rf"{space}([,\]}}])")
        self.further = re.compile(rf'{space},{space}"([^"\\\x00-\x1f]*+)"{space}:{space}"([^"\\\x00-\x1f]*+)"')


_STRICT: Final = _Grammar(_SPACE)
_LOOSE: Final = _Grammar(_LOOSE_SPACE)
_WORDS: Final = {"true": True, "false": False, "null": None}


class _BrokenError(Exception):
    """The text is not JSON from an offset on."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason, self.offset = reason, offset


def parse_json(source: Source, *, loose: bool = False) -> Document:
    """Parse a text as JSON (RFC 8259); `loose` also takes comments and trailing commas.

    A key that stands twice has its last value, as in the package managers themselves, and a notice.
    """
    parser = _Parser(source.text, _LOOSE if loose else _STRICT, loose=loose)
    try:
        parser.run()
    except _BrokenError as error:
        broken = not_parsed(source, "JSON", error.reason, error.offset)
        return Document(parser.root, (*duplicates(source, "JSON", parser.repeated), broken))
    return Document(parser.root, tuple(duplicates(source, "JSON", parser.repeated)))


class _Parser:
    """The state of one pass."""

    def __init__(self, text: str, grammar: _Grammar, *, loose: bool) -> None:
        self.text, self.grammar, self.loose = text, grammar, loose
        self.root = MISSING
        self.repeated: list[tuple[str, int]] = []
        self._open: list[dict[str, Node] | list[Node]] = []
        self._count = 0

    def run(self) -> None:
        offset = self._value(0, None, (-1, -1))
        while self._open:
            container = self._open[-1]
            if container and isinstance(container, dict):
                offset = self._plain_members(container, offset)
            offset = self._step(offset)
        end = self.grammar.space.match(self.text, offset)
        if end is not None and end.end() != len(self.text):
            raise _BrokenError("text after the end", end.end())

    def _plain_members(self, container: dict[str, Node], offset: int) -> int:
        """Read the members that follow as long as each is a text without escapes: most of a lockfile."""
        match, text, before = self.grammar.further.match, self.text, len(container)
        for _ in range(MAX_NODES + 1 - self._count):
            found = match(text, offset)
            if found is None:
                break
            name, value = found.groups()
            if name in container:
                break
            container[name] = Node(value, *found.span(2), *found.span(1))
            offset = found.end()
        self._count += len(container) - before
        return offset

    def _step(self, offset: int) -> int:
        """Read one member or element of the innermost container, or its end."""
        container = self._open[-1]
        follows = self.grammar.next.match(self.text, offset)
        if follows is not None and (follows[1] != "," or container):
            if follows[1] != ",":
                self._close(container, follows)
                return follows.end()
            offset = follows.end()
            after = self.grammar.next.match(self.text, offset)
            if after is not None and self.loose and after[1] != ",":
                self._close(container, after)
                return after.end()
        elif container:
            raise self._broken("a comma or a closing bracket is missing", offset)
        if isinstance(container, list):
            return self._value(offset, None, (-1, -1))
        key = self.grammar.key.match(self.text, offset)
        if key is None:
            raise self._broken("a key is missing", offset)
        name = self._unescaped(key[1], key.start(1))
        if name in container:
            self.repeated.append((name, key.start(1)))
            del container[name]
        return self._value(key.end(), name, key.span(1))

    def _close(self, container: "dict[str, Node] | list[Node]", bracket: re.Match[str]) -> None:
        if (bracket[1] == "}") != isinstance(container, dict):
            raise _BrokenError("a bracket closes what it did not open", bracket.start(1))
        self._open.pop()

    def _value(self, offset: int, key: str | None, place: tuple[int, int]) -> int:
        found = self.grammar.value.match(self.text, offset)
        if found is None:
            raise self._broken("a value is missing", offset)
        kind = found.lastindex
        if kind == 1:
            raw = found[1]
            node = Node(self._unescaped(raw, found.start(1)) if "\\" in raw else raw, *found.span(1), *place)
        elif kind == 2:
            if len(self._open) >= MAX_DEPTH:
                raise _BrokenError(f"nested more than {MAX_DEPTH} deep", found.start(2))
            opened: dict[str, Node] | list[Node] = {} if found[2] == "{" else []
            node = Node(opened, *found.span(2), *place)
        else:
            node = Node(self._scalar(found[3], found.start(3)), *found.span(3), *place)
        self._put(key, node)
        if kind == 2 and isinstance(node.value, dict | list):
            self._open.append(node.value)
        return found.end()

    def _put(self, key: str | None, node: Node) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise _BrokenError(TOO_MANY, node.start)
        if not self._open:
            self.root = node
            return
        container = self._open[-1]
        if isinstance(container, dict):
            container[key or ""] = node
        else:
            container.append(node)

    def _broken(self, reason: str, offset: int) -> _BrokenError:
        """Say the error at the first character that is not white space."""
        space = self.grammar.space.match(self.text, offset)
        at = space.end() if space is not None else offset
        return _BrokenError("the text ends too early" if at >= len(self.text) else reason, at)

    def _unescaped(self, raw: str, offset: int) -> str:
        if "\\" not in raw:
            return raw
        try:
            value: object = json.loads(f'"{raw}"')
        except ValueError:
            raise _BrokenError("a bad escape", offset) from None
        return str(value)

    def _scalar(self, raw: str, offset: int) -> int | float | bool | None:
        if raw in _WORDS:
            return _WORDS[raw]
        try:
            return int(raw) if len(raw) < 18 and raw.lstrip("-").isdigit() else float(raw)
        except ValueError:
            raise _BrokenError("a bad number", offset) from None
