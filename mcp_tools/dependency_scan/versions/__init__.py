"""Versions: how they compare in each ecosystem, whether an advisory's ranges hold one, what a requirement allows.

Pure and offline. Nothing here raises for what a version, a range or a requirement says, in time linear in the text.
"""

from mcp_tools.dependency_scan.versions.affected import Affected, Event, EventKind, Range, RangeType
from mcp_tools.dependency_scan.versions.orders import ECOSYSTEMS, compare, key, normalised
from mcp_tools.dependency_scan.versions.parts import VersionKey
from mcp_tools.dependency_scan.versions.requirements import allows, is_pinned
from mcp_tools.dependency_scan.versions.verdict import (
    AFFECTED,
    NOT_AFFECTED,
    Answer,
    Verdict,
    affects,
    smallest_fixed,
    unknown,
)

__all__ = [
    "AFFECTED",
    "ECOSYSTEMS",
    "NOT_AFFECTED",
    "Affected",
    "Answer",
    "Event",
    "EventKind",
    "Range",
    "RangeType",
    "Verdict",
    "VersionKey",
    "affects",
    "allows",
    "compare",
    "is_pinned",
    "key",
    "normalised",
    "smallest_fixed",
    "unknown",
]
