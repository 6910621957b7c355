"""What is said of findings, reports and money: Markdown for people, and a summary for programs. Pure.

No text of a file or of a model becomes a link, an image, a heading or HTML: everything of theirs passes `faces.markup`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from kimi_lsp.acp.links import place_link
from kimi_lsp.acp.plain import plain_line
from kimi_lsp.faces.markup import MARKDOWN, clipped, dollars, first_lines
from kimi_lsp.faces.reasons import Because
from kimi_lsp.faces.rule_pages import advice, page_uri
from kimi_lsp.store.values import Decision, Verdict
from mcp_tools.catalog.findings import finding_id
from mcp_tools.finding import Finding, Level, Notice, Report
from mcp_tools.output import printable
from mcp_tools.output.summary import count_of, decision, group_notices, headline, ordered_notices, summarise

MAX_FINDINGS = 40
SUMMARY_VERSION = 1
_MAX_REPORT_CHARS = 60_000
_MAX_RESULTS = 500
_MAX_NOTICES = 100
_MAX_FIELD = 600
_MAX_MESSAGE = 2_000  # for programs
_MAX_GROUPS = 12
_EVIDENCE_LINES, _EVIDENCE_CHARS = 6, 800
_REASONING_LINES, _REASONING_CHARS = 60, 8_000
_PLURALS = {Level.ERROR: "Errors", Level.WARNING: "Warnings", Level.NOTE: "Notes"}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by how grave they are; else as they stood."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def finding_line(root: Path, finding: Finding) -> str:
    """A finding as one item of a list: its id, where it is, what is wrong, who says so and how sure."""
    parts = [f"`{finding_id(finding)}` {place_link(root, finding.location)}"]
    parts.append(MARKDOWN.prose(clipped(headline(finding), _MAX_FIELD)))
    told = ", ".join(filter(None, (_rule(finding), _origin(finding), f"confidence {finding.confidence.value}")))
    asked = decision(finding)
    ask = f" **{MARKDOWN.prose(asked[0].upper() + asked[1:])}.**" if asked is not None else ""
    return f"- {' '.join(parts)}{ask} _({told})_"


def finding_text(root: Path, finding: Finding) -> str:
    """A finding by itself: its level, its line and the text that it rests on."""
    text = f"**{finding.severity.value.upper()}** {finding_line(root, finding).removeprefix('- ')}"
    if not finding.evidence.strip():
        return text
    return f"{text}\n\n{MARKDOWN.block(first_lines(finding.evidence, _EVIDENCE_LINES, _EVIDENCE_CHARS))}"


def findings_text(root: Path, report: Report, *, max_findings: int = MAX_FINDINGS) -> str:
    """What an audit came to: the verdict, the findings worst first, and what was not checked."""
    summary = summarise(report)
    parts = [f"**{MARKDOWN.code(root.name)}**: {summary.verdict}"]
    room = max_findings
    for level, count in summary.counts:
        some = [finding for finding in summary.active if finding.severity is level][:room]
        room -= len(some)
        if some:
            more = f", {count_of(len(some), 'finding')} of them here" if count > len(some) else ""
            lines = "\n".join(finding_line(root, finding) for finding in some)
            parts.append(f"**{_PLURALS[level]}** ({count:,}{more})\n\n{lines}")
    if len(summary.active) > max_findings:
        parts.append(f"{len(summary.active) - max_findings:,} more: `/report` has all.")
    if summary.active:
        parts.append("`/explain ID` says why a finding is there.")
    parts += _notices(report.notices)
    return "\n\n".join(parts)


def report_text(root: Path, report: Report) -> str:
    """All findings, by file, as far as there is room."""
    summary = summarise(report)
    parts, path, size = [f"**{MARKDOWN.code(root.name)}**: {summary.verdict}"], None, 0
    for number, finding in enumerate(summary.active):
        line = f"{finding_line(root, finding)} {finding.severity.value}"
        size += len(line)
        if size > _MAX_REPORT_CHARS:
            parts.append(f"{len(summary.active) - number:,} more have no room here: `kimi-lsp audit` has all.")
            break
        if finding.location.path != path:
            path = finding.location.path
            parts.append(f"{MARKDOWN.code(printable(path))}\n\n{line}")
        else:
            parts[-1] += f"\n{line}"
    return "\n\n".join((*parts, *_notices(report.notices)))


def explain_text(root: Path, finding: Finding, because: Because | None, verdict: Verdict | None) -> str:
    """Why a finding is there, how to check it and what to do."""
    return "\n\n".join(_explained(root, finding, because, verdict))


def _explained(root: Path, finding: Finding, because: Because | None, verdict: Verdict | None) -> Iterator[str]:
    yield finding_text(root, finding)
    rule = finding.rule
    summary = MARKDOWN.prose(clipped(rule.summary, _MAX_FIELD))
    yield f"Rule {MARKDOWN.link(rule.id, page_uri(rule.id))}: {summary}".removesuffix(": ")
    for related in finding.related[:5]:
        yield f"See {place_link(root, related.location)}: {MARKDOWN.prose(clipped(related.message, _MAX_FIELD))}"
    told = advice(rule.id)
    if told.verify:
        yield f"To verify, rule out what is not meant. {told.verify}"
    if told.fix:
        yield f"To fix: {told.fix}"
    if because is not None:
        yield from _because(because)
    elif finding.origin.model is not None:
        yield "The trail has no record of the call: it was erased, or its store cannot be read."
    else:
        yield "No model was asked: a deterministic tool found this by itself."
    if verdict is not None:
        what = "Confirmed" if verdict.decision is Decision.CONFIRMED else "Dismissed"
        yield f"{what}: {MARKDOWN.prose(clipped(verdict.reason, _MAX_FIELD))}".removesuffix(": ")


def _because(because: Because) -> Iterator[str]:
    if because.reasoning.strip():
        shown = first_lines(because.reasoning, _REASONING_LINES, _REASONING_CHARS)
        yield f"The model's reasoning on all of what it was shown:\n\n{MARKDOWN.block(shown)}"
    else:
        yield "The endpoint sent no reasoning."
    facts = [f"model {MARKDOWN.code(because.model)}"]
    if because.endpoint:
        facts.append(f"endpoint {MARKDOWN.code(because.endpoint)}")
    if because.usage is not None:
        facts.append(f"{because.usage.total_tokens:,} tokens")
    if because.cost_usd is not None:
        facts.append(f"{dollars(because.cost_usd)} for the whole call")
    yield f"{', '.join(facts)}. The prompt, as it was sent: {MARKDOWN.code(f'kimi-lsp trail show {because.trail_id}')}."


@dataclass(frozen=True, slots=True)
class Line:
    """A row of `/budget`. None: not known, or no ceiling."""

    name: str
    spent_usd: Decimal | None
    spent_tokens: int | None
    max_usd: Decimal | None
    max_tokens: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """What `/budget` tells."""

    session_usd: Decimal
    lines: tuple[Line, ...]


def budget_text(account: Account) -> str:
    """What was spent and what may be, as a table."""
    rows = ["| | spent | ceiling | left |", "|---|---|---|---|"]
    rows += [f"| {line.name} | {_spent(line)} | {_ceiling(line)} | {_left(line)} |" for line in account.lines]
    return (
        f"This session has cost {dollars(account.session_usd)} so far.\n\n"
        + "\n".join(rows)
        + "\n\nA ceiling stops the next call before it is made. The option `budget` lowers a turn's; only the user's "
        "configuration (`[budget]`) raises one. `kimi-lsp budget show` has the calls that never settled."
    )


def _spent(line: Line) -> str:
    parts = [dollars(line.spent_usd)] if line.spent_usd is not None else []
    parts += [f"{line.spent_tokens:,} tokens"] if line.spent_tokens is not None else []
    return ", ".join(parts) or "-"


def _ceiling(line: Line) -> str:
    parts = [dollars(line.max_usd)] if line.max_usd is not None else []
    parts += [f"{line.max_tokens:,} tokens"] if line.max_tokens is not None else []
    return ", ".join(parts) or "none"


def _left(line: Line) -> str:
    parts: list[str] = []
    if line.max_usd is not None and line.spent_usd is not None:
        parts.append(dollars(max(line.max_usd - line.spent_usd, Decimal(0))))
    if line.max_tokens is not None and line.spent_tokens is not None:
        parts.append(f"{max(line.max_tokens - line.spent_tokens, 0):,} tokens")
    return ", ".join(parts) or "-"


def _notices(notices: Sequence[Notice]) -> list[str]:
    """What was not checked, the worst first; one item of a list a kind."""
    groups = group_notices(notices)
    if not groups:
        return []
    rows: list[str] = []
    for group in groups[:_MAX_GROUPS]:
        paths = ", ".join(MARKDOWN.code(printable(path)) for path in group.paths)
        more = f" and {group.hidden_paths:,} more" if group.hidden_paths else ""
        where = f": {paths}{more}" if paths else ""
        weight = "**Incomplete:** " if group.incomplete else ""
        rows.append(f"- {weight}{plain_line(clipped(group.message, _MAX_FIELD))}{where}")
    if len(groups) > _MAX_GROUPS:
        rows.append(f"- and {count_of(len(groups) - _MAX_GROUPS, 'other kind')}")
    return ["Not checked, or with less than was asked for:\n\n" + "\n".join(rows)]


def _rule(finding: Finding) -> str:
    return MARKDOWN.code(clipped(finding.rule.id, 80))


def _origin(finding: Finding) -> str:
    name = finding.origin.model or finding.origin.tool
    return f"by {'the model ' if finding.origin.model else ''}{MARKDOWN.code(clipped(name, 80))}"


def summary(root: Path, report: Report) -> dict[str, object]:
    """A report for programs, in the shape of SARIF with less around it.

    `version`, `root`, `complete`, `filesRead`, `counts` by level of all that counts; `results`, each with `id`,
    `ruleId`, `level`, `message`, `path`, `startLine`, `startColumn`, `endLine`, `endColumn` (1-based, columns in code
    points, the end not included; absent for a file as a whole), `confidence`, `fingerprint`, `tool`, and where there
    are such `model`, `trailId`, `protectedArea`, `suppressed`; `notices`, each with `code`, `message`, `incomplete` and
    perhaps `path`.
    `moreResults` and `moreNotices` are how many had no room: the graver results and what makes the audit incomplete
    come first. Every text is printable, a message of at most 2,000 characters.
    """
    found = summarise(report)
    ordered = (*worst_first(found.active), *worst_first(found.suppressed))
    return {
        "version": SUMMARY_VERSION,
        "root": printable(str(root)),
        "complete": report.is_complete,
        "filesRead": report.files_read,
        "counts": {level.value: count for level, count in found.counts},
        "results": [_result(finding) for finding in ordered[:_MAX_RESULTS]],
        "moreResults": max(len(ordered) - _MAX_RESULTS, 0),
        "notices": [_notice(notice) for notice in ordered_notices(report.notices)[:_MAX_NOTICES]],
        "moreNotices": max(len(report.notices) - _MAX_NOTICES, 0),
    }


def _result(finding: Finding) -> dict[str, object]:
    region, origin = finding.location.region, finding.origin
    told: dict[str, object] = {
        "id": finding_id(finding),
        "ruleId": printable(finding.rule.id),
        "level": finding.severity.value,
        "message": clipped(printable(headline(finding)), _MAX_MESSAGE),
        "path": printable(finding.location.path),
        "confidence": finding.confidence.value,
        "fingerprint": finding.fingerprint,
        "tool": printable(origin.tool),
    }
    if region is not None:
        told |= {
            "startLine": region.start_line + 1,
            "startColumn": region.start_column + 1,
            "endLine": region.end_line + 1,
            "endColumn": region.end_column + 1,
        }
    more = {
        "model": origin.model,
        "trailId": origin.trail_id,
        "protectedArea": finding.protected_area,
        "suppressed": finding.suppressed,
    }
    return told | {name: printable(value) for name, value in more.items() if value is not None}


def _notice(notice: Notice) -> dict[str, object]:
    told: dict[str, object] = {
        "code": notice.code,
        "message": clipped(printable(notice.message), _MAX_MESSAGE),
        "incomplete": notice.incomplete,
    }
    return told if notice.path is None else {**told, "path": printable(notice.path)}
