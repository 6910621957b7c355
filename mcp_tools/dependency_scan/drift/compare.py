"""One manifest beside one lockfile: what is asked for and not locked, locked otherwise, or asked for no longer."""

import re
from collections.abc import Iterator
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mcp_tools.dependency_scan.drift.pairs import Pair
from mcp_tools.dependency_scan.readers.npm_spec import read_spec
from mcp_tools.dependency_scan.reporting import Sources, at, report, shown
from mcp_tools.dependency_scan.values import (
    Dependency,
    Ecosystem,
    Recorded,
    Scope,
    SourceKind,
    normalised_name,
)
from mcp_tools.dependency_scan.versions import allows
from mcp_tools.finding import Confidence, Finding, Location, Related

_HOLDS_ALL: Final = frozenset(
    (
        "npm-lock pnpm-lock yarn-lock bun-lock uv-lock poetry-lock pdm-lock pipfile-lock cargo-lock pubspec-lock "
        "nuget-lock"
    ).split()
)
"""Formats that hold every package a manifest names. Composer may provide one by another, a Gemfile is a program."""
_MAY_LEAVE_GROUPS_OUT: Final = frozenset({"poetry-lock", "pdm-lock"})
_UNSAFE: Final = frozenset({"pip", "setuptools", "wheel", "distribute"})
_DYNAMIC = re.compile(r"^\s*dynamic\s*=\s*\[[^\]]*dependencies", re.MULTILINE)
_POETRY = re.compile(r"^\[tool\.poetry(?:\.|\])", re.MULTILINE)
_NPM: Final = "package-json"


def check(pair: Pair, sources: Sources) -> Iterator[Finding]:
    """Compare a pair by what the lockfile remembers, then by what it holds."""
    reported: set[str] = set()
    recorded = pair.recorded
    if recorded and _is_comparable(pair, sources):
        for name, finding in _by_memory(pair, recorded, sources):
            reported.add(name)
            yield finding
    yield from _by_version(pair, sources, reported)


def _is_comparable(pair: Pair, sources: Sources) -> bool:
    """Say whether the manifest's text shows all that the lockfile was made from."""
    if pair.may_override:
        return False
    source = sources.get(pair.manifest.path)
    if pair.manifest.format != "pyproject" or source is None:
        return pair.manifest.format == _NPM
    return _DYNAMIC.search(source.text) is None and _POETRY.search(source.text) is None


def _by_memory(pair: Pair, recorded: tuple[Recorded, ...], sources: Sources) -> Iterator[tuple[str, Finding]]:
    remembered: dict[str, list[Recorded]] = {}
    for item in recorded:
        remembered.setdefault(_folded(pair, item.name), []).append(item)
    own = _folded(pair, pair.manifest.project or "")
    asked: dict[str, list[Dependency]] = {}
    for item in pair.manifest.dependencies:
        if item.scope is not Scope.BUILD or pair.manifest.format != "pyproject":
            asked.setdefault(_folded(pair, item.alias or item.name), []).append(item)
    for name, items in asked.items():
        is_peer = all(item.group == "peerDependencies" for item in items)
        is_odd = is_peer or any(item.provenance.kind is SourceKind.UNKNOWN for item in items)
        finding = None if name == own or is_odd else _changed(pair, items, remembered.get(name), sources)
        if finding is not None:
            yield name, finding
    for name, known in remembered.items():
        if name not in asked and name != own:
            message = f"{known[0].name!r} is remembered here, but {pair.manifest.path} asks for it no longer."
            place = (pair.lock.path, known[0].region)
            yield name, report(sources, "lockfile-drift", place, message, confidence=Confidence.MEDIUM)


