"""Is a version affected? The evaluation the OSV schema describes, with a third answer where it cannot be known."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mcp_tools.dependency_scan.versions import go, pep440, php, semver
from mcp_tools.dependency_scan.versions.affected import Affected, Event, EventKind, Range, RangeType
from mcp_tools.dependency_scan.versions.orders import base, key, normalised, order_of
from mcp_tools.dependency_scan.versions.parts import VersionKey


class Answer(StrEnum):
    """Affected, not affected, or not to be known."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer; an unknown one says why."""

    answer: Answer
    reason: str = ""


AFFECTED = Verdict(Answer.AFFECTED)
NOT_AFFECTED = Verdict(Answer.NOT_AFFECTED)
_LISTED_CHARACTERS = 40
_SEMVER_ECOSYSTEMS = {"npm", "crates.io", "Go", "Hex", "SwiftURL", "GitHub Actions"}
_NO_LIMIT = Event(EventKind.LIMIT, "*")
_AT_ONCE = {EventKind.FIXED: 0, EventKind.INTRODUCED: 1, EventKind.LAST_AFFECTED: 2, EventKind.LIMIT: 3}
"""The order of events at one version: fixed and introduced again is affected; introduced and last is that one alone."""


def unknown(reason: str) -> Verdict:
    """The verdict that something could not be evaluated."""
    return Verdict(Answer.UNKNOWN, reason)


def affects(ecosystem: str, version: str, affected: Affected) -> Verdict:
    """Say whether a version is affected: listed, or within a range.

    Args:
        ecosystem: OSV's name.
        version: as the lockfile says it. A local label (`+cu118`) is left aside where no bound has one, as PEP 440's
            own comparisons do.
        affected: what an advisory says of the package.

    Returns:
        UNKNOWN with a reason where the answer hangs on what cannot be read: a version or a bound that is none, an order
        not known here, commits only. One range that holds the version is enough, whatever the others are.
    """
    if _is_listed(ecosystem, version, affected.versions):
        return AFFECTED
    ordered = [found for found in affected.ranges if found.type is not RangeType.GIT]
    if not ordered:
        if affected.versions:
            reason = _unreadable(ecosystem, version)
            return unknown(reason) if reason else NOT_AFFECTED
        return unknown(
            "the advisory gives commits, no versions" if affected.ranges else "the advisory gives no versions"
        )
    reason = _unreadable(ecosystem, version)
    if reason:
        return unknown(reason)
    verdicts = [_in_range(ecosystem, version, found) for found in ordered]
    if AFFECTED in verdicts:
        return AFFECTED
    return next((verdict for verdict in verdicts if verdict.answer is Answer.UNKNOWN), NOT_AFFECTED)


def smallest_fixed(
    ecosystem: str, version: str, advisories: Iterable[Affected], published: Sequence[str] = ()
) -> str | None:
    """The smallest version above a given one that none of the advisories affects.

    Args:
        ecosystem: OSV's name.
        version: the version in use.
        advisories: all that is known of this package, not only what affects the version in use.
        published: versions known to exist; with them a fix is found where an advisory names only the last affected one.

    Returns:
        the version as the advisory or the registry writes it. None where no such version is known to be safe.
    """
    entries = tuple(advisories)
    current = _bound_key(ecosystem, version)
    if current is None:
        return None
    named = (event.version for entry in entries for event in _events(entry) if event.kind is EventKind.FIXED)
    above: dict[VersionKey, str] = {}
    for candidate in (*named, *published):
        candidate_key = _bound_key(ecosystem, candidate)
        if candidate_key is not None and candidate_key > current:
            above.setdefault(candidate_key, candidate)
    for _, candidate in sorted(above.items()):
        if all(affects(ecosystem, candidate, entry) == NOT_AFFECTED for entry in entries):
            return candidate
    return None


def _events(entry: Affected) -> Iterator[Event]:
    for found in entry.ranges:
        if found.type is not RangeType.GIT:
            yield from found.events


def _is_listed(ecosystem: str, version: str, versions: frozenset[str]) -> bool:
    if version in versions:
        return True
    wanted = normalised(ecosystem, _public(ecosystem, version)) if versions else None
    return wanted is not None and wanted in _spellings(base(ecosystem), versions)


