"""Projects that are not on disk: a mapping of texts, and unsaved texts laid over another project."""

from collections.abc import Mapping

from mcp_tools.finding import Notice
from mcp_tools.project.base import Listing, Project, inside
from mcp_tools.project.decode import decode
from mcp_tools.project.language import language_of
from mcp_tools.project.source import Source


def _no_such_file(path: str) -> Notice:
    return Notice("no-such-file", "not read: no such file", path)


class MemoryProject(Project):
    """A project made of texts or bytes; for tests, and for text that never was a file."""

    def __init__(self, files: Mapping[str, str | bytes], name: str = "memory") -> None:
        self._name = name
        self._sources: dict[str, Source | Notice] = {}
        self._sizes = {path: _size(content) for path, content in files.items()}
        for path, content in files.items():
            if inside(path) != path:
                raise ValueError(f"not a project-relative path: {path!r}")
            self._sources[path] = _loaded(path, content)
        self._listing = Listing(tuple(sorted(self._sources)))

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    def listing(self) -> Listing:
        """Every path; there are no ignore rules in memory."""
        return self._listing

    def read(self, path: str) -> Source | Notice:
        """The text that was given for this path."""
        return self._sources.get(inside(path) or "") or _no_such_file(path)

    def size(self, path: str) -> int | None:
        """The bytes that were given; of a text, what it takes up as UTF-8."""
        return self._sizes.get(inside(path) or "")


class Overlay(Project):
    """Unsaved texts over a base project. A text for a path that the base lacks adds a file, unless it is excluded."""

    def __init__(self, base: Project, texts: Mapping[str, str]) -> None:
        self._base = base
        self._sources = {path: _loaded(path, text) for path, text in texts.items() if self._holds(path)}
        below = base.listing()
        paths = tuple(sorted({*below.paths, *self._sources}))
        notices = tuple(notice for notice in below.notices if notice.path not in self._sources)
        self._listing = Listing(paths, notices, below.ignored)

    def _holds(self, path: str) -> bool:
        return inside(path) == path and not self._base.is_excluded(path)

    @property
    def name(self) -> str:
        """The base's name."""
        return self._base.name

    def listing(self) -> Listing:
        """The base's files and the unsaved ones."""
        return self._listing

    def read(self, path: str) -> Source | Notice:
        """The unsaved text, else the base's."""
        return self._sources.get(inside(path) or "") or self._base.read(path)

    def size(self, path: str) -> int | None:
        """What the unsaved text takes up as UTF-8, else the base's word."""
        source = self._sources.get(inside(path) or "")
        return _size(source.text) if isinstance(source, Source) else self._base.size(path)

    def is_excluded(self, path: str) -> bool:
        """The base's word: unsaved text is no way round the configuration."""
        return self._base.is_excluded(path)

    def real_path(self, path: str) -> str | None:
        """The base's, except for a path whose text is unsaved."""
        return None if inside(path) in self._sources else self._base.real_path(path)


def _size(content: str | bytes) -> int:
    return len(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def _loaded(path: str, content: str | bytes) -> Source | Notice:
    if isinstance(content, bytes):
        return decode(path, content)
    return Source(path, content, language_of(path, content[:200]))
