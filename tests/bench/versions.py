"""Version orders and advisory ranges on all of the data others wrote: what is wrong, and how fast, beside `packaging`.

Reads the folder KIMI_TEST_DATA names (its README says what is in it); without it, the tests' own fixtures.
"""

import lzma
import os
import sys
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, TypeAdapter

from mcp_tools.dependency_scan.versions import (
    AFFECTED,
    Affected,
    Answer,
    Event,
    EventKind,
    Range,
    RangeType,
    affects,
    compare,
    smallest_fixed,
)
from mcp_tools.dependency_scan.versions.orders import order_of
from tests.bench.figure import Figure, at_least, at_most, reported
from tests.dependency_scan.versions import fixtures

_SIGNS = {-1: "<", 0: "=", 1: ">", None: "?"}
_KNOWN = fixtures.MAVEN_CHANGED | fixtures.MAVEN_REFERENCE
_PEER = "packaging, parsing both"


class _Package(BaseModel):
    name: str
    ecosystem: str


class _Range(BaseModel):
    type: RangeType
    events: list[dict[EventKind, str]]


class _Affected(BaseModel):
    package: _Package
    ranges: list[_Range] = []
    versions: list[str] = []

    def value(self) -> Affected:
        ranges = tuple(
            Range(found.type, tuple(Event(kind, text) for event in found.events for kind, text in event.items()))
            for found in self.ranges
        )
        return Affected(ranges, frozenset(self.versions))


class _Advisory(BaseModel):
    id: str
    withdrawn: str | None = None
    affected: list[_Affected] = []


class _Expected(BaseModel):
    packages: list[tuple[str, str, str]]
    findings: list[tuple[str, str, str, str, list[str], str | None]]


_Index = dict[tuple[str, str], list[tuple[str, Affected]]]


def run(quick: bool) -> Iterator[Figure]:
    """The version figures of issue 7. With --quick, the tests' own fixtures."""
    folder = os.environ.get("KIMI_TEST_DATA", "")
    data = Path(folder) if folder and not quick else None
    yield from _orders(sorted((data / "versions" if data else fixtures.DATA).glob("*.txt")))
    if data is None:
        rows = fixtures.advisories()
        right = sum((affects(row.ecosystem, row.version, row.affected) == AFFECTED) == row.is_affected for row in rows)
        yield at_least("advisories of the fixtures, right", 100 * right / len(rows), "%", 100)
        return
    index = _index(data)
    yield from _findings(data, index)
    yield from _enumerated(index)


def _orders(files: Sequence[Path]) -> Iterator[Figure]:
    wrong: list[str] = []
    known, unread, lines, supported = set[str](), 0, 0, 0
    for file in files:
        found = list(fixtures.orderings(file)) if file.stem.split("-")[0] in fixtures.ECOSYSTEMS else []
        supported += bool(found)
        for ecosystem in fixtures.ECOSYSTEMS.get(file.stem.split("-")[0], ()):
            lines += len(found)
            for ordering in found:
                sign = _SIGNS[compare(ecosystem, ordering.a, ordering.b)]
                unread += sign == "?"
                if sign == ordering.sign:
                    continue
                if ecosystem == "Maven" and ordering.line in _KNOWN:
                    known.add(ordering.line)
                else:
                    wrong.append(f"{ecosystem}: {ordering.line} ({sign})")
    for line in wrong[:20]:
        sys.stderr.write(f"wrong: {line}\n")
    yield reported("files of orderings", supported, "")
    yield reported("lines of orderings compared", lines, "")
    yield at_most("lines of orderings, wrong", len(wrong), "", 0)
    yield at_most("lines of orderings, not read", unread, "", 0)
    changed = len(known & fixtures.MAVEN_CHANGED)
    yield reported("lines Maven 3.8.7 and 3.9.6 contradict as well", changed, "")
    yield reported("lines Maven holds and its POM reference does not", len(known) - changed, "")
    pairs = [ordering for file in files if file.stem.startswith("pypi") for ordering in fixtures.orderings(file)]
    yield reported("PyPI comparison", _ours(pairs), "us", peer=_packaging(pairs), peer_name=_PEER)


