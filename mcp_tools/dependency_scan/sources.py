"""Where packages come from: repositories, addresses, folders, plain http, missing hashes, several indexes."""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

from mcp_tools.dependency_scan.reporting import Sources, at, count, each_file, folder, report, shown
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, SourceKind
from mcp_tools.finding import Confidence, Finding, Level

MAX_SINGLE: Final = 5
"""How many packages without a hash are named one by one; more of them in one file are one finding."""

_Key = TypeVar("_Key")
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_SEMVER_TAG = re.compile(r"(?:[\w.-]*[-/])?v?\d+\.\d+\.\d+[\w.+-]*")
_PLAIN: Final = ("http://", "git://", "git+http://", "git+git://", "ftp://", "svn://")
_LOCAL_HOSTS: Final = ("localhost", "::1")
_PIP_FORMATS: Final = ("requirements", "constraints")
_OUTSIDE = re.compile(r"(?:/|~|[A-Za-z]:[\\/])")
_PATH_SCHEME = re.compile(r"(?:file|link|portal):(?://(?=[/.~]))?")


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report sources that are not the registry, or not to be trusted on their own word."""
    known = tuple(each_file(files))
    named = {
        (folder(file.path), item.ecosystem, name)
        for file in known
        if file.kind is Kind.MANIFEST
        for item in file.dependencies
        if item.provenance.kind is not SourceKind.REGISTRY
        for name in (item.normalised, item.alias)
    }
    for file in known:
        fresh = [
            item
            for item in file.dependencies
            if file.kind is Kind.MANIFEST or (folder(file.path), item.ecosystem, item.normalised) not in named
        ]
        yield from _plain_indexes(file, sources)
        yield from _plain_packages(file, sources)
        yield from _repositories(file, fresh, sources)
        yield from _addresses(file, fresh, sources)
        yield from _folders(file, fresh, sources)
        yield from _without_hash(file, sources)
        yield from _several_indexes(file, sources)


def is_plain(url: str) -> bool:
    """Say whether what is fetched from an address can be read and changed on its way; this machine is no way."""
    if not url.lower().startswith(_PLAIN):
        return False
    host = host_of(url)
    return bool(host) and host not in _LOCAL_HOSTS and not host.startswith("127.")


def host_of(url: str) -> str:
    """The host of an address in lower case, without user and port; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _plain_indexes(file: FileRead, sources: Sources) -> Iterator[Finding]:
    for index in file.indexes:
        if is_plain(index.url):
            message = f"The index {shown(index.url)} is asked without encryption: its answers can be changed."
            place = file.path, index.region
            yield report(sources, "insecure-package-source", place, message, evidence=shown(index.url))


def _plain_packages(file: FileRead, sources: Sources) -> Iterator[Finding]:
    """One finding a host: an old lockfile names the same one for every package."""
    for host, items in _grouped(file.dependencies, lambda item: host_of(_plain_url(item)) or None):
        first = next((item for item in items if not item.has_integrity), items[0])
        is_hashed = all(item.has_integrity for item in items)
        who = f"{first.name!r}" if len(items) == 1 else f"{first.name!r} and {count(len(items) - 1, 'other')}"
        verb = "is" if len(items) == 1 else "are"
        end = "the hash still guards the content." if is_hashed else "the content can be changed on its way."
        message = f"{who} {verb} fetched from {host} without encryption: {end}"
        level = Level.NOTE if is_hashed else None
        evidence = shown(_plain_url(first))
        yield report(sources, "insecure-package-source", at(file, first), message, evidence=evidence, level=level)


def _plain_url(item: Dependency) -> str:
    url = item.provenance.url or ""
    return url if is_plain(url) else ""


def _repositories(file: FileRead, items: Sequence[Dependency], sources: Sources) -> Iterator[Finding]:
    """One finding a repository and revision: a repository may hold many packages."""
    found = [
        item for item in items if item.provenance.kind is SourceKind.GIT and item.ecosystem is not Ecosystem.ACTIONS
    ]
    for (url, revision), group in _grouped(found, lambda item: (item.provenance.url or "", item.provenance.revision)):
        first = group[0]
        more = f" and {count(len(group) - 1, 'other package')}" if len(group) > 1 else ""
        what = f"{first.name!r}{more} {'come' if more else 'comes'} from the repository {shown(url)}"
        if file.kind is Kind.LOCKFILE or (revision is not None and _COMMIT.fullmatch(revision)):
            message, level = f"{what}, held at a commit; advisories do not cover it.", None
        elif revision is None:
            message, level = f"{what}, at whatever its default branch holds.", Level.WARNING
        elif _SEMVER_TAG.fullmatch(revision):
            message, level = f"{what}, at the tag {shown(revision)!r}, which can be moved.", None
        else:
            message, level = f"{what}, at {shown(revision)!r}, which can move.", Level.WARNING
        yield report(sources, "git-dependency", at(file, first), message, evidence=shown(url), level=level)


