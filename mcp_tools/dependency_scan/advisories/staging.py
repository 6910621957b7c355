"""Records on their way into an index: kept in a private temporary database, so that memory stays small. No network."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter

from mcp_tools.dependency_scan.advisories.advisory import Record
from mcp_tools.dependency_scan.advisories.databases import preference
from mcp_tools.dependency_scan.advisories.layout import ENTRY, PackedEntry
from mcp_tools.dependency_scan.advisories.unite import Groups, United, unite

_RECORD = TypeAdapter(Record)
_SCHEMA = """
CREATE TABLE record (id TEXT PRIMARY KEY, modified INTEGER, withdrawn INTEGER, rank INTEGER, body BLOB) WITHOUT ROWID;
CREATE TABLE entry (ecosystem TEXT, name TEXT, number INTEGER, body BLOB, PRIMARY KEY (ecosystem, name, number))
WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO record (id, modified, withdrawn, body) VALUES (?, ?, ?, ?)"
_REPLACE = "UPDATE record SET modified = ?2, withdrawn = ?3, body = ?4 WHERE id = ?1"


class Staging:
    """Records by id and entries by package. SQLite removes the temporary file itself, even after a crash."""

    def __init__(self) -> None:
        self._groups = Groups()
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, record: Record) -> None:
        """Keep a record; of two with one id the one modified later, whichever comes first."""
        row = (record.id, record.modified, record.is_withdrawn, _RECORD.dump_json(record))
        if self._database.execute(_INSERT, row).rowcount == 0:
            kept = "SELECT modified, withdrawn, body FROM record WHERE id = ?"
            modified, withdrawn, body = self._database.execute(kept, row[:1]).fetchone()
            if (*row[1:3], sorted(row[3])) > (modified, withdrawn, sorted(body)):  # sets are written in any order
                self._database.execute(_REPLACE, row)

    def settle(self) -> Iterator[Record]:
        """Yield every record that stands, then decide which belong together. To be run to its end before `united`.

        A record that names no package known here is not yielded, but its severity and aliases still count.
        """
        ids: list[str] = []
        with closing(self._database.execute("SELECT body FROM record WHERE NOT withdrawn ORDER BY id")) as rows:
            for (body,) in rows:
                record = _RECORD.validate_json(body)
                self._groups.join(record.id, record.aliases)
                ids.append(record.id)
                if record.packages:
                    yield record
        ids.sort(key=preference)
        ranks: dict[str, int] = {}
        ranked = ((ranks.setdefault(self._groups.find(each), len(ranks)), each) for each in ids)
        self._database.executemany("UPDATE record SET rank = ? WHERE id = ?", ranked)
        self._database.execute("CREATE INDEX by_rank ON record (rank, id)")

    def united(self) -> Iterator[United]:
        """Every advisory, in the order of their ids; withdrawn records neither speak nor join others."""
        rank, members = -1, list[Record]()
        chosen = "SELECT rank, body FROM record WHERE rank IS NOT NULL ORDER BY rank, id"
        with closing(self._database.execute(chosen)) as rows:
            for found, body in rows:
                if found != rank:
                    yield from unite(members)
                    rank, members = found, []
                members.append(_RECORD.validate_json(body))
        yield from unite(members)

    def add_entry(self, ecosystem: str, name: str, entry: PackedEntry) -> None:
        """Keep what an advisory says of a package."""
        row = (ecosystem, name, entry.number, ENTRY.dump_json(entry))
        self._database.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)

    def packages(self) -> Iterator[tuple[str, str, tuple[PackedEntry, ...]]]:
        """Ecosystem, name and entries of each package, in order."""
        chosen = "SELECT ecosystem, name, body FROM entry ORDER BY ecosystem, name, number"
        ecosystem, name, entries = "", "", list[PackedEntry]()
        with closing(self._database.execute(chosen)) as rows:
            for next_ecosystem, next_name, body in rows:
                if (next_ecosystem, next_name) != (ecosystem, name) and entries:
                    yield ecosystem, name, tuple(entries)
                    entries = []
                ecosystem, name = next_ecosystem, next_name
                entries.append(ENTRY.validate_json(body))
        if entries:
            yield ecosystem, name, tuple(entries)
