"""Parse, walk syntax trees and look words up in their text, within bounds."""

import time
from collections.abc import Iterator

from tree_sitter import Node, Parser, Point, Tree

from mcp_tools.project.syntax import grammar

_MAX_ERRORS = 20_000
_DEADLINE_S = 10.0
_WATCHED_BYTES = 256_000  # below it a parse from the start is short
_PARSED_BYTES, _READ_BYTES = 65_536, 512  # given at a time to the parser, and for the text of a node
WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def parse(language: str, data: bytes, old: Tree | None = None, *, max_steps: int | None = None) -> Tree | None:
    """The tree of UTF-8 bytes.

    Args:
        language: one of `PARSED`.
        data: the whole text.
        old: the tree of the text before, with the edits since then made to it: only what changed is parsed.
        max_steps: give up after so many; one takes about 25 microseconds.

    Returns:
        None when it took too many steps, or longer than ten seconds.
    """
    parser = Parser(grammar(language))
    if old is None and max_steps is None and len(data) < _WATCHED_BYTES:
        return parser.parse(data)
    steps = 0
    size = _PARSED_BYTES
    deadline = time.monotonic() + _DEADLINE_S

    def chunk(offset: int, _point: Point) -> bytes:
        return data[offset : offset + size]

    def is_late(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps += 1
        return (max_steps is not None and steps > max_steps) or time.monotonic() > deadline

    try:
        if old is None:  # the binding takes no None
            tree = parser.parse(chunk, progress_callback=is_late)
        else:
            tree = parser.parse(chunk, old, progress_callback=is_late)
    except ValueError:  # how the binding says that the callback stopped it
        return None
    size = _READ_BYTES  # the tree goes on asking: once for the text of each node
    return tree


def text_of(node: Node) -> str:
    """A node's source text."""
    return (node.text or b"").decode("utf-8", "surrogatepass")


def occurrences(word: bytes, data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
    """Where a word stands as a token of its own: no letter, digit or underscore continues it."""
    stop = len(data) if stop is None else stop
    at = data.find(word, start, stop)
    while at >= 0:
        end = at + len(word)
        is_inner = at > 0 and data[at] in WORD_BYTES and data[at - 1] in WORD_BYTES
        if not is_inner and not (end < len(data) and data[end - 1] in WORD_BYTES and data[end] in WORD_BYTES):
            yield at, end
        at = data.find(word, end, stop)


def walk(node: Node, limit: int) -> Iterator[Node]:
    """A node and its named descendants in text order, at most `limit` of them, without recursion."""
    pending = [node]
    while pending and limit > 0:
        limit -= 1
        current = pending.pop()
        yield current
        pending.extend(reversed(current.named_children))


def path_to(root: Node, node: Node, limit: int = 2_000) -> Iterator[Node]:
    """The nodes from the root down to a node, itself left out, at most `limit` of them.

    Going down costs one step a level; `Node.parent` starts at the root each time.
    """
    current: Node | None = root
    while current is not None and limit > 0 and current.id != node.id:
        limit -= 1
        yield current
        current = current.child_with_descendant(node)


class Descent:
    """Goes down from a root to one node after another; steps that neighbours share are taken once."""

    def __init__(self, root: Node) -> None:
        self.path = [root]
        """The nodes above the last one gone to, the root first."""

    def go(self, node: Node, limit: int) -> int:
        """Go to a node, or down at most `limit` levels; give how many nodes of the path stayed as they were."""
        path = self.path
        start, stop = node.start_byte, node.end_byte
        while len(path) > 1 and not (path[-1].start_byte <= start and stop <= path[-1].end_byte):
            path.pop()
        while len(path) > 1 and path[-1].id == node.id:
            path.pop()
        shared = len(path)
        current = None if path[-1].id == node.id else path[-1].child_with_descendant(node)
        while current is not None and current.id != node.id and len(path) < limit:
            path.append(current)
            current = current.child_with_descendant(node)
        return shared


def share_of_errors(tree: Tree) -> float:
    """How many of the lines hold a token that the grammar could not place, 0..1."""
    root = tree.root_node
    if not root.has_error:
        return 0.0
    rows: set[int] = set()
    pending = [root]
    for _ in range(_MAX_ERRORS):  # no query: on a long run of bare punctuation it takes time without bound
        if not pending:
            break
        node = pending.pop()
        children = node.children
        if node.is_error or node.is_missing:
            rows.add(node.start_point.row)
            rows.update(child.start_point.row for child in children if child.child_count == 0)
        pending.extend(child for child in children if child.has_error)
    return len(rows) / (root.end_point.row - root.start_point.row + 1)
