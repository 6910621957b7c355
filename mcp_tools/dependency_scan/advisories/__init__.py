"""Advisories: what is known of a package's versions, from a read-only index. Building one is in `build`. No network."""

from mcp_tools.dependency_scan.advisories.advisory import (
    Advisory,
    Coverage,
    Imported,
    IndexInfo,
    Informational,
    Rating,
    Reference,
    Severity,
    Source,
)
from mcp_tools.dependency_scan.advisories.audit import Audit, Checked, Status, audit
from mcp_tools.dependency_scan.advisories.index import BAD_INDEX, NO_INDEX, Entry, Index, open_index

__all__ = [
    "BAD_INDEX",
    "NO_INDEX",
    "Advisory",
    "Audit",
    "Checked",
    "Coverage",
    "Entry",
    "Imported",
    "Index",
    "IndexInfo",
    "Informational",
    "Rating",
    "Reference",
    "Severity",
    "Source",
    "Status",
    "audit",
    "open_index",
]
