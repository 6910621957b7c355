"""Tools whose outcome is a report: a page of findings in text and in JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mcp_tools.catalog.documents import FindingItem, FindingsPage, NoticeItem
from mcp_tools.catalog.handle import found_digest
from mcp_tools.catalog.page import Entry, Room, clip, fit, shown_path
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.catalog.view import View
from mcp_tools.finding import Finding, Level, Notice, Report
from mcp_tools.output import printable
from mcp_tools.output.fingerprints import identity
from mcp_tools.output.summary import LEVELS, NoticeGroup, count_of, group_notices, headline, position, summarise

ID_DIGITS = 12
_LINE_CHARS = 300
_EVIDENCE_CHARS = 200
_MAX_NOTICES = 12
_MAX_RULES = 40


def finding_id(finding: Finding) -> str:
    """A finding's short name: it has the same one after lines were added above it."""
    return identity(finding)[:ID_DIGITS]


def at_least(report: Report, floor: str) -> Report:
    """The report without what is less grave."""
    level = Level(floor)
    if level is Level.NOTE:
        return report
    return replace(report, findings=tuple(item for item in report.findings if item.severity.reaches(level)))


def findings_answer(tool: str, call: str, report: Report, view: View, cursor: str | None, room: Room) -> Answer:
    """A page of a report. Raises CursorError.

    Args:
        tool: the tool's name, for the first line.
        call: the digest of the tool and its arguments.
        report: all that was found.
        view: signs the cursor.
        cursor: where the page begins; None at the start.
        room: what the page may take up.
    """
    summary = summarise(report)
    active = summary.active
    found = found_digest([(finding_id(item), position(item.location), item.message) for item in active])
    offset = view.signer.offset(cursor, call, found) if cursor is not None else 0
    notices = notice_items(report.notices, room)
    counts = {level.value: number for level, number in summary.counts}
    rules = Counter(item.rule.id for item in active).most_common(None if room.is_whole else _MAX_RULES)
    beside = notice_chars(notices) + 2 * sum(len(rule) + 8 for rule, _ in rules)
    fitted = fit(active, offset, room.beside(beside), _with_evidence, _without_evidence)
    next_cursor = None if fitted.next_offset is None else view.signer.cursor(call, found, fitted.next_offset)
    page = FindingsPage(
        total=len(active),
        returned=len(fitted.entries),
        truncated=len(fitted.entries) < len(active),
        next_cursor=next_cursor,
        counts=counts,
        by_rule={printable(rule): number for rule, number in sorted(rules)},
        files_read=summary.files_read,
        suppressed=len(summary.suppressed),
        complete=summary.is_complete,
        findings=[],
        notices=notices,
        report=f"audit://report/{view.signer.name(call, found)}" if room.with_report and active else None,
    )
    data = page.model_dump(mode="json", exclude_none=True)
    data["findings"] = [entry.data for entry in fitted.entries]
    head = [_first_line(tool, active, counts, page, offset)]
    if page.truncated and rules:
        head.append("by rule: " + ", ".join(f"{rule} {number}" for rule, number in page.by_rule.items()))
    tail = [*notice_lines(notices)]
    if active and not room.is_whole:
        tail.append("get_finding(id) tells a finding whole; explain_rule(rule) says what a rule means.")
    return Answer("\n".join([*head, *(entry.text for entry in fitted.entries), *tail]), data)


def _first_line(tool: str, active: Sequence[Finding], counts: dict[str, int], page: FindingsPage, offset: int) -> str:
    read = f"{count_of(page.files_read, 'file')} read"
    if not active:
        said = f"no findings in what was read ({read})" if page.files_read else "nothing was read"
    else:
        told = ", ".join(count_of(counts[level.value], level.value) for level in LEVELS if counts[level.value])
        files = count_of(len({item.location.path for item in active}), "file")
        said = f"{count_of(len(active), 'finding')} ({told}) in {files} ({read})"
    if page.suppressed:
        said += f"; {page.suppressed:,} suppressed"
    if not page.complete:
        said += "; INCOMPLETE, see the end"
    return f"{tool}: {said}{paging(page.total, offset, page.returned, page.next_cursor)}"


