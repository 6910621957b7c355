"""The audit: vulnerable, clean or unaudited, and the smallest safe version."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mcp_tools.dependency_scan.advisories import Audit, Checked, Index, Status, audit
from mcp_tools.dependency_scan.advisories.build import build, update
from mcp_tools.dependency_scan.values import Ecosystem, Provenance, SourceKind
from tests.dependency_scan.advisories.making import DATA, NOW, Json, affected, dependency, index_of, opened, osv, parsed


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """The fixtures' advisories."""
    path = tmp_path_factory.mktemp("index") / "advisories.sqlite"
    update(path, [DATA], now=NOW)
    with opened(path) as found:
        yield found


def shown(item: Checked) -> str:
    """One answer as a line."""
    said = [item.status.value, *(advisory.id for advisory in item.advisories)]
    said += [f"-> {item.safe}"] if item.safe else []
    said += [f"({item.reason})"] if item.reason else []
    return " ".join(said)


def one(index: Index | None, name: str, version: str | None, ecosystem: Ecosystem = Ecosystem.PYPI) -> str:
    """The answer for one dependency."""
    return shown(audit(index, [dependency(name, version, ecosystem)]).checked[0])


@pytest.mark.parametrize(
    ("name", "version", "answer"),
    [
        ("Jinja2", "3.1.6", "clean"),
        ("jinja2", "3.1.5", "vulnerable PYSEC-2026-1471 -> 3.1.6"),
        ("jinja2", "3.1.4", "vulnerable PYSEC-2026-1471 PYSEC-2026-1472 PYSEC-2026-1475 -> 3.1.6"),
        ("requests", "2.32.3", "vulnerable PYSEC-2026-1872 PYSEC-2026-2275 -> 2.33.0"),
        ("requests", "2.33.0", "clean"),
        ("requests", "2.32.3+local", "vulnerable PYSEC-2026-1872 PYSEC-2026-2275 -> 2.33.0"),
        ("nothing-known", "1", "clean"),
        ("dydx-v4-client", "1.1.5.post1", "vulnerable PYSEC-2026-1"),
        ("dydx-v4-client", "1.1.5", "clean"),
        ("dreamgen", "1.8.1", "vulnerable PYSEC-2026-1068"),
        ("gradio", "6.19.0", "unaudited (PYSEC-2024-261: the advisory gives no versions)"),
        ("torch", "2.13.0", "unaudited (PYSEC-2025-192: a bound of the advisory's range is not a version)"),
        ("jinja2", "latest", "unaudited (PYSEC-2014-8: 'latest' is not a version of PyPI (and 9 more))"),
        ("jinja2", None, "unaudited (no version is given)"),
    ],
)
def test_a_dependency_is_held_against_every_advisory(index: Index, name: str, version: str | None, answer: str) -> None:
    assert one(index, name, version) == answer


@pytest.mark.parametrize(
    ("name", "version", "answer"),
    [
        ("stdlib", "1.11.1", "vulnerable GO-2021-0142 GO-2022-0191 -> 1.13.15"),
        ("stdlib", "1.25.0", "clean"),
        ("github.com/dgrijalva/jwt-go", "3.2.0+incompatible", "vulnerable GO-2020-0017"),
    ],
)
def test_go_modules_are_audited(index: Index, name: str, version: str, answer: str) -> None:
    assert one(index, name, version, Ecosystem.GO) == answer


def test_what_the_data_does_not_cover_is_unaudited(index: Index) -> None:
    assert one(index, "lodash", "4.0.0", Ecosystem.NPM) == "unaudited (the advisory data does not cover npm)"
    assert one(index, "python", "3.11", Ecosystem.DOCKER) == "unaudited (there are no advisories for Docker packages)"
    assert one(None, "jinja2", "3.1.6") == "unaudited (there is no advisory data)"
    assert one(index, "a\udcffb", "1") == "unaudited (its name is not the name of a package)"


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (SourceKind.WORKSPACE, "unaudited (it is part of the project itself)", None),
        (SourceKind.PATH, "unaudited (it is part of the project itself)", None),
        (
            SourceKind.GIT,
            "vulnerable PYSEC-2026-1471 -> 3.1.6",
            "unaudited (it comes from a git repository, where a version does not say what is in it)",
        ),
        (SourceKind.REGISTRY, "vulnerable PYSEC-2026-1471 -> 3.1.6", "clean"),
    ],
)
def test_where_a_package_comes_from_counts(index: Index, kind: SourceKind, old: str, new: str | None) -> None:
    for version, answer in (("3.1.5", old), ("3.1.6", new or old)):
        found = audit(index, [dependency("jinja2", version, provenance=Provenance(kind))])
        assert shown(found.checked[0]) == answer


def test_a_range_without_a_version_is_told_and_not_judged(index: Index) -> None:
    found = audit(index, [dependency("jinja2", None, requirement=">=2")])
    assert shown(found.checked[0]) == "unaudited (no exact version is given, only '>=2')"


