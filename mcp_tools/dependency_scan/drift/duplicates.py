"""One package locked at several incompatible versions. npm is left out: there every copy is meant."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mcp_tools.dependency_scan.reporting import Sources, at, each_file, report
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, SourceKind
from mcp_tools.finding import Finding, Location, Related

MAX_NAMED: Final = 5
_RELEASE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report a package that the project itself asks for on the oldest of its versions; the others of a file together.

    Versions for different environments (markers, frameworks) are not duplicates.
    """
    for file in each_file(files):
        if file.kind is not Kind.LOCKFILE or file.format == "go-sum":
            continue
        by_name: dict[tuple[Ecosystem, str], dict[str, Dependency]] = {}
        for item in file.dependencies:
            lines = _line(item)
            if lines is not None and item.marker is None and item.group is None:
                by_name.setdefault((item.ecosystem, item.normalised), {}).setdefault(lines, item)
        several = [
            list(found.values())
            for (ecosystem, _), found in by_name.items()
            if len(found) > 1 and ecosystem is not Ecosystem.NPM
        ]
        near = [items for items in several if any(item.is_direct for item in items)]
        for items in near:
            yield _duplicate(file, items, sources)
        far = [items for items in several if items not in near]
        if far:
            yield _others(file, far, sources)


def _line(item: Dependency) -> str | None:
    """The line of compatible versions that one belongs to: its first number that is not 0, and what stands before."""
    if item.version is None or item.provenance.kind is not SourceKind.REGISTRY:
        return None
    found = _RELEASE.match(item.version)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return f"{major}" if major else f"0.{minor}" if minor else f"0.0.{patch}"


def _duplicate(file: FileRead, items: list[Dependency], sources: Sources) -> Finding:
    items.sort(key=lambda item: tuple(int(part) for part in (_line(item) or "0").split(".")))
    first, *others = items
    versions = ", ".join(item.version or "" for item in items)
    asking = f"; {first.version} is here for {', '.join(first.parents[:3])}" if first.parents else ""
    message = f"{first.name} is locked at {versions}{asking}."
    related = tuple(Related(f"{item.name} {item.version}", Location(file.path, item.region)) for item in others)
    return report(sources, "duplicate-package", at(file, first), message, related=related)


def _others(file: FileRead, several: list[list[Dependency]], sources: Sources) -> Finding:
    """One finding for all that only other packages ask for: it tells the size, the project has no say in it."""
    names = ", ".join(items[0].name for items in several[:MAX_NAMED])
    more = ", …" if len(several) > MAX_NAMED else ""
    verb = "package is" if len(several) == 1 else "packages are"
    message = f"{len(several):,} more {verb} locked at several incompatible versions by others: {names}{more}."
    return report(sources, "duplicate-package", at(file, several[0][0]), message)
