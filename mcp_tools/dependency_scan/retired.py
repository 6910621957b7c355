"""Deprecated and yanked packages, as lockfiles carry it, and install scripts where asked for. Reads nothing else."""

from collections.abc import Callable, Iterator, Sequence

from mcp_tools.dependency_scan.reporting import Sources, at, each_file, report, shown
from mcp_tools.dependency_scan.values import Dependency, FileRead, Kind
from mcp_tools.finding import Confidence, Finding, Level


def check(files: Sequence[FileRead], sources: Sources, *, with_install_scripts: bool = False) -> Iterator[Finding]:
    """Report each retired package of a lockfile once for each version; direct ones as warnings, others as notes."""
    for file in each_file(files):
        if file.kind is Kind.LOCKFILE:
            yield from _told(file, sources, "deprecated-dependency", lambda item: item.deprecated)
            yield from _told(file, sources, "yanked-dependency", lambda item: item.yanked)
            if with_install_scripts:
                yield from _scripts(file, sources)


def _told(
    file: FileRead, sources: Sources, rule_id: str, said: Callable[[Dependency], str | None]
) -> Iterator[Finding]:
    word = rule_id.partition("-")[0]
    for copies in _by_version(file, said):
        first, reason = copies[0], said(copies[0]) or ""
        why = "" if reason == word else f": {shown(' '.join(reason.split()))}"
        others = f" ({len(copies)} copies)" if len(copies) > 1 else ""
        parents = list(dict.fromkeys(name for item in copies for name in item.parents))
        asked = f" It is here for {shown(', '.join(parents[:3]))}." if parents else ""
        is_direct = any(item.is_direct for item in copies)
        message = f"{first.name} {first.version or ''}".strip() + f"{others} is {word}{why}"
        message = message if message.endswith((".", "!", "…")) else message + "."
        level = None if is_direct or first.is_direct is None else Level.NOTE
        yield report(
            sources,
            rule_id,
            at(file, first),
            message + ("" if is_direct else asked),
            evidence=shown(reason),
            level=level,
        )


def _scripts(file: FileRead, sources: Sources) -> Iterator[Finding]:
    for copies in _by_version(file, lambda item: "yes" if item.has_install_script else None):
        message = f"{copies[0].name} {copies[0].version or ''}".strip() + " runs a script when it is installed."
        yield report(sources, "install-script", at(file, copies[0]), message, confidence=Confidence.HIGH)


def _by_version(file: FileRead, said: Callable[[Dependency], str | None]) -> Iterator[list[Dependency]]:
    """The dependencies of which something is said, those of one name and version together, a direct one first."""
    found: dict[tuple[str, str | None], list[Dependency]] = {}
    for item in file.dependencies:
        if said(item):
            found.setdefault((item.normalised, item.version), []).append(item)
    for copies in found.values():
        yield sorted(copies, key=lambda item: not item.is_direct)
