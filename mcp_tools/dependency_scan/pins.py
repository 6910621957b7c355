"""Unpinned: what is installed is decided anew each time, and no lockfile holds it still."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mcp_tools.dependency_scan.reporting import Sources, above, at, each_file, folder, report, shown
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Scope, SourceKind, normalised_name
from mcp_tools.dependency_scan.versions import is_pinned
from mcp_tools.finding import Confidence, Finding, Level

_ANYTHING: Final = {
    "package-json": frozenset({"", "*", "x", "X", "latest", "next", ">=0", ">=0.0.0"}),
    "composer-json": frozenset({"*", "@dev", "dev-master", "dev-main"}),
    "cargo-toml": frozenset({"*"}),
    "pubspec": frozenset({"any"}),
    "pipfile": frozenset({"*"}),
}
_MOVING_TAGS: Final = frozenset(
    "latest edge nightly canary rolling unstable master main dev devel develop development snapshot".split()
)
_BRANCHES: Final = frozenset("main master trunk head develop development dev next edge nightly".split())
_SHORT_TAG = re.compile(r"(?:release[s]?[/-])?v?\d+(?:\.\d+)?(?:\.[xX*])?")
_CHANNEL = re.compile(r"stable|beta|latest|current|lts|release|releases|main[-/]\w+|refs/heads/.+")
_LOCK_WORDS = re.compile(r"(?:^|[^a-z])(?:lock|locked|frozen|freeze|pinned|constraints?)(?:[^a-z]|$)")
_UPPER_BOUND = re.compile(r"<|~=|==")
_ASIDE: Final = frozenset({Scope.DEV, Scope.TEST})


def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding]:
    """Report what is not held still: Python requirements, wildcards of other manifests, images, actions."""
    known = tuple(each_file(files))
    locks = _Locks(files, known)
    for file in known:
        if file.kind is not Kind.MANIFEST:
            continue
        for dependency in file.dependencies:
            if dependency.ecosystem is Ecosystem.DOCKER:
                yield from _image(file, dependency, sources)
            elif dependency.ecosystem is Ecosystem.ACTIONS:
                yield from _action(file, dependency, sources)
            elif dependency.provenance.kind is SourceKind.REGISTRY and not locks.hold(file, dependency):
                yield from _package(file, dependency, sources)


class _Locks:
    """Which packages the lockfiles of a project hold still, and where."""

    def __init__(self, files: Sequence[FileRead], known: Sequence[FileRead]) -> None:
        self._held: dict[str, set[tuple[Ecosystem, str]]] = {}
        self._compiled: set[str] = set()
        self._own: set[tuple[Ecosystem, str]] = set()
        for file in known:
            name = file.path.rpartition("/")[2]
            is_lock = file.kind is Kind.LOCKFILE or file.format == "constraints" or _LOCK_WORDS.search(name.lower())
            if is_lock:
                pinned = {(item.ecosystem, item.normalised) for item in file.dependencies if item.version is not None}
                self._held.setdefault(folder(file.path), set()).update(pinned)
            if file.project is not None:
                self._own |= {(each, normalised_name(each, file.project)) for each in Ecosystem}
        # a file that another one includes is read with that one's constraints
        self._pinned_elsewhere = {
            (below.path, item.region)
            for file in files
            for below in file.included
            for item in below.dependencies
            if item.version is not None
        }

    def hold(self, file: FileRead, dependency: Dependency) -> bool:
        """Say whether a dependency of a manifest is locked beside it or in a folder around it, or is a member."""
        names = {dependency.normalised, dependency.alias or dependency.normalised}
        keys = {(dependency.ecosystem, name) for name in names}
        if keys & self._own or (file.path, dependency.region) in self._pinned_elsewhere:
            return True
        return any(keys & self._held.get(place, set()) for place in above(file.path))


def _package(file: FileRead, dependency: Dependency, sources: Sources) -> Iterator[Finding]:
    if file.format == "requirements":
        yield from _requirement(file, dependency, sources)
        return
    wanted = dependency.requirement or ""
    is_peer = dependency.group == "peerDependencies"
    if wanted.strip() in _ANYTHING.get(file.format, ()) and not is_peer:
        message = f"{dependency.name!r} takes any version ({wanted or 'an empty range'}), and no lockfile holds one."
        yield report(sources, "unpinned-dependency", at(file, dependency), message, level=_level(dependency))


def _requirement(file: FileRead, dependency: Dependency, sources: Sources) -> Iterator[Finding]:
    """A line of a requirements file; one in a `.in` file is there to be compiled."""
    wanted = dependency.requirement
    if file.path.endswith(".in") or dependency.version is not None:
        return
    if not wanted:
        message, level = f"{dependency.name!r} names no version: the newest one is installed.", None
    elif is_pinned(str(dependency.ecosystem), wanted):
        return
    elif _UPPER_BOUND.search(wanted):
        message, level = f"{dependency.name!r} takes any version in {shown(wanted)}.", Level.NOTE
    else:
        message, level = f"{dependency.name!r} has no upper bound ({shown(wanted)}): the newest one is installed.", None
    place = at(file, dependency)
    yield report(sources, "unpinned-dependency", place, message, level=level or _level(dependency))


def _level(dependency: Dependency) -> Level:
    return Level.NOTE if dependency.scope in _ASIDE else Level.WARNING


def _image(file: FileRead, dependency: Dependency, sources: Sources) -> Iterator[Finding]:
    if dependency.version is not None:
        return
    tag = dependency.requirement
    if tag is None:
        message = f"The image {shown(dependency.name)!r} names no tag or digest: `latest` is taken."
    elif tag.lower() in _MOVING_TAGS:
        message = f"The tag {tag!r} of the image {shown(dependency.name)!r} moves with every release."
    else:
        return
    # a name without a registry and a folder may also be an image that was built here
    confidence = Confidence.HIGH if tag is not None or "/" in dependency.name else Confidence.MEDIUM
    yield report(sources, "unpinned-image", at(file, dependency), message, confidence=confidence)


def _action(file: FileRead, dependency: Dependency, sources: Sources) -> Iterator[Finding]:
    reference = dependency.requirement or ""
    if dependency.has_integrity or dependency.version is not None:
        return
    name, place = shown(dependency.name), at(file, dependency)
    if reference.lower() in _BRANCHES:
        message = f"{name!r} is used from the branch {reference!r}: whoever can push to it runs code here."
        yield report(sources, "unpinned-action", place, message)
    elif _SHORT_TAG.fullmatch(reference):
        message = f"The tag {reference!r} of {name!r} moves with later releases."
        yield report(sources, "unpinned-action", place, message, level=Level.NOTE)
    elif _CHANNEL.fullmatch(reference):
        message = f"{reference!r} of {name!r} is a branch or a tag that moves."
        yield report(sources, "unpinned-action", place, message, confidence=Confidence.MEDIUM)
