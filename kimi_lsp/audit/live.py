"""What the lanes' tools say of one text while it is being edited. Knows no model, no store and no event loop."""

from collections.abc import Iterator, Sequence

from kimi_lsp.audit.lanes import LANES
from kimi_lsp.audit.levels import levelled
from kimi_lsp.config import Rules
from mcp_tools.finding import Finding, Lane
from mcp_tools.project import Project, Source

Edit = tuple[int, int, int]
"""Start, stop and new stop of a change, in code points, each into the text that the one before it left."""


class LiveFacts:
    """The findings on one text at the levels that hold. For one thread at a time."""

    def __init__(self, source: Source, lanes: Sequence[Lane], rules: Rules) -> None:
        self._rules = rules
        self._scans = [spec.live(source) for lane in lanes if (spec := LANES.get(lane)) and spec.live]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found in the text of the last call."""
        return tuple(_levelled((item for scan in self._scans for item in scan.findings), self._rules))

    def update(self, source: Source, edits: Sequence[Edit]) -> None:
        """Take in what changed: quick, and right but for what an edit does far away from itself."""
        for scan in self._scans:
            scan.update(source, edits)

    def settle(self) -> bool:
        """Look at the whole text once more. True when that changed anything."""
        changed = [scan.settle() for scan in self._scans]  # all of them, also after the first that changed
        return any(changed)


def file_facts(project: Project, paths: Sequence[str], lanes: Sequence[Lane], rules: Rules) -> tuple[Finding, ...]:
    """All that the lanes' tools find in some files, at the levels that hold; in a thread, for this may run programs."""
    found: list[Finding] = []
    for lane in lanes:
        if lane in LANES:
            found += [item for item in LANES[lane].tool(project, paths) if isinstance(item, Finding)]
    return tuple(_levelled(found, rules))


def _levelled(findings: Iterator[Finding] | Sequence[Finding], rules: Rules) -> Iterator[Finding]:
    for finding in findings:
        judged = levelled(finding, rules)
        if judged is not None:
            yield judged
