"""Several projects as one: each below a folder of its own name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, count

from mcp_tools.finding import Notice
from mcp_tools.project.base import Listing, Project, inside
from mcp_tools.project.source import Source


class SeveralProjects(Project):
    """A view of several projects whose paths begin with the name of the project they lie in.

    Args:
        projects: by name; a name is one path segment.
    """

    def __init__(self, projects: Mapping[str, Project]) -> None:
        for name in projects:
            if inside(name) != name or "/" in name:
                raise ValueError(f"not a path segment: {name!r}")
        self._projects = dict(projects)

    @property
    def name(self) -> str:
        """The names, joined."""
        return ", ".join(self._projects)

    def listing(self) -> Listing:
        """What each lists, below its name."""
        return self._listed

    @cached_property
    def _listed(self) -> Listing:
        paths: list[str] = []
        notices: list[Notice] = []
        ignored = 0
        for name, project in self._projects.items():
            below = project.listing()
            paths += [f"{name}/{path}" for path in below.paths]
            notices += [_below(name, notice) for notice in below.notices]
            ignored += below.ignored
        return Listing(tuple(sorted(paths)), tuple(notices), ignored)

    def read(self, path: str) -> Source | Notice:
        """The text, under the path it has here."""
        name, project, rest = self._place(path)
        if project is None or not rest:
            return Notice("no-such-file", "not read: no such file", path)
        item = project.read(rest)
        return _below(name, item) if isinstance(item, Notice) else _moved(item, f"{name}/{rest}")

    def is_excluded(self, path: str) -> bool:
        """The word of the project it lies in."""
        _, project, rest = self._place(path)
        return project is not None and bool(rest) and project.is_excluded(rest)

    def real_path(self, path: str) -> str | None:
        """Where it lies on disk."""
        _, project, rest = self._place(path)
        return project.real_path(rest) if project is not None and rest else None

    def size(self, path: str) -> int | None:
        """How many bytes it has."""
        _, project, rest = self._place(path)
        return project.size(rest) if project is not None and rest else None

    def _place(self, path: str) -> tuple[str, Project | None, str]:
        name, _, rest = (inside(path) or "").partition("/")
        return name, self._projects.get(name), rest


def names_of(folders: Sequence[str]) -> Iterator[str]:
    """A name for each folder, told apart by a number where two are called the same."""
    taken: set[str] = set()
    for folder in folders:
        base = folder.rstrip("/").rpartition("/")[2] or "root"
        names = chain([base], (f"{base}-{number}" for number in count(2)))
        name = next(each for each in names if each not in taken)
        taken.add(name)
        yield name


def _below(name: str, notice: Notice) -> Notice:
    return notice if notice.path is None else replace(notice, path=f"{name}/{notice.path}")


def _moved(source: Source, path: str) -> Source:
    return replace(source, path=path)
