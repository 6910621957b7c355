"""The index of advisories, opened for reading: what is known of a package. Never writes, never trusts the file.

The file is opened read-only and immutable, its header and tables must be exactly those this version writes (so there is
no view or trigger to run), an authorizer lets only reads through, and every row is checked before it is used.
"""

import sqlite3
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mcp_tools.dependency_scan.advisories import layout
from mcp_tools.dependency_scan.advisories.advisory import (
    Advisory,
    Coverage,
    Imported,
    IndexInfo,
    Informational,
    Rating,
    Reference,
    Severity,
    Source,
    moment,
)
from mcp_tools.dependency_scan.advisories.layout import PackedAdvisory
from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.dependency_scan.versions import Affected, EventKind, RangeType, key
from mcp_tools.finding import Notice

NO_INDEX: Final = "no-advisory-data"
BAD_INDEX: Final = "advisory-index-unusable"
_MAX_FILE_BYTES: Final = 2 << 30
_MAX_STEPS: Final = 2_000_000
_CACHED_PACKAGES: Final = 4_096
_READS: Final = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_HEADER_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """What one advisory says of one package; `number` is the advisory's in this index."""

    number: int
    affected: tuple[Affected, ...]
    imports: tuple[Imported, ...]


class Index:
    """Advisories by package; made by `open_index`. May be shared by threads. Close it, or use it in a `with`."""

    def __init__(self, database: sqlite3.Connection, info: IndexInfo) -> None:
        self.info = info
        self._database = database
        self._lock = threading.Lock()
        self._covered = frozenset(item.ecosystem for item in info.coverage)
        self._cached_entries = lru_cache(maxsize=_CACHED_PACKAGES)(self._read_entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def covers(self, ecosystem: Ecosystem) -> bool:
        """Say whether it has advisories of an ecosystem at all; where not, no package of it may be called clean."""
        return ecosystem in self._covered

    def advisories(self, ecosystem: Ecosystem, name: str) -> tuple[Advisory, ...] | Notice:
        """All advisories about a package, whatever the version; a notice where the file is damaged there.

        `name` is normalised, as `Dependency.normalised` is.
        """
        entries = self.entries(ecosystem, name)
        if isinstance(entries, Notice):
            return entries
        advisories: list[Advisory] = []
        for entry in entries:
            advisory = self.advisory(ecosystem, entry)
            if isinstance(advisory, Notice):
                return advisory
            advisories.append(advisory)
        return tuple(advisories)

    def entries(self, ecosystem: Ecosystem, name: str) -> tuple[Entry, ...] | Notice:
        """The version ranges of a package by advisory, without the advisories' own texts: all that a verdict needs.

        The same objects are given again while they are among the last 4,096 packages asked for.
        """
        return self._cached_entries(ecosystem, name)

    def advisory(self, ecosystem: Ecosystem, entry: Entry) -> Advisory | Notice:
        """The whole advisory of an entry."""
        row = self._row("SELECT body FROM advisory WHERE number = ?", (entry.number,))
        packed = layout.unpack(row, str(entry.number), layout.ADVISORY)
        made = None if packed is None else _advisory(ecosystem, entry, packed)
        return made or _bad(f"advisory {entry.number} in it is damaged")

    def verify(self) -> Notice | None:
        """Read and check the whole file: some 100 ms for 10 MB. None where all is well."""
        with self._lock:
            self._database.set_authorizer(None)
            self._database.set_progress_handler(None, 0)
            try:
                found = self._database.execute("PRAGMA quick_check(1)").fetchone()
                advisories = list(self._database.execute("SELECT number, body FROM advisory"))
                packages = list(self._database.execute("SELECT ecosystem, name, body FROM package"))
            except sqlite3.Error as error:
                return _bad(str(error))
            finally:
                _restrain(self._database)
                self._database.set_authorizer(_only_reads)
        if found != ("ok",):
            return _bad("its pages are damaged")
        numbers = {number for number, body in advisories if layout.unpack(body, str(number), layout.ADVISORY)}
        entries = [layout.unpack(body, f"{ecosystem}/{name}", layout.ENTRIES) for ecosystem, name, body in packages]
        if len(numbers) != len(advisories) or len(numbers) != self.info.advisories:
            return _bad("an advisory in it is damaged")
        if any(found is None or not {entry.number for entry in found} <= numbers for found in entries):
            return _bad("a package in it is damaged")
        if len(packages) != sum(item.packages for item in self.info.coverage):
            return _bad("packages are missing in it")
        return None

    def _read_entries(self, ecosystem: Ecosystem, name: str) -> tuple[Entry, ...] | Notice:
        chosen = "SELECT body FROM package WHERE ecosystem = ? AND name = ?"
        row = self._row(chosen, (ecosystem.value, name))
        if row is None:
            return ()
        packed = layout.unpack(row, f"{ecosystem}/{name}", layout.ENTRIES)
        entries: list[Entry] = []
        for item in packed or ():
            affected = layout.affected_of(item)
            if affected is not None:
                entries.append(Entry(item.number, affected, layout.imports_of(item)))
        if packed is None or len(entries) != len(packed):
            return _bad(f"what it holds of {name} is damaged")
        return tuple(entries)

    def _row(self, chosen: str, values: Sequence[str | int]) -> object:
        """The one value of a row; None where there is none, an empty one where the file cannot be read there."""
        try:
            with self._lock:
                row = self._database.execute(chosen, values).fetchone()
        except UnicodeEncodeError:
            return None  # no text, so nobody's name
        except sqlite3.Error:
            return b""
        return None if row is None else row[0]


def open_index(path: Path) -> Index | Notice:
    """Open an index; a notice where there is none, or where the file is not one this version can trust."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES) if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        return Notice(NO_INDEX, "There is no advisory data yet.", str(path), incomplete=True)
    except OSError as error:
        return _bad(str(error.strerror), path)
    if not header.startswith(layout.MAGIC) or status.st_size > _MAX_FILE_BYTES:
        return _bad("it is no index", path)
    database: sqlite3.Connection | None = None
    try:
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        database = sqlite3.connect(
            address, uri=True, check_same_thread=False, isolation_level=None, cached_statements=8
        )
        problem = _check(database, status.st_size)
        if problem is None:
            return Index(database, _info(database))
    except (sqlite3.Error, ValueError, OSError) as error:
        problem = str(error)
    if database is not None:
        database.close()
    return _bad(problem, path)


def _check(database: sqlite3.Connection, size: int) -> str | None:
    """Why a file is not to be used."""
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
        database.execute(f"PRAGMA {setting}")
    _restrain(database)
    numbers = [_number(database, name) for name in ("application_id", "user_version", "page_size", "page_count")]
    application, version, page_size, pages = numbers
    if application != layout.APPLICATION_ID:
        return "it is no index of advisories"
    if version != layout.SCHEMA_VERSION:
        return f"its layout is {version}, this version reads {layout.SCHEMA_VERSION}"
    if page_size * pages != size:
        return "it is cut short"
    tables = {
        (row[0], row[1], row[2]) for row in database.execute("SELECT type, name, sql FROM sqlite_schema LIMIT 20")
    }
    if tables != {("table", name, statement) for name, statement in layout.TABLES.items()}:
        return "its tables are not those of an index"
    database.set_authorizer(_only_reads)
    return None


def _number(database: sqlite3.Connection, name: str) -> int:
    row = database.execute(f"PRAGMA {name}").fetchone()
    return int(row[0])


def _restrain(database: sqlite3.Connection) -> None:
    """Let no statement run without end, or take memory without end, on a file made for that."""
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, layout.MAX_BODY_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.set_progress_handler(lambda: 1, _MAX_STEPS)


def _only_reads(
    action: int, _first: str | None, _second: str | None, _database: str | None, _trigger: str | None
) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _info(database: sqlite3.Connection) -> IndexInfo:
    """What the file says of itself; ValueError where it says it wrongly."""
    try:
        meta = dict[str, str](database.execute("SELECT key, value FROM meta LIMIT 100"))
        coverage = [
            Coverage(Ecosystem(ecosystem), int(packages), int(advisories), moment(int(newest)))
            for ecosystem, packages, advisories, newest in database.execute("SELECT * FROM coverage LIMIT 100")
        ]
        sources = [
            Source(str(name), str(licence), str(url), int(records), moment(int(newest)))
            for name, licence, url, records, newest in database.execute("SELECT * FROM source LIMIT 1000")
        ]
        return IndexInfo(
            snapshot=_moment(meta["snapshot"]),
            built=_moment(meta["built"]),
            advisories=int(meta["advisories"]),
            unreadable=int(meta["unreadable"]),
            inputs=meta["inputs"],
            coverage=tuple(coverage),
            sources=tuple(sorted(sources, key=lambda source: (-source.records, source.name, source.licence))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("what it says of itself is damaged") from error


def _moment(text: str) -> datetime:
    return moment(int(text)) or datetime.fromtimestamp(0, UTC)


def _advisory(ecosystem: Ecosystem, entry: Entry, packed: PackedAdvisory) -> Advisory | None:
    try:
        severity = None
        if packed.severity is not None:
            rating, score, vector, record = packed.severity
            severity = Severity(Rating(rating), score, vector, record)
        informational = Informational(packed.informational) if packed.informational else None
    except ValueError:
        return None
    return Advisory(
        id=packed.id,
        aliases=packed.aliases,
        summary=packed.summary,
        severity=severity,
        is_malicious=packed.is_malicious,
        informational=informational,
        affected=entry.affected,
        fixed=_fixed(ecosystem, entry.affected),
        imports=entry.imports,
        references=tuple(Reference(kind, url) for kind, url in packed.references),
        source=packed.source,
        modified=moment(packed.modified),
        published=moment(packed.published),
    )


def _fixed(ecosystem: Ecosystem, affected: Sequence[Affected]) -> tuple[str, ...]:
    """The versions that fix it, ascending; those that are no versions last."""
    named = {
        event.version
        for item in affected
        for found in item.ranges
        if found.type is not RangeType.GIT
        for event in found.events
        if event.kind is EventKind.FIXED
    }
    keyed = [(key(ecosystem, version), version) for version in sorted(named)]
    known = sorted((at, version) for at, version in keyed if at is not None)
    return (*(version for _, version in known), *(version for at, version in keyed if at is None))


def _bad(why: str, path: Path | None = None) -> Notice:
    shown = str(path) if path is not None else None
    return Notice(BAD_INDEX, f"The index of advisories cannot be used: {why}.", shown, incomplete=True)
