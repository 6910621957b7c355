"""Lists of affected versions cut down to what the ranges beside them do not say. Pure.

Databases enumerate every version a range holds: of 588,814 listed by PyPA, a few hundred say something new.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from mcp_tools.dependency_scan.versions import (
    AFFECTED,
    Affected,
    Event,
    EventKind,
    Range,
    RangeType,
    VersionKey,
    affects,
    key,
)

_PLAIN: Final = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}", re.ASCII)
_ONE_KEY: Final = {"PyPI", "Maven", "RubyGems", "NuGet"}
"""Where a plain version in a range compares by `key` itself; these are the ones that enumerate."""


def without_implied(ecosystem: str, affected: Affected) -> Affected:
    """The same answers with fewer listed versions: `affects` says the same of every version, in less time."""
    ranges = tuple(found for found in affected.ranges if found.type is not RangeType.GIT)
    if not affected.versions or not ranges:
        return affected
    alone = Affected(ranges)
    spans = tuple(_Spans.each(ecosystem, ranges))
    kept = frozenset(
        version
        for version in affected.versions
        if not any(span.holds(version) for span in spans) and affects(ecosystem, version, alone) != AFFECTED
    )
    return Affected(affected.ranges, kept)


class _Spans:
    """A range whose bounds are plain numbers, as sorted keys: the quick answer for plain versions inside it."""

    def __init__(self, ecosystem: str, bounds: list[tuple[VersionKey, bool]]) -> None:
        self._ecosystem = ecosystem
        self._keys = [bound for bound, _ in bounds]
        self._begins = [begins for _, begins in bounds]

    @classmethod
    def each(cls, ecosystem: str, ranges: tuple[Range, ...]) -> Iterator["_Spans"]:
        if ecosystem not in _ONE_KEY:
            return
        for found in ranges:
            bounds = [_bound(ecosystem, event) for event in found.events]
            plain = sorted(bound for bound in bounds if bound is not None)
            distinct = {bound for bound, _ in plain}
            if found.type is RangeType.ECOSYSTEM and len(plain) == len(bounds) == len(distinct):
                yield cls(ecosystem, plain)

    def holds(self, version: str) -> bool:
        """True only where it certainly does."""
        if _PLAIN.fullmatch(version) is None:
            return False
        at = key(self._ecosystem, version)
        place = -1 if at is None else bisect_right(self._keys, at) - 1
        return place >= 0 and self._begins[place]


def _bound(ecosystem: str, event: Event) -> tuple[VersionKey, bool] | None:
    if event.kind not in (EventKind.INTRODUCED, EventKind.FIXED):
        return None
    if event.version == "0" and event.kind is EventKind.INTRODUCED:
        return (), True
    bound = key(ecosystem, event.version) if _PLAIN.fullmatch(event.version) else None
    return None if bound is None else (bound, event.kind is EventKind.INTRODUCED)
