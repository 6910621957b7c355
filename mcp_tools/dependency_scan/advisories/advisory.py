"""The words of the advisories: Advisory, Severity, Reference, Record, and where they come from. Pure values; no I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.dependency_scan.versions import Affected
from mcp_tools.finding import Level


class Rating(StrEnum):
    """The word for a score, as CVSS 3 and 4 cut the scale."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Informational(StrEnum):
    """What an advisory tells that is no vulnerability, in RustSec's words."""

    UNMAINTAINED = "unmaintained"
    UNSOUND = "unsound"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Severity:
    """How bad it is. `score` is CVSS's, 0.0 to 10.0; None where a database gives a word only, and then no vector.

    `record` is the id of the record that says so, for it may be another than the one the advisory is named after.
    """

    rating: Rating
    score: float | None
    vector: str | None
    record: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A web page about an advisory. `kind` is the OSV schema's word in lower case, such as `fix` or `report`."""

    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A package inside a module, and the symbols in it that are affected; no symbols means all of it."""

    path: str
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """What one record says of one package. `name` is normalised."""

    ecosystem: Ecosystem
    name: str
    affected: Affected
    imports: tuple[Imported, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One OSV record, reduced to what an audit needs. `modified` and `published` are seconds since 1970, 0: not said.

    A withdrawn record is kept only to hide older copies of itself.
    """

    id: str
    modified: int = 0
    published: int = 0
    is_withdrawn: bool = False
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: Severity | None = None
    informational: Informational | None = None
    references: tuple[Reference, ...] = ()
    licence: str | None = None
    packages: tuple[Package, ...] = ()


_LEVELS: Final = {
    Rating.CRITICAL: Level.ERROR,
    Rating.HIGH: Level.ERROR,
    Rating.MEDIUM: Level.WARNING,
    Rating.LOW: Level.NOTE,
    Rating.NONE: Level.NOTE,
}


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is known of one flaw in one package, all records about it united.

    `id` is that of a record about the package that was asked for; `aliases` are all other ids, those of records first.
    `affected` and `fixed` (ascending) speak of that package. `source` is the database that `id` comes from.
    """

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: Severity | None
    is_malicious: bool
    informational: Informational | None
    affected: tuple[Affected, ...]
    fixed: tuple[str, ...]
    imports: tuple[Imported, ...]
    references: tuple[Reference, ...]
    source: str
    modified: datetime | None
    published: datetime | None

    @property
    def level(self) -> Level:
        """High and critical are errors, as is malice; low is a note; what nobody rated is a warning."""
        if self.is_malicious:
            return Level.ERROR
        if self.severity is not None:
            return _LEVELS[self.severity.rating]
        return Level.NOTE if self.informational is Informational.NOTICE else Level.WARNING

    @property
    def page(self) -> str:
        """The page people read about it."""
        return f"https://osv.dev/vulnerability/{self.id}"

    def is_called(self, advisory_id: str) -> bool:
        """Say whether this is one of its ids, in any case of the letters."""
        wanted = advisory_id.casefold()
        return any(name.casefold() == wanted for name in (self.id, *self.aliases))


@dataclass(frozen=True, slots=True)
class Source:
    """A database, and how many of its records an index holds. `newest` is the last change among them."""

    name: str
    licence: str
    url: str
    records: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much an index knows of one ecosystem."""

    ecosystem: Ecosystem
    packages: int
    advisories: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index was built from. `snapshot` is the age of the data, `built` that of the file.

    `unreadable` counts the records that were left out, `inputs` is the digest of what was read.
    """

    snapshot: datetime
    built: datetime
    advisories: int
    unreadable: int
    inputs: str
    coverage: tuple[Coverage, ...]
    sources: tuple[Source, ...]

    def age_days(self, now: datetime) -> int:
        """Whole days between the snapshot and now; never negative."""
        return max((now - self.snapshot).days, 0)


def moment(seconds: int) -> datetime | None:
    """A point in time (UTC) from seconds since 1970; None for 0 and for what no calendar holds."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 253_402_300_800 else None
