"""Why a finding is there, in words: the hover, the document behind "Show reasoning", the text of "Copy as Markdown".

Pure. What a file or a model said is shown and never obeyed: no link, image or HTML of theirs survives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kimi_lsp.faces.markup import MARKDOWN, PLAIN, Ink, clipped, dollars, first_lines
from kimi_lsp.faces.reasons import Because
from kimi_lsp.faces.rule_pages import advice, page_uri
from kimi_lsp.lsp.convert import Shown, is_models
from kimi_lsp.lsp.protocol import MarkupContent
from kimi_lsp.store.values import Decision, Verdict
from kimi_lsp.usage import Usage
from mcp_tools.finding import Confidence, Location, normalise
from mcp_tools.output.markdown import literal
from mcp_tools.output.summary import decision, headline, position
from mcp_tools.project import Source

_MAX_FINDINGS = 4  # in one hover; a fifth would be below the fold
_MAX_FIELD = 1_000
_MAX_EXCERPT_LINES = 8
_MAX_EXCERPT = 700
_MAX_EVIDENCE_LINES = 6
_MAX_RELATED = 5
_MAX_COPIED_LINES = 30
_MAX_COPIED = 4_000


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding with what else is known of it."""

    shown: Shown
    because: Because | None = None
    verdict: Verdict | None = None


def hover(items: Sequence[Explained], source: Source | None, *, is_markdown: bool) -> MarkupContent:
    """What to show at a place: each finding's message, rule, origin, reasoning, check and verdict.

    Args:
        items: the findings there, the most telling first; beyond the fourth they are counted.
        source: the present text: evidence that already stands under the pointer is not said again.
        is_markdown: else plain text.
    """
    ink = MARKDOWN if is_markdown else PLAIN
    rule = "\n\n---\n\n" if is_markdown else "\n\n"
    parts = ["\n\n".join(_paragraphs(item, source, ink)) for item in items[:_MAX_FINDINGS]]
    if len(items) > _MAX_FINDINGS:
        parts.append(f"{len(items) - _MAX_FINDINGS} more here.")
    return MarkupContent("markdown" if is_markdown else "plaintext", rule.join(parts))


def _paragraphs(item: Explained, source: Source | None, ink: Ink) -> Iterator[str]:
    finding, because = item.shown.finding, item.because
    level = ink.strong(finding.severity.value.capitalize())
    yield f"{level}: {ink.prose(clipped(headline(finding), _MAX_FIELD))}"
    if finding.protected_area is not None:
        area = ink.prose(clipped(finding.protected_area, _MAX_FIELD))
        yield f"{ink.strong('Human decision required')}: {area}. A model may flag this; it does not decide."
    if item.shown.is_stale:
        yield f"{ink.strong('Stale')}: the text has changed since. Audit it again to know."
    yield f"Rule {_rule(item, ink)}"
    yield _origin(item, ink)
    for related in finding.related[:_MAX_RELATED]:
        place = ink.code(clipped(position(related.location), _MAX_FIELD))
        yield f"See {place}: {ink.prose(clipped(related.message, _MAX_FIELD))}".rstrip(": ")
    if finding.evidence.strip() and not _stands_there(item.shown, source):
        yield f"Evidence:\n{ink.block(first_lines(finding.evidence, _MAX_EVIDENCE_LINES, _MAX_FIELD))}"
    if because is not None and because.reasoning.strip():
        excerpt = ink.block(first_lines(because.reasoning, _MAX_EXCERPT_LINES, _MAX_EXCERPT))
        yield f"Reasoning, its beginning:\n{excerpt}"
    yield from _advice(item, ink)
    yield _verdict(item, ink)


def _rule(item: Explained, ink: Ink) -> str:
    rule = item.shown.finding.rule
    name = ink.link(clipped(rule.id, _MAX_FIELD), page_uri(rule.id))
    summary = ink.prose(clipped(rule.summary, _MAX_FIELD))
    return f"{name}: {summary}" if summary else name


def _origin(item: Explained, ink: Ink) -> str:
    """Who says so, how sure, and for how much."""
    finding, because = item.shown.finding, item.because
    sure = f"Confidence {finding.confidence.value}"
    if not is_models(finding):
        return f"{sure}; found by {ink.code(clipped(finding.origin.tool, _MAX_FIELD))}, without a model"
    model = because.model if because is not None else finding.origin.model or ""
    told = f"{sure}; found by the model {ink.code(clipped(model, _MAX_FIELD))}"
    if because is None or because.cost_usd is None:
        return told
    return f"{told}; its call cost {dollars(because.cost_usd)}"


def _stands_there(shown: Shown, source: Source | None) -> bool:
    """Say whether the evidence is what the reader sees at the finding's place."""
    if source is None or shown.region is None or shown.is_stale:
        return False
    return normalise(shown.finding.evidence) == normalise(source.slice(shown.region))


def _advice(item: Explained, ink: Ink) -> Iterator[str]:
    told = advice(item.shown.finding.rule.id)
    if told.verify:
        yield f"To verify, rule out what is not meant. {ink.trusted(told.verify)}"
    elif is_models(item.shown.finding):
        yield "To verify: read the marked text and what calls it. A model can be wrong; this rule's page has no list."
    else:
        yield "To verify: read the marked text against the rule; the tool saw no more than that."
    if told.fix:
        yield f"To fix: {ink.trusted(told.fix)}"


