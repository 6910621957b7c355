"""Which dependencies are vulnerable, which are not, and which cannot be judged, and why. Pure but for the index."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from mcp_tools.dependency_scan.advisories.advisory import Advisory, IndexInfo
from mcp_tools.dependency_scan.advisories.index import Entry, Index
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, SourceKind
from mcp_tools.dependency_scan.versions import (
    Affected,
    Answer,
    Event,
    EventKind,
    RangeType,
    Verdict,
    affects,
    smallest_fixed,
)
from mcp_tools.finding import Notice

NO_DATA: Final = "there is no advisory data"
_FROM_THE_START: Final = (Event(EventKind.INTRODUCED, "0"),)
_OWN: Final = {SourceKind.WORKSPACE, SourceKind.PATH}
_ELSEWHERE: Final = {
    SourceKind.GIT: "it comes from a git repository, where a version does not say what is in it",
    SourceKind.URL: "it comes from an address, where a version does not say what is in it",
}


class Status(StrEnum):
    """Vulnerable, clean, or not audited."""

    VULNERABLE = "vulnerable"
    CLEAN = "clean"
    UNAUDITED = "unaudited"


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer for one dependency.

    `advisories` hold for its version. `safe` is the smallest later version no advisory about the package affects, as an
    advisory writes it; None where none is known. `reason` says why it is unaudited; beside advisories, why there may be
    more of them.
    """

    dependency: Dependency
    status: Status
    advisories: tuple[Advisory, ...] = ()
    safe: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """The answers in the order of the dependencies, and what they rest on. `info` is None where there is no index."""

    checked: tuple[Checked, ...]
    info: IndexInfo | None
    notices: tuple[Notice, ...] = ()

    @property
    def vulnerable(self) -> tuple[Checked, ...]:
        """Those that an advisory holds for."""
        return self._with(Status.VULNERABLE)

    @property
    def clean(self) -> tuple[Checked, ...]:
        """Those that every advisory was held against, and none holds for."""
        return self._with(Status.CLEAN)

    @property
    def unaudited(self) -> tuple[Checked, ...]:
        """Those of which nothing can be said, each with its reason."""
        return self._with(Status.UNAUDITED)

    @property
    def is_clean(self) -> bool:
        """True only where every dependency was audited and none is vulnerable."""
        return all(item.status is Status.CLEAN for item in self.checked)

    def age_days(self, now: datetime) -> int | None:
        """How old the data is."""
        return self.info.age_days(now) if self.info is not None else None

    def _with(self, status: Status) -> tuple[Checked, ...]:
        return tuple(item for item in self.checked if item.status is status)


def audit(index: Index | None, dependencies: Iterable[Dependency]) -> Audit:
    """Hold dependencies against an index; without one, all are unaudited.

    Nothing is raised. A dependency is clean only where its exact version is known, the index covers its ecosystem, and
    every range of every advisory about it could be evaluated.
    """
    if index is None:
        return Audit(tuple(Checked(item, Status.UNAUDITED, reason=NO_DATA) for item in dependencies), None)
    auditor = _Auditor(index)
    checked = tuple(map(auditor.check, dependencies))
    return Audit(checked, index.info, tuple(auditor.notices()))


