"""SPDX licence expressions: parsed into a tree, folded with OR as the best branch and AND as the worst.

The grammar is that of the SPDX specification, Annex D, with what packages wrote before it: `MIT/Apache-2.0`,
`GPL-2.0+`, and names such as `Apache 2.0`. What is not understood is kept as it stands and is unknown.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar

from mcp_tools.dependency_scan.licences.table import CATEGORIES, NAMES, NEUTRAL, OLD_GNU, WEAKENING, Category

MAX_CHARS: Final = 1_000
MAX_DEPTH: Final = 40

_TOKEN = re.compile(r"\s*(?:([()])|([A-Za-z0-9][A-Za-z0-9.:_-]*\+?))")
_SLASH = re.compile(r"[A-Za-z0-9.+-]+(?:\s*/\s*[A-Za-z0-9.+-]+)+")
_BY_FOLDED: Final = {name.lower(): name for name in CATEGORIES}
_EXCEPTIONS: Final = {name.lower(): name for name in WEAKENING | NEUTRAL}
_GNU: Final = {name.lower(): name for name in OLD_GNU}
_WORDS: Final = ("and", "or", "with")


class Operator(StrEnum):
    """How branches are joined."""

    AND = "AND"
    OR = "OR"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One licence, by its SPDX id, or as written where that is none. `exception` is what follows WITH."""

    id: str
    exception: str | None = None

    def __str__(self) -> str:
        """As SPDX writes it."""
        return self.id if self.exception is None else f"{self.id} WITH {self.exception}"

    @property
    def category(self) -> Category:
        """What it asks. `X+` asks what X asks; an exception that is not known leaves all but permissive unknown."""
        found = CATEGORIES.get(self.id.removesuffix("+"), Category.UNKNOWN)
        if self.exception is None or found in (Category.UNKNOWN, Category.PERMISSIVE) or self.exception in NEUTRAL:
            return found
        if self.exception not in WEAKENING:
            return Category.UNKNOWN
        return Category.WEAK if found in (Category.STRONG, Category.NETWORK) else found


@dataclass(frozen=True, slots=True)
class Joined:
    """Branches joined by one operator."""

    operator: Operator
    branches: "tuple[Expression, ...]"

    def __str__(self) -> str:
        """As SPDX writes it."""
        parts = (f"({each})" if isinstance(each, Joined) else str(each) for each in self.branches)
        return f" {self.operator} ".join(parts)


Expression = Leaf | Joined


_T = TypeVar("_T")


def fold(expression: Expression, leaf: Callable[[Leaf], _T], rank: Callable[[_T], int]) -> _T:
    """The value of an expression: that of its best branch for OR (lowest rank), of its worst for AND."""
    if isinstance(expression, Leaf):
        return leaf(expression)
    values = [fold(branch, leaf, rank) for branch in expression.branches]
    return min(values, key=rank) if expression.operator is Operator.OR else max(values, key=rank)


def category_of(expression: Expression) -> Category:
    """What an expression asks at the least of whoever takes its best branches."""
    return fold(expression, lambda leaf: leaf.category, lambda category: category.rank)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parse what a package says of its licence. Never fails: what is no expression is one unknown leaf."""
    plain = " ".join(text.split())
    if len(plain) > MAX_CHARS:
        return Leaf(plain[:MAX_CHARS])
    named = NAMES.get(plain.lower().strip("()"))
    if named is not None:
        return Leaf(named)
    if _SLASH.fullmatch(plain):
        ids = [_leaf(part.strip()) for part in plain.split("/")]
        return Joined(Operator.OR, tuple(ids)) if all(leaf.id in CATEGORIES for leaf in ids) else Leaf(plain)
    tokens = _tokens(plain)
    parsed = _Parser(tokens).read() if tokens is not None else None
    return parsed if parsed is not None else Leaf(plain)


def _tokens(text: str) -> list[str] | None:
    tokens: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        tokens.append(found[1] or found[2])
        at = found.end()
    return tokens


def _leaf(text: str, exception: str | None = None) -> Leaf:
    """An id in the spelling of the SPDX list; GNU ids as that list has them since its version 3.0."""
    folded = text.lower()
    gnu = _GNU.get(folded.removesuffix("+"))
    if gnu is not None:
        return Leaf(f"{gnu}-{'or-later' if folded.endswith('+') else 'only'}", exception)
    bare = folded.removesuffix("+")
    known = _BY_FOLDED.get(bare)
    return Leaf(text if known is None else known + text[len(bare) :], exception)


class _Parser:
    """Recursive descent: OR binds less than AND, AND less than WITH. Operators are taken in any case."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def read(self) -> Expression | None:
        """The tree of all tokens; None when they are no expression."""
        found = self._joined(Operator.OR, 0)
        return found if self._at == len(self._tokens) else None

    def _peek(self) -> str:
        return self._tokens[self._at].lower() if self._at < len(self._tokens) else ""

    def _joined(self, operator: Operator, depth: int) -> Expression | None:
        branches: list[Expression] = []
        while True:
            found = self._joined(Operator.AND, depth) if operator is Operator.OR else self._single(depth)
            if found is None:
                return None
            same = isinstance(found, Joined) and found.operator is operator
            branches.extend(found.branches if isinstance(found, Joined) and same else (found,))
            if self._peek() != operator.lower():
                return branches[0] if len(branches) == 1 else Joined(operator, tuple(branches))
            self._at += 1

    def _single(self, depth: int) -> Expression | None:
        word = self._peek()
        if not word or word in (")", *_WORDS) or depth > MAX_DEPTH:
            return None
        written = self._tokens[self._at]
        self._at += 1
        if word == "(":
            inner = self._joined(Operator.OR, depth + 1)
            if inner is None or self._peek() != ")":
                return None
            self._at += 1
            return inner
        if self._peek() != "with":
            return _leaf(written)
        self._at += 1
        exception = self._peek()
        if not exception or exception in ("(", ")", *_WORDS):
            return None
        raw = self._tokens[self._at]
        self._at += 1
        return _leaf(written, _EXCEPTIONS.get(exception, raw))
