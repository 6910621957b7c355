"""What an advisory says of a package's versions: events on ranges, and lists, in the words of the OSV schema."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What happens at a version of a range."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


class RangeType(StrEnum):
    """How a range's versions compare: by semver, by the ecosystem's own order, or as commits."""

    SEMVER = "SEMVER"
    ECOSYSTEM = "ECOSYSTEM"
    GIT = "GIT"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `version` is as the advisory writes it; `0` comes before every version, a limit of `*` after."""

    kind: EventKind
    version: str


@dataclass(frozen=True, slots=True)
class Range:
    """Events in any order."""

    type: RangeType
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Affected:
    """The affected versions of one package in one advisory: what is listed, and what lies in a range."""

    ranges: tuple[Range, ...] = ()
    versions: frozenset[str] = frozenset()
