"""Build the index of advisories: records in, one file out, put in place at once or not at all. No network."""

import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from mcp_tools.dependency_scan.advisories.advisory import IndexInfo, Record
from mcp_tools.dependency_scan.advisories.databases import Database, attribution, database
from mcp_tools.dependency_scan.advisories.exports import LIMITS, Limits, digest, read
from mcp_tools.dependency_scan.advisories.index import Index, open_index
from mcp_tools.dependency_scan.advisories.layout import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    TABLES,
    pack,
    packed_advisory,
    packed_entry,
)
from mcp_tools.dependency_scan.advisories.osv import UNREADABLE, Parsed
from mcp_tools.dependency_scan.advisories.staging import Staging
from mcp_tools.dependency_scan.advisories.unite import United
from mcp_tools.finding import Notice

NOT_BUILT: Final = "advisory-index-not-built"
_MAX_NOTICES: Final = 200
_STALE_S: Final = 24 * 3600
_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is. `stage` is `reading`, `uniting`, `writing` or `checking`; `total` is None while not known."""

    stage: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """An index in place. `is_unchanged`: it had been built from the same inputs, and was left as it is."""

    path: Path
    info: IndexInfo
    notices: tuple[Notice, ...] = ()
    is_unchanged: bool = False


Report = Callable[[Progress], None]


def attribution_path(path: Path) -> Path:
    """Where the text that names the databases and their licences stands: beside the index."""
    return path.with_name(path.name + ".sources.txt")


def update(
    path: Path,
    inputs: Sequence[Path],
    *,
    now: datetime,
    snapshot: datetime | None = None,
    progress: Report | None = None,
    limits: Limits = LIMITS,
) -> Built | Notice:
    """Bring the index to what the exports say, which may be files, archives or folders.

    The same inputs as last time leave it as it is. An export that cannot be read as a whole leaves it as it is too,
    with a notice; single records that cannot be read are left out and counted. See `build` for the rest.
    """
    try:
        name = digest(inputs)
    except OSError as error:
        return _not_built(f"{error.filename}: {error.strerror}")
    current = open_index(path)
    if isinstance(current, Index):
        with current:
            info = current.info
        if info.inputs == name and (snapshot is None or int(snapshot.timestamp()) == int(info.snapshot.timestamp())):
            return Built(path, info, is_unchanged=True)
    parsed = (item for each in inputs for item in read(each, limits))
    return build(path, parsed, now=now, snapshot=snapshot, inputs=name, progress=progress)


def build(
    path: Path,
    parsed: Iterable[Parsed],
    *,
    now: datetime,
    snapshot: datetime | None = None,
    inputs: str = "",
    progress: Report | None = None,
) -> Built | Notice:
    """Build an index from records and put it in place.

    Args:
        path: the file; its folder is made. Readers of an older file there keep it until they open it anew.
        parsed: the records, in any order; the result does not depend on it.
        now: the time of building; with a time zone.
        snapshot: the age of the data, with a time zone; without it, that of the newest record not after `now`.
        inputs: a digest of what was read, kept with the index.
        progress: is told how far it is. What it raises passes through, and the old index stays.

    Returns:
        what was built, or why it was not; then the old index stands untouched, as after a crash at any point.
    """
    work = _Build(now, snapshot, inputs, progress or (lambda _: None))
    temporary: Path | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale(path)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".building", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        problem = work.run(parsed, temporary)
        if problem is not None:
            return problem
        return _put_in_place(temporary, path, work)
    except (OSError, sqlite3.Error) as error:
        return _not_built(str(error))
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@dataclass(slots=True)
class _Build:
    """The state of one build."""

    now: datetime
    snapshot: datetime | None
    inputs: str
    progress: Report
    notices: list[Notice] = field(default_factory=list[Notice])
    unreadable: int = 0
    advisories: int = 0
    latest: Counter[str] = field(default_factory=Counter[str])
    dated: Counter[str] = field(default_factory=Counter[str])
    by_ecosystem: Counter[str] = field(default_factory=Counter[str])
    packages: Counter[str] = field(default_factory=Counter[str])
    records: Counter[Database] = field(default_factory=Counter[Database])

    def run(self, parsed: Iterable[Parsed], target: Path) -> Notice | None:
        """Read all, then write all."""
        with Staging() as staging:
            self._read(parsed, staging)
            for notice in self.notices:
                if notice.incomplete:
                    return notice
            with closing(sqlite3.connect(target, isolation_level=None)) as output:
                self._write(staging, output)
        if not self.advisories:
            return _not_built("no advisory was read")
        return None

    def _read(self, parsed: Iterable[Parsed], staging: Staging) -> None:
        number = 0
        for number, item in enumerate(parsed, 1):
            if item.record is not None:
                staging.add(item.record)
            for notice in item.notices:
                self._note(notice)
            if number % _EVERY == 0:
                self.progress(Progress("reading", number))
        self.progress(Progress("reading", number, number))
        for record in staging.settle():
            self._count(record)

    def _note(self, notice: Notice) -> None:
        self.unreadable += notice.code == UNREADABLE
        if len(self.notices) < _MAX_NOTICES or notice.incomplete:
            self.notices.append(notice)

    def _count(self, record: Record) -> None:
        found = database(record.id)
        if record.licence and record.licence != found.licence:
            found = Database(found.name, record.licence, found.url)
        self.records[found] += 1
        names = (f"{found.name}\0{found.licence}", *{package.ecosystem for package in record.packages})
        when = record.modified or record.published
        for name in names:
            self.dated[name] += 1 if when else -1
            if when <= self.now.timestamp():  # a later one is a slip of its author's
                self.latest[name] = max(self.latest[name], when)

    def _newest(self, name: str) -> int:
        """The last change; 0 where most records say no time, as the Go database's do."""
        return self.latest[name] if self.dated[name] > 0 else 0

    def _write(self, staging: Staging, output: sqlite3.Connection) -> None:
        for statement in ("journal_mode = OFF", "synchronous = OFF", f"application_id = {APPLICATION_ID}"):
            output.execute(f"PRAGMA {statement}")
        output.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        output.execute("BEGIN")
        for statement in TABLES.values():
            output.execute(statement)
        output.executemany("INSERT INTO advisory VALUES (?, ?)", self._advisory_rows(staging))
        output.executemany("INSERT INTO package VALUES (?, ?, ?)", self._package_rows(staging))
        output.executemany("INSERT INTO source VALUES (?, ?, ?, ?, ?)", self._source_rows())
        output.executemany("INSERT INTO coverage VALUES (?, ?, ?, ?)", self._coverage_rows())
        output.executemany("INSERT INTO meta VALUES (?, ?)", self._meta().items())
        output.execute("COMMIT")

    def _advisory_rows(self, staging: Staging) -> Iterator[tuple[int, bytes]]:
        for number, united in enumerate(staging.united(), 1):
            self._cover(united)
            for part in united.parts:
                staging.add_entry(part.ecosystem, part.name, packed_entry(number, part))
            yield number, pack(packed_advisory(united), str(number))
            self.advisories = number
            if number % _EVERY == 0:
                self.progress(Progress("uniting", number))

    def _cover(self, united: United) -> None:
        self.by_ecosystem.update({part.ecosystem for part in united.parts})

    def _package_rows(self, staging: Staging) -> Iterator[tuple[str, str, bytes]]:
        for ecosystem, name, entries in staging.packages():
            self.packages[ecosystem] += 1
            yield ecosystem, name, pack(entries, f"{ecosystem}/{name}")
            if self.packages.total() % _EVERY == 0:
                self.progress(Progress("writing", self.packages.total()))

    def _source_rows(self) -> Iterator[tuple[str, str, str, int, int]]:
        for found, count in sorted(self.records.items(), key=lambda item: (-item[1], item[0].name, item[0].licence)):
            newest = self._newest(f"{found.name}\0{found.licence}")
            yield found.name, found.licence, found.url, count, newest

    def _coverage_rows(self) -> Iterator[tuple[str, int, int, int]]:
        for name, count in sorted(self.packages.items()):
            yield name, count, self.by_ecosystem[name], self._newest(name)

    def _meta(self) -> dict[str, str]:
        newest = max((self._newest(name) for name in self.packages), default=0)
        snapshot = int(self.snapshot.timestamp()) if self.snapshot is not None else newest
        return {
            "advisories": str(self.advisories),
            "built": str(int(self.now.timestamp())),
            "inputs": self.inputs,
            "snapshot": str(snapshot),
            "unreadable": str(self.unreadable),
        }


def _put_in_place(temporary: Path, path: Path, work: _Build) -> Built | Notice:
    """Check the new file as a reader would, write the attribution, and swap."""
    work.progress(Progress("checking", work.advisories, work.advisories))
    index = open_index(temporary)
    if isinstance(index, Notice):
        return index
    with index:
        problem = index.verify()
        info = index.info
    if problem is not None:
        return problem
    _sync(temporary)
    _write_text(attribution_path(path), attribution(info.sources, f"{info.snapshot:%Y-%m-%d}"))
    temporary.replace(path)
    _sync(path.parent)
    return Built(path, info, tuple(work.notices))


def _write_text(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on disk. Some systems open no folder: there the rename stands alone."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(path: Path) -> None:
    """Remove what a build that was killed a day ago or earlier left behind; a younger one may still be at work."""
    for left in path.parent.glob(f".{path.name}.*.building"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > _STALE_S:
                left.unlink()


def _not_built(why: str) -> Notice:
    return Notice(NOT_BUILT, f"The advisories were not brought up to date: {why}.", incomplete=True)
