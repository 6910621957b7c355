"""The index on disk: its tables, and how an advisory and a package are packed into a row. No I/O.

A row's body is a checksum and a JSON array of a fixed shape. What does not have that shape is a damaged row; nothing
in it is ever executed, imported or evaluated.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from mcp_tools.dependency_scan.advisories.advisory import Imported
from mcp_tools.dependency_scan.advisories.unite import Part, United
from mcp_tools.dependency_scan.versions import Affected, Event, EventKind, Range, RangeType

MAGIC: Final = b"SQLite format 3\0"
APPLICATION_ID: Final = 0x4B4D4144  # "KMAD"
SCHEMA_VERSION: Final = 1
TABLES: Final = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "source": (
        "CREATE TABLE source (name TEXT NOT NULL, licence TEXT NOT NULL, url TEXT NOT NULL,"
        " records INTEGER NOT NULL, newest INTEGER NOT NULL, PRIMARY KEY (name, licence)) WITHOUT ROWID"
    ),
    "coverage": (
        "CREATE TABLE coverage (ecosystem TEXT PRIMARY KEY, packages INTEGER NOT NULL,"
        " advisories INTEGER NOT NULL, newest INTEGER NOT NULL) WITHOUT ROWID"
    ),
    "advisory": "CREATE TABLE advisory (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "package": (
        "CREATE TABLE package (ecosystem TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (ecosystem, name)) WITHOUT ROWID"
    ),
}
MAX_BODY_BYTES: Final = 64 << 20

_KINDS: Final = {
    EventKind.INTRODUCED: "i",
    EventKind.FIXED: "f",
    EventKind.LAST_AFFECTED: "l",
    EventKind.LIMIT: "m",
}
_KIND_OF: Final = {letter: kind for kind, letter in _KINDS.items()}
_TYPES: Final = {RangeType.SEMVER: "S", RangeType.ECOSYSTEM: "E", RangeType.GIT: "G"}
_TYPE_OF: Final = {letter: kind for kind, letter in _TYPES.items()}
_T = TypeVar("_T")


class PackedAdvisory(NamedTuple):
    """An advisory without its packages. `severity`: rating, score, vector, record."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: tuple[str, float | None, str | None, str] | None
    is_malicious: bool
    informational: str | None
    references: tuple[tuple[str, str], ...]
    source: str
    modified: int
    published: int


class PackedEntry(NamedTuple):
    """What one advisory says of a package: for each record its ranges and listed versions.

    A range is its type's letter and its events, such as `["E", "i0", "f1.2"]`.
    """

    number: int
    affected: tuple[tuple[tuple[tuple[str, ...], ...], tuple[str, ...]], ...]
    imports: tuple[tuple[str, tuple[str, ...]], ...]


ADVISORY: Final = TypeAdapter(PackedAdvisory)
ENTRY: Final = TypeAdapter(PackedEntry)
ENTRIES: Final = TypeAdapter(tuple[PackedEntry, ...])


def pack(value: object, key: str) -> bytes:
    """A row's body. `key` goes into the checksum, so that a body under another key is a damaged one."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return zlib.crc32(body, zlib.crc32(key.encode())).to_bytes(4, "big") + body


def unpack(data: object, key: str, kind: TypeAdapter[_T]) -> _T | None:
    """The value of a row's body; None where it is damaged."""
    if not isinstance(data, bytes) or len(data) > MAX_BODY_BYTES:
        return None
    body = data[4:]
    if int.from_bytes(data[:4], "big") != zlib.crc32(body, zlib.crc32(key.encode())):
        return None
    try:
        return kind.validate_json(body)
    except ValidationError:
        return None


def packed_advisory(united: United) -> PackedAdvisory:
    """An advisory as it is laid down."""
    severity = united.severity
    return PackedAdvisory(
        united.id,
        united.aliases,
        united.summary,
        (severity.rating.value, severity.score, severity.vector, severity.record) if severity else None,
        united.is_malicious,
        united.informational.value if united.informational else None,
        tuple((reference.kind, reference.url) for reference in united.references),
        united.source,
        united.modified,
        united.published,
    )


def packed_entry(number: int, part: Part) -> PackedEntry:
    """What an advisory says of a package, as it is laid down."""
    return PackedEntry(
        number,
        tuple((tuple(map(_packed_range, item.ranges)), tuple(sorted(item.versions))) for item in part.affected),
        tuple((item.path, item.symbols) for item in part.imports),
    )


def affected_of(entry: PackedEntry) -> tuple[Affected, ...] | None:
    """The ranges and lists again; None where they have another shape."""
    try:
        return tuple(Affected(tuple(map(_range, ranges)), frozenset(versions)) for ranges, versions in entry.affected)
    except (LookupError, ValueError):
        return None


def imports_of(entry: PackedEntry) -> tuple[Imported, ...]:
    """The imports again."""
    return tuple(Imported(path, symbols) for path, symbols in entry.imports)


def _packed_range(found: Range) -> tuple[str, ...]:
    return _TYPES[found.type], *(_KINDS[event.kind] + event.version for event in found.events)


def _range(packed: Iterable[str]) -> Range:
    letter, *events = packed
    return Range(_TYPE_OF[letter], tuple(Event(_KIND_OF[event[:1]], event[1:]) for event in events))
