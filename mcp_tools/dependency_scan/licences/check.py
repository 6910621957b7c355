"""Findings on licences: what the project's policy denies, and what clearly does not go with its own licence."""

from collections.abc import Iterator, Sequence
from typing import Final

from mcp_tools.dependency_scan.licences.expressions import Expression, category_of, parse
from mcp_tools.dependency_scan.licences.policy import ANYTHING, LicencePolicy, Ruling, conflict, rule_on
from mcp_tools.dependency_scan.licences.table import Category
from mcp_tools.dependency_scan.reporting import Sources, above, at, count, each_file, folder, report, shown
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Scope, SourceKind
from mcp_tools.finding import Confidence, Finding, Level, Notice

_ASIDE: Final = frozenset({Scope.DEV, Scope.TEST, Scope.BUILD})
_OWNERS: Final = {
    "package-json": Ecosystem.NPM,
    "pyproject": Ecosystem.PYPI,
    "cargo-toml": Ecosystem.CRATES,
    "composer-json": Ecosystem.PACKAGIST,
}


def check(files: Sequence[FileRead], sources: Sources, policy: LicencePolicy = ANYTHING) -> Iterator[Finding | Notice]:
    """Weigh each package's licence once a file and version.

    Without a policy only clear conflicts with the project's own licence are reported, and none of packages that are
    not passed on (dev, test, build). With one, packages whose licence no file tells are counted in a notice.
    """
    known = tuple(each_file(files))
    own = {
        (folder(file.path), _OWNERS[file.format]): file.license
        for file in known
        if file.format in _OWNERS and file.license
    }
    for file in known:
        if file.kind is not Kind.LOCKFILE:
            continue
        silent = 0
        for items in _by_package(file):
            first = items[0]
            if first.license is None:
                silent += 1
                continue
            expression = parse(first.license)
            yield from _by_policy(file, first, expression, policy, sources)
            project = next((own[key] for place in above(file.path) if (key := (place, first.ecosystem)) in own), None)
            if project is not None and any(item.scope not in _ASIDE for item in items):
                yield from _by_project(file, first, expression, project, sources)
        if policy.says_something and silent:
            message = f"the file does not tell the licence of {count(silent, 'package')}"
            yield Notice("licence-not-told", message, file.path, incomplete=True)


def _by_package(file: FileRead) -> Iterator[list[Dependency]]:
    """The copies of each package of the file; one that is not only for development first. No members."""
    found: dict[tuple[str, str | None, str | None], list[Dependency]] = {}
    for item in file.dependencies:
        if item.provenance.kind is not SourceKind.WORKSPACE:
            found.setdefault((item.normalised, item.version, item.license), []).append(item)
    for items in found.values():
        yield sorted(items, key=lambda item: item.scope in _ASIDE)


def _by_policy(
    file: FileRead, item: Dependency, expression: Expression, policy: LicencePolicy, sources: Sources
) -> Iterator[Finding]:
    if not policy.says_something or item.name in policy.exempt:
        return
    ruling = rule_on(policy, expression)
    if ruling is Ruling.ALLOWED:
        return
    what, evidence = _named(item), shown(item.license or "")
    level = Level.NOTE if item.scope in _ASIDE else None
    if ruling is Ruling.DENIED:
        category = category_of(expression)
        kind = f" ({category.value})" if category is not Category.UNKNOWN else ""
        message = f"{what} is under {shown(str(expression))}{kind}, which the policy does not allow."
        yield report(sources, "denied-licence", at(file, item), message, evidence=evidence, level=level)
    else:
        message = f"{what} says {evidence!r} of its licence, which is not one that can be weighed."
        yield report(sources, "unknown-licence", at(file, item), message, evidence=evidence)


def _by_project(
    file: FileRead, item: Dependency, expression: Expression, project: str, sources: Sources
) -> Iterator[Finding]:
    clash = conflict(parse(project), expression)
    if clash is None:
        return
    message = f"{_named(item)} is under {shown(str(expression))}, the project under {shown(project)}: {clash.reason}."
    yield report(
        sources,
        "licence-conflict",
        at(file, item),
        message,
        evidence=shown(item.license or ""),
        confidence=Confidence.MEDIUM,
        level=Level.ERROR if clash.is_certain else None,
    )


def _named(item: Dependency) -> str:
    return f"{item.name} {item.version or ''}".strip()
