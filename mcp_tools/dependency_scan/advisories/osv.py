"""The bytes of one OSV record -> a Record, reduced to what an audit needs, and notices for what is wrong with it.

Strict about what an answer rests on, lenient about the rest: a range that cannot be read is kept as one that cannot be
evaluated, so that its package is never called clean. Nothing here raises for what a record says.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from mcp_tools.dependency_scan.advisories.advisory import (
    Imported,
    Informational,
    Package,
    Record,
    Reference,
    Severity,
)
from mcp_tools.dependency_scan.advisories.reduce import without_implied
from mcp_tools.dependency_scan.advisories.scoring import from_vector
from mcp_tools.dependency_scan.advisories.severity import best, from_word
from mcp_tools.dependency_scan.advisories.text import is_id, shown, title, web_address
from mcp_tools.dependency_scan.advisories.wire import (
    AFFECTED,
    ANYTHING,
    IMPORTS,
    PACKAGE,
    RANGE,
    REFERENCES,
    SEVERITIES,
    SPECIFIC,
    TEXTS,
    WireAffected,
    WireEvent,
    WireRecord,
    WireSpecific,
)
from mcp_tools.dependency_scan.values import Ecosystem, normalised_name
from mcp_tools.dependency_scan.versions import Affected, Event, EventKind, Range, RangeType
from mcp_tools.finding import Notice

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
UNREADABLE: Final = "advisory-unreadable"
DAMAGED: Final = "advisory-damaged"
_NO_VERSION: Final = "dev-unreadable"  # a version in no ecosystem; in Packagist it is a branch, which has no order
UNREADABLE_RANGE: Final = Range(RangeType.ECOSYSTEM, (Event(EventKind.INTRODUCED, _NO_VERSION),))
"""Stands for a range that cannot be read: whatever the version, the answer is that it is not known."""

_ECOSYSTEMS: Final = {str(ecosystem): ecosystem for ecosystem in Ecosystem if ecosystem.is_osv}
_TYPES: Final = {str(kind): kind for kind in RangeType}
_INFORMATIONAL: Final = {str(kind): kind for kind in Informational}
_MAX_NAME: Final = 400
_MAX_VERSION: Final = 200
_MAX_EVENTS: Final = 5_000
_MAX_VERSIONS: Final = 50_000
_MAX_ALIASES: Final = 200
_MAX_REFERENCES: Final = 5
_MAX_IMPORTS: Final = 200
_MAX_SYMBOLS: Final = 500
_REFERENCE_ORDER: Final = {
    kind: place for place, kind in enumerate(("advisory", "fix", "report", "article", "discussion", "evidence", "web"))
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record, if it could be read, and what was wrong with it."""

    record: Record | None
    notices: tuple[Notice, ...] = ()


def parse(data: bytes, place: str) -> Parsed:
    """Read one record.

    Args:
        data: JSON, UTF-8.
        place: where it stands, for a notice.

    Returns:
        no record and one notice where not even its id can be read; else the record, with one notice for all parts of it
        that cannot.
    """
    if len(data) > MAX_RECORD_BYTES:
        return _unreadable(place, f"larger than {MAX_RECORD_BYTES:,} bytes")
    try:
        wire = WireRecord.model_validate_json(data)
    except ValidationError as error:
        return _unreadable(place, shown(error.errors(include_url=False, include_input=False)[0]["msg"]))
    if not is_id(wire.id):
        return _unreadable(place, f"{shown(wire.id)!r} is no id")
    reader = _Reader(wire)
    record = reader.record()
    if not reader.damaged:
        return Parsed(record)
    parts = ", ".join(dict.fromkeys(reader.damaged))
    return Parsed(record, (Notice(DAMAGED, f"{wire.id}: not understood: {shown(parts, 200)}.", place),))


def _unreadable(place: str, why: str) -> Parsed:
    return Parsed(None, (Notice(UNREADABLE, f"An advisory could not be read: {why}.", place),))