def _addresses(file: FileRead, items: Sequence[Dependency], sources: Sources) -> Iterator[Finding]:
    for item in items:
        url = item.provenance.url or ""
        if item.provenance.kind is not SourceKind.URL or "://" not in url or url.startswith("file:"):
            continue
        is_hashed = item.has_integrity is True
        end = "its hash guards the content." if is_hashed else "nothing says what it must contain."
        message = f"{shown(item.name)!r} comes from {shown(url)}, not from a registry; {end}"
        level = None if is_hashed else Level.WARNING
        yield report(sources, "url-dependency", at(file, item), message, evidence=shown(url), level=level)


def _folders(file: FileRead, items: Sequence[Dependency], sources: Sources) -> Iterator[Finding]:
    for item in items:
        url = item.provenance.url or ""
        is_folder = item.provenance.kind is SourceKind.PATH or (
            item.provenance.kind is SourceKind.URL and ("://" not in url or url.startswith("file:"))
        )
        if url and is_folder and leads_outside(file.path, url):
            message = f"{shown(item.name)!r} is taken from {shown(url)!r}, which lies outside the project."
            yield report(sources, "path-outside-project", at(file, item), message, evidence=shown(url))


def leads_outside(path: str, target: str) -> bool:
    """Say whether a path that a file names leads out of the project. A path from the root of a disk does."""
    plain = _PATH_SCHEME.sub("", target, count=1).replace("\\", "/")
    if "$" in plain or "{" in plain:  # filled in by the build
        return False
    if _OUTSIDE.match(plain):
        return True
    joined = posixpath.normpath(posixpath.join(folder(path), plain))
    return joined == ".." or joined.startswith("../")


def _without_hash(file: FileRead, sources: Sources) -> Iterator[Finding]:
    bare = [item for item in file.dependencies if item.has_integrity is False and _is_packed(item)]
    hashed = sum(1 for item in file.dependencies if item.has_integrity)
    if not bare or not hashed:
        return  # a format or a file without hashes at all says so of itself
    if len(bare) <= MAX_SINGLE:
        for item in bare:
            message = f"{item.name} {item.version or ''}".strip() + " is locked without a hash, while others have one."
            yield report(sources, "missing-integrity", at(file, item), message)
        return
    names = ", ".join(item.name for item in bare[:3])
    message = f"{len(bare):,} of {len(bare) + hashed:,} packages are locked without a hash: {shown(names)}, …"
    yield report(sources, "missing-integrity", at(file, bare[0]), message)


def _is_packed(item: Dependency) -> bool:
    if item.ecosystem in (Ecosystem.ACTIONS, Ecosystem.DOCKER):
        return False
    return item.provenance.kind in (SourceKind.REGISTRY, SourceKind.URL)


def _several_indexes(file: FileRead, sources: Sources) -> Iterator[Finding]:
    """Pip takes the highest version of all its indexes; uv, poetry and pipenv ask one after another or by name."""
    packages = [item for item in file.dependencies if item.provenance.kind is SourceKind.REGISTRY]
    if file.format not in _PIP_FORMATS or (packages and all(item.has_integrity for item in packages)):
        return
    for index in file.indexes:
        if index.is_extra and "://" in index.url and not index.url.startswith("file:"):
            message = (
                f"{shown(index.url)} is asked beside the main index, and the highest version wins: "
                "a private name can be taken over there. Hashes, or one index, prevent it."
            )
            place, evidence = (file.path, index.region), shown(index.url)
            yield report(
                sources, "extra-package-index", place, message, evidence=evidence, confidence=Confidence.MEDIUM
            )


def _grouped(
    items: Sequence[Dependency], key: Callable[[Dependency], _Key | None]
) -> Iterator[tuple[_Key, list[Dependency]]]:
    """The dependencies by a key, in the order of their first; those without a key are left out."""
    groups: dict[_Key, list[Dependency]] = {}
    for item in items:
        found = key(item)
        if found is not None:
            groups.setdefault(found, []).append(item)
    yield from groups.items()
