"""182 real lockfiles: what is said of them, and how often a name there is taken for another."""

import json
import os
import tarfile
import zipfile
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import pytest

from mcp_tools.dependency_scan import confusion, drift, licences, pins, retired, sources
from mcp_tools.dependency_scan.confusion import popular
from mcp_tools.dependency_scan.confusion.lookalikes import comparable, group
from mcp_tools.dependency_scan.readers import read_file
from mcp_tools.dependency_scan.values import Ecosystem, FileRead, SourceKind, normalised_name
from mcp_tools.finding import Finding, Notice
from mcp_tools.project import Source, decode

DATA = Path(os.environ.get("KIMI_TEST_DATA", "no-such-folder"))
MAX_FALSE = 0.001
_LISTED_FROM, _ADVISORIES = 3, {Ecosystem.PYPI: 10, Ecosystem.GO: 4}

pytestmark = pytest.mark.skipif(
    not (DATA / "lockfiles.tar.xz").is_file(), reason="KIMI_TEST_DATA names no folder with the real lockfiles"
)

Real = tuple[list[FileRead], dict[str, Source]]
Names = dict[Ecosystem, dict[str, set[str]]]


@pytest.fixture(scope="module")
def real() -> Real:
    texts: dict[str, Source] = {}
    with tarfile.open(DATA / "lockfiles.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                decoded = decode(member.name.removeprefix("./"), content.read())
                assert isinstance(decoded, Source)
                texts[decoded.path] = decoded

    def opened(path: str) -> Source | Notice:
        return texts.get(path) or Notice("no-such-file", "not read: no such file", path)

    return [found for source in texts.values() if (found := read_file(source, opened)) is not None], texts


@pytest.fixture(scope="module")
def names(real: Real) -> Names:
    """The repositories in which each name occurs."""
    found: Names = defaultdict(lambda: defaultdict(set))
    for file in real[0]:
        for item in file.dependencies:
            if item.provenance.kind is SourceKind.REGISTRY and item.name not in ("stdlib", "toolchain"):
                found[item.ecosystem][item.normalised].add(file.path.split("/")[1])
    return found


def test_every_finding_on_real_files_was_read_by_a_human_and_is_here(real: Real) -> None:
    files, texts = real
    said = chain(
        pins.check(files, texts),
        sources.check(files, texts),
        retired.check(files, texts),
        licences.check(files, texts),
        drift.check(files, texts),
        confusion.check(files, texts),
    )
    findings = [item for item in said if isinstance(item, Finding)]
    assert Counter(finding.rule.id for finding in findings) == {
        "unpinned-dependency": 139,
        "deprecated-dependency": 106,
        "duplicate-package": 67,
        "git-dependency": 10,
        "missing-integrity": 6,
        "lookalike-package": 2,
        "insecure-package-source": 1,
        "url-dependency": 1,
    }
    assert len({finding.fingerprint for finding in findings}) == len(findings)
    for finding in findings:
        region = finding.location.region
        assert region is not None
        assert texts[finding.location.path].slice(region), finding


def test_names_of_a_repository_that_the_list_has_not_seen_are_rarely_taken_for_others(names: Names) -> None:
    """Each repository in turn is left out when the list is made; a name counts as false wherever it is flagged."""
    flagged = {
        (ecosystem, name)
        for ecosystem, known in names.items()
        for repository in set(chain.from_iterable(known.values()))
        for name in _flagged_without(ecosystem, known, repository)
    }
    total = sum(map(len, names.values()))
    assert total > 9_000
    assert len(flagged) / total <= MAX_FALSE, flagged


def _flagged_without(ecosystem: Ecosystem, known: dict[str, set[str]], repository: str) -> set[str]:
    listed = {name for name, where in known.items() if len(where - {repository}) >= _LISTED_FROM}
    groups = group(ecosystem, listed)
    return {
        name
        for name, where in known.items()
        if repository in where and name not in listed
        for part, around in comparable(ecosystem, name)
        if around in groups and groups[around].of(part) is not None
    }


def test_the_lists_are_what_their_source_says(names: Names) -> None:
    for ecosystem in popular.LISTED:
        expected = {name for name, where in names[ecosystem].items() if len(where) >= _LISTED_FROM}
        assert popular.names(ecosystem) == expected | _often_advised(ecosystem)


def _often_advised(ecosystem: Ecosystem) -> set[str]:
    if ecosystem not in _ADVISORIES:
        return set()
    counts = Counter[str]()
    with zipfile.ZipFile(DATA / "osv" / ecosystem.value / "all.zip") as archive:
        for entry in archive.namelist():
            record = json.loads(archive.read(entry))
            if not record.get("withdrawn") and not record["id"].startswith("MAL"):
                packages = [affected["package"]["name"] for affected in record["affected"] if "package" in affected]
                counts.update({normalised_name(ecosystem, name) for name in packages})
    floor = _ADVISORIES[ecosystem]
    return {name for name, count in counts.items() if count >= floor and name not in ("stdlib", "toolchain")}
