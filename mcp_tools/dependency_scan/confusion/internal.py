"""Private names that a public index could answer: in npm lockfiles by host, in requirements by the project's name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mcp_tools.dependency_scan.confusion import popular
from mcp_tools.dependency_scan.reporting import Sources, above, at, folder, report
from mcp_tools.dependency_scan.sources import host_of
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, SourceKind
from mcp_tools.finding import Confidence, Finding

MIN_PREFIX: Final = 4
_FIRST_WORD = re.compile(r"[a-z][a-z0-9]*(?=[-_.])")


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report names that only a private index should answer, where a public one is asked too."""
    projects = {folder(file.path): file.project for file in files if file.format == "pyproject" and file.project}
    for file in files:
        if file.kind is Kind.LOCKFILE:
            yield from _by_host(file, sources)
        elif any(index.is_extra for index in file.indexes) and file.format in ("requirements", "constraints"):
            yield from _by_prefix(file, projects, sources)


def _by_host(file: FileRead, sources: Sources) -> Iterator[Finding]:
    """A host that serves no well-known name, beside one that serves many, is private; a scope would bind its names."""
    hosts: dict[str, list[Dependency]] = {}
    for item in file.dependencies:
        if item.ecosystem is Ecosystem.NPM and item.provenance.kind is SourceKind.REGISTRY:
            host = host_of(item.provenance.url or "")
            if host:
                hosts.setdefault(host, []).append(item)
    known = popular.names(Ecosystem.NPM)
    private = {host: items for host, items in hosts.items() if not any(item.name in known for item in items)}
    if len(private) == len(hosts):
        return
    for host, items in private.items():
        for item in items:
            if not item.name.startswith("@"):
                message = (
                    f"{item.name!r} comes from {host}, which serves none of the well-known packages here, and its name "
                    "has no scope: in the public registry anybody can take it."
                )
                yield report(sources, "internal-name", at(file, item), message, confidence=Confidence.MEDIUM)


def _by_prefix(file: FileRead, projects: Mapping[str, str], sources: Sources) -> Iterator[Finding]:
    """A package whose first word is the project's own, unless well-known packages share that word."""
    project = next((projects[place] for place in above(file.path) if place in projects), None)
    word = _FIRST_WORD.match((project or "").lower())
    if project is None or word is None or len(word[0]) < MIN_PREFIX or _is_public(word[0]):
        return
    for item in file.dependencies:
        is_named = item.normalised.startswith(f"{word[0]}-") and item.provenance.kind is SourceKind.REGISTRY
        if is_named and not item.has_integrity:
            message = (
                f"{item.name!r} shares its first word with the project {project!r}: if it is private, the public index "
                "that is asked beside the private one can answer for it."
            )
            yield report(sources, "internal-name", at(file, item), message, confidence=Confidence.LOW)


def _is_public(word: str) -> bool:
    return any(name == word or name.startswith(f"{word}-") for name in popular.names(Ecosystem.PYPI))
