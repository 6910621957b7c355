"""Markdown for a pull request's comment or an agent's panel. No text from the project can break out of its place."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from mcp_tools.finding import Confidence, Finding, Level, Location, Report
from mcp_tools.output.context import Context
from mcp_tools.output.escape import printable, safe_uri
from mcp_tools.output.summary import (
    LEVELS,
    NoticeGroup,
    Summary,
    count_of,
    decision,
    group_notices,
    headline,
    summarise,
)

_MAX_CHARS = 60_000  # GitHub takes 65,536 in a comment
_MAX_NOTICE_CHARS = 12_000
_MAX_FACT_CHARS = 4_000
_MIN_ITEM = 60
_MAX_FIELD = 2_000
_MAX_EVIDENCE_LINES = 12
_MAX_RELATED = 10
_MARKUP = re.compile(r"[\\`*_\[\]<>|~$&#]")
# What GitHub and GitLab link without any markup: mentions, mail, references, addresses. A zero-width space, written as
# an entity, keeps the sign and breaks the link.
_AUTOLINK = re.compile(r"@|(?<=\\#)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=GH)(?=-\d)", re.IGNORECASE)
_BREAK = "&#8203;"
_FENCE = re.compile("`{3,}")
_TITLES = {Level.ERROR: "Errors", Level.WARNING: "Warnings", Level.NOTE: "Notes"}


def render_markdown(report: Report, context: Context) -> str:
    """A verdict, a table of counts, findings by file, and what was not done.

    The text stays within what GitHub takes as one comment: the gravest findings come first, what finds no room is
    counted.
    """
    summary = summarise(report)
    head = "\n".join(_head(summary, context))
    foot = "\n".join(_foot(report, context))
    shown = _chosen(summary, context, _MAX_CHARS - len(head) - len(foot))
    body = "\n".join(_body(shown, summary))
    return "\n".join(part for part in (head, body, foot) if part)


def literal(text: str) -> str:
    """Text as Markdown that shows just that text, on one line: no markup, link, mention, reference or HTML in it."""
    shown = _clip(printable(" ".join(text.split("\n")).strip()))
    return _AUTOLINK.sub(lambda match: match[0] + _BREAK, _MARKUP.sub(r"\\\g<0>", shown))


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_FIELD else text[: _MAX_FIELD - 1] + "…"


def _head(summary: Summary, context: Context) -> Iterator[str]:
    yield f"## {literal(context.tool.name)} report"
    yield ""
    if not summary.is_complete:
        yield "**INCOMPLETE: not all was audited; no findings there means nothing.**"
        yield ""
    yield literal(summary.verdict)
    yield ""
    yield "| " + " | ".join((*(_TITLES[level] for level in LEVELS), "Suppressed", "Files read")) + " |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    numbers = (*(number for _, number in summary.counts), len(summary.suppressed), summary.files_read)
    yield "| " + " | ".join(f"{number:,}" for number in numbers) + " |"
    yield ""


def _chosen(summary: Summary, context: Context, room: int) -> list[tuple[Finding, str]]:
    """The gravest findings that fit, with their text, back in order of place."""
    order = sorted(range(len(summary.active)), key=lambda index: -summary.active[index].severity.rank)
    chosen: list[tuple[int, str]] = []
    for index in order:
        if room < _MIN_ITEM:
            break
        finding = summary.active[index]
        text = "\n".join(_item(finding, context))
        size = len(text) + len(_heading(finding.location.path)) + 3  # as if each had a file of its own
        if size <= room:
            room -= size
            chosen.append((index, text))
    return [(summary.active[index], text) for index, text in sorted(chosen)]


def _body(shown: list[tuple[Finding, str]], summary: Summary) -> Iterator[str]:
    for path, items in groupby(shown, key=lambda pair: pair[0].location.path):
        yield _heading(path)
        for _, text in items:
            yield text
        yield ""
    hidden = len(summary.active) - len(shown)
    if hidden:
        yield f"{count_of(hidden, 'more finding')} not shown here: the graver ones come first, and room is short."
        yield ""


def _heading(path: str) -> str:
    return f"### {_link(Location(path))}\n"


def _item(finding: Finding, context: Context) -> Iterator[str]:
    uri = context.help_uri(finding.rule.help_path)
    rule = literal(finding.rule.id)
    named = f"[{rule}]({uri})" if uri else rule
    place = _link(finding.location, short=True)
    yield f"- {place} **{finding.severity.value}** {named}: {literal(headline(finding))}"
    if (ask := decision(finding)) is not None:
        yield f"  - **{literal(ask)}**"
    if finding.confidence is not Confidence.HIGH:
        yield f"  - confidence: {finding.confidence.value}"
    for related in finding.related[:_MAX_RELATED]:
        yield f"  - see {_link(related.location)}: {literal(related.message)}"
    if finding.evidence.strip():
        yield "  - evidence:"
        yield from (f"    {line}" for line in _fenced(finding.evidence))


def _link(location: Location, *, short: bool = False) -> str:
    """A link to lines, as GitHub and GitLab write them; `short` says the lines alone."""
    uri, path, region = safe_uri(location.path), literal(location.path), location.region
    if region is None:
        return f"[{'file' if short else path}]({uri})"
    first = region.start_line + 1
    is_whole = region.end_column == 0 and region.end_line > region.start_line
    last = region.end_line + (0 if is_whole else 1)
    lines = f"L{first}" if last == first else f"L{first}-L{last}"
    return f"[{lines if short else f'{path}:{first}'}]({uri}#{lines})"


def _fenced(text: str) -> Iterator[str]:
    lines = _clip(printable(text.strip("\n"), keep="\n\t")).split("\n")
    if len(lines) > _MAX_EVIDENCE_LINES:
        lines = [*lines[:_MAX_EVIDENCE_LINES], f"… {count_of(len(lines) - _MAX_EVIDENCE_LINES, 'more line')}"]
    longest = max((len(run) for run in _FENCE.findall("\n".join(lines))), default=2)
    fence = "`" * (longest + 1)
    yield fence
    yield from lines
    yield fence


def _foot(report: Report, context: Context) -> Iterator[str]:
    groups = group_notices(report.notices)
    if groups:
        yield f"<details><summary>Not done: {count_of(len(report.notices), 'notice')}</summary>"
        yield ""
        yield from _within(map(_notice, groups), _MAX_NOTICE_CHARS, "more kinds of notice")
        yield ""
        yield "</details>"
        yield ""
    if context.facts:
        facts = (f"- {literal(label)}: {literal(value)}" for label, value in context.facts)
        yield from _within(facts, _MAX_FACT_CHARS, "more facts")
        yield ""


def _notice(group: NoticeGroup) -> str:
    mark = "**INCOMPLETE** " if group.incomplete else ""
    more = f" and {group.hidden_paths:,} more" if group.hidden_paths else ""
    paths = f" ({', '.join(map(literal, group.paths))}{more})" if group.paths else ""
    return f"- {mark}{literal(group.code)} ({group.count:,}): {literal(group.message)}{paths}"


def _within(rows: Iterable[str], room: int, what: str) -> Iterator[str]:
    """The rows that fit, and how many do not."""
    hidden = 0
    for row in rows:
        if len(row) <= room:
            room -= len(row)
            yield row
        else:
            hidden += 1
    if hidden:
        yield f"- {hidden:,} {what}"
