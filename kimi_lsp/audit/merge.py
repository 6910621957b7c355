"""Decide whether a finding is news: by fingerprint first, then by place, rule and words. Pure state, no I/O."""

import re
from dataclasses import dataclass, field

from mcp_tools.finding import Finding, Region

_WORD = re.compile(r"[a-z0-9_]+")
_ALIKE = 0.8


@dataclass(slots=True)
class Merger:
    """The findings of one audit so far. Deterministic findings come first and are never displaced."""

    _by_path: dict[str, list[Finding]] = field(default_factory=dict[str, list[Finding]])
    _fingerprints: set[str] = field(default_factory=set[str])

    def add(self, finding: Finding) -> Finding | None:
        """Take a finding in.

        Returns:
            None when it is news; else the finding that says the same already.
        """
        known = self._by_path.setdefault(finding.location.path, [])
        if finding.fingerprint in self._fingerprints:
            return next(other for other in known if other.fingerprint == finding.fingerprint)
        for other in known:
            if _says_the_same(finding, other):
                return other
        known.append(finding)
        self._fingerprints.add(finding.fingerprint)
        return None

    def on(self, path: str) -> tuple[Finding, ...]:
        """The findings on a file so far."""
        return tuple(self._by_path.get(path, ()))


def _says_the_same(new: Finding, old: Finding) -> bool:
    """Same place and same rule, or same place and nearly the same words. Two tool findings are never united here."""
    if new.origin.model is None and old.origin.model is None:
        return False
    if not _same_place(new.location.region, old.location.region):
        return False
    return new.rule.id == old.rule.id or similarity(new.message, old.message) >= _ALIKE


def _same_place(one: Region | None, other: Region | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.overlaps(other)


def similarity(one: str, other: str) -> float:
    """How alike two messages are, 0..1: shared words over the words of the shorter."""
    ours, theirs = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    if min(len(ours), len(theirs)) < 3:
        return 1.0 if ours == theirs else 0.0
    return len(ours & theirs) / min(len(ours), len(theirs))
