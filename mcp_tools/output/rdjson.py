"""Reviewdog's diagnostic format (rdjson). Columns are UTF-8 bytes, ends are exclusive.

The format is `proto/rdf/reviewdog.proto` of reviewdog/reviewdog. Only fields of its first edition are written, because
the reader refuses a field that it does not know.
"""

from mcp_tools.finding import Finding, Level, Location, Region, Report
from mcp_tools.output.context import Context
from mcp_tools.output.escape import encodable, printable
from mcp_tools.output.jsontext import Json, JsonObject, dumps
from mcp_tools.output.places import by_file, measured, utf8_bytes
from mcp_tools.output.summary import decision, headline, position, summarise

_SEVERITIES = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}


def render_rdjson(report: Report, context: Context) -> str:
    """Every finding that counts as a diagnostic. Notices have no place in this format."""
    findings = summarise(report).active
    regions = {
        (path, before): after
        for path, places in sorted(by_file(findings).items())
        for before, after in measured(context.sources(path), places.regions, utf8_bytes).items()
    }
    document: JsonObject = {
        "source": {"name": context.tool.name, "url": context.tool.uri},
        "diagnostics": [_diagnostic(finding, context, regions) for finding in findings],
    }
    return dumps(document, 2)


def _diagnostic(finding: Finding, context: Context, regions: dict[tuple[str, Region], Region]) -> JsonObject:
    uri = context.help_uri(finding.rule.help_path)
    code: JsonObject = {"value": printable(finding.rule.id)}
    return {
        "message": _message(finding),
        "location": _location(finding.location, regions),
        "severity": _SEVERITIES[finding.severity],
        "code": code if uri is None else {**code, "url": uri},
    }


def _message(finding: Finding) -> str:
    notes = [f"see {position(related.location)}: {related.message}" for related in finding.related]
    ask = decision(finding)
    return printable("\n".join([headline(finding), *notes, *([ask] if ask else [])]), keep="\n\t")


def _location(location: Location, regions: dict[tuple[str, Region], Region]) -> JsonObject:
    path = encodable(location.path)
    if location.region is None:
        return {"path": path}
    region = regions[location.path, location.region]
    span: Json = {
        "start": {"line": region.start_line + 1, "column": region.start_column + 1},
        "end": {"line": region.end_line + 1, "column": region.end_column + 1},
    }
    return {"path": path, "range": span}
