"""Lazy: a regular expression that is compiled when it is first used, so that importing its module costs nothing."""

import re
import sys
from collections.abc import Callable, Iterator


class Lazy:
    """Stands for `re.compile(pattern, flags)`; a wrong pattern raises `re.error` at its first use."""

    __slots__ = ("_compiled", "_flags", "pattern")

    def __init__(self, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.pattern = pattern
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The pattern itself, for a loop that cannot spare a call."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self._flags)
        return self._compiled

    def search(self, text: str, at: int = 0, stop: int = sys.maxsize) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        return self.compiled.search(text, at, stop)

    def match(self, text: str, at: int = 0, stop: int = sys.maxsize) -> re.Match[str] | None:
        """As `re.Pattern.match`."""
        return self.compiled.match(text, at, stop)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.fullmatch`."""
        return self.compiled.fullmatch(text)

    def finditer(self, text: str, at: int = 0, stop: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """As `re.Pattern.finditer`."""
        return self.compiled.finditer(text, at, stop)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """As `re.Pattern.sub`."""
        return self.compiled.sub(replacement, text)

    def subn(self, replacement: str, text: str) -> tuple[str, int]:
        """As `re.Pattern.subn`."""
        return self.compiled.subn(replacement, text)
