"""What the requirement grammars share: bounds on keys, and the answer a parsed requirement gives."""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcp_tools.dependency_scan.versions import semver
from mcp_tools.dependency_scan.versions.parts import VersionKey

MAX_CHARACTERS = 2000
"""A longer requirement is not read."""

_HOLDS: dict[str, Callable[[VersionKey, VersionKey], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison: `operator` is one of `<`, `<=`, `=`, `!=`, `>=`, `>`."""

    operator: str
    key: VersionKey

    def holds(self, at: VersionKey) -> bool:
        """Say whether a version's key satisfies the comparison."""
        return _HOLDS[self.operator](at, self.key)


def all_hold(at: VersionKey, bounds: Iterable[Bound]) -> bool:
    """Say whether a version's key satisfies every comparison."""
    return all(bound.holds(at) for bound in bounds)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A parsed requirement: `allows` answers for a version (None: cannot be said), `is_pinned`: one version alone."""

    allows: Callable[[str], bool | None]
    is_pinned: bool


def of_sets(
    key: Callable[[str], VersionKey | None], sets: tuple[tuple[Bound, ...], ...], *, is_pinned: bool
) -> Requirement:
    """A requirement that allows what satisfies all bounds of one of its sets."""

    def allows(version: str) -> bool | None:
        at = key(version)
        return None if at is None else any(all_hold(at, bounds) for bounds in sets)

    return Requirement(allows, is_pinned)


_PARTIAL = re.compile(
    r"[v=\s]*([0-9]{1,18}|[xX*])(?:\.([0-9]{1,18}|[xX*])(?:\.([0-9]{1,18}|[xX*])"
    r"(?:-([0-9A-Za-z.-]+))?)?)?(?:\+[0-9A-Za-z.-]+)?"
)


@dataclass(frozen=True, slots=True)
class Partial:
    """A version of which the last numbers may be missing or `x`: None from there on."""

    major: int | None
    minor: int | None
    patch: int | None
    pre: tuple[str, ...] = ()
    is_gapped: bool = False

    @property
    def is_whole(self) -> bool:
        """All three numbers are there."""
        return self.patch is not None

    @property
    def low(self) -> semver.Semver:
        """The lowest version meant, pre-releases of it aside."""
        return _semver(self.major or 0, self.minor or 0, self.patch or 0, self.pre)

    def next(self, place: int) -> semver.Semver:
        """The lowest pre-release of the next major (0), minor (1) or patch (2) version."""
        numbers = [self.major or 0, self.minor or 0, self.patch or 0][: place + 1]
        numbers[-1] += 1
        major, minor, patch = [*numbers, 0, 0][:3]
        return _semver(major, minor, patch, ("0",))


def _semver(major: int, minor: int, patch: int, pre: tuple[str, ...]) -> semver.Semver:
    return semver.Semver(str(major), str(minor), str(patch), 3, pre)


def partial(text: str) -> Partial | None:
    """Read a partial version. None where it is none; a number after an `x` is dropped, and `is_gapped` says so."""
    match = _PARTIAL.fullmatch(text.strip())
    if match is None:
        return None
    *places, pre = match.groups()
    major, minor, patch = (int(place) if place and place.isdecimal() else None for place in places)
    is_gapped = (major is None and minor is not None) or (minor is None and patch is not None)
    if major is None or minor is None:
        minor, patch = None if major is None else minor, None
    return Partial(major, minor, patch, tuple(pre.split(".")) if pre and patch is not None else (), is_gapped)