class _Auditor:
    """One audit: answers are shared among equal packages."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._damaged: dict[Notice, None] = {}
        self._known: dict[tuple[Ecosystem, str, str], _Found] = {}

    def notices(self) -> Iterator[Notice]:
        yield from self._damaged
        unreadable = self._index.info.unreadable
        if unreadable:
            few = "1 advisory that could not be read is" if unreadable == 1 else ""
            some = few or f"{unreadable:,} advisories that could not be read are"
            yield Notice("advisories-left-out", f"{some} not in the index.")

    def check(self, item: Dependency) -> Checked:
        reason = self._out_of_reach(item)
        if reason:
            return Checked(item, Status.UNAUDITED, reason=reason)
        if item.version is None:
            return self._unpinned(item)
        identity = (item.ecosystem, item.normalised, item.version)
        found = self._known.get(identity)
        if found is None:
            found = self._known[identity] = self._find(*identity)
        if found.advisories:
            return Checked(item, Status.VULNERABLE, found.advisories, found.safe, found.doubt)
        reason = found.doubt or _ELSEWHERE.get(item.provenance.kind, "")
        return Checked(item, Status.UNAUDITED if reason else Status.CLEAN, reason=reason)

    def _out_of_reach(self, item: Dependency) -> str:
        if item.provenance.kind in _OWN:
            return "it is part of the project itself"
        if not item.normalised.isprintable():
            return "its name is not the name of a package"
        if not item.ecosystem.is_osv:
            return f"there are no advisories for {item.ecosystem} packages"
        if not self._index.covers(item.ecosystem):
            return f"the advisory data does not cover {item.ecosystem}"
        return ""

    def _unpinned(self, item: Dependency) -> Checked:
        """Without a version only what holds for all versions can be told: a package that is malice itself."""
        entries = self._entries(item.ecosystem, item.normalised)
        hits: list[Advisory] = []
        for entry in entries or ():
            if any(map(_is_all_versions, entry.affected)):
                advisory = self._advisory(item.ecosystem, entry)
                if advisory is not None and advisory.is_malicious:
                    hits.append(advisory)
        reason = f"no exact version is given, only {item.requirement!r}" if item.requirement else "no version is given"
        return Checked(item, Status.VULNERABLE if hits else Status.UNAUDITED, tuple(hits), reason=reason)

    def _find(self, ecosystem: Ecosystem, name: str, version: str) -> "_Found":
        entries = self._entries(ecosystem, name)
        if entries is None:
            return _Found(doubt="the advisory data is damaged here")
        hits: list[Advisory] = []
        doubts: list[str] = []
        for entry in entries:
            verdict = _weigh(ecosystem, version, entry.affected)
            if verdict.answer is Answer.NOT_AFFECTED:
                continue
            advisory = self._advisory(ecosystem, entry)
            if advisory is None:
                doubts.append("the advisory data is damaged here")
            elif verdict.answer is Answer.AFFECTED:
                hits.append(advisory)
            else:
                doubts.append(f"{advisory.id}: {verdict.reason}")
        more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
        safe = _safe(ecosystem, version, entries, hits) if hits else None
        return _Found(tuple(hits), safe, doubts[0] + more if doubts else "")

    def _entries(self, ecosystem: Ecosystem, name: str) -> tuple[Entry, ...] | None:
        entries = self._index.entries(ecosystem, name)
        if isinstance(entries, Notice):
            self._damaged[entries] = None
            return None
        return entries

    def _advisory(self, ecosystem: Ecosystem, entry: Entry) -> Advisory | None:
        advisory = self._index.advisory(ecosystem, entry)
        if isinstance(advisory, Notice):
            self._damaged[advisory] = None
            return None
        return advisory


@dataclass(frozen=True, slots=True)
class _Found:
    advisories: tuple[Advisory, ...] = ()
    safe: str | None = None
    doubt: str = ""


def _weigh(ecosystem: Ecosystem, version: str, affected: Iterable[Affected]) -> Verdict:
    """What the records of one advisory say together: any that holds is enough, else any that cannot be judged."""
    verdict = Verdict(Answer.NOT_AFFECTED)
    for item in affected:
        said = affects(ecosystem, version, item)
        if said.answer is Answer.AFFECTED:
            return said
        if said.answer is Answer.UNKNOWN and verdict.answer is Answer.NOT_AFFECTED:
            verdict = said
    return verdict


def _safe(ecosystem: Ecosystem, version: str, entries: Iterable[Entry], hits: Iterable[Advisory]) -> str | None:
    """The smallest safe version, but for what no version mends, such as that a package is unmaintained."""
    as_such = [item for hit in hits if hit.informational for item in hit.affected if _is_all_versions(item)]
    advisories = [item for entry in entries for item in entry.affected if item not in as_such]
    return smallest_fixed(ecosystem, version, advisories)


def _is_all_versions(affected: Affected) -> bool:
    return any(found.events == _FROM_THE_START for found in affected.ranges if found.type is not RangeType.GIT)
