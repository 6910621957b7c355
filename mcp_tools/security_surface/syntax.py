"""Walk syntax trees and look words up in their text, within bounds."""

from collections.abc import Iterator

from tree_sitter import Node, Tree

_MAX_ERRORS = 20_000
WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


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
