"""From a parsed candidate to a finding on real text, or the reason why not. Pure."""

import re
from dataclasses import dataclass

from kimi_lsp.audit.anchor import Anchored, Anchorer
from kimi_lsp.audit.gate import protected_area
from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.parse import Candidate
from kimi_lsp.audit.units import Unit
from mcp_tools.finding import Confidence, Finding, Location, Origin, Region, Related
from mcp_tools.redaction import Redactor

_MAX_MESSAGE_CHARS = 600
_MAX_EVIDENCE_CHARS = 1_500


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that is kept in the trail and not shown, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the candidates of one unit's answer."""

    spec: LaneSpec
    unit: Unit
    anchorer: Anchorer
    redactor: Redactor
    model: str
    trail_id: str

    def read(self, candidate: Candidate) -> Finding | Rejected:
        """Check the rule, anchor the quote, and say it as a finding.

        Quotes are mapped back from placeholders before they are anchored; messages keep the placeholders, and a secret
        that a model guessed gets one, so that no report repeats a secret.
        """
        rule = self.spec.rules.get(candidate.rule.strip().lower().replace("_", "-"))
        if rule is None:
            return Rejected(candidate, f"unknown rule {candidate.rule[:60]!r}")
        message = self._said(candidate.message, _MAX_MESSAGE_CHARS)
        if not message:
            return Rejected(candidate, "no message")
        shown = Region(self.unit.first_line, 0, self.unit.last_line, len(self.unit.source.line(self.unit.last_line)))
        quote, symbol = self.redactor.restore(candidate.quote), candidate.symbol or None
        anchor = self.anchorer.anchor(quote, candidate.line, within=shown, symbol=symbol)
        if not isinstance(anchor, Anchored):
            return Rejected(candidate, anchor.reason)
        path = self.unit.source.path
        confidence = _confidence(candidate.confidence)
        return Finding(
            rule=rule,
            message=message,
            location=Location(path, anchor.region),
            confidence=Confidence.LOW if anchor.is_ambiguous else confidence,
            evidence=self._said(
                " ".join(filter(None, (candidate.why, candidate.fix and f"Fix: {candidate.fix}"))), _MAX_EVIDENCE_CHARS
            ),
            fingerprint=self.unit.source.fingerprint(rule.id, anchor.region),
            related=tuple(
                Related("the quoted text stands here too", Location(path, other))
                for other in anchor.alternatives
                if anchor.is_ambiguous
            ),
            origin=Origin("kimi", self.model, self.trail_id),
            protected_area=protected_area(path),
        )

    def _said(self, text: str, limit: int) -> str:
        return _one_line(self.redactor.redact(text), limit)


def _confidence(word: str) -> Confidence:
    try:
        return Confidence(word.strip().lower())
    except ValueError:
        return Confidence.MEDIUM


_SPACE = re.compile(r"\s+")


def _one_line(text: str, limit: int) -> str:
    folded = _SPACE.sub(" ", text).strip()
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"
