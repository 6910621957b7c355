"""What a report comes to: counts, order, and notices gathered by code. Shared by every format."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mcp_tools.finding import Finding, Level, Location, Notice, Report, sort_key

_SHOWN_PATHS = 3
LEVELS = (Level.ERROR, Level.WARNING, Level.NOTE)


@dataclass(frozen=True, slots=True)
class Summary:
    """A report's findings in a stable order, those that count apart from those that do not."""

    active: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    counts: tuple[tuple[Level, int], ...]  # of the active ones, gravest first, zeros kept
    files_read: int
    is_complete: bool

    @property
    def verdict(self) -> str:
        """One sentence that never calls clean what was not read."""
        read = f"{count_of(self.files_read, 'file')} read"
        if self.active:
            told = ", ".join(count_of(number, level.value) for level, number in self.counts if number)
            verdict = f"{count_of(len(self.active), 'finding')} ({told}); {read}"
        elif not self.files_read:
            verdict = "Nothing was read, so nothing can be said"
        else:
            verdict = f"No findings in what was read; {read}"
        return f"{verdict}; {len(self.suppressed)} suppressed." if self.suppressed else f"{verdict}."


def summarise(report: Report) -> Summary:
    """Count and order a report."""
    ordered = sorted(report.findings, key=sort_key)
    active = tuple(finding for finding in ordered if finding.suppressed is None)
    tally = Counter(finding.severity for finding in active)
    return Summary(
        active,
        tuple(finding for finding in ordered if finding.suppressed is not None),
        tuple((level, tally[level]) for level in LEVELS),
        report.files_read,
        report.is_complete,
    )


@dataclass(frozen=True, slots=True)
class NoticeGroup:
    """The notices of one code. `paths` holds the first few."""

    code: str
    message: str
    count: int
    paths: tuple[str, ...]
    hidden_paths: int
    incomplete: bool


def group_notices(notices: Iterable[Notice]) -> tuple[NoticeGroup, ...]:
    """Gather notices by code, those that make the audit incomplete first."""
    groups: dict[tuple[bool, str], list[Notice]] = {}
    for notice in notices:
        groups.setdefault((not notice.incomplete, notice.code), []).append(notice)
    return tuple(_group(groups[key]) for key in sorted(groups))


def _group(notices: list[Notice]) -> NoticeGroup:
    messages = sorted({notice.message for notice in notices})
    message = (
        messages[0] if len(messages) == 1 else f"{messages[0]} (and {count_of(len(messages) - 1, 'other reason')})"
    )
    paths = sorted({notice.path for notice in notices if notice.path is not None})
    shown, hidden = tuple(paths[:_SHOWN_PATHS]), len(paths[_SHOWN_PATHS:])
    return NoticeGroup(notices[0].code, message, len(notices), shown, hidden, notices[0].incomplete)


def ordered_notices(notices: Iterable[Notice]) -> list[Notice]:
    """Notices in a stable order, those that make the audit incomplete first."""
    return sorted(notices, key=lambda notice: (not notice.incomplete, notice.code, notice.path or "", notice.message))


def headline(finding: Finding) -> str:
    """The finding's message; where it has none, its rule's summary, else the rule's id."""
    return finding.message.strip() or finding.rule.summary.strip() or finding.rule.id


def decision(finding: Finding) -> str | None:
    """What a protected area asks for."""
    area = finding.protected_area
    return None if area is None else f"human decision required ({area})"


def position(location: Location) -> str:
    """`path:line:column`, 1-based, in code points; the path alone for a file as a whole. Not yet printable."""
    region = location.region
    return location.path if region is None else f"{location.path}:{region.start_line + 1}:{region.start_column + 1}"


def count_of(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
