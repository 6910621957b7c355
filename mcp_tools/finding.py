"""The words every tool and face shares: Finding, Rule, Location, Region, Notice, Report. Pure values; no I/O."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much a broken rule matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error."""
        return _RANKS[self]

    def reaches(self, floor: "Level") -> bool:
        """Say whether this level is at or above the floor."""
        return self.rank >= floor.rank


_RANKS = {Level.NOTE: 0, Level.WARNING: 1, Level.ERROR: 2}


class Confidence(StrEnum):
    """How sure whoever reported a finding is that it is right."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Lane(StrEnum):
    """A bounded audit topic: one deterministic tool and one prompt."""

    SECURITY = "security"
    DEPENDENCIES = "dependencies"
    DOCS = "docs"
    STYLE = "style"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Rule:
    """What was looked for. `id` is kebab-case and stable; `tags` are such as `CWE-89`."""

    id: str
    summary: str
    level: Level
    lane: Lane
    tags: tuple[str, ...] = ()

    @property
    def help_path(self) -> str:
        """The rule's page, relative to the project's documentation."""
        return f"rules/{self.id}.md"


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A half-open span of text: 0-based lines, 0-based columns in code points.

    Lines end at LF, CR LF or CR only. An empty region (start == end) is a point.
    """

    start_line: int
    start_column: int
    end_line: int
    end_column: int

    def __post_init__(self) -> None:
        """Reject a span that ends before it starts or lies before the text."""
        start, end = (self.start_line, self.start_column), (self.end_line, self.end_column)
        if min(*start, *end) < 0 or end < start:
            raise ValueError(f"not a region: {start}..{end}")

    def overlaps(self, other: "Region") -> bool:
        """Say whether the two share a character, or a point lies within the other."""
        start = max((self.start_line, self.start_column), (other.start_line, other.start_column))
        end = min((self.end_line, self.end_column), (other.end_line, other.end_column))
        return start < end or (start == end and (self.is_empty or other.is_empty))

    @property
    def is_empty(self) -> bool:
        """True for a point."""
        return (self.start_line, self.start_column) == (self.end_line, self.end_column)


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a project: POSIX path relative to its root, and a region; no region means the file as a whole.

    Bytes of a path that are not UTF-8 stand as lone surrogates (`os.fsdecode`), so that no name is lost; a face or a
    format makes them printable.
    """

    path: str
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that bears on a finding, such as the other side of a contradiction."""

    message: str
    location: Location


@dataclass(frozen=True, slots=True)
class Origin:
    """Who reported a finding. `tool` is such as `security_surface` or `ruff S602`; a model finding names its model."""

    tool: str
    model: str | None = None
    trail_id: str | None = None  # the trail record that holds the reasoning


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule does not hold."""

    rule: Rule
    message: str
    location: Location
    confidence: Confidence = Confidence.MEDIUM
    evidence: str = ""  # the text the finding rests on, secrets masked
    fingerprint: str = ""  # see `fingerprint`; empty until somebody who holds the text stamps it
    related: tuple[Related, ...] = ()
    origin: Origin = field(default=Origin("kimi-lsp"))
    level: Level | None = None  # where it differs from the rule's
    suppressed: str | None = None  # why it does not count: a marker in the source, or a human's verdict
    protected_area: str | None = None  # auth, payments, migrations, customer data: a human must decide

    @property
    def severity(self) -> Level:
        """The level that holds for this finding."""
        return self.level or self.rule.level


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was not done, and why: "clean" is only said of what was read.

    `code` is stable and kebab-case (`file-too-large`). `incomplete` marks a notice that makes the whole audit
    incomplete (an endpoint that vanished), not a file that was never meant to be read (a binary).
    """

    code: str
    message: str
    path: str | None = None
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit or a tool found, what it could not do, and how much it read."""

    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    files_read: int = 0

    @property
    def is_complete(self) -> bool:
        """False when a notice says that the audit as a whole fell short."""
        return not any(notice.incomplete for notice in self.notices)


def collect(items: Iterable[Finding | Notice], files_read: int = 0) -> Report:
    """Gather what a tool yields into a report, in a stable order."""
    findings: list[Finding] = []
    notices: list[Notice] = []
    for item in items:
        if isinstance(item, Finding):
            findings.append(item)
        else:
            notices.append(item)
    findings.sort(key=sort_key)
    return Report(tuple(findings), tuple(notices), files_read)


def sort_key(finding: Finding) -> tuple[str, int, int, str, str]:
    """Order findings by place, then by rule and message."""
    region = finding.location.region
    line, column = (region.start_line, region.start_column) if region else (-1, -1)
    return finding.location.path, line, column, finding.rule.id, finding.message


def normalise(text: str) -> str:
    """Fold what re-formatting changes: all white space is dropped."""
    return "".join(text.split())


def fingerprint(rule_id: str, path: str, text: str, occurrence: int) -> str:
    """Name a finding so that it is found again after lines were added above it.

    Args:
        rule_id: the rule's id.
        path: the project-relative path.
        text: the lines the finding lies on; white space does not matter. Empty for a finding about a whole file.
        occurrence: how many places with the same normalised text lie before this one in the file.

    Returns:
        32 hexadecimal digits. No line number goes into it.
    """
    parts = (rule_id, path, normalise(text), str(occurrence))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]
