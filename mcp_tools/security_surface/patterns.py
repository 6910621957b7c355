"""The query files: load, compile once, and run only where a trigger word stands.

A pattern is a tree-sitter query pattern in `queries/<language>.scm` with these settings:

    rule        the rule it reports                         (required)
    message     one sentence for a person                   (required)
    confidence  high, medium or low: the most it claims     (required)
    gates       functions of `gates.py`, in order
    from        modules that the callee must be imported from
    path        a regular expression that the file's path must match
    words       pieces of text of which one stands in every match, where no `#eq?`/`#any-of?` says so
    needs       a regular expression of NEEDS that the text must match somewhere

and the captures `@finding` (what is reported), `@name` and `@object` (the callee), `@argument` (what gates look at).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from tree_sitter import Node, Query, QueryCursor

from mcp_tools.finding import Confidence, Rule
from mcp_tools.project.syntax import grammar
from mcp_tools.security_surface.rules import RULES
from mcp_tools.security_surface.syntax import WORD_BYTES, occurrences, path_to

_MATCH_LIMIT = 1_024  # states in progress; without it a chain of 100,000 calls takes minutes
_MAX_DEPTH = 500  # levels of the tree below which no match begins
_MAX_BARE_CHILDREN = 4_000
_MAX_STEPS = 1_000_000
_WINDOW_GAP = 400  # bytes between two words that are searched in one go
_MAX_WINDOWS = 200
_QUERY_FILES: Mapping[str, str] = {"typescript": "javascript", "tsx": "javascript"}
_ONLY_WORDS = bytes(code if code in WORD_BYTES else 32 for code in range(256))
_PREDICATE = re.compile(r'\(#(?:eq|any-of)\?\s+@[\w.-]+\s+((?:"[^"\\]*"\s*)+)\)')
_QUOTED = re.compile(r'"([^"\\]*)"')


NEEDS: Mapping[str, re.Pattern[bytes]] = {
    "sql": re.compile(
        rb"""(?:["'`}]|\*/)(?:\s|\(|\\n)*(?:select\s|insert\s|replace\s+into\b|update\s[\s\S]{1,80}?\bset\b|delete\s+from\b|"""
        rb"merge\s+into\b|with\s+\w+\s+as\b|union\s|grant\s|call\s+\w+\s*\(|"
        rb"(?:drop|truncate|alter|create)\s+(?:or\s+replace\s+|temp(?:orary)?\s+|unique\s+)*"
        rb"(?:table|database|view|index|schema|user|role|sequence|trigger)\b)",
        re.IGNORECASE,
    ),
}
"""What a file must hold for a pattern to be tried: here, a literal that begins like SQL."""


def tokens(data: bytes) -> frozenset[bytes]:
    """The words of a text: runs of letters, digits and underscores. Far cheaper than a search for each word."""
    return frozenset(data.translate(_ONLY_WORDS).split())


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of which one must stand somewhere. `is_whole`: as a token of its own, since a predicate compares a node."""

    texts: tuple[bytes, ...]
    is_whole: bool = True
    parts: tuple[frozenset[bytes], ...] = field(init=False, compare=False)  # the tokens of each text

    def __post_init__(self) -> None:
        """Split the texts once."""
        object.__setattr__(self, "parts", tuple(map(tokens, self.texts)))

    def may_stand_in(self, data: bytes, held: frozenset[bytes]) -> bool:
        """Say whether a text can stand in the data, whose tokens are given. Never False where `places` finds one."""
        if self.is_whole:
            return any(parts <= held for parts in self.parts)
        return any(text in data for text in self.texts)

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where they stand, one text after the other."""
        for text in self.texts:
            if self.is_whole:
                yield from occurrences(text, data)
                continue
            at = data.find(text)
            while at >= 0:
                yield at, at + len(text)
                at = data.find(text, at + len(text))