def _verdict(item: Explained, ink: Ink) -> str:
    verdict = item.verdict
    if verdict is None:
        return 'Not decided yet: "Kimi: Confirm" and "Kimi: Dismiss" are in the quick fixes.'
    who = f" by {ink.code(clipped(verdict.who, _MAX_FIELD))}" if verdict.who else ""
    when = f" on {ink.code(verdict.given_at[:10])}" if verdict.given_at else ""
    why = f": {ink.prose(clipped(verdict.reason, _MAX_FIELD))}" if verdict.reason else ""
    what = "Confirmed" if verdict.decision is Decision.CONFIRMED else "Dismissed"
    return f"{what}{who}{when}{why}"


def reasoning_document(shown: Shown, because: Because | None, verdict: Verdict | None = None) -> str:
    """A read-only Markdown document: the finding, which call it came from, the reasoning and the answer whole.

    Reasoning and answer are verbatim but for characters that cannot be seen, which are written as escapes. Without a
    call it says that no model was asked, or that the trail has no record.
    """
    return "\n\n".join(_document(Explained(shown, because, verdict))) + "\n"


def _document(item: Explained) -> Iterator[str]:
    finding, because, ink = item.shown.finding, item.because, MARKDOWN
    yield f"# Kimi: {ink.code(clipped(finding.rule.id, _MAX_FIELD))}"
    yield "\n".join(f"- {row}" for row in _facts(item))
    if because is None:
        if finding.origin.model is None:
            yield f"No model was asked: {ink.code(clipped(finding.origin.tool, _MAX_FIELD))} found this by itself."
        else:
            yield "The trail has no record of the call: it was erased, or its store cannot be read."
        return
    yield "## What was asked"
    yield "\n".join(f"- {row}" for row in _call(because))
    yield "## Reasoning"
    yield ink.block(because.reasoning) if because.reasoning.strip() else "The endpoint sent no reasoning."
    yield "## Answer"
    yield ink.block(because.answer) if because.answer.strip() else "There was none."


def _facts(item: Explained) -> Iterator[str]:
    shown, ink = item.shown, MARKDOWN
    finding, verdict = shown.finding, item.verdict
    yield f"finding: {ink.prose(clipped(headline(finding), _MAX_FIELD))}"
    yield f"place: {ink.code(_place(shown))}{', stale: the text has changed since' if shown.is_stale else ''}"
    yield f"level: {finding.severity.value}, confidence: {finding.confidence.value}"
    if (ask := decision(finding)) is not None:
        yield f"{ink.strong('protected area')}: {ink.prose(clipped(ask, _MAX_FIELD))}"
    if finding.fingerprint:
        yield f"fingerprint: {ink.code(finding.fingerprint)}"
    if verdict is not None:
        what = "confirmed" if verdict.decision is Decision.CONFIRMED else "dismissed"
        yield f"verdict: {what} {ink.prose(clipped(verdict.reason, _MAX_FIELD))}".rstrip()


def _call(because: Because) -> Iterator[str]:
    ink = MARKDOWN
    rows = (
        ("model", because.model),
        ("endpoint", because.endpoint),
        ("asked at", because.asked_at),
        ("status", because.status),
        ("record", because.trail_id),
    )
    for name, value in rows:
        if value:
            yield f"{name}: {ink.code(clipped(value, _MAX_FIELD))}"
    if because.usage is not None:
        yield f"usage of the whole call: {_usage(because.usage)}"
    if because.cost_usd is not None:
        yield f"cost of the whole call: {dollars(because.cost_usd)}"
    yield "the prompt, as it was sent: " + ink.code(f"kimi-lsp trail show {because.trail_id}")


def _usage(usage: Usage) -> str:
    told = (
        f"{usage.prompt_tokens:,} tokens in ({usage.cached_tokens:,} of them cached), "
        f"{usage.completion_tokens:,} out ({usage.reasoning_tokens:,} of them reasoning)"
    )
    return f"{told}, estimated" if usage.is_estimated else told


def _place(shown: Shown) -> str:
    return position(Location(shown.finding.location.path, shown.region))


def as_markdown(shown: Shown) -> str:
    """A finding for an issue, a review or a chat. Safe on GitHub and GitLab: no mention, reference or link in it."""
    finding = shown.finding
    rows = [f"**{finding.severity.value}** {literal(finding.rule.id)}: {literal(headline(finding))}", ""]
    rows.append(f"- place: {literal(_place(shown))}{' (stale: the text has changed since)' if shown.is_stale else ''}")
    if (ask := decision(finding)) is not None:
        rows.append(f"- **{literal(ask)}**")
    if finding.confidence is not Confidence.HIGH:
        rows.append(f"- confidence: {finding.confidence.value}")
    rows.append(f"- found by: {literal(finding.origin.model or finding.origin.tool)}")
    rows += [f"- see {literal(position(one.location))}: {literal(one.message)}" for one in finding.related[:10]]
    if finding.fingerprint:
        rows.append(f"- fingerprint: {literal(finding.fingerprint)}")
    if finding.evidence.strip():
        rows += ["", MARKDOWN.block(first_lines(finding.evidence, _MAX_COPIED_LINES, _MAX_COPIED))]
    return "\n".join(rows) + "\n"