def test_a_package_that_is_malice_itself_needs_no_version(tmp_path: Path) -> None:
    records = (
        osv("MAL-2026-1", "evil", fixed=None),
        osv("GHSA-x", "old", fixed=None),
        osv("MAL-2026-2", "once", "2.0"),
    )
    with index_of(tmp_path, *records) as index:
        assert one(index, "evil", None) == "vulnerable MAL-2026-1 (no version is given)"
        assert one(index, "evil", "1.0") == "vulnerable MAL-2026-1"
        assert one(index, "old", None) == "unaudited (no version is given)"
        assert one(index, "once", None) == "unaudited (no version is given)"


def test_the_safe_version_is_safe_from_all_advisories_and_not_only_from_those_that_hold(tmp_path: Path) -> None:
    second: Json = [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"fixed": "2.3"}]}]
    with index_of(tmp_path, osv("A-1"), osv("B-1", affected=[affected(ranges=second)])) as index:
        assert one(index, "flask", "1.0") == "vulnerable A-1 -> 2.3"


def test_an_unmaintained_package_does_not_hide_the_version_that_mends_the_rest(tmp_path: Path) -> None:
    ranges: Json = [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}]}]
    everything: Json = [{"type": "SEMVER", "events": [{"introduced": "0"}]}]
    mended: Json = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}]
    mark: Json = {"informational": "unmaintained"}
    with index_of(
        tmp_path,
        osv("RUSTSEC-1-1", affected=[affected("x", "crates.io", ranges=everything, database_specific=mark)]),
        osv("RUSTSEC-1-2", affected=[affected("x", "crates.io", ranges=mended)]),
        osv("RUSTSEC-1-3", affected=[affected("y", "crates.io", ranges=ranges)]),
        osv("RUSTSEC-1-4", affected=[affected("y", "crates.io", ranges=mended)]),
    ) as index:
        assert one(index, "x", "1.0.0", Ecosystem.CRATES) == "vulnerable RUSTSEC-1-1 RUSTSEC-1-2 -> 1.2.0"
        assert one(index, "x", "1.2.0", Ecosystem.CRATES) == "vulnerable RUSTSEC-1-1"
        assert one(index, "y", "1.0.0", Ecosystem.CRATES) == "vulnerable RUSTSEC-1-3 RUSTSEC-1-4"


def test_records_of_one_advisory_that_disagree_are_taken_at_their_worst(tmp_path: Path) -> None:
    dirty: Json = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0-NA"}]}]
    records = (osv("PYSEC-1-1", aliases=["GHSA-1"], fixed="1.5"), osv("GHSA-1", affected=[affected(ranges=dirty)]))
    with index_of(tmp_path, *records) as index:
        assert one(index, "flask", "1.2") == "vulnerable PYSEC-1-1"
        assert one(index, "flask", "1.6").startswith("unaudited (PYSEC-1-1: a bound")


def test_a_doubt_stands_beside_what_is_sure(tmp_path: Path) -> None:
    dirty: Json = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9-NA"}]}]
    with index_of(tmp_path, osv("A-1"), osv("B-1", affected=[affected(ranges=dirty)])) as index:
        assert one(index, "flask", "1.0").startswith("vulnerable A-1 (B-1: a bound")


def test_the_counts_add_up_and_clean_is_not_said_while_something_is_unaudited(index: Index) -> None:
    asked = [dependency("jinja2", version) for version in ("3.1.6", "3.1.5", None, "3.1.6")]
    found = audit(index, asked)
    assert [item.dependency for item in found.checked] == asked
    assert (len(found.vulnerable), len(found.clean), len(found.unaudited)) == (1, 2, 1)
    assert not found.is_clean
    assert not audit(index, asked[2:3]).is_clean
    assert not audit(None, asked[:1]).is_clean
    assert audit(index, asked[:1]).is_clean


def test_the_age_of_the_data_is_told(index: Index) -> None:
    found = audit(index, [])
    assert found.age_days(index.info.snapshot + timedelta(days=9, hours=5)) == 9
    assert audit(None, []).age_days(NOW) is None


def test_records_left_out_of_the_index_are_told_with_every_audit(tmp_path: Path) -> None:
    build(tmp_path / "x", [parsed("bad"), parsed(osv("A-1"))], now=NOW)
    with opened(tmp_path / "x") as index:
        found = audit(index, [])
    assert [notice.message for notice in found.notices] == ["1 advisory that could not be read is not in the index."]


def test_a_damaged_index_leaves_its_packages_unaudited(tmp_path: Path) -> None:
    with index_of(tmp_path, osv("A-1"), osv("B-1", "django")) as index:
        index.close()
        found = audit(index, [dependency("flask", "1.0"), dependency("django", None)])
    assert isinstance(found, Audit)
    assert [item.status for item in found.checked] == [Status.UNAUDITED, Status.UNAUDITED]
    assert [notice.incomplete for notice in found.notices] == [True, True]
