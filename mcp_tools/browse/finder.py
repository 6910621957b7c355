"""Find a text or a regular expression within lines, in time that grows with the text alone. Pure but for the clock.

Regular expressions are RE2's (https://github.com/google/re2): an automaton, so that no pattern backtracks for ever.
Measured on a pattern that its fast automaton has to give up (`x[xy]{900}z`): 5 s a megabyte, hence the bounds on a
program's size and the deadline, which is looked at every few kilobytes.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import re2  # pyright: ignore[reportMissingTypeStubs] - it has none; `_Engine` says what is used of it

from mcp_tools.finding import Notice

_MAX_PATTERN_CHARS = 1_000
_MAX_PROGRAM = 5_000  # instructions; a Unicode class such as `\pL` has some 1,200
_MAX_MEMORY = 8 << 20  # bytes, of a program and its automatons
_CHUNK = 1 << 15  # bytes between two looks at the clock
_LOOK_AROUND = re.compile(r"\(\?<?[=!]")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=")


class TooSlowError(Exception):
    """The deadline passed."""


class Deadline:
    """A point in time, on the clock that never goes back."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise TooSlowError from that point on."""
        if time.monotonic() >= self._end:
            raise TooSlowError


class Finder(Protocol):
    """Looks for something that lies within one line of UTF-8."""

    @property
    def margin(self) -> int:
        """Bytes beside a match on which it may depend."""
        ...

    def may_match(self, text: str) -> bool:
        """A cheap test: False only where there is no match."""
        ...

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        """The first match between two offsets; `stop` is a line's end or the text's. Raises TooSlowError."""
        ...


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it is."""

    query: str
    data: bytes
    margin: int = 0

    def may_match(self, text: str) -> bool:
        return self.query in text

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        at = text.find(self.data, start, stop)
        return None if at < 0 else (at, at + len(self.data))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A compiled regular expression."""

    program: "_Program"
    deadline: Deadline
    margin: int

    def may_match(self, text: str) -> bool:
        del text
        return True

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        while start <= stop:
            cut = text.find(b"\n", start + _CHUNK, stop) if stop - start > _CHUNK else -1
            end = stop if cut < 0 else cut
            match = self.program.search(text, start, end)
            if match is not None:
                return match.span()
            self.deadline.check()
            start = end + 1
        return None


def finder(query: str, deadline: Deadline, *, is_regex: bool, is_case_sensitive: bool) -> Finder | Notice:
    """What looks for a query, or a Notice `bad-pattern` where it cannot be looked for."""
    data = query.encode("utf-8", "surrogatepass")
    if not query:
        return _bad("the query is empty")
    if len(query) > _MAX_PATTERN_CHARS:
        return _bad(f"the query has more than {_MAX_PATTERN_CHARS:,} characters")
    if "\n" in query or "\r" in query:
        return _bad("the query holds a line end, and lines are searched one by one")
    if is_case_sensitive and not is_regex:
        return _Text(query, data)
    options = _engine.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    options.never_nl = True  # no match goes past a line's end
    options.never_capture = True
    options.case_sensitive = is_case_sensitive
    options.literal = not is_regex
    try:
        program = _engine.compile(b"(?m)" + data if is_regex else data, options)
    except _engine.error:
        return _bad(_why(query) if is_regex else "the query cannot be looked for without regard to case")
    finally:
        _engine.purge()  # else the module keeps 128 programs, megabytes each
    if is_regex and program.programsize > _MAX_PROGRAM:
        return _bad("the pattern is too costly: say less of how often something repeats")
    return _Pattern(program, deadline, margin=1 if is_regex else 0)


def _why(query: str) -> str:
    if _LOOK_AROUND.search(query):
        return "look-around is not supported (RE2 syntax)"
    if _BACK_REFERENCE.search(query):
        return "back-references are not supported (RE2 syntax)"
    return "the pattern is no regular expression in RE2 syntax, or too large a one; a text as it is needs no regex"


def _bad(why: str) -> Notice:
    return Notice("bad-pattern", why)


class _Found(Protocol):
    def span(self) -> tuple[int, int]: ...


class _Program(Protocol):
    @property
    def programsize(self) -> int: ...

    def search(self, text: bytes, pos: int, endpos: int) -> _Found | None: ...


class _Options(Protocol):
    max_mem: int
    log_errors: bool
    never_nl: bool
    never_capture: bool
    case_sensitive: bool
    literal: bool


class _Engine(Protocol):
    Options: Callable[[], _Options]
    error: type[Exception]

    def compile(self, pattern: bytes, options: _Options) -> _Program: ...

    def purge(self) -> None: ...


_engine = cast("_Engine", re2)
