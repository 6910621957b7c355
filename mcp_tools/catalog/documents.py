"""What the tools answer as JSON: the shapes of `structuredContent`. Lines are 1-based; absent means not known."""

from pydantic import BaseModel, ConfigDict

from mcp_tools.finding import Confidence, Level


class Document(BaseModel):
    """An answer's JSON. Nulls are left out of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoticeItem(Document):
    """Something that was not done, with how often."""

    code: str
    message: str
    count: int
    paths: list[str]  # the first few
    incomplete: bool


class FindingItem(Document):
    """A finding on a page."""

    id: str
    rule: str
    level: Level
    confidence: Confidence
    path: str
    line: int | None = None
    message: str
    evidence: str | None = None


class PageDocument(Document):
    """What every paged answer says of its page."""

    total: int
    returned: int
    truncated: bool
    next_cursor: str | None = None


class FindingsPage(PageDocument):
    """A page of findings. The counts are of all of them, not of the page."""

    counts: dict[str, int]  # by level
    by_rule: dict[str, int]
    files_read: int
    suppressed: int
    complete: bool
    findings: list[FindingItem]
    notices: list[NoticeItem]
    report: str | None = None  # the whole report as a resource


class FileItem(Document):
    """A listed file."""

    path: str
    size: int | None = None
    language: str | None = None


class FilesPage(PageDocument):
    """A page of files."""

    ignored: int
    files: list[FileItem]
    notices: list[NoticeItem]


class FileText(Document):
    """A part of a file."""

    path: str
    language: str | None = None
    sha256: str
    total_lines: int
    first_line: int
    last_line: int
    truncated: bool
    redacted: dict[str, int]  # by kind of secret
    text: str


class MatchItem(Document):
    """A line that matches."""

    path: str
    line: int
    column: int
    text: str


class CountItem(Document):
    """How many lines of a file match."""

    path: str
    count: int


class SearchPage(PageDocument):
    """A page of matches, or of files with their counts."""

    files_searched: int
    files_matched: int
    matches: list[MatchItem] | None = None
    files: list[CountItem] | None = None
    notices: list[NoticeItem]


class LanguageItem(Document):
    """What there is of a language."""

    language: str
    files: int
    lines: int


class SizedItem(Document):
    """One of the largest files."""

    path: str
    lines: int
    language: str | None = None


class HealthPage(Document):
    """A codebase on one page."""

    files: int
    lines: int
    test_files: int
    languages: list[LanguageItem]
    largest: list[SizedItem]
    findings: dict[str, dict[str, int]]  # by tool, by level
    worst_files: list[CountItem]
    notices: list[NoticeItem]


class RelatedItem(Document):
    """Another place that bears on a finding."""

    path: str
    line: int | None = None
    message: str


class FindingDetail(Document):
    """A finding whole."""

    id: str
    fingerprint: str
    rule: str
    summary: str
    level: Level
    confidence: Confidence
    path: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    message: str
    evidence: str | None = None
    tags: list[str]
    reported_by: str
    suppressed: str | None = None
    human_decides: str | None = None  # the protected area
    related: list[RelatedItem]
    lines: list[str]


class RulePage(Document):
    """A rule and its page."""

    rule: str
    level: Level | None = None
    summary: str | None = None
    tags: list[str]
    page: str