def paging(total: int, offset: int, returned: int, next_cursor: str | None) -> str:
    """What a first line says of the page, where it is not all there is."""
    if returned == total:
        return ""
    shown = f"showing {offset + 1:,}-{offset + returned:,} of {total:,}" if returned else "showing none"
    return f"; {shown}" + (f"; next_cursor={next_cursor}" if next_cursor else "; this is the last page")


def _item(finding: Finding, evidence: str | None) -> JsonObject:
    region = finding.location.region
    item = FindingItem(
        id=finding_id(finding),
        rule=printable(finding.rule.id),
        level=finding.severity,
        confidence=finding.confidence,
        path=shown_path(finding.location.path),
        line=region.start_line + 1 if region else None,
        message=clip(headline(finding), _LINE_CHARS),
        evidence=evidence,
    )
    return item.model_dump(mode="json", exclude_none=True)


def _line(finding: Finding) -> str:
    region = finding.location.region
    place = shown_path(finding.location.path) + (f":{region.start_line + 1}" if region else "")
    message = clip(headline(finding), _LINE_CHARS)
    asks = f" (a human decides: {printable(finding.protected_area)})" if finding.protected_area else ""
    return f"{place} {finding.severity.value} {printable(finding.rule.id)} {message}{asks} [{finding_id(finding)}]"


def _with_evidence(finding: Finding) -> Entry:
    evidence = clip(finding.evidence.strip(), _EVIDENCE_CHARS) or None
    return Entry(_line(finding), _item(finding, evidence))


def _without_evidence(finding: Finding) -> Entry:
    return Entry(_line(finding), _item(finding, None))


def notice_items(notices: Sequence[Notice], room: Room) -> list[NoticeItem]:
    """Notices gathered by code, those that make an answer incomplete first; no code is left out.

    On a page they take up half of it at the most: there are fewer paths then, and in the end none.
    """
    groups = group_notices(notices)
    if room.chars is None:
        return [_notice(group, len(group.paths)) for group in groups]
    kept, rest = groups[:_MAX_NOTICES], groups[_MAX_NOTICES:]
    if rest:
        codes, count = ", ".join(group.code for group in rest), sum(group.count for group in rest)
        kept = (*kept, NoticeGroup("and-more", codes, count, (), 0, rest[0].incomplete))
    items: list[NoticeItem] = []
    for paths in (3, 1, 0):
        items = [_notice(group, paths) for group in kept]
        if notice_chars(items) <= room.chars // 2:
            break
    return items


def _notice(group: NoticeGroup, paths: int) -> NoticeItem:
    return NoticeItem(
        code=printable(group.code),
        message=clip(group.message, _LINE_CHARS),
        count=group.count,
        paths=[shown_path(path, _EVIDENCE_CHARS) for path in group.paths[:paths]],
        incomplete=group.incomplete,
    )


def notice_chars(items: Sequence[NoticeItem]) -> int:
    """What notices take up as text and as JSON."""
    return sum(2 * (len(item.code) + len(item.message) + sum(map(len, item.paths))) + 110 for item in items)


def notice_lines(notices: Sequence[NoticeItem]) -> list[str]:
    """A line about each kind of thing that was not done."""
    rows: list[str] = []
    for item in notices:
        mark = "INCOMPLETE " if item.incomplete else ""
        count = f" x{item.count:,}" if item.count > 1 else ""
        places = f": {', '.join(item.paths)}" if item.paths else ""
        more = ", …" if item.count > len(item.paths) > 0 else ""
        rows.append(f"not done: {mark}{item.code}{count}: {item.message}{places}{more}")
    return rows
