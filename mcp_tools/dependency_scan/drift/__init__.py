"""Drift: a manifest that asks for what its lockfile does not hold, and one package locked at several versions."""

from collections.abc import Iterator, Sequence

from mcp_tools.dependency_scan.drift import compare, duplicates, gosum, hashes
from mcp_tools.dependency_scan.drift.pairs import pairs
from mcp_tools.dependency_scan.reporting import Sources, each_file
from mcp_tools.dependency_scan.values import FileRead
from mcp_tools.finding import Finding

__all__ = ["check"]


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report each place where a manifest and the lockfile that answers it disagree.

    A lockfile is compared with what it remembers of its manifest where it remembers something, else its versions with
    the manifest's ranges. Where a difference may be meant (overrides, resolutions) nothing is said. A content hash is
    looked at only where nothing else was found.
    """
    known = tuple(each_file(files))
    for pair in pairs(known, sources):
        found = list(compare.check(pair, sources))
        yield from found or hashes.check(pair, sources)
    yield from gosum.check(known, sources)
    yield from duplicates.check(known, sources)
