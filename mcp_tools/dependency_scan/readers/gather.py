"""What a reader fills while it reads one file: dependencies and notices, within bounds."""

import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mcp_tools.dependency_scan.readers.tree import Document, Node
from mcp_tools.dependency_scan.values import Dependency, FileRead, Index, Kind, Recorded, bare_url
from mcp_tools.finding import Notice, Region
from mcp_tools.project import Source, inside

MAX_DEPENDENCIES: Final = 100_000
MAX_NAME_CHARS: Final = 1_000
_MAX_NOTICES = 50

Opener = Callable[[str], Source | Notice]


class Gather:
    """Collects what one file says. `done` freezes it."""

    def __init__(self, source: Source, file_format: str, kind: Kind) -> None:
        self.source, self.format, self.kind = source, file_format, kind
        self.dependencies: list[Dependency] = []
        self.recorded: list[Recorded] = []
        self.indexes: list[Index] = []
        self.included: list[FileRead] = []
        self.project: str | None = None
        self.license: str | None = None
        self.content_hash: str | None = None
        self._notices: list[Notice] = []
        self._is_full = False

    @property
    def is_full(self) -> bool:
        """True once the bound was reached: no more is taken, and a notice says so."""
        return self._is_full

    def region(self, place: tuple[int, int]) -> Region:
        """The region of two offsets."""
        return self.source.region(*place)

    def add(self, dependency: Dependency) -> None:
        """Take a dependency, unless there are too many or its name is no name."""
        if len(self.dependencies) >= MAX_DEPENDENCIES:
            if not self._is_full:
                self._is_full = True
                self.tell("too-many-dependencies", f"only the first {MAX_DEPENDENCIES:,} dependencies were read")
        elif not dependency.name or len(dependency.name) > MAX_NAME_CHARS:
            line = dependency.region.start_line + 1
            self.tell("bad-dependency", f"line {line}: a name is empty or longer than {MAX_NAME_CHARS} characters")
        else:
            self.dependencies.append(dependency)

    def record(self, recorded: Recorded) -> None:
        """Take what the lockfile remembers of its manifest."""
        if len(self.recorded) < MAX_DEPENDENCIES:
            self.recorded.append(recorded)

    def index(self, node: Node, *, is_extra: bool = False, name: str | None = None) -> None:
        """Take a package index."""
        if node.text is not None:
            self.indexes.append(Index(bare_url(node.text), self.region(node.place), is_extra, name))

    def tell(self, code: str, message: str, *, incomplete: bool = True) -> None:
        """Say what was not understood; past a bound one last notice stands for the rest."""
        if len(self._notices) < _MAX_NOTICES:
            self._notices.append(Notice(code, message, self.source.path, incomplete))
        elif len(self._notices) == _MAX_NOTICES:
            self._notices.append(Notice("too-many-notices", "further problems are not listed", self.source.path, True))

    def bad(self, what: str, place: tuple[int, int]) -> None:
        """Say that an entry was not understood, and where."""
        line = self.source.position(place[0])[0] + 1
        self.tell("bad-dependency", f"line {line}: {what}")

    def take(self, documents: Iterable[Document]) -> None:
        """Take over what parsing had to say."""
        for document in documents:
            self._notices.extend(document.notices)

    def notices(self, notices: Iterable[Notice]) -> None:
        """Take over notices."""
        self._notices.extend(notices)

    def members(self, node: Node, what: str) -> Iterator[tuple[str, Node]]:
        """The members of what should be a table; a notice when it is something else. Absent and null are empty."""
        if isinstance(node.value, dict):
            yield from node.value.items()
        elif node.value is not None:
            self.bad(f"{what} is no table: not read", node.place)

    def elements(self, node: Node, what: str) -> Iterator[Node]:
        """The elements of what should be an array; a notice when it is something else. Absent and null are empty."""
        if isinstance(node.value, list):
            yield from node.value
        elif node.value is not None:
            self.bad(f"{what} is no array: not read", node.place)

    def expect_table(self, node: Node) -> None:
        """Say so when a file's root is no table."""
        if not isinstance(node.value, dict) and not self._notices:
            self.tell("not-parsed", "not read: its content is not a table")

    def done(self) -> FileRead:
        """What was read."""
        return FileRead(
            path=self.source.path,
            format=self.format,
            kind=self.kind,
            dependencies=tuple(self.dependencies),
            notices=tuple(self._notices),
            project=self.project,
            license=self.license,
            recorded=tuple(self.recorded),
            indexes=tuple(self.indexes),
            included=tuple(self.included),
            content_hash=self.content_hash,
        )


def beside(path: str, target: str) -> str | None:
    """The project-relative path of a file named relative to another file; None when it lies outside the project."""
    if target.startswith("/") or "\\" in target or "://" in target:
        return None
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return inside(joined)
