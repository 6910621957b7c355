"""Findings of one text, kept up while it is edited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from mcp_tools.finding import Finding, Location, Notice
from mcp_tools.project import Source
from mcp_tools.redaction import Secret
from mcp_tools.redaction.live import Hunk, LiveSecrets, hunks
from mcp_tools.security_surface.drafts import Draft, Stamp, blotted, finding, of_secret
from mcp_tools.security_surface.lines import Lines
from mcp_tools.security_surface.live_queries import LiveQueries
from mcp_tools.security_surface.suppress import suppression

_SMALL = 8_000  # characters up to which a text is scanned as a whole at every change: it takes two milliseconds
_MOST_CHANGED = 4  # parts of the text of which one may have changed

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A finding with what it was made of."""

    draft: Draft
    finding: Finding
    block: str  # what its first line reads like


class LiveScan:
    """What `scan_source` says of a text, kept up while the text is edited. For one thread at a time.

    `update` takes a few milliseconds however long the text is, and gives what a scan of the whole would, but where an
    edit decides about text far away: `settle` puts that right, for the price of a whole scan.

    Args:
        source: the text.
        small: a text of at most so many characters is scanned as a whole each time.
    """

    def __init__(self, source: Source, *, small: int = _SMALL) -> None:
        self.findings: tuple[Finding, ...] = ()
        self.notices: tuple[Notice, ...] = ()
        self._small = small
        self._start(source)

    @property
    def source(self) -> Source:
        """The text that the findings are about."""
        return self._source

    def update(self, source: Source, edits: Sequence[tuple[int, int, int]]) -> None:
        """Take a changed text in.

        Args:
            source: the text as it is now.
            edits: what was changed since the last call: start, stop and new stop, in code points, each into the text
                that the one before it left. A hint: where it does not fit, the two texts are compared.
        """
        old = self._source
        if (source.path, source.language) != (old.path, old.language) or len(source.text) <= self._small:
            self._start(source)
            return
        changed = hunks(old.text, source.text, edits)
        self._source = source
        if not changed:
            return
        if sum(hunk.stop - hunk.start + hunk.old_stop - hunk.old_start for hunk in changed) * _MOST_CHANGED > len(
            source.text
        ):
            self._start(source)
            return
        self._is_settled = False
        stretches = self._secrets.update(source.text, changed)
        self._queries.update(source, changed)
        self._stamp(stretches)

    def settle(self) -> bool:
        """Scan the text as a whole, if an edit was taken in since that was last done. True when it changed anything."""
        if self._is_settled:
            if self._lines is None:  # the first finding would pay for it, in the middle of typing
                self._lines = Lines(self._source.path, self._source.text, self._blot)
            return False
        before = self.findings, self.notices
        self._start(self._source)
        return before != (self.findings, self.notices)

    def _start(self, source: Source) -> None:
        self._source = source
        self._secrets = LiveSecrets(source.text, source.path)
        self._queries = LiveQueries(source)
        self._lines: Lines | None = None
        self._stamped: dict[Key, _Stamped] = {}
        self._is_settled = True
        self._stamp(())

    def _stamp(self, stretches: Sequence[Hunk]) -> None:
        """Make the drafts findings. What lies outside of the stretches is only moved."""
        source = self._source
        self.notices = tuple(self._queries.notices)
        secrets = [secret for secret in self._secrets.found if secret.is_reportable]
        drafts = [*map(of_secret, secrets), *self._queries.drafts]
        blot = self._blot = partial(blotted, source.text, secrets)
        known: dict[Key, _Stamped] = {}
        if self._lines is not None:
            touched = self._lines.splice(source.text, stretches, blot)
            known = {
                (each.draft.rule.id, start, start + each.draft.stop - each.draft.start): each
                for each in self._stamped.values()
                if each.block not in touched and (start := _moved(each.draft, stretches)) is not None
            }
        elif drafts:
            self._lines = Lines(source.path, source.text, blot)
        self._stamped = {}
        if self._lines is None:
            self.findings = ()
            return
        for draft in drafts:
            key = (draft.rule.id, draft.start, draft.stop)
            self._stamped[key] = self._stamped_one(draft, self._lines, known.get(key), secrets)
        found = (each.finding for each in self._stamped.values())
        self.findings = tuple(sorted(found, key=lambda each: (each.location.region, each.rule.id)))

    def _stamped_one(self, draft: Draft, lines: Lines, known: _Stamped | None, secrets: Sequence[Secret]) -> _Stamped:
        region = lines.region(draft.start, draft.stop)
        if known is not None and _is_same(known.draft, draft):
            location = known.finding.location
            if location.region == region:
                return _Stamped(draft, known.finding, known.block)
            return _Stamped(draft, replace(known.finding, location=Location(location.path, region)), known.block)
        rule_id, source = draft.rule.id, self._source
        mark = suppression(lines.line, rule_id, region, is_python=source.language == "python")
        stamp = Stamp(region, lines.fingerprint(rule_id, region), mark)
        return _Stamped(draft, finding(draft, stamp, source, secrets), lines.block(region))


def _moved(draft: Draft, stretches: Sequence[Hunk]) -> int | None:
    """Where a draft begins now; None when a stretch touches it."""
    shift = 0
    for stretch in stretches:
        if stretch.old_start < draft.stop and draft.start < stretch.old_stop:
            return None
        if stretch.old_stop <= draft.start:
            shift = stretch.stop - stretch.old_stop
    return draft.start + shift


def _is_same(one: Draft, other: Draft) -> bool:
    return (one.message, one.confidence, one.tool) == (other.message, other.confidence, other.tool)
