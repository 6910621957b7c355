"""What a project is to a tool: a listing and texts. There is no verb that writes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_tools.finding import Notice
from mcp_tools.project.patterns import Patterns
from mcp_tools.project.source import Source


@dataclass(frozen=True, slots=True)
class Listing:
    """The files a tool may look at, sorted, and what was passed over and why."""

    paths: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    ignored: int = 0  # entries that ignore rules left out; an ignored folder counts once


class Project(ABC):
    """A read-only view of a tree. Paths are POSIX, relative to its root, never absolute, never with `..`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person calls the project: the root folder's name."""

    @abstractmethod
    def listing(self) -> Listing:
        """Every file that ignore rules and the scope leave, in a stable order. Computed once for a view."""

    @abstractmethod
    def read(self, path: str) -> Source | Notice:
        """The text of a file, or why it cannot be had. Never raises for what the tree contains."""

    def size(self, path: str) -> int | None:
        """How many bytes a file has, without reading it; None where nobody knows or it is no file to be read."""
        del path
        return None

    def files(self, *patterns: str) -> Iterator[Source]:
        """The readable files, all or those that match a gitignore-style pattern; others are passed over."""
        for path in select(self.listing().paths, patterns):
            source = self.read(path)
            if isinstance(source, Source):
                yield source

    def is_excluded(self, path: str) -> bool:
        """Say whether the configuration forbids to list and to read this path, whoever holds its text."""
        del path
        return False

    def real_path(self, path: str) -> str | None:
        """Where this very text lies on disk, for a tool that is a program; None when only memory has it."""
        del path
        return None


@lru_cache(maxsize=64)
def _patterns(lines: tuple[str, ...]) -> Patterns:
    return Patterns(lines)


def select(paths: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    """The paths that match a gitignore-style pattern; all of them when there is none."""
    if not patterns:
        yield from paths
        return
    meant = _patterns(tuple(patterns))
    yield from (path for path in paths if meant.covers(path))


def inside(path: str) -> str | None:
    """A path in canonical relative form, or None when it is absolute, empty, holds a NUL or climbs with `..`."""
    if not path or path.startswith("/") or "\0" in path:
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if not parts or ".." in parts else "/".join(parts)
