"""Findings of one text, kept up while it is edited."""

from collections.abc import Sequence

from mcp_tools.finding import Finding, Notice
from mcp_tools.project import Source
from mcp_tools.security_surface.engine import scan_source


class LiveScan:
    """Placeholder until the incremental scan lands: a whole scan each time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: tuple[Finding, ...] = ()
        self.notices: tuple[Notice, ...] = ()
        self.update(source, ())

    def update(self, source: Source, edits: Sequence[tuple[int, int, int]]) -> None:
        """Take a changed text in."""
        del edits
        self.source = source
        items = list(scan_source(source))
        self.findings = tuple(item for item in items if isinstance(item, Finding))
        self.notices = tuple(item for item in items if isinstance(item, Notice))

    def settle(self) -> bool:
        """Nothing is left to do."""
        return False
