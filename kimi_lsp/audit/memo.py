"""Write findings down and read them back, for the cache. What cannot be read back counts as unknown."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast

from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Origin, Region, Related, Rule

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
