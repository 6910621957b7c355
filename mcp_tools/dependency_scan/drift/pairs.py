"""Which lockfile answers which manifest: the one beside it, or one further up that names it as a member."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mcp_tools.dependency_scan.reporting import Sources, above, folder
from mcp_tools.dependency_scan.values import (
    Dependency,
    Ecosystem,
    FileRead,
    Kind,
    Recorded,
    SourceKind,
    normalised_name,
)

LOCKS: Final = {
    "package-json": ("npm-lock", "pnpm-lock", "yarn-lock", "bun-lock"),
    "pyproject": ("uv-lock", "poetry-lock", "pdm-lock"),
    "pipfile": ("pipfile-lock",),
    "cargo-toml": ("cargo-lock",),
    "composer-json": ("composer-lock",),
    "gemfile": ("gemfile-lock",),
    "pubspec": ("pubspec-lock",),
    "msbuild": ("nuget-lock",),
}
_OVERRIDES: Final = {
    "package-json": re.compile(r'"(?:overrides|resolutions)"\s*:'),
    "pnpm-lock": re.compile(r"^(?:overrides|patchedDependencies|packageExtensionsChecksum):", re.MULTILINE),
    "pyproject": re.compile(
        r"^\s*(?:override-dependencies|overrides)\b|\[tool\.(?:pdm\.resolution|uv\.override)", re.MULTILINE
    ),
    "pubspec": re.compile(r"^dependency_overrides:", re.MULTILINE),
    "cargo-toml": re.compile(r"^\[replace\]", re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A manifest and the lockfile that answers it.

    `member` is the manifest's folder relative to the lockfile's, empty for the same one. `may_override`: the project
    says somewhere that versions other than those asked for are to be taken.
    """

    manifest: FileRead
    lock: FileRead
    member: str
    may_override: bool

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """What the lockfile remembers of this very manifest; empty where it remembers nothing, or mixes several."""
        own = self.member or "."
        if self.lock.format == "uv-lock":
            members = sum(1 for item in self.lock.dependencies if item.provenance.kind is SourceKind.WORKSPACE)
            return self.lock.recorded if members == 1 and not self.member else ()
        if self.lock.format in ("npm-lock", "pnpm-lock", "yarn-lock", "bun-lock"):
            return tuple(item for item in self.lock.recorded if (item.group or ".") == own)
        return ()

    def locked(self) -> dict[str, list[Dependency]]:
        """The lockfile's packages by each name they go under."""
        found: dict[str, list[Dependency]] = {}
        for item in self.lock.dependencies:
            names = {item.normalised}
            if item.alias is not None:
                names.add(normalised_name(item.ecosystem, item.alias))
            for name in names:
                found.setdefault(name, []).append(item)
        return found


def pairs(files: Sequence[FileRead], sources: Sources) -> Iterator[Pair]:
    """Every manifest with every lockfile that answers it. A lockfile that was not read to its end answers none."""
    locks: dict[str, list[FileRead]] = {}
    roots: dict[str, list[FileRead]] = {}
    for file in files:
        if file.kind is Kind.LOCKFILE and not any(notice.incomplete for notice in file.notices):
            locks.setdefault(folder(file.path), []).append(file)
        elif file.kind is Kind.MANIFEST:
            roots.setdefault(folder(file.path), []).append(file)
    for manifest in files:
        wanted = LOCKS.get(manifest.format, ()) if manifest.kind is Kind.MANIFEST else ()
        for place in above(manifest.path) if wanted else ():
            member = posixpath.relpath(folder(manifest.path) or ".", place or ".")
            member = "" if member == "." else member
            fitting = [lock for lock in locks.get(place, ()) if lock.format in wanted]
            for lock in fitting:
                if not member or _is_member(lock, manifest, member):
                    around = [manifest, lock, *roots.get(place, ())]
                    yield Pair(manifest, lock, member, any(_overrides(file, sources) for file in around))
            if fitting:
                break
    yield from _compiled(files)


def _compiled(files: Sequence[FileRead]) -> Iterator[Pair]:
    """`requirements.in` with the `requirements.txt` that was compiled from it, where that pins all it holds."""
    pinned = {file.path: file for file in files if file.format == "requirements" and _is_pinned(file)}
    for file in files:
        stem, _, ending = file.path.rpartition(".")
        lock = pinned.get(f"{stem}.txt") if file.format == "requirements" and ending == "in" else None
        if lock is not None:
            yield Pair(file, lock, "", may_override=False)


def _is_pinned(file: FileRead) -> bool:
    return bool(file.dependencies) and all(
        item.version is not None or item.provenance.kind is not SourceKind.REGISTRY for item in file.dependencies
    )


def _is_member(lock: FileRead, manifest: FileRead, member: str) -> bool:
    if lock.format in ("npm-lock", "pnpm-lock", "yarn-lock", "bun-lock"):
        return any(item.group == member for item in lock.recorded)
    own = [item for item in lock.dependencies if item.provenance.kind is SourceKind.WORKSPACE]
    if lock.format == "cargo-lock":
        return any(item.name == manifest.project for item in own)
    if lock.format == "uv-lock":
        name = normalised_name(Ecosystem.PYPI, manifest.project or "")
        return any(item.normalised == name and item.provenance.url == member for item in own)
    return False


def _overrides(file: FileRead, sources: Sources) -> bool:
    pattern, source = _OVERRIDES.get(file.format), sources.get(file.path)
    return pattern is not None and (source is None or pattern.search(source.text) is not None)
