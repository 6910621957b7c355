"""TOML text to a tree with places; one pass, no recursion. A line that is not TOML is passed over and said.

More lenient than the standard where nothing depends on it (dates stay texts, a table may be reopened).
"""

import re
from typing import Final

from mcp_tools.dependency_scan.readers.toml_scalars import scalar, unescaped
from mcp_tools.dependency_scan.readers.tree import (
    MAX_DEPTH,
    MAX_NODES,
    TOO_MANY,
    Document,
    Node,
    duplicates,
    not_parsed,
)
from mcp_tools.finding import Notice
from mcp_tools.project import Source

_PLAIN_LINE = re.compile(r'([A-Za-z0-9_-]++) = "([^"\\\x00-\x1f]*+)"[ \t]*+(?:\r?\n|\Z)')
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE = re.compile(r"[ \t]*+")
_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_KEY = re.compile(r"""[ \t]*+(?:([A-Za-z0-9_-]++)|"((?:[^"\\\x00-\x1f]|\\.)*+)"|'([^'\x00-\x1f]*+)')[ \t]*+""")
_STRINGS: Final = tuple(
    (re.compile(expression, re.DOTALL), escapes)
    for expression, escapes in (
        (r'"""(?:\r?\n)?((?:[^"\\]|\\.|"(?!""))*+"{0,2}?)"""(?!")', True),
        (r"'''(?:\r?\n)?((?:[^']|'(?!''))*+'{0,2}?)'''(?!')", False),
        (r'"((?:[^"\\\x00-\x08\n-\x1f]|\\[^\n])*+)"', True),
        (r"'([^'\x00-\x08\n-\x1f]*+)'", False),
    )
)
_WORD = re.compile(r"[A-Za-z0-9+\-_.:]++(?: [0-9]{2}:[0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_MEMBER = r'[ \t]*+([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+"([^"\\\x00-\x1f]*+)"(?!")'
_FIRST_MEMBER, _NEXT_MEMBER = re.compile(_MEMBER), re.compile(rf"[ \t]*+,{_MEMBER}")
_ELEMENT = r'[ \t\r\n]*+"([^"\\\x00-\x1f]*+)"(?!")'
_FIRST_ELEMENT, _NEXT_ELEMENT = re.compile(_ELEMENT), re.compile(rf"[ \t\r\n]*+,{_ELEMENT}")
_RESUME = re.compile(r"\n(?=[ \t]*+(?:\[|[A-Za-z0-9_\"'-]+[ \t]*=))")
_MAX_ERRORS = 1000


class _BrokenError(Exception):
    """A statement is not TOML from an offset on."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason, self.offset = reason, offset


def parse_toml(source: Source, opaque: frozenset[str] = frozenset()) -> Document:
    """Parse a text as TOML 1.0. Of a key that stands twice the last value counts, and a notice says so.

    Args:
        source: the text.
        opaque: keys whose arrays stay the text they are, brackets and all: the hashes of a large lockfile.
    """
    parser = _Parser(source.text, opaque)
    parser.run()
    notices: list[Notice] = [*duplicates(source, "TOML", parser.repeated)]
    if parser.errors:
        first = not_parsed(source, "TOML", parser.errors[0].reason, parser.errors[0].offset)
        notices.append(first)
    return Document(parser.root, tuple(notices))


class _Parser:
    """The state of one pass."""

    def __init__(self, text: str, opaque: frozenset[str]) -> None:
        self.text, self._opaque = text, opaque
        self._top: dict[str, Node] = {}
        self.root = Node(self._top, 0, 0)
        self._table = self._top
        self._headers: set[int] = set()
        self.repeated: list[tuple[str, int]] = []
        self.errors: list[_BrokenError] = []
        self._count = 0

    def run(self) -> None:
        text, offset = self.text, 0
        while True:
            plain = _PLAIN_LINE.match(text, offset)
            if plain is not None:
                self._put(self._table, plain[1], Node(plain[2], *plain.span(2), *plain.span(1)))
                offset = plain.end()
                continue
            blank = _BLANK.match(text, offset)
            offset = blank.end() if blank is not None else offset
            if offset >= len(text):
                return
            if self._count > MAX_NODES:
                self.errors.append(_BrokenError(TOO_MANY, offset))
                return
            try:
                offset = self._statement(offset)
            except _BrokenError as error:
                self.errors.append(error)
                resume = _RESUME.search(text, max(error.offset - 1, offset))
                if resume is None or len(self.errors) >= _MAX_ERRORS:
                    return
                offset = resume.end()

    def _statement(self, offset: int) -> int:
        text = self.text
        if text.startswith("[[", offset):
            keys, offset = self._keys(offset + 2)
            offset = self._expect("]]", offset)
            self._table = self._element(keys)
        elif text[offset] == "[":
            keys, offset = self._keys(offset + 1)
            offset = self._expect("]", offset)
            self._table = self._header(keys)
        else:
            keys, offset = self._keys(offset)
            offset = self._expect("=", offset)
            table, last = self._descend(self._table, keys[:-1]), keys[-1]
            stop = self._end_of_plain_array(offset) if last.value in self._opaque else None
            if stop is not None:
                self._put(table, _name(last), Node(text[offset:stop], offset, stop, last.start, last.stop))
                offset = stop
            else:
                offset = self._value(offset, table, last)
        end = _END.match(text, offset)
        if end is None:
            raise _BrokenError("text after a value", offset)
        return end.end()

    def _end_of_plain_array(self, offset: int) -> int | None:
        """Where an array ends whose last bracket begins a line and that nests no other one; None for another value."""
        end = self.text.find("\n]", offset)
        raw = self.text[offset : end + 2]
        is_plain = end >= 0 and raw.lstrip(" ").startswith("[") and raw.count("[") == 1
        return end + 2 if is_plain and '"""' not in raw and "'''" not in raw else None

    def _expect(self, mark: str, offset: int) -> int:
        if not self.text.startswith(mark, offset):
            raise _BrokenError(f"{mark!r} is missing", offset)
        return offset + len(mark)

    def _keys(self, offset: int) -> "tuple[list[Node], int]":
        """A dotted key: its parts as nodes whose value is the name."""
        parts: list[Node] = []
        while True:
            part = _KEY.match(self.text, offset)
            if part is None:
                raise _BrokenError("a key is missing", offset)
            kind = part.lastindex or 1
            name = unescaped(part[2]) if kind == 2 else part[kind]
            parts.append(Node(name, *part.span(kind)))
            if len(parts) > MAX_DEPTH:
                raise _BrokenError(f"nested more than {MAX_DEPTH} deep", offset)
            offset = part.end()
            if not self.text.startswith(".", offset):
                return parts, offset
            offset += 1

    def _descend(self, table: "dict[str, Node]", keys: "list[Node]") -> "dict[str, Node]":
        """The table that keys lead to, made where it is missing. In an array of tables it is the last one."""
        for key in keys:
            name = _name(key)
            below = table.get(name)
            if below is None:
                below = Node({}, key.start, key.stop, key.start, key.stop)
                table[name] = below
            value = below.array[-1].value if below.array else below.value
            if not isinstance(value, dict):
                raise _BrokenError(f"{name[:80]!r} is a value and a table", key.start)
            table = value
        return table

    def _header(self, keys: "list[Node]") -> "dict[str, Node]":
        table = self._descend(self._top, keys)
        if id(table) in self._headers:
            self.repeated.append((_name(keys[-1]), keys[-1].start))
        self._headers.add(id(table))
        return table

    def _element(self, keys: "list[Node]") -> "dict[str, Node]":
        table, last = self._descend(self._top, keys[:-1]), keys[-1]
        opened: dict[str, Node] = {}
        known = table.get(_name(last))
        if known is None:
            known = Node([], last.start, last.stop, last.start, last.stop)
            table[_name(last)] = known
        if not isinstance(known.value, list):
            raise _BrokenError(f"{_name(last)[:80]!r} is a table and an array of tables", last.start)
        known.value.append(Node(opened, last.start, last.stop))
        return opened

    def _put(self, table: "dict[str, Node]", name: str, node: Node) -> None:
        self._count += 1
        if name in table:
            self.repeated.append((name, max(node.key_start, 0)))
            del table[name]
        table[name] = node

    def _value(self, offset: int, table: "dict[str, Node]", key: Node) -> int:
        """Read a value and all that is nested in it; put it into the table."""
        stack: list[dict[str, Node] | list[Node]] = []
        offset, node = self._leaf(offset, key)
        self._put(table, _name(key), node)
        if isinstance(node.value, dict | list):
            stack.append(node.value)
        while stack:
            offset = self._nested(offset, stack)
        return offset

    def _nested(self, offset: int, stack: "list[dict[str, Node] | list[Node]]") -> int:
        """Read one element of the innermost array or inline table, or its end."""
        container, text = stack[-1], self.text
        before = len(container)
        offset = self._skip(self._plain(container, offset))
        self._count += 1 + (len(container) - before if isinstance(container, list) else 0)
        if self._count > MAX_NODES:
            raise _BrokenError(TOO_MANY, offset)
        closing = "]" if isinstance(container, list) else "}"
        if container and not text.startswith(closing, offset):
            offset = self._skip(self._expect(",", offset))
        if text.startswith(closing, offset):
            stack.pop()
            return offset + 1
        if isinstance(container, list):
            offset, node = self._leaf(offset, None)
            container.append(node)
        else:
            keys, offset = self._keys(offset)
            offset = self._expect("=", offset)
            target = self._descend(container, keys[:-1])
            offset, node = self._leaf(offset, keys[-1])
            self._put(target, _name(keys[-1]), node)
        if isinstance(node.value, dict | list):
            if len(stack) >= MAX_DEPTH:
                raise _BrokenError(f"nested more than {MAX_DEPTH} deep", offset)
            stack.append(node.value)
        return offset

    def _plain(self, container: "dict[str, Node] | list[Node]", offset: int) -> int:
        """Read the texts without escapes that follow: most of a lockfile."""
        text = self.text
        if isinstance(container, list):
            for _ in range(MAX_NODES):
                item = (_NEXT_ELEMENT if container else _FIRST_ELEMENT).match(text, offset)
                if item is None:
                    break
                container.append(Node(item[1], *item.span(1)))
                offset = item.end()
            return offset
        for _ in range(MAX_NODES):
            found = (_NEXT_MEMBER if container else _FIRST_MEMBER).match(text, offset)
            if found is None:
                break
            self._put(container, found[1], Node(found[2], *found.span(2), *found.span(1)))
            offset = found.end()
        return offset

    def _skip(self, offset: int) -> int:
        blank = _BLANK.match(self.text, offset)
        return blank.end() if blank is not None else offset

    def _leaf(self, offset: int, key: Node | None) -> "tuple[int, Node]":
        """A scalar, or a container that was just opened."""
        space = _SPACE.match(self.text, offset)
        offset = space.end() if space is not None else offset
        place = (key.start, key.stop) if key is not None else (-1, -1)
        mark = self.text[offset : offset + 1]
        if mark and mark in "[{":
            opened: dict[str, Node] | list[Node] = [] if mark == "[" else {}
            return offset + 1, Node(opened, offset, offset + 1, *place)
        if mark and mark in "\"'":
            return self._string(offset, place)
        word = _WORD.match(self.text, offset)
        value = scalar(word[0]) if word is not None else None
        if word is None or value is None:
            raise _BrokenError("a value is missing", offset)
        return word.end(), Node(value, *word.span(), *place)

    def _string(self, offset: int, place: tuple[int, int]) -> "tuple[int, Node]":
        quote = self.text[offset] * 3
        kinds = _STRINGS[:2] if self.text.startswith(quote, offset) else _STRINGS[2:]
        for expression, escapes in kinds:
            found = expression.match(self.text, offset)
            if found is not None:
                raw = found[1].replace("\r\n", "\n")
                return found.end(), Node(unescaped(raw) if escapes and "\\" in raw else raw, *found.span(1), *place)
        raise _BrokenError("a string does not end", offset)


def _name(key: Node) -> str:
    return key.value if isinstance(key.value, str) else ""