class _Reader:
    """Takes one record apart, and remembers which parts were damaged."""

    def __init__(self, wire: WireRecord) -> None:
        self._wire = wire
        self.damaged: list[str] = []

    def record(self) -> Record:
        wire = self._wire
        modified, published = _seconds(wire.modified), _seconds(wire.published)
        if self._is_withdrawn():
            return Record(wire.id, modified, published, is_withdrawn=True)
        entries = self._affected()
        specific = _specific(wire.database_specific)
        return Record(
            wire.id,
            modified,
            published,
            aliases=self._aliases(),
            summary=title(_text(wire.summary), _text(wire.details)),
            severity=self._severity(entries, specific),
            informational=_informational(entries),
            references=self._references(),
            licence=specific.license if isinstance(specific.license, str) and is_id(specific.license) else None,
            packages=tuple(self._packages(entries)),
        )

    def _part(self, value: object, kind: TypeAdapter[_T], name: str) -> _T | None:
        """A part of the record; None where it is absent, null or damaged."""
        try:
            return None if value is None else kind.validate_python(value)
        except ValidationError:
            self.damaged.append(name)
            return None

    def _is_withdrawn(self) -> bool:
        """A word that is no time withdraws nothing: rather one finding too many."""
        if self._wire.withdrawn is None:
            return False
        if _time(self._wire.withdrawn) is None:
            self.damaged.append("withdrawn")
            return False
        return True

    def _aliases(self) -> tuple[str, ...]:
        found = self._part(self._wire.aliases, TEXTS, "aliases") or []
        valid = [alias for alias in dict.fromkeys(found) if is_id(alias) and alias != self._wire.id]
        if len(valid) > _MAX_ALIASES or any(not is_id(alias) for alias in found):
            self.damaged.append("aliases")
        return tuple(valid[:_MAX_ALIASES])

    def _affected(self) -> list[WireAffected]:
        entries: list[WireAffected] = []
        for raw in self._part(self._wire.affected, ANYTHING, "affected") or []:
            entry = self._part(raw, AFFECTED, "affected")
            if entry is not None:
                entries.append(entry)
        return entries

    def _severity(self, entries: list[WireAffected], specific: WireSpecific) -> Severity | None:
        scored: list[Severity | None] = []
        for raw in (self._wire.severity, *(entry.severity for entry in entries)):
            for found in self._part(raw, SEVERITIES, "severity") or []:
                if found.type.startswith("CVSS_"):
                    scored.append(from_vector(found.score, self._wire.id))
                    if scored[-1] is None:
                        self.damaged.append(f"severity {shown(found.score, 60)}")
        if not any(scored) and isinstance(specific.severity, str):
            scored.append(from_word(specific.severity, self._wire.id))
        return best(scored)

    def _references(self) -> tuple[Reference, ...]:
        found = self._part(self._wire.references, REFERENCES, "references") or []
        unique: dict[str, str] = {}
        for item in found:
            address = web_address(item.url)
            if address is not None:
                unique.setdefault(address, item.type.lower() if item.type.isalpha() and item.type.isascii() else "web")
        ordered = sorted(unique.items(), key=lambda item: _REFERENCE_ORDER.get(item[1], len(_REFERENCE_ORDER)))
        return tuple(Reference(kind, url) for url, kind in ordered[:_MAX_REFERENCES])

    def _packages(self, entries: list[WireAffected]) -> list[Package]:
        packages: list[Package] = []
        for entry in entries:
            named = self._part(entry.package, PACKAGE, "package")
            ecosystem = _ECOSYSTEMS.get(named.ecosystem.partition(":")[0]) if named is not None else None
            if named is None or ecosystem is None:
                continue
            if not named.name.isprintable() or not 0 < len(named.name) <= _MAX_NAME:
                self.damaged.append("package name")
                continue
            affected = without_implied(ecosystem, self._versions(entry, named.name))
            name = normalised_name(ecosystem, named.name)
            packages.append(Package(ecosystem, name, affected, self._imports(entry)))
        return list(dict.fromkeys(packages))

    def _versions(self, entry: WireAffected, name: str) -> Affected:
        """The ranges and the list; what cannot be read of them leaves a range that cannot be evaluated."""
        before = len(self.damaged)
        listed = self._part(entry.versions, TEXTS, f"versions of {name}") or []
        ranges = [self._range(found, name) for found in self._part(entry.ranges, ANYTHING, name) or []]
        versions = [version for version in listed if len(version) <= _MAX_VERSION]
        if len(listed) > _MAX_VERSIONS or len(versions) < len(listed):
            self.damaged.append(f"versions of {name}")
        if sum(len(found.events) for found in ranges) > _MAX_EVENTS:
            self.damaged.append(f"ranges of {name}")
            ranges = []
        evaluated = [found for found in ranges if found.type is not RangeType.GIT]
        if not evaluated and not versions:
            evaluated = ranges[:1]
        if len(self.damaged) > before and UNREADABLE_RANGE not in evaluated:
            evaluated.append(UNREADABLE_RANGE)
        return Affected(tuple(dict.fromkeys(evaluated)), frozenset(versions[:_MAX_VERSIONS]))

    def _range(self, raw: object, name: str) -> Range:
        wire = self._part(raw, RANGE, f"range of {name}")
        if wire is None:
            return UNREADABLE_RANGE
        kind = _TYPES.get(wire.type)
        if kind is RangeType.GIT:
            return Range(kind, ())  # that there are commits is all an answer can use
        events = [event for found in wire.events for event in _events(found)]
        if kind is None or len(events) != len(wire.events) or not events:
            self.damaged.append(f"range of {name}")
            return UNREADABLE_RANGE
        return Range(kind, tuple(events))

    def _imports(self, entry: WireAffected) -> tuple[Imported, ...]:
        """The Go vulnerability database's own addition: packages inside a module, and symbols."""
        specific = _specific(entry.ecosystem_specific)
        found = _optional(specific.imports, IMPORTS) or []
        if len(found) > _MAX_IMPORTS or any(len(item.symbols or ()) > _MAX_SYMBOLS for item in found):
            return ()  # some of the symbols would look like all of them
        return tuple(
            Imported(item.path, tuple(item.symbols or ()))
            for item in found
            if all(text.isprintable() and len(text) <= _MAX_NAME for text in (item.path, *(item.symbols or ())))
        )


