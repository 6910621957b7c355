"""The JSON report: a stable, documented shape for programs. Lines and columns are 1-based, in code points."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Notice, Region, Report, Rule
from mcp_tools.output.context import Context
from mcp_tools.output.escape import encodable, printable, safe_uri
from mcp_tools.output.fingerprints import identity
from mcp_tools.output.jsontext import dumps
from mcp_tools.output.summary import Summary, headline, ordered_notices, summarise


class _Document(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        extra="forbid",
        frozen=True,
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )


class RegionDocument(_Document):
    """A span of text. The end is exclusive; a point has its end at its start."""

    start_line: int
    """1-based."""
    start_column: int
    """1-based, in code points."""
    end_line: int
    """1-based."""
    end_column: int
    """1-based, in code points, exclusive."""


class LocationDocument(_Document):
    """A place in the project."""

    path: str
    r"""POSIX path relative to the project's root. A byte that is not UTF-8 is shown as `\xff`: then `uri` is exact."""
    uri: str
    """The same path percent-encoded, always exact."""
    region: RegionDocument | None
    """Null for the file as a whole."""


class RelatedDocument(_Document):
    """Another place that bears on a finding."""

    message: str
    location: LocationDocument


class OriginDocument(_Document):
    """Who reported a finding."""

    tool: str
    model: str | None
    """The model's name where a model reported it."""
    trail_id: str | None
    """The trail record that holds the reasoning."""


class FindingDocument(_Document):
    """One place where a rule does not hold."""

    rule_id: str
    """The `id` of one of `rules`."""
    level: Level
    """The level that holds for this finding; the rule's own may differ."""
    message: str
    location: LocationDocument
    confidence: Confidence
    evidence: str
    """The text the finding rests on, secrets masked; may be empty."""
    fingerprint: str
    """The same finding has the same fingerprint after lines were added above it."""
    related: tuple[RelatedDocument, ...]
    origin: OriginDocument
    suppressed: str | None
    """Why the finding does not count; null where it counts."""
    protected_area: str | None
    """Where a human must decide: auth, payments, migrations, customer data."""


class RuleDocument(_Document):
    """What was looked for."""

    id: str
    summary: str
    level: Level
    lane: Lane
    tags: tuple[str, ...]
    help_uri: str | None


class NoticeDocument(_Document):
    """Something that was not done."""

    code: str
    message: str
    path: str | None
    uri: str | None
    """The path percent-encoded."""
    incomplete: bool
    """It makes the whole audit incomplete."""


class CountsDocument(_Document):
    """How many findings there are of each level, without the suppressed ones."""

    error: int
    warning: int
    note: int


class SummaryDocument(_Document):
    """What the report comes to."""

    complete: bool
    """False: not all was audited, and what was not audited is not clean."""
    files_read: int
    findings: CountsDocument
    suppressed: int
    """How many findings do not count; they are listed unless the caller asked for none."""


class ToolDocument(_Document):
    """Who made the report."""

    name: str
    version: str
    uri: str


class FactDocument(_Document):
    """Something about the run, such as its cost."""

    label: str
    value: str


class ReportDocument(_Document):
    """A whole report. Findings are sorted by place, rules by id, notices by gravity and code."""

    version: Literal[1] = 1
    """The version of this shape. A field may be added without a new version, none is taken away or changed."""
    column_kind: Literal["unicodeCodePoints"] = "unicodeCodePoints"
    """The unit of every column. Lines and columns are 1-based, ends are exclusive."""
    tool: ToolDocument
    summary: SummaryDocument
    facts: tuple[FactDocument, ...]
    rules: tuple[RuleDocument, ...]
    findings: tuple[FindingDocument, ...]
    notices: tuple[NoticeDocument, ...]


def report_document(report: Report, context: Context) -> ReportDocument:
    """The report as values for programs. Texts in it can always be encoded, and hide nothing from an eye."""
    summary = summarise(report)
    listed = (*summary.active, *summary.suppressed) if context.with_suppressed else summary.active
    rules = {finding.rule.id: finding.rule for finding in reversed(listed)}
    return ReportDocument(
        tool=ToolDocument(name=context.tool.name, version=context.tool.version, uri=context.tool.uri),
        summary=_summary(summary),
        facts=tuple(FactDocument(label=printable(label), value=printable(value)) for label, value in context.facts),
        rules=tuple(_rule(rules[name], context) for name in sorted(rules)),
        findings=tuple(map(_finding, listed)),
        notices=tuple(map(_notice, ordered_notices(report.notices))),
    )


def render_json(report: Report, context: Context) -> str:
    """The report as JSON text, one finding a line."""
    return dumps(report_document(report, context).model_dump(mode="json", by_alias=True), 2)


def _summary(summary: Summary) -> SummaryDocument:
    counts = dict(summary.counts)
    return SummaryDocument(
        complete=summary.is_complete,
        files_read=summary.files_read,
        findings=CountsDocument(error=counts[Level.ERROR], warning=counts[Level.WARNING], note=counts[Level.NOTE]),
        suppressed=len(summary.suppressed),
    )


def _rule(rule: Rule, context: Context) -> RuleDocument:
    return RuleDocument(
        id=printable(rule.id),
        summary=_prose(rule.summary),
        level=rule.level,
        lane=rule.lane,
        tags=tuple(map(printable, rule.tags)),
        help_uri=context.help_uri(rule.help_path),
    )


def _finding(finding: Finding) -> FindingDocument:
    origin = finding.origin
    return FindingDocument(
        rule_id=printable(finding.rule.id),
        level=finding.severity,
        message=_prose(headline(finding)),
        location=_location(finding.location),
        confidence=finding.confidence,
        evidence=_prose(finding.evidence),
        fingerprint=printable(identity(finding)),
        related=tuple(
            RelatedDocument(message=_prose(item.message), location=_location(item.location)) for item in finding.related
        ),
        origin=OriginDocument(
            tool=printable(origin.tool), model=_optional(origin.model), trail_id=_optional(origin.trail_id)
        ),
        suppressed=_optional(finding.suppressed),
        protected_area=_optional(finding.protected_area),
    )


def _location(location: Location) -> LocationDocument:
    region = location.region
    return LocationDocument(
        path=encodable(location.path), uri=safe_uri(location.path), region=_region(region) if region else None
    )


def _region(region: Region) -> RegionDocument:
    return RegionDocument(
        start_line=region.start_line + 1,
        start_column=region.start_column + 1,
        end_line=region.end_line + 1,
        end_column=region.end_column + 1,
    )


def _notice(notice: Notice) -> NoticeDocument:
    return NoticeDocument(
        code=printable(notice.code),
        message=_prose(notice.message),
        path=None if notice.path is None else encodable(notice.path),
        uri=None if notice.path is None else safe_uri(notice.path),
        incomplete=notice.incomplete,
    )


def _prose(text: str) -> str:
    return printable(text, keep="\n\t")


def _optional(text: str | None) -> str | None:
    return None if text is None else _prose(text)
