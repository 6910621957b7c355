"""Confusion: names that are almost a well-known package's, and private names that a public index could answer."""

from collections.abc import Iterator, Sequence

from mcp_tools.dependency_scan.confusion import internal, popular
from mcp_tools.dependency_scan.confusion.lookalikes import Slip, comparable
from mcp_tools.dependency_scan.reporting import Sources, at, each_file, report, shown
from mcp_tools.dependency_scan.values import Dependency, FileRead, SourceKind
from mcp_tools.finding import Confidence, Finding

__all__ = ["check"]


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report each look-alike once a file, and each private name that is exposed."""
    known = tuple(each_file(files))
    for file in known:
        seen: set[str] = set()
        for item in file.dependencies:
            if item.normalised not in seen and item.provenance.kind is SourceKind.REGISTRY:
                seen.add(item.normalised)
                yield from _lookalike(file, item, sources)
    yield from internal.check(known, sources)


def _lookalike(file: FileRead, item: Dependency, sources: Sources) -> Iterator[Finding]:
    if item.normalised in popular.names(item.ecosystem):
        return
    for part, around in comparable(item.ecosystem, item.normalised):
        group = popular.groups(item.ecosystem).get(around)
        slip = group.of(part) if group is not None else None
        if slip is not None:
            yield _finding(file, item, slip, around, sources)


def _finding(file: FileRead, item: Dependency, slip: Slip, around: str, sources: Sources) -> Finding:
    meant = around.replace("*", slip.name, 1)
    message = f"{shown(item.name)!r} is almost the well-known {shown(meant)!r} ({slip.how}): is it the one you mean?"
    return report(sources, "lookalike-package", at(file, item), message, confidence=Confidence.MEDIUM)
