"""`get_finding` and `explain_rule`: a finding whole, and what a rule means."""

from collections.abc import Iterator
from difflib import get_close_matches

from mcp_tools.browse import Chosen, choose, fence, named, nonce, read_lines
from mcp_tools.catalog.documents import FindingDetail, RelatedItem, RulePage
from mcp_tools.catalog.findings import finding_id
from mcp_tools.catalog.page import clip, shown_path
from mcp_tools.catalog.params import ExplainRuleParams, GetFindingParams
from mcp_tools.catalog.scans import RULES, everything
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.catalog.view import View
from mcp_tools.finding import Finding, Notice, Report, Rule
from mcp_tools.output import printable
from mcp_tools.output.fingerprints import identity
from mcp_tools.output.summary import count_of, decision, headline
from mcp_tools.rules import list_pages, page

_MESSAGE_CHARS = 800  # beside a path, on a line that a client does not cut
_LINE_CHARS = 300
_MAX_RELATED = 20
_AROUND = 3
_PAGE_CHARS = 18_000


def find_finding(view: View, params: GetFindingParams) -> Finding | Notice:
    """The finding with this id: among the last answers, else by looking again; or why there is none."""
    path = None if params.path is None else named(view.project, params.path)
    if isinstance(path, Notice):
        return path
    for report in _remembered(view):
        for finding in report.findings:
            is_meant = identity(finding).startswith(params.id) and path in (None, finding.location.path)
            if is_meant and _still_holds(view, finding):
                return finding
    meant = choose(view.project) if path is None else Chosen((path,))
    for finding in everything(view, meant).findings:
        if identity(finding).startswith(params.id):
            return finding
    return Notice("no-such-finding", "no finding has this id now: the code may have changed, so run the tool again")


def _remembered(view: View) -> Iterator[Report]:
    for outcome in view.memo.outcomes():
        if isinstance(outcome, Report):
            yield outcome


def _still_holds(view: View, finding: Finding) -> bool:
    """Whether the text is as it was: only then is the remembered place right."""
    source = view.project.read(finding.location.path)
    if isinstance(source, Notice):
        return False
    again = everything(view, Chosen((finding.location.path,)))
    return finding in again.findings


def finding_answer(finding: Finding | Notice, view: View) -> Answer:
    """A finding whole, with the lines around it."""
    if isinstance(finding, Notice):
        return Answer(f"get_finding: {clip(finding.message, _MESSAGE_CHARS)}", {}, True)
    region = finding.location.region
    first = max(region.start_line + 1 - _AROUND, 1) if region else 1
    count = (min(region.end_line - region.start_line, 10) + 2 * _AROUND + 1) if region else 0
    around = read_lines(view.project, finding.location.path, start_line=first, max_lines=count) if region else None
    lines = [] if around is None or isinstance(around, Notice) else list(around.lines)
    rows = [f"{first + number}\t{clip(line, _LINE_CHARS)}" for number, line in enumerate(lines)]
    detail = FindingDetail(
        id=finding_id(finding),
        fingerprint=identity(finding),
        rule=printable(finding.rule.id),
        summary=clip(finding.rule.summary, _MESSAGE_CHARS),
        level=finding.severity,
        confidence=finding.confidence,
        path=shown_path(finding.location.path),
        line=region.start_line + 1 if region else None,
        column=region.start_column + 1 if region else None,
        end_line=region.end_line + 1 if region else None,
        end_column=region.end_column + 1 if region else None,
        message=clip(headline(finding), _MESSAGE_CHARS),
        evidence=clip(finding.evidence.strip(), _MESSAGE_CHARS) or None,
        tags=[printable(tag) for tag in finding.rule.tags],
        reported_by=printable(finding.origin.tool),
        suppressed=None if finding.suppressed is None else clip(finding.suppressed, _MESSAGE_CHARS),
        human_decides=None if finding.protected_area is None else printable(finding.protected_area),
        related=[
            RelatedItem(
                path=shown_path(item.location.path, _LINE_CHARS),
                line=item.location.region.start_line + 1 if item.location.region else None,
                message=clip(item.message, _LINE_CHARS),
            )
            for item in finding.related[:_MAX_RELATED]
        ],
        lines=rows,
    )
    place = detail.path + (f":{detail.line}:{detail.column}" if region else "")
    head = [
        f"{place} {finding.severity.value} {detail.rule} {detail.message} [{detail.id}]",
        f"rule: {detail.summary}" + (f" ({', '.join(detail.tags)})" if detail.tags else ""),
        f"confidence: {finding.confidence.value}; reported by {detail.reported_by}",
    ]
    if detail.evidence:
        head.append(f"evidence: {detail.evidence}")
    if (asks := decision(finding)) is not None:
        head.append(printable(asks))
    if detail.suppressed is not None:
        head.append(f"suppressed: {detail.suppressed}")
    head += [f"see {item.path}{f':{item.line}' if item.line else ''}: {item.message}" for item in detail.related]
    if (more := len(finding.related) - len(detail.related)) > 0:
        head.append(f"and {count_of(more, 'other place')}")
    if rows:
        head.append(fence(rows, nonce(view.signer.key, "\n".join(rows))))
    return Answer("\n".join([*head, f"explain_rule({detail.rule}) says how to fix it."]), _json(detail))


def explain_rule(params: ExplainRuleParams) -> Answer:
    """A rule and its page."""
    rules: dict[str, Rule] = {}
    for load in RULES:
        rules |= load()
    rule, text = rules.get(params.rule), page(params.rule)
    if text is None and rule is None:
        known = sorted({*rules, *list_pages()})
        near = get_close_matches(params.rule, known, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(known)}."
        return Answer(f"explain_rule: no such rule. {hint}", {}, True)
    shown = printable((text or rule.summary if rule else text or "").strip(), keep="\n\t")[:_PAGE_CHARS]
    data = RulePage(
        rule=params.rule,
        level=rule.level if rule else None,
        summary=rule.summary if rule else None,
        tags=list(rule.tags) if rule else [],
        page=shown,
    )
    return Answer(shown, _json(data))


def _json(document: FindingDetail | RulePage) -> JsonObject:
    return document.model_dump(mode="json", exclude_none=True)
