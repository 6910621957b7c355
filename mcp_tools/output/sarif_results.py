"""The results of a SARIF run: places in UTF-16 columns, fingerprints, related places, suppressions."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_tools.finding import Finding, Location, Region
from mcp_tools.output.context import Context
from mcp_tools.output.escape import printable, safe_uri
from mcp_tools.output.fingerprints import identity, source_line_hashes
from mcp_tools.output.jsontext import Json, JsonObject
from mcp_tools.output.places import by_file, measured, utf16_units
from mcp_tools.output.sarif_rules import RuleTable, rule_id
from mcp_tools.output.summary import decision, headline, position

_MAX_RELATED = 100  # GitHub takes 1,000 locations a result
_MAX_LINKED = 5
_LINK_START = re.compile(r"\[(?=[^\[\]]*\]\()")
_WHOLE_FILE = Region(0, 0, 0, 0)  # GitHub wants a region: the point at which the file begins


@dataclass(frozen=True, slots=True)
class Places:
    """What the sources say about the findings' places: UTF-16 regions, and line hashes by path."""

    regions: Mapping[tuple[str, Region], Region]
    hashes: Mapping[str, Sequence[str]]


def look_up(findings: Sequence[Finding], context: Context) -> Places:
    """Ask each source once for all that SARIF needs of it, one source at a time."""
    regions: dict[tuple[str, Region], Region] = {}
    hashes: dict[str, list[str]] = {}
    for path, places in sorted(by_file(findings).items()):
        source = context.sources(path)
        for before, after in measured(source, places.regions, utf16_units).items():
            regions[path, before] = after
        if source is not None and places.primary_lines:
            hashes[path] = source_line_hashes(source, max(places.primary_lines) + 1)
    return Places(regions, hashes)


def result(finding: Finding, rules: RuleTable, places: Places) -> JsonObject:
    """One finding as a SARIF result."""
    name = rule_id(finding.rule)
    related = finding.related[:_MAX_RELATED]
    document: dict[str, Json] = {
        "ruleId": name,
        "ruleIndex": rules.indices[name],
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _physical(finding.location, places)}],
        "partialFingerprints": {
            "primaryLocationLineHash": _line_hash(finding, places),
            "kimiFingerprint/v1": printable(identity(finding)),
        },
    }
    if related:
        document["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _literal(item.message.strip()) or "related"},
                "physicalLocation": _physical(item.location, places),
            }
            for number, item in enumerate(related, 1)
        ]
    if finding.suppressed is not None:
        document["suppressions"] = [_suppression(finding.suppressed)]
    document["properties"] = _properties(finding)
    return document


def _message(finding: Finding) -> str:
    """The message; then links to related places, which GitHub shows only where the message links to them."""
    ask = decision(finding)
    parts = [_literal(headline(finding)), *([_literal(ask)] if ask else [])]
    if finding.related:
        links = (
            f"[{_label(position(item.location))}]({number})"
            for number, item in enumerate(finding.related[:_MAX_LINKED], 1)
        )
        parts.append(f"See also: {', '.join(links)}")
    return "\n".join(parts)


def _literal(text: str) -> str:
    """Text in which nothing is an embedded link (SARIF 2.1.0, 3.11.6)."""
    return _LINK_START.sub(r"\\[", printable(text, keep="\n\t"))


def _label(text: str) -> str:
    return re.sub(r"([\\\[\]])", r"\\\1", printable(text))


def _physical(location: Location, places: Places) -> JsonObject:
    region = _WHOLE_FILE if location.region is None else places.regions[location.path, location.region]
    return {
        "artifactLocation": artifact(location.path),
        "region": {
            "startLine": region.start_line + 1,
            "startColumn": region.start_column + 1,
            "endLine": region.end_line + 1,
            "endColumn": region.end_column + 1,
        },
    }


def artifact(path: str) -> JsonObject:
    """A file by its URI below the root of the sources."""
    return {"uri": safe_uri(path) or ".", "uriBaseId": "%SRCROOT%"}


def _line_hash(finding: Finding, places: Places) -> str:
    """GitHub's line hash; where the line cannot be had, a stable stand-in of the same form."""
    region = finding.location.region
    line = region.start_line if region else 0
    hashes = places.hashes.get(finding.location.path, ())
    if line < len(hashes):
        return hashes[line]
    digest = hashlib.sha256(identity(finding).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:16]}:1"


def _suppression(reason: str) -> JsonObject:
    """A human's verdict ("dismissed: …") lies outside the source, anything else is a marker in it."""
    kind = "external" if reason.startswith("dismissed") else "inSource"
    return {"kind": kind, "status": "accepted", "justification": printable(reason, keep="\n\t")}


def _properties(finding: Finding) -> JsonObject:
    optional = {
        "evidence": finding.evidence,
        "model": finding.origin.model,
        "trailId": finding.origin.trail_id,
        "protectedArea": finding.protected_area,
    }
    return {
        "confidence": finding.confidence.value,
        "tool": printable(finding.origin.tool),
        **{key: printable(value, keep="\n\t") for key, value in optional.items() if value},
    }
