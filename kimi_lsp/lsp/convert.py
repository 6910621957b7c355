"""Findings as diagnostics, and places between our units and a client's. Pure: it translates and decides nothing.

What a finding says may come from a hostile file or model: it is made printable and short.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_lsp.faces.markup import clipped, one_line
from kimi_lsp.faces.rule_pages import page_uri
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.encoding import PositionEncoding, to_character, to_column
from kimi_lsp.lsp.protocol import (
    CodeDescription,
    Diagnostic,
    Location,
    Position,
    Range,
    RelatedInformation,
    Severity,
    Tag,
)
from mcp_tools.finding import Confidence, Finding, Level, Region, Related
from mcp_tools.output.summary import headline, position
from mcp_tools.project import Source

SOURCE = "kimi"
_MAX_MESSAGE = 1_000
_MAX_READ = 10_000  # of a message that may be a megabyte
_MAX_CODE = 100
_MAX_RELATED = 10
_MAX_RELATED_LINES = 3
_MAX_SEARCHED_LINES = 200
_SEVERITIES = {Level.ERROR: Severity.ERROR, Level.WARNING: Severity.WARNING, Level.NOTE: Severity.INFORMATION}
_TAGS = {"deprecated": Tag.DEPRECATED, "unnecessary": Tag.UNNECESSARY}  # the names of LSP, as tags of a rule


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding of a document as it stands in the present text; no region means the file as a whole."""

    finding: Finding
    region: Region | None
    is_stale: bool = False  # the text it was found in has changed


def diagnostic(
    shown: Shown,
    source: Source | None,
    caps: ClientCaps,
    encoding: PositionEncoding,
    uri_of: Callable[[str], str],
) -> Diagnostic:
    """Say a finding in the client's own units.

    Args:
        shown: the finding and where it is.
        source: the present text. Without it columns stay in code points, which is right for ASCII.
        caps: what the client can show; what it cannot is left out or said in the message.
        encoding: the units that were agreed on.
        uri_of: the URI of a project-relative path.
    """
    finding = shown.finding
    page = page_uri(finding.rule.id) if caps.code_description else None
    tags = [tag for name, tag in _TAGS.items() if name in finding.rule.tags and tag in caps.tags] if caps.tags else []
    related = finding.related[:_MAX_RELATED] if caps.related_information else ()
    return Diagnostic(
        range=to_range(place(shown, source), source, encoding),
        message=message(shown, with_related=not caps.related_information),
        severity=severity(shown),
        code=clipped(one_line(finding.rule.id), _MAX_CODE) or None,
        code_description=None if page is None else CodeDescription(page),
        source=SOURCE,
        tags=tags or None,
        related_information=[_related(one, source, encoding, uri_of) for one in related] or None,
    )


def is_models(finding: Finding) -> bool:
    """Say whether a model reported the finding, and not a tool."""
    return finding.origin.model is not None


def severity(shown: Shown) -> Severity:
    """How loud: as the level, but a hint when in doubt or stale, and never an error on a model's word alone."""
    if shown.is_stale or shown.finding.confidence is Confidence.LOW:
        return Severity.HINT
    told = _SEVERITIES[shown.finding.severity]
    return Severity.WARNING if told is Severity.ERROR and is_models(shown.finding) else told


def message(shown: Shown, *, with_related: bool = False) -> str:
    """The finding's message on one line and what to know of it; related places on lines of their own if asked for."""
    finding = shown.finding
    text = clipped(one_line(headline(finding)[:_MAX_READ]), _MAX_MESSAGE)
    marks = ["stale"] if shown.is_stale else []
    if finding.protected_area is not None:
        marks.append(f"human decision required: {clipped(one_line(finding.protected_area), _MAX_CODE)}")
    rows = [f"{text} ({'; '.join(marks)})" if marks else text]
    if with_related:
        rows += [_see(one) for one in finding.related[:_MAX_RELATED_LINES]]
        more = len(finding.related) - _MAX_RELATED_LINES
        rows += [f"and {more} more places"] if more > 0 else []
    return "\n".join(rows)


def _see(related: Related) -> str:
    why = clipped(one_line(related.message), _MAX_MESSAGE // 4)
    return f"see {one_line(position(related.location))}{f': {why}' if why else ''}"


def _related(
    related: Related, source: Source | None, encoding: PositionEncoding, uri_of: Callable[[str], str]
) -> RelatedInformation:
    where = related.location
    here = source if source is not None and source.path == where.path else None
    region = where.region or Region(0, 0, 0, 0)
    text = clipped(one_line(related.message), _MAX_MESSAGE) or "see here"
    return RelatedInformation(Location(uri_of(where.path), to_range(region, here, encoding)), text)


def place(shown: Shown, source: Source | None) -> Region:
    """Where a finding is drawn and found again: never an invisible point.

    A finding on a whole file is drawn under its first line with text; a point is widened to the character beside it.
    """
    region = shown.region
    if region is None:
        return _first_line(source)
    if not region.is_empty or source is None or region.start_line >= source.line_count:
        return region
    line, column = region.start_line, region.start_column
    length = len(source.line(line))
    if column < length:
        return Region(line, column, line, column + 1)
    return Region(line, max(length - 1, 0), line, length)


def _first_line(source: Source | None) -> Region:
    if source is None:
        return Region(0, 0, 0, 1)
    for number in range(min(source.line_count, _MAX_SEARCHED_LINES)):
        if source.line(number).strip():
            return source.line_region(number, number)
    return Region(0, 0, 0, 0)


def touching(shown: Sequence[Shown], region: Region, source: Source | None) -> list[Shown]:
    """The findings at a place, both ends included; the one that covers least goes first."""
    start, end = _ends(region)
    met: list[tuple[int, int, int, Shown]] = []
    for index, one in enumerate(shown):
        first, last = _ends(place(one, source))
        if first <= end and start <= last:
            met.append((last[0] - first[0], last[1] - first[1], index, one))
    return [one for *_, one in sorted(met, key=lambda item: item[:3])]


def _ends(region: Region) -> tuple[tuple[int, int], tuple[int, int]]:
    return (region.start_line, region.start_column), (region.end_line, region.end_column)


def to_range(region: Region, source: Source | None, encoding: PositionEncoding) -> Range:
    """A region in the client's units, clamped to the text where that is known."""
    return Range(
        _to_position(region.start_line, region.start_column, source, encoding),
        _to_position(region.end_line, region.end_column, source, encoding),
    )


def _to_position(line: int, column: int, source: Source | None, encoding: PositionEncoding) -> Position:
    if source is None:
        return Position(line, column)
    if line >= source.line_count:
        line, column = source.line_count - 1, len(source.text)
    return Position(line, to_character(source.line(line), column, encoding))


def to_region(span: Range, source: Source, encoding: PositionEncoding) -> Region:
    """A client's range as a region, clamped to the text; its ends in either order."""
    ends = sorted((_from_position(span.start, source, encoding), _from_position(span.end, source, encoding)))
    return Region(*ends[0], *ends[1])


def to_point(at: Position, source: Source, encoding: PositionEncoding) -> Region:
    """A client's position as an empty region, clamped to the text."""
    return to_region(Range(at, at), source, encoding)


def _from_position(at: Position, source: Source, encoding: PositionEncoding) -> tuple[int, int]:
    if at.line >= source.line_count:
        last = source.line_count - 1
        return last, len(source.line(last))
    return at.line, to_column(source.line(at.line), at.character, encoding)