@lru_cache(maxsize=512)
def _spellings(ecosystem: str, versions: frozenset[str]) -> frozenset[str | None]:
    return frozenset(normalised(ecosystem, version) for version in versions)


def _unreadable(ecosystem: str, version: str) -> str:
    """Why a version cannot be laid beside a range; nothing where it can."""
    shown = repr(version if len(version) <= _LISTED_CHARACTERS else version[:_LISTED_CHARACTERS] + "…")
    name = base(ecosystem)
    if order_of(name) is None:
        return f"the order of {name} versions is not known here"
    if name == "Packagist" and php.is_branch(version):
        return f"{shown} is a branch, not a release"
    if name == "GitHub Actions" and _is_moving(version):
        return f"{shown} moves with later releases"
    return "" if _bound_key(name, version) is not None else f"{shown} is not a version of {name}"


def _is_moving(version: str) -> bool:
    parsed = semver.parse(version)
    return parsed is not None and parsed.given < 3


def _public(ecosystem: str, version: str) -> str:
    return version.partition("+")[0] if base(ecosystem) == "PyPI" else version


def _bound_key(ecosystem: str, version: str) -> VersionKey | None:
    """The key of a version in a range: stricter than `key`, for an answer must not rest on a guess of what is meant."""
    name = base(ecosystem)
    if name == "PyPI" and pep440.parse(version) is None:
        return None
    if name == "Maven" and not any(character.isdecimal() for character in version):
        return None
    if name in _SEMVER_ECOSYSTEMS:
        parsed = semver.parse(go.as_semver(version) if name == "Go" else version)
        return parsed.key if parsed is not None and not parsed.extra else None
    if name == "Packagist":
        if php.is_branch(version):
            return None
        version = normalised(name, version) or version
    return key(name, version)


def _in_range(ecosystem: str, version: str, found: Range) -> Verdict:
    """Walk the events in the order of their versions, then weigh what could not be read."""
    is_semver = found.type is RangeType.SEMVER and base(ecosystem) not in _SEMVER_ECOSYSTEMS
    order = "npm" if is_semver else ecosystem
    has_local = any("+" in event.version for event in found.events)
    at = _bound_key(order, version if has_local else _public(ecosystem, version))
    if at is None:
        return unknown("the advisory's range is in semver, the version is not")
    points: list[tuple[VersionKey, int, EventKind]] = []
    unreadable = set[EventKind]()
    for event in found.events:
        bound = () if event.version == "0" and event.kind is EventKind.INTRODUCED else _bound_key(order, event.version)
        if bound is not None:
            points.append((bound, _AT_ONCE[event.kind], event.kind))
        elif event != _NO_LIMIT:
            unreadable.add(event.kind)
    is_affected = _walk(at, sorted(points))
    is_within = _NO_LIMIT in found.events or _is_within(at, points)
    if is_within is None:
        is_within = EventKind.LIMIT not in unreadable  # no limit at all
    can_be_within = is_within or EventKind.LIMIT in unreadable
    could_end = not is_within or bool(unreadable & {EventKind.FIXED, EventKind.LAST_AFFECTED})
    could_begin = EventKind.INTRODUCED in unreadable
    if can_be_within and (could_end if is_affected else could_begin):
        return unknown("a bound of the advisory's range is not a version")
    return AFFECTED if is_affected and is_within else NOT_AFFECTED


def _walk(at: VersionKey, points: list[tuple[VersionKey, int, EventKind]]) -> bool:
    is_affected = False
    for bound, _, kind in points:
        if kind is EventKind.LAST_AFFECTED:
            is_affected = is_affected and at <= bound
        elif kind is not EventKind.LIMIT and at >= bound:
            is_affected = kind is EventKind.INTRODUCED
    return is_affected


def _is_within(at: VersionKey, points: list[tuple[VersionKey, int, EventKind]]) -> bool | None:
    """Below one of the limits; None where there is none that can be read."""
    limits = [bound for bound, _, kind in points if kind is EventKind.LIMIT]
    return any(at < limit for limit in limits) if limits else None
