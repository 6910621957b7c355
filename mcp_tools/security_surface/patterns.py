"""The query files: read at once, each pattern compiled when a text first needs it.

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
from functools import cache, cached_property
from importlib import resources

from tree_sitter import Query

from mcp_tools.finding import Confidence, Rule
from mcp_tools.project.syntax import MAKING, grammar
from mcp_tools.security_surface.rules import RULES
from mcp_tools.security_surface.syntax import WORD_BYTES, occurrences

_QUERY_FILES: Mapping[str, str] = {"typescript": "javascript", "tsx": "javascript"}
_ONLY_WORDS = bytes(code if code in WORD_BYTES else 32 for code in range(256))
_PREDICATE = re.compile(r'\(#(?:eq|any-of)\?\s+@[\w.-]+\s+((?:"[^"\\]*"\s*)+)\)')
_QUOTED = re.compile(r'"([^"\\]*)"')
_SETTING = re.compile(r'\(#set!\s+([\w-]+)\s+"((?:[^"\\]|\\.)*)"\s*\)')
_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|;[^\n]*|[()]')
_ESCAPED = re.compile(r"\\(.)")
_SLACK = 4  # levels that a word can lie below the node whose text it is


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
    all_parts: frozenset[bytes] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Split the texts once."""
        parts = tuple(map(tokens, self.texts))
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "all_parts", frozenset().union(*parts))

    def may_stand_in(self, data: bytes, held: frozenset[bytes]) -> bool:
        """Say whether a text can stand in the data, whose tokens are given. Never False where `places` finds one."""
        if self.is_whole:
            return any(parts <= held for parts in self.parts)
        return any(text in data for text in self.texts)

    def places(self, data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """Where they stand between two offsets, one text after the other."""
        stop = len(data) if stop is None else stop
        for text in self.texts:
            if self.is_whole:
                yield from occurrences(text, data, start, stop)
                continue
            at = data.find(text, start, stop)
            while at >= 0:
                yield at, at + len(text)
                at = data.find(text, at + len(text), stop)


@dataclass(frozen=True)
class Pattern:
    """One query pattern. It matches only in a text that holds a word of each group, and only around an anchor."""

    index: int  # its place in the file: where two say the same, the first one's message stands
    language: str
    text: str
    rule: Rule
    message: str
    confidence: Confidence
    gates: tuple[str, ...]
    modules: frozenset[str]
    path: re.Pattern[str] | None
    needs: str | None  # a key of NEEDS
    groups: tuple[Words, ...]  # the most telling first
    anchor: Words  # one of the groups: a match lies around one of its places
    height: int | None  # levels of the tree between a place of the anchor and the match's root; None: any number

    @cached_property
    def query(self) -> Query:
        """The compiled pattern. Kept for good: py-tree-sitter 0.26 crashes when a query is made after one was freed."""
        with MAKING:
            return _compiled(self.language, self.text)

    def takes(self, path: str) -> bool:
        """Say whether it applies to a file of this path."""
        return self.path is None or self.path.search(path) is not None


@cache
def _compiled(language: str, text: str) -> Query:
    return Query(grammar(language), text)


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The patterns of one language, in the order of their file."""

    patterns: tuple[Pattern, ...]

    def wanted(self, path: str, data: bytes) -> list[Pattern]:
        """The patterns that can match in a text; empty when there is nothing to parse for."""
        held = tokens(data)
        stands: dict[Words | str, bool] = {}

        def has(group: Words) -> bool:
            if group not in stands:
                stands[group] = group.may_stand_in(data, held)
            return stands[group]

        def meets(needs: str) -> bool:
            if needs not in stands:
                stands[needs] = NEEDS[needs].search(data) is not None
            return stands[needs]

        return [
            pattern
            for pattern in self.patterns
            if pattern.takes(path) and all(map(has, pattern.groups)) and (pattern.needs is None or meets(pattern.needs))
        ]


def places(patterns: Sequence[Pattern], data: bytes) -> dict[Words, list[tuple[int, int]]]:
    """The byte ranges around which patterns can match, by anchor, ascending."""
    return {anchor: sorted(anchor.places(data)) for anchor in {pattern.anchor: None for pattern in patterns}}


@cache
def query_set(language: str) -> QuerySet:
    """The patterns for one of the languages that `syntax` parses.

    Raises:
        ValueError: a query file is wrong; a test reads them all.
    """
    name = _QUERY_FILES.get(language, language)
    file = resources.files("mcp_tools.security_surface").joinpath("queries", f"{name}.scm")
    texts = _split(file.read_text(encoding="utf-8"))
    return QuerySet(tuple(_pattern(index, language, text, depth) for index, (text, depth) in enumerate(texts)))


def _split(text: str) -> Iterator[tuple[str, int]]:
    """The patterns of a query file, each with how deep its parentheses nest."""
    start = depth = deepest = 0
    for lexeme in _LEXEME.finditer(text):
        if lexeme[0] == "(":
            start = start if depth else lexeme.start()
            depth += 1
            deepest = max(deepest, depth)
        elif lexeme[0] == ")":
            depth -= 1
            if depth == 0:
                yield text[start : lexeme.end()], deepest
                deepest = 0
    if depth:
        raise ValueError(f"a pattern is not closed: {text[start : start + 80]}")


def _pattern(index: int, language: str, text: str, depth: int) -> Pattern:
    settings = {name: _ESCAPED.sub(r"\1", value) for name, value in _SETTING.findall(text)}
    modules = frozenset(settings.get("from", "").split())
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
    if needs is not None and needs not in NEEDS:
        raise ValueError(f"unknown need: {needs}")
    return Pattern(
        index=index,
        language=language,
        text=text,
        rule=RULES[settings.get("rule", "")],
        message=settings.get("message", ""),
        confidence=Confidence(settings.get("confidence", "")),
        gates=tuple(settings.get("gates", "").split()),
        modules=modules,
        path=re.compile(path) if path else None,
        needs=needs,
        groups=tuple(groups),
        anchor=anchor,
        height=depth + _SLACK if anchor.is_whole else None,
    )


def _encoded(words: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in words)
