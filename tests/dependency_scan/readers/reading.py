"""How the tests of readers speak: read a text, check every place, say the answer in short lines."""

from mcp_tools.dependency_scan.readers import read_file
from mcp_tools.dependency_scan.values import Dependency, FileRead, SourceKind
from mcp_tools.project import MemoryProject, Source

_DIRECT = {True: "direct", False: "indirect", None: "?"}
_INTEGRITY = {True: "hashed", False: "unhashed", None: ""}


def read(path: str, text: str, others: dict[str, str] | None = None) -> FileRead:
    """Read a text as the file of a path, in a project that also has the others; check that every place is in it."""
    project = MemoryProject({path: text, **(others or {})})
    source = project.read(path)
    assert isinstance(source, Source)
    found = read_file(source, project.read)
    assert found is not None, f"no reader for {path}"
    assert found.path == path
    for file in (found, *found.included):
        held = project.read(file.path)
        assert isinstance(held, Source)
        check_places(held, file)
    return found


def check_places(source: Source, file: FileRead) -> None:
    """Every region lies in the text, is not empty, and ends on the line it starts on."""
    for item in (*file.dependencies, *file.recorded, *file.indexes):
        region = item.region
        assert source.region(*source.span(region)) == region, item
        assert not region.is_empty, item
        assert region.start_line == region.end_line, item


def lines(file: FileRead, text: str) -> list[str]:
    """Each dependency in a line: its place and what stands there, then what was understood."""
    source = Source(file.path, text)
    return [line(source, item) for item in file.dependencies]


def line(source: Source, item: Dependency) -> str:
    """A dependency in a line."""
    place = f"{item.region.start_line + 1}:{item.region.start_column} {source.slice(item.region)!r}"
    found = item.provenance
    told = [
        f"{place} -> {item.name} {item.version or '*'}",
        item.scope.value,
        _DIRECT[item.is_direct],
        _INTEGRITY[item.has_integrity],
        f"wants {item.requirement}" if item.requirement not in (None, item.version) else "",
        f"as {item.alias}" if item.alias else "",
        f"in {item.group}" if item.group else "",
        f"extras {','.join(item.extras)}" if item.extras else "",
        f"if {item.marker}" if item.marker else "",
        f"for {','.join(item.parents)}" if item.parents else "",
        "" if found.kind is SourceKind.REGISTRY and found.url is None else f"{found.kind.value} {found.url or ''}",
        f"@ {found.revision}" if found.revision else "",
        f"licence {item.license}" if item.license else "",
        f"deprecated: {item.deprecated}" if item.deprecated else "",
        "runs a script" if item.has_install_script else "",
    ]
    return "; ".join(part.strip() for part in told if part)


def told(path: str, text: str, others: dict[str, str] | None = None) -> list[str]:
    """The lines of a text, notices after them."""
    file = read(path, text, others)
    return [*lines(file, text), *(f"! {notice.code}: {notice.message}" for notice in file.notices)]
