"""Write findings down and read them back, for the cache. What cannot be read back counts as unknown."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Origin, Region, Related, Rule
from mcp_tools.project import Source

_Json = Mapping[str, Any]  # checked by the constructors below: a wrong shape is a KeyError, TypeError or ValueError


def encode_findings(findings: Iterable[Finding]) -> str:
    """Findings as JSON; paths keep their lone surrogates. The empty string stays for "unknown"."""
    return json.dumps([asdict(finding) for finding in findings], separators=(",", ":"))


def decode_findings(text: str) -> tuple[Finding, ...] | None:
    """The findings of a JSON text; None when it is empty, of another version, or damaged."""
    if text == "[]":
        return ()
    if not text:
        return None
    try:
        items: object = json.loads(text)
        if not isinstance(items, list):
            return None
        return tuple(_finding(item) for item in cast("list[_Json]", items))
    except (ValueError, TypeError, KeyError):
        return None


def encode_review(findings: Iterable[Finding], first_line: int) -> str:
    """The findings of a unit, their places counted from the unit's first line: an edit above it changes nothing."""
    return encode_findings(_moved(finding, -first_line) for finding in findings)


def decode_review(text: str, source: Source, first_line: int) -> tuple[Finding, ...] | None:
    """The findings of a unit where it stands now, stamped anew; None when they are unknown or do not fit the text."""
    remembered = decode_findings(text)
    if remembered is None:
        return None
    findings: list[Finding] = []
    for finding in remembered:
        moved = _moved(finding, first_line)
        region = moved.location.region
        if moved.location.path != source.path or region is None or region.end_line >= source.line_count:
            return None
        findings.append(replace(moved, fingerprint=source.fingerprint(moved.rule.id, region)))
    return tuple(findings)


def _moved(finding: Finding, lines: int) -> Finding:
    """A finding and the places it names in its own file, so many lines further down; those that fall out are left."""
    here = finding.location.path
    related: list[Related] = []
    for other in finding.related:
        region = other.location.region
        if other.location.path != here or region is None:
            related.append(other)
        elif region.start_line + lines >= 0:
            related.append(replace(other, location=Location(here, _down(region, lines))))
    region = finding.location.region
    place = Location(here, None if region is None else _down(region, lines))
    return replace(finding, location=place, related=tuple(related))


def _down(region: Region, lines: int) -> Region:
    return Region(region.start_line + lines, region.start_column, region.end_line + lines, region.end_column)


def _finding(item: _Json) -> Finding:
    return Finding(
        rule=_rule(item["rule"]),
        message=item["message"],
        location=_location(item["location"]),
        confidence=Confidence(item["confidence"]),
        evidence=item["evidence"],
        fingerprint=item["fingerprint"],
        related=tuple(Related(other["message"], _location(other["location"])) for other in item["related"]),
        origin=Origin(**item["origin"]),
        level=Level(item["level"]) if item["level"] else None,
        suppressed=item["suppressed"],
        protected_area=item["protected_area"],
    )


def _rule(item: _Json) -> Rule:
    return Rule(item["id"], item["summary"], Level(item["level"]), Lane(item["lane"]), tuple(item["tags"]))


def _location(item: _Json) -> Location:
    return Location(item["path"], Region(**item["region"]) if item["region"] else None)