def _events(wire: WireEvent) -> list[Event]:
    """The one event that an object holds; none or several where it is not valid."""
    given = (
        (EventKind.INTRODUCED, wire.introduced),
        (EventKind.FIXED, wire.fixed),
        (EventKind.LAST_AFFECTED, wire.last_affected),
        (EventKind.LIMIT, wire.limit),
    )
    return [
        Event(kind, version if len(version) <= _MAX_VERSION else _NO_VERSION)
        for kind, version in given
        if version is not None
    ]


def _informational(entries: list[WireAffected]) -> Informational | None:
    """RustSec's mark of an advisory that is no vulnerability."""
    for entry in entries:
        kind = _specific(entry.database_specific).informational
        if isinstance(kind, str) and kind in _INFORMATIONAL:
            return _INFORMATIONAL[kind]
    return None


def _optional(value: object, kind: TypeAdapter[_T]) -> _T | None:
    """What databases shape as they like; another shape is no damage."""
    try:
        return None if value is None else kind.validate_python(value)
    except ValidationError:
        return None


def _specific(value: object) -> WireSpecific:
    return _optional(value, SPECIFIC) or WireSpecific()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return when if when is None or when.tzinfo else when.replace(tzinfo=UTC)


def _seconds(value: object) -> int:
    """A point in time as seconds since 1970; 0 for what lies before, as `0001-01-01` does, and for what is none."""
    when = _time(value)
    return 0 if when is None else max(0, int((when - _EPOCH).total_seconds()))
