"""`list_files`: which files a project has. Nothing is opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tools.browse.places import choose
from mcp_tools.finding import Notice
from mcp_tools.project import Project, language_of


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file, by name. `size_bytes` is None where nobody knows; `language` says what the name tells."""

    path: str
    size_bytes: int | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Files:
    """The files that were asked for, sorted by path.

    `ignored` counts what ignore rules left out of the whole tree; an ignored folder counts once.
    """

    files: tuple[FileEntry, ...]
    notices: tuple[Notice, ...]
    ignored: int


def list_files(project: Project, *, patterns: Sequence[str] = (), max_depth: int | None = None) -> Files:
    """The files that patterns mean (see `places.choose`), all of them when there is none.

    Links, pipes, sockets and devices are notices: they are neither followed nor opened.
    """
    chosen = choose(project, patterns, max_depth=max_depth)
    entries = tuple(FileEntry(path, project.size(path), language_of(path)) for path in chosen.paths)
    return Files(entries, chosen.notices, project.listing().ignored)
