"""Findings of a tool and of a model on a small file, for the tests of how they are said."""

from dataclasses import replace
from pathlib import PurePosixPath

from kimi_lsp.faces.uris import uri_of
from kimi_lsp.lsp.convert import Shown
from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Origin, Region, Related, Rule
from mcp_tools.project import Source

TEXT = "\n# 名前 𐐀\nrun('𐐀' + query)\n    \nlast = 1"
SOURCE = Source("app/db.py", TEXT, "python")
PLACE = Region(2, 4, 2, 15)

SQL = Rule("sql-injection", "SQL is built from text that is not constant.", Level.ERROR, Lane.SECURITY, ("CWE-89",))
BY_TOOL = Finding(
    SQL,
    "The query is built from `query`.",
    Location("app/db.py", PLACE),
    Confidence.HIGH,
    evidence="'𐐀' + query",
    fingerprint="11" * 16,
    related=(Related("it comes from here", Location("app/web.py", Region(6, 2, 6, 9))),),
    origin=Origin("security_surface"),
)
BY_MODEL = replace(
    BY_TOOL,
    message="Whoever calls this chooses the query.",
    confidence=Confidence.MEDIUM,
    evidence="",
    fingerprint="22" * 16,
    related=(),
    origin=Origin("kimi-lsp", "kimi-k2.6", "run-7/3"),
)


def shown(finding: Finding, *, is_stale: bool = False) -> Shown:
    return Shown(finding, finding.location.region, is_stale)


def project_uri(path: str) -> str:
    return uri_of(PurePosixPath("/p") / path)
