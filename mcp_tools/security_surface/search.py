"""Run query patterns around the places where their words stand, and nowhere else, within bounds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node, QueryCursor

from mcp_tools.security_surface.patterns import Pattern
from mcp_tools.security_surface.syntax import Descent

Place = tuple[int, int]
"""A byte range."""

Wanted = Sequence[tuple[Pattern, Sequence[Place]]]
"""Patterns, each with places in ascending order."""

_MATCH_LIMIT = 1_024  # states in progress; without it a chain of 100,000 calls takes minutes
_MAX_DEPTH = 500  # levels of the tree below which no match begins
_MAX_BARE_CHILDREN = 4_000
_MAX_STEPS = 1_000_000
_WINDOW_GAP = 400  # bytes between two words that are searched in one go
_MAX_WINDOWS = 200  # below one node


@dataclass(frozen=True, slots=True)
class Match:
    """A place where a pattern fits, before its gates."""

    pattern: Pattern
    captures: Mapping[str, Sequence[Node]]

    def node(self, name: str) -> Node | None:
        """The first node of a capture; where that is a comment, the node after it."""
        nodes = self.captures.get(name)
        node = nodes[0] if nodes else None
        while node is not None and "comment" in node.type:
            node = node.next_named_sibling
        return node


def in_code(root: Node, wanted: Wanted) -> Wanted:
    """Leave out the places where a word is no node of its own: in a comment, in a longer text."""
    is_node: dict[Place, bool] = {}
    for place in {place for pattern, places in wanted if pattern.anchor.is_whole for place in places}:
        leaf = root.descendant_for_byte_range(*place)
        is_node[place] = leaf is None or leaf.byte_range == place
    return [
        (pattern, [place for place in places if is_node[place]] if pattern.anchor.is_whole else places)
        for pattern, places in wanted
    ]


def matches(root: Node, wanted: Wanted) -> Iterator[Match | None]:
    """What each pattern matches around its places, some of it more than once; None once where the search fell short.

    Args:
        root: the root of the tree.
        wanted: what to look for, and where.
    """
    paths = _paths(root, {place for _, around in wanted for place in around})
    if paths is None:
        yield None
        return
    is_cut = False
    for pattern, around in wanted:
        if not around:
            continue
        cursor = QueryCursor(pattern.query, match_limit=_MATCH_LIMIT)
        cursor.set_max_start_depth(_MAX_DEPTH)
        for top, start, stop in _windows([(_top(paths[place], pattern.height), place) for place in around]):
            cursor.set_byte_range(start, stop)
            for _, captures in cursor.matches(top):
                yield Match(pattern, captures)
            is_cut |= cursor.did_exceed_match_limit
    if is_cut:
        yield None


def _top(path: Sequence[Node], height: int | None) -> Node:
    """The node below which a match around a place lies: near, so that nothing else has to be looked at."""
    return path[0] if height is None else path[max(len(path) - height, 0)]


def _windows(places: Sequence[tuple[Node, Place]]) -> Iterator[tuple[Node, int, int]]:
    """The places below each node, near ones joined."""
    windows: dict[int, list[tuple[Node, int, int]]] = {}
    for top, (start, stop) in places:
        below = windows.setdefault(top.id, [])
        if below and (start - below[-1][2] < _WINDOW_GAP or len(below) == _MAX_WINDOWS):
            below[-1] = (top, below[-1][1], max(stop, below[-1][2]))
        else:
            below.append((top, start, stop))
    for below in windows.values():
        yield from below


def _paths(root: Node, places: set[Place]) -> dict[Place, list[Node]] | None:
    """The nodes from the root down to each place; None where a search around them took time out of proportion.

    Below a depth nothing is searched. A search looks from each child to the next named one, so a long run of bare
    punctuation (100,000 open parentheses) costs its square.
    """
    steps = _MAX_STEPS
    descent = Descent(root)
    paths: dict[Place, list[Node]] = {}
    if places and _is_bare(root):
        return None
    for place in sorted(places):
        leaf = root.descendant_for_byte_range(*place)
        if leaf is None:
            paths[place] = [root]
            continue
        shared = descent.go(leaf, _MAX_DEPTH)
        path = descent.path
        steps -= len(path)
        if len(path) >= _MAX_DEPTH or steps < 0 or any(map(_is_bare, path[shared:])):
            return None
        paths[place] = [*path, leaf]
    return paths


def _is_bare(node: Node) -> bool:
    return node.child_count - 2 * node.named_child_count > _MAX_BARE_CHILDREN
