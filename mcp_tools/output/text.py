"""The plain text form: one finding as it arrives, and a whole report."""

from mcp_tools.finding import Confidence, Finding, Report, normalise
from mcp_tools.output.context import Context
from mcp_tools.output.escape import printable
from mcp_tools.output.excerpt import excerpt
from mcp_tools.output.summary import NoticeGroup, decision, group_notices, headline, position, summarise
from mcp_tools.project import Source

_INDENT = "\n    "
_SECRET_TAGS = frozenset({"CWE-256", "CWE-259", "CWE-260", "CWE-312", "CWE-321", "CWE-522", "CWE-798"})


def finding_text(finding: Finding, source: Source | None, *, show_source: bool = True) -> str:
    """Say one finding: its place, level, rule and message; the source with carets; what supports it.

    Args:
        finding: what to say.
        source: the text it was found in; without it nothing is quoted.
        show_source: quote the source. A finding about a credential (by its rule's CWE) is never quoted: its evidence
            says it with the secret masked.

    Returns:
        lines without colour, and without a line end after the last one.
    """
    place = printable(position(finding.location))
    rows = [f"{place}: {finding.severity.value}[{printable(finding.rule.id)}] {_prose(headline(finding))}"]
    region, shown = finding.location.region, ""
    if show_source and source is not None and region and not _SECRET_TAGS & set(finding.rule.tags):
        rows += excerpt(source, region)
        shown = normalise(source.slice(region))
    if finding.confidence is not Confidence.HIGH:
        rows.append(f"  = confidence: {finding.confidence.value}")
    if finding.evidence.strip() and normalise(finding.evidence) != shown:  # what the carets mark is not said twice
        rows.append(f"  = evidence: {_prose(finding.evidence)}")
    for related in finding.related:
        why = f": {_prose(related.message)}" if related.message.strip() else ""
        rows.append(f"  = see {printable(position(related.location))}{why}")
    if (ask := decision(finding)) is not None:
        rows.append(f"  = {printable(ask)}")
    if finding.suppressed is not None:
        rows.append(f"  = suppressed: {_prose(finding.suppressed)}")
    return "\n".join(rows)


def _prose(text: str) -> str:
    """Text of several lines, the later ones indented so that none of them looks like a finding of its own."""
    lines = printable(text.strip().replace("\r\n", "\n"), keep="\n").split("\n")
    return _INDENT.join(line.rstrip() for line in lines)


def render_text(report: Report, context: Context) -> str:
    """Every finding that counts, then what the report comes to and what was not done."""
    summary = summarise(report)
    blocks: list[str] = []
    path, source = None, None
    for finding in summary.active:
        if finding.location.path != path:
            path, source = finding.location.path, context.sources(finding.location.path)
        blocks.append(finding_text(finding, source))
    blocks.append(summary_text(report, context))
    return "\n\n".join(blocks) + "\n"


def summary_text(report: Report, context: Context) -> str:
    """The closing lines: counts, INCOMPLETE where it is, notices by code, facts. No line end after the last one."""
    summary = summarise(report)
    rows = [] if summary.is_complete else ["INCOMPLETE: not all was audited; no findings there means nothing."]
    rows.append(summary.verdict)
    groups = group_notices(report.notices)
    if groups:
        rows.append("Not done:")
        rows += [f"  {notice_text(group)}" for group in groups]
    rows += [f"{printable(label)}: {printable(value)}" for label, value in context.facts]
    return "\n".join(rows)


def notice_text(group: NoticeGroup) -> str:
    """One line about the notices of a code."""
    mark = "INCOMPLETE " if group.incomplete else ""
    count = f" x{group.count:,}" if group.count > 1 else ""
    row = f"{mark}{printable(group.code)}{count}: {printable(group.message)}"
    if not group.paths:
        return row
    more = f", and {group.hidden_paths:,} more" if group.hidden_paths else ""
    return f"{row}: {', '.join(map(printable, group.paths))}{more}"