@dataclass(frozen=True, slots=True)
class Pattern:
    """One query pattern. It matches only in a text that holds a word of each group, and only around an anchor."""

    rule: Rule
    message: str
    confidence: Confidence
    gates: tuple[str, ...]
    modules: frozenset[str]
    path: re.Pattern[str] | None
    needs: re.Pattern[bytes] | None
    groups: tuple[Words, ...]  # the most telling first
    anchor: Words  # one of the groups: a match lies around one of its places


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


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The compiled queries of one language."""

    query: Query
    patterns: tuple[Pattern, ...]

    def places(self, path: str, data: bytes) -> list[tuple[int, int]]:
        """The byte ranges around which a pattern can match, ascending; empty when there is nothing to parse for."""
        held = tokens(data)
        anchors: set[Words] = set()
        for pattern in self.patterns:
            if pattern.anchor in anchors or (pattern.path and not pattern.path.search(path)):
                continue
            if all(group.may_stand_in(data, held) for group in pattern.groups) and (
                pattern.needs is None or pattern.needs.search(data)
            ):
                anchors.add(pattern.anchor)
        return sorted(place for anchor in anchors for place in anchor.places(data))

    def matches(self, root: Node, places: Sequence[tuple[int, int]]) -> Iterator[Match | None]:
        """What matches around the places, some of it more than once; None once where the search fell short."""
        is_cut = not is_searchable(root, places)
        for start, stop in () if is_cut else _windows(places):
            cursor = QueryCursor(self.query, match_limit=_MATCH_LIMIT)
            cursor.set_max_start_depth(_MAX_DEPTH)
            cursor.set_byte_range(start, stop)
            for index, captures in cursor.matches(root):
                yield Match(self.patterns[index], captures)
            is_cut |= cursor.did_exceed_match_limit
        if is_cut:
            yield None


def _windows(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places, near ones joined."""
    windows: list[tuple[int, int]] = []
    for start, stop in places:
        if windows and (start - windows[-1][1] < _WINDOW_GAP or len(windows) == _MAX_WINDOWS):
            windows[-1] = (windows[-1][0], max(stop, windows[-1][1]))
        else:
            windows.append((start, stop))
    return windows


def is_searchable(root: Node, places: Sequence[tuple[int, int]]) -> bool:
    """Say whether a search around the places takes time that grows with the text, and reaches them all.

    Below a depth nothing is searched. A search looks from each child to the next named one, so a long run of bare
    punctuation (100,000 open parentheses) costs its square.
    """
    steps = _MAX_STEPS
    for start, stop in places:
        leaf = root.descendant_for_byte_range(start, stop)
        if leaf is None:
            continue
        depth = 0
        for node in path_to(root, leaf, _MAX_DEPTH):
            depth += 1
            if node.child_count - 2 * node.named_child_count > _MAX_BARE_CHILDREN:
                return False
        steps -= depth
        if depth >= _MAX_DEPTH or steps < 0:
            return False
    return True


@cache
def query_set(language: str) -> QuerySet:
    """The queries for one of the languages that `syntax` parses.

    Raises:
        ValueError: a query file is wrong; a test reads them all.
    """
    name = _QUERY_FILES.get(language, language)
    file = resources.files("mcp_tools.security_surface").joinpath("queries", f"{name}.scm")
    text = file.read_text(encoding="utf-8")
    query = Query(grammar(language), text)
    data = text.encode()
    patterns = [
        _pattern(
            query.pattern_settings(index), data[query.start_byte_for_pattern(index) : query.end_byte_for_pattern(index)]
        )
        for index in range(query.pattern_count)
    ]
    return QuerySet(query, tuple(patterns))


def _pattern(settings: Mapping[str, str | None], source: bytes) -> Pattern:
    text = source.decode()
    modules = frozenset((settings.get("from") or "").split())
    groups = [Words(_encoded(_QUOTED.findall(match[1]))) for match in _PREDICATE.finditer(text)]
    if words := settings.get("words"):
        groups.append(Words(_encoded(words.split()), is_whole=False))
    if not groups:
        raise ValueError(f"no word to look for first: {text}")
    anchor = max(groups, key=lambda group: min(map(len, group.texts)))
    groups.sort(key=lambda group: group is not anchor)
    if modules:
        groups.insert(0, Words(_encoded(sorted({module.partition(".")[0] for module in modules}))))
    path = settings.get("path")
    needs = settings.get("needs")
    return Pattern(
        rule=RULES[settings.get("rule") or ""],
        message=settings.get("message") or "",
        confidence=Confidence(settings.get("confidence") or ""),
        gates=tuple((settings.get("gates") or "").split()),
        modules=modules,
        path=re.compile(path) if path else None,
        needs=NEEDS[needs] if needs else None,
        groups=tuple(groups),
        anchor=anchor,
    )


def _encoded(words: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in words)