def _ours(pairs: Sequence[fixtures.Ordering]) -> float:
    """Microseconds a comparison, both keys built anew."""
    order = order_of("PyPI")
    assert order is not None
    begin = time.process_time()
    for ordering in pairs:
        left, right = order.key(ordering.a), order.key(ordering.b)
        assert left is not None
        assert right is not None
        _ = left < right
    return (time.process_time() - begin) * 1e6 / len(pairs)


def _packaging(pairs: Sequence[fixtures.Ordering]) -> float:
    begin = time.process_time()
    for ordering in pairs:
        try:
            _ = Version(ordering.a) < Version(ordering.b)
        except InvalidVersion:
            continue
    return (time.process_time() - begin) * 1e6 / len(pairs)


def _index(data: Path) -> _Index:
    index: _Index = defaultdict(list)
    for ecosystem in ("PyPI", "Go"):
        with zipfile.ZipFile(data / "osv" / ecosystem / "all.zip") as archive:
            for name in archive.namelist():
                advisory = _Advisory.model_validate_json(archive.read(name))
                for entry in () if advisory.withdrawn else advisory.affected:
                    index[_place(ecosystem, entry.package.name)].append((advisory.id, entry.value()))
    return index


def _place(ecosystem: str, name: str) -> tuple[str, str]:
    return ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name


def _findings(data: Path, index: _Index) -> Iterator[Figure]:
    with lzma.open(data / "lockfiles.expected.json.xz") as file:
        expected = TypeAdapter(dict[str, _Expected]).validate_json(file.read())
    wanted = {
        (path, *_place(row[0], row[1]), row[2], row[3])
        for path, entry in expected.items()
        for row in entry.findings
        if row[0] in ("PyPI", "Go")
    }
    asked = [
        (path, *_place(ecosystem, name), version)
        for path, entry in expected.items()
        for ecosystem, name, version in entry.packages
        if ecosystem in ("PyPI", "Go")
    ]
    without_lists: _Index = {
        place: [(id_, Affected(one.ranges) if one.ranges else one) for id_, one in entries]
        for place, entries in index.items()
    }
    found, unknown, count = set[tuple[str, str, str, str, str]](), Counter[str](), 0
    for use in (without_lists, index):
        found.clear()
        begin, count = time.process_time(), 0
        for path, ecosystem, name, version in asked:
            for id_, entry in use.get((ecosystem, name), ()):
                count += 1
                verdict = affects(ecosystem, version, entry)
                if verdict == AFFECTED:
                    found.add((path, ecosystem, name, version, id_))
                unknown[verdict.reason] += use is index and verdict.answer is Answer.UNKNOWN
        each_us = (time.process_time() - begin) * 1e6 / max(count, 1)
        yield reported(f"a verdict, {'with' if use is index else 'without'} the listed versions", each_us, "us")
    yield reported("verdicts on the packages of real lockfiles", count, "")
    yield reported("findings expected", len(wanted), "")
    yield at_most("findings missed", len(wanted - found), "", 0)
    yield at_most("findings too many", len(found - wanted), "", 0)
    yield reported("verdicts unknown", sum(unknown.values()), "")
    packages = {(ecosystem, name, version) for _, ecosystem, name, version, _ in found}
    begin = time.process_time()
    fixes = [
        smallest_fixed(ecosystem, version, [entry for _, entry in without_lists[ecosystem, name]])
        for ecosystem, name, version in packages
    ]
    yield reported("the smallest fix of a package", (time.process_time() - begin) * 1e3 / max(len(fixes), 1), "ms")
    yield reported("vulnerable packages with a fix", 100 * sum(map(bool, fixes)) / max(len(fixes), 1), "%")


def _enumerated(index: _Index) -> Iterator[Figure]:
    """The ranges alone, asked for every version the advisory lists as affected."""
    answers = Counter[Answer]()
    for (ecosystem, _), entries in index.items():
        for _, entry in entries:
            if any(found.type is not RangeType.GIT for found in entry.ranges):
                bare = Affected(entry.ranges)
                answers.update(affects(ecosystem, version, bare).answer for version in entry.versions)
    yield reported("listed versions asked of the ranges alone", answers.total(), "")
    yield at_most("of them outside their ranges (the advisories' own slips)", answers[Answer.NOT_AFFECTED], "", 7)
    yield at_most("of them not to be known", answers[Answer.UNKNOWN], "", 456)
