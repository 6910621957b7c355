"""YAML text to a tree with places, from libyaml's events: aliases are shared, never copied; no tag is obeyed."""

import re
from collections.abc import Iterator
from typing import Final

import yaml

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
from mcp_tools.finding import Notice
from mcp_tools.project import Source

_MAX_EVENTS: Final = 2 * MAX_NODES
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FLAT = "\x00"  # stands for a key that is no scalar; libyaml lets no NUL through


def parse_yaml(source: Source) -> list[Document]:
    """Parse a text's YAML documents. Scalars stay texts (`1.10` is no number), but for null and true and false.

    Returns:
        at least one document. An error ends the last one: it holds what came before, and the notice.
    """
    builder = _Builder(source)
    try:
        builder.run()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        builder.fail(error.problem or "not YAML", mark.index if mark is not None else len(source.text))
    except yaml.YAMLError as error:
        builder.fail(str(error).partition("\n")[0][:200], getattr(error, "position", 0))
    except _RefusedError as error:
        builder.fail(error.reason, error.offset)
    return builder.documents()


class _RefusedError(Exception):
    """The text holds more than is read."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason, self.offset = reason, offset


class _Builder:
    """Turns events into nodes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._roots: list[Node] = []
        self._notices: list[Notice] = []
        self._anchors: dict[str, Node] = {}
        self._repeated: list[tuple[str, int]] = []

    def run(self) -> None:  # noqa: C901, PLR0912 -- one loop: a call for each event costs a third more
        """Take all events in: the innermost open collection stands in `container`, the outer ones on a stack."""
        text = _SURROGATE.sub("\ufffd", self._source.text) if not self._source.text.isascii() else self._source.text
        next_event = yaml.CSafeLoader(text).get_event
        stack: list[tuple[dict[str, Node] | list[Node], Node | None]] = []
        opened: list[tuple[str | None, Node]] = []
        container: dict[str, Node] | list[Node] = self._roots
        key: Node | None = None
        for _ in range(_MAX_EVENTS):
            event = next_event()
            anchor = own = None
            inner: dict[str, Node] | list[Node] | None = None
            if isinstance(event, yaml.ScalarEvent):
                node = _scalar(event)
                anchor = event.anchor
            elif isinstance(event, yaml.CollectionStartEvent):
                at = event.start_mark.index
                if len(stack) >= MAX_DEPTH:
                    raise _RefusedError(f"nested more than {MAX_DEPTH} deep", at)
                is_table, own = isinstance(event, yaml.MappingStartEvent), event.anchor
                inner = dict[str, Node]() if is_table else list[Node]()
                node = Node(inner, at, at)
            elif isinstance(event, yaml.CollectionEndEvent):
                name, node = opened.pop()
                if name is not None:
                    self._anchors[name] = node
                container, key = stack.pop()
                continue
            elif isinstance(event, yaml.AliasEvent):
                shared = self._anchors.get(event.anchor or "", MISSING)
                node = Node(shared.value, event.start_mark.index, event.end_mark.index)
            elif event is None or isinstance(event, yaml.StreamEndEvent):
                return
            else:
                self._anchors.clear()
                continue
            if isinstance(container, list):
                container.append(node)
            elif key is None:
                key = node
            else:
                node = Node(node.value, node.start, node.stop, key.start, key.stop)
                self._member(container, key, node)
                key = None
            if anchor is not None:
                self._anchors[anchor] = node
            if inner is not None:
                opened.append((own, node))
                stack.append((container, key))
                container, key = inner, None
        raise _RefusedError(TOO_MANY, 0)

    def _member(self, table: dict[str, Node], key: Node, node: Node) -> None:
        name = key.value if isinstance(key.value, str) else _odd_key(key, self._source.text)
        if name in table:
            self._repeated.append((name, key.start))
            del table[name]
        table[name] = node

    def fail(self, reason: str, offset: int) -> None:
        """Say where it broke."""
        self._notices.append(not_parsed(self._source, "YAML", reason, min(offset, len(self._source.text))))

    def documents(self) -> list[Document]:
        """What was built."""
        notices = (*duplicates(self._source, "YAML", self._repeated), *self._notices)
        roots = self._roots or [MISSING]
        return [*(Document(root) for root in roots[:-1]), Document(roots[-1], notices)]


def _scalar(event: yaml.ScalarEvent) -> Node:
    start, stop, value, style = event.start_mark.index, event.end_mark.index, event.value, event.style
    if style is None or style == "":
        if value in _WORDS and event.implicit[0]:
            return Node(_WORDS[value], start, stop)
    elif style in "'\"":
        return Node(value, start + 1, max(stop - 1, start + 1))
    return Node(value, start, stop)


def _odd_key(key: Node, text: str) -> str:
    """The name of a key that is no text: as it is written; a collection has none."""
    return _FLAT if isinstance(key.value, dict | list) else text[key.start : key.stop]


def all_members(documents: list[Document]) -> Iterator[tuple[str, Node]]:
    """The members of every document's root."""
    for document in documents:
        yield from document.root.members()