def _changed(pair: Pair, items: list[Dependency], known: list[Recorded] | None, sources: Sources) -> Finding | None:
    """What of a name changed since the lockfile was made: that it is asked for at all, or its range."""
    lock = pair.lock.path
    if known is None:
        message = f"{items[0].name!r} is asked for here, but {lock} was made without it."
        return report(sources, "lockfile-drift", at(pair.manifest, items[0]), message)
    before = {_canonical(pair, item.requirement) for item in known}
    for item in items:
        # what uv takes from elsewhere it remembers without a range
        if item.provenance.kind is SourceKind.REGISTRY and _canonical(pair, item.requirement) not in before:
            old, new = (shown(text or "any version") for text in (known[0].requirement, item.requirement))
            message = f"{item.name!r} asks for {new}, but {lock} was made when it asked for {old}."
            related = (Related("what the lockfile remembers", Location(lock, known[0].region)),)
            return report(sources, "lockfile-drift", at(pair.manifest, item), message, related=related)
    return None


def _folded(pair: Pair, name: str) -> str:
    return normalised_name(Ecosystem.NPM if pair.manifest.format == _NPM else Ecosystem.PYPI, name)


def _canonical(pair: Pair, requirement: str | None) -> str:
    """One text for all spellings of a range that mean the same."""
    text = (requirement or "").strip()
    if pair.manifest.format == _NPM:
        bare = text.removeprefix("npm:")
        text = bare if "@" not in bare else text  # yarn writes `npm:^1.0` for `^1.0`
        return read_spec(text).requirement or ""
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return "".join(text.split())


def _by_version(pair: Pair, sources: Sources, reported: set[str]) -> Iterator[Finding]:
    locked = pair.locked()
    for item in pair.manifest.dependencies:
        name = normalised_name(item.ecosystem, item.alias or item.name)
        is_own = name == normalised_name(item.ecosystem, pair.manifest.project or "")
        if name in reported or is_own or not _is_locked_kind(pair, item):
            continue
        found = locked.get(name) or locked.get(item.normalised)
        if found is None:
            if _must_hold(pair, item):
                reported.add(name)
                message = f"{item.name!r} is asked for here, but {pair.lock.path} does not hold it."
                yield report(sources, "lockfile-drift", at(pair.manifest, item), message)
        elif item.requirement is not None and not pair.may_override and _all_refused(item, found):
            reported.add(name)
            versions = ", ".join(dict.fromkeys(each.version or "" for each in found[:3]))
            message = f"{item.name!r} asks for {shown(item.requirement)}, but {pair.lock.path} holds {versions}."
            related = (Related("what is locked", Location(pair.lock.path, found[0].region)),)
            yield report(sources, "lockfile-drift", at(pair.manifest, item), message, related=related)


def _is_locked_kind(pair: Pair, item: Dependency) -> bool:
    """Say whether an entry is one that a lockfile answers with a version of the registry's."""
    if item.provenance.kind is not SourceKind.REGISTRY or item.group == "peerDependencies":
        return False
    if pair.manifest.format == "pyproject" and item.scope is Scope.BUILD:
        return False
    return not (pair.manifest.format == "msbuild" and (item.group is not None or item.marker is not None))


def _must_hold(pair: Pair, item: Dependency) -> bool:
    if pair.lock.format == "requirements":  # compiled for one environment, and without what installs the rest
        return item.marker is None and item.normalised not in _UNSAFE
    if pair.lock.format not in _HOLDS_ALL:
        return False
    if pair.lock.format in _MAY_LEAVE_GROUPS_OUT and item.scope is not Scope.RUNTIME:
        return False
    return not (pair.lock.format == "cargo-lock" and item.group == "workspace")


def _all_refused(item: Dependency, found: list[Dependency]) -> bool:
    """Say whether the range refuses every locked version; what cannot be compared refuses nothing."""
    wanted, ecosystem = item.requirement or "", str(item.ecosystem)
    for each in found:
        if each.provenance.kind is not SourceKind.REGISTRY or each.version is None:
            return False
        if allows(ecosystem, wanted, each.version) is not False:
            return False
    return True
