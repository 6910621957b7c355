"""Building an index: what is united, what is hidden, and that a build is in place as a whole or not at all."""

import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcp_tools.dependency_scan.advisories import Rating, Source
from mcp_tools.dependency_scan.advisories.advisory import Record
from mcp_tools.dependency_scan.advisories.build import Built, Progress, attribution_path, build, update
from mcp_tools.dependency_scan.advisories.osv import Parsed
from mcp_tools.dependency_scan.advisories.unite import Groups
from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.finding import Notice
from tests.dependency_scan.advisories.making import DATA, NOW, Json, affected, built, index_of, opened, osv, parsed

V31 = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]


def names(folder: Path, *records: Json, package: str = "flask") -> list[tuple[str, ...]]:
    """The ids of each advisory about a package, the preferred one first."""
    with index_of(folder, *records) as index:
        found = index.advisories(Ecosystem.PYPI, package)
        assert isinstance(found, tuple)
        return [(item.id, *item.aliases) for item in found]


def test_records_that_share_an_alias_become_one_advisory_under_the_ecosystems_own_id(tmp_path: Path) -> None:
    records = (
        osv("GHSA-a", aliases=["CVE-2026-1"], severity=V31),
        osv("PYSEC-2026-9", aliases=["CVE-2026-1"]),
        osv("PYSEC-2026-10", aliases=["CVE-2026-2"]),
    )
    assert names(tmp_path, *records) == [
        ("PYSEC-2026-9", "GHSA-a", "CVE-2026-1"),
        ("PYSEC-2026-10", "CVE-2026-2"),
    ]


def test_a_severity_is_borrowed_from_the_record_that_has_one(tmp_path: Path) -> None:
    with index_of(tmp_path, osv("GHSA-a", severity=V31), osv("PYSEC-2026-9", aliases=["GHSA-a"])) as index:
        found = index.advisories(Ecosystem.PYPI, "flask")
    assert isinstance(found, tuple)
    severity = found[0].severity
    assert severity is not None
    assert (severity.rating, severity.score, severity.record) == (Rating.CRITICAL, 9.8, "GHSA-a")


def test_a_later_record_joins_two_earlier_ones(tmp_path: Path) -> None:
    records = (osv("A-1", aliases=["CVE-1"]), osv("B-1", aliases=["CVE-2"]), osv("C-1", aliases=["CVE-2", "CVE-1"]))
    for number, order in enumerate(itertools.permutations(records)):
        assert names(tmp_path / str(number), *order) == [("A-1", "B-1", "C-1", "CVE-1", "CVE-2")]


def test_a_withdrawn_record_neither_speaks_nor_joins_others(tmp_path: Path) -> None:
    gone = osv("X-1", aliases=["CVE-1", "CVE-2"], withdrawn="2026-10-02T00:00:00Z")
    assert names(tmp_path, osv("A-1", aliases=["CVE-1"]), gone, osv("B-1", aliases=["CVE-2"])) == [
        ("A-1", "CVE-1"),
        ("B-1", "CVE-2"),
    ]


def test_of_two_records_with_one_id_the_later_one_counts_whichever_comes_first(tmp_path: Path) -> None:
    old = osv("A-1", aliases=["CVE-1"], modified="2026-01-01T00:00:00Z")
    new = osv("A-1", aliases=["CVE-2"], modified="2026-02-01T00:00:00Z")
    gone = osv("A-1", withdrawn="2026-03-01T00:00:00Z", modified="2026-03-01T00:00:00Z")
    other = osv("B-1")
    for number, order in enumerate(itertools.permutations((old, new, other))):
        assert names(tmp_path / f"a{number}", *order) == [("A-1", "CVE-2"), ("B-1",)]
    for number, order in enumerate(itertools.permutations((old, gone, other))):
        assert names(tmp_path / f"b{number}", *order) == [("B-1",)]


def test_an_id_of_malice_anywhere_in_the_set_makes_it_malicious(tmp_path: Path) -> None:
    records = (osv("PYSEC-2026-9", aliases=["GHSA-m"]), osv("MAL-2026-5", aliases=["GHSA-m"]), osv("GHSA-other"))
    with index_of(tmp_path, *records) as index:
        found = index.advisories(Ecosystem.PYPI, "flask")
    assert isinstance(found, tuple)
    assert [(item.id, item.is_malicious, item.level) for item in found] == [
        ("MAL-2026-5", True, "error"),
        ("GHSA-other", False, "warning"),
    ]


def test_each_package_is_told_by_the_records_that_speak_of_it(tmp_path: Path) -> None:
    module: Json = [affected("example.org/y", "Go", versions=["1.0.0"])]
    records = (
        osv("PYSEC-2026-9", "flask", aliases=["CVE-1"], severity=V31),
        osv("PYSEC-2026-10", "quart", aliases=["CVE-1", "MAL-2026-1"]),
        osv("GO-2026-1", aliases=["CVE-1"], affected=module),
    )
    with index_of(tmp_path, *records) as index:
        for ecosystem, name, expected in (
            (Ecosystem.PYPI, "flask", ("PYSEC-2026-9", "PyPA advisory database", False)),
            (Ecosystem.PYPI, "quart", ("PYSEC-2026-10", "PyPA advisory database", True)),
            (Ecosystem.GO, "example.org/y", ("GO-2026-1", "Go vulnerability database", False)),
        ):
            found = index.advisories(ecosystem, name)
            assert isinstance(found, tuple)
            (item,) = found
            assert (item.id, item.source, item.is_malicious) == expected
            assert {item.id, *item.aliases} == {"PYSEC-2026-9", "PYSEC-2026-10", "GO-2026-1", "CVE-1", "MAL-2026-1"}
            assert item.severity is not None
            assert item.severity.record == "PYSEC-2026-9"


def test_joining_is_the_same_in_any_order_and_a_long_chain_does_not_overflow() -> None:
    chain = Groups()
    for number in range(50_000):
        chain.join(f"X-{number}", [f"X-{number + 1}"])
    assert chain.find("X-49999") == chain.find("X-7") == "X-0"
    assert chain.find("Y-1") == "Y-1"


def test_the_same_records_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    records: list[Json] = [
        osv(f"X-{number}", f"p{number % 7}", versions=["z", "y"], aliases=[f"CVE-{number % 9}"]) for number in range(60)
    ]
    one, two = tmp_path / "1.sqlite", tmp_path / "2.sqlite"
    built(one, records)
    built(two, reversed(records))
    assert one.read_bytes() == two.read_bytes()


def test_the_databases_their_licences_and_the_age_of_the_data_are_kept_and_written_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "advisories.sqlite"
    found = built(
        path,
        [
            osv("PYSEC-2026-1"),
            osv("PYSEC-2026-2", modified="2026-10-09T00:00:00Z"),
            osv("RUSTSEC-2026-1", affected=[affected("x", "crates.io", versions=["1.0.0"])]),
            osv("RUSTSEC-2026-2", "y", database_specific={"license": "CC-BY-4.0"}, modified="2027-01-01T00:00:00Z"),
        ],
    )
    assert found.info.snapshot == datetime(2026, 10, 9, tzinfo=UTC)  # a date after the build is not believed
    assert found.info.age_days(NOW) == 23
    october = datetime(2026, 10, 1, tzinfo=UTC)
    assert found.info.sources == (
        Source(
            "PyPA advisory database",
            "CC-BY-4.0",
            "https://github.com/pypa/advisory-database",
            2,
            datetime(2026, 10, 9, tzinfo=UTC),
        ),
        Source("RustSec advisory database", "CC-BY-4.0", "https://rustsec.org", 1, None),
        Source("RustSec advisory database", "CC0-1.0", "https://rustsec.org", 1, october),
    )
    text = attribution_path(path).read_text()
    assert "PyPA advisory database\n  https://github.com/pypa/advisory-database\n  Licence: CC-BY-4.0\n" in text
    assert "Snapshot: 2026-10-09." in text
    assert "Changes: " in text


def test_the_caller_may_say_how_old_the_data_is(tmp_path: Path) -> None:
    day = datetime(2026, 10, 20, tzinfo=UTC)
    found = build(tmp_path / "x", [parsed(osv("A-1"))], now=NOW, snapshot=day)
    assert isinstance(found, Built)
    assert found.info.snapshot == day


def test_the_same_exports_are_not_built_twice(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "advisories.sqlite"
    first = update(path, [DATA], now=NOW)
    assert isinstance(first, Built)
    assert not first.is_unchanged
    status = path.stat()
    again = update(path, [DATA], now=NOW + timedelta(days=1))
    assert isinstance(again, Built)
    assert again.is_unchanged
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    other = update(path, [DATA / "go.jsonl"], now=NOW)
    assert isinstance(other, Built)
    assert not other.is_unchanged


def test_a_damaged_index_is_built_anew_from_the_same_exports(tmp_path: Path) -> None:
    path = tmp_path / "advisories.sqlite"
    update(path, [DATA], now=NOW)
    path.write_bytes(path.read_bytes()[:5_000])
    again = update(path, [DATA], now=NOW)
    assert isinstance(again, Built)
    assert not again.is_unchanged


def left(folder: Path) -> set[str]:
    """The names in a folder."""
    return {path.name for path in folder.iterdir()}


def test_an_export_that_cannot_be_read_leaves_the_old_index(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "advisories.sqlite"
    update(path, [DATA], now=NOW)
    before = path.read_bytes()
    broken = tmp_path / "all.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    for inputs in ([DATA, broken], [tmp_path / "none.zip"], []):
        found = update(path, inputs, now=NOW)
        assert isinstance(found, Notice)
        assert found.incomplete
        assert path.read_bytes() == before
    assert left(path.parent) == {"advisories.sqlite", "advisories.sqlite.sources.txt"}


def test_records_that_cannot_be_read_are_counted_and_do_not_stop_the_build(tmp_path: Path) -> None:
    bad = [parsed("x") for _ in range(300)]
    found = build(tmp_path / "x", [*bad, parsed(osv("A-1"))], now=NOW)
    assert isinstance(found, Built)
    assert found.info.unreadable == 300
    assert len(found.notices) == 200


def test_an_interrupted_build_leaves_the_old_index_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "advisories.sqlite"
    built(path, [osv("A-1")])
    before, names_before = path.read_bytes(), left(tmp_path)

    class StopError(Exception):
        pass

    class StopAt:
        def __init__(self, stage: str) -> None:
            self.stage = stage

        def __call__(self, progress: Progress) -> None:
            if progress.stage == self.stage:
                raise StopError

    for stage in ("reading", "uniting", "writing", "checking"):
        records = (parsed(osv(f"X-{number}", f"p{number}")) for number in range(600))
        with pytest.raises(StopError):
            build(path, records, now=NOW, progress=StopAt(stage))
        assert (path.read_bytes(), left(tmp_path)) == (before, names_before)


def test_progress_goes_through_its_stages(tmp_path: Path) -> None:
    seen: list[Progress] = []
    records = (parsed(osv(f"X-{number}", f"p{number}")) for number in range(1_100))
    build(tmp_path / "x", records, now=NOW, progress=seen.append)
    assert [stage for stage, _ in itertools.groupby(item.stage for item in seen)] == [
        "reading",
        "uniting",
        "writing",
        "checking",
    ]
    assert seen[-1] == Progress("checking", 1_100, 1_100)


def test_records_are_taken_one_at_a_time(tmp_path: Path) -> None:
    alive = 0

    class Counted(Parsed):
        __slots__ = ()

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def records() -> Iterator[Parsed]:
        nonlocal alive
        for number in range(2_000):
            assert alive <= 2
            alive += 1
            yield Counted(Record(f"X-{number}"), ())
        yield parsed(osv("A-1"))

    assert isinstance(build(tmp_path / "x", records(), now=NOW), Built)


def test_what_a_killed_build_left_is_removed_after_a_day_and_a_young_one_is_not(tmp_path: Path) -> None:
    old, young = tmp_path / ".x.1.building", tmp_path / ".x.2.building"
    for path in (old, young):
        path.touch()
    os.utime(old, (time.time() - 90_000, time.time() - 90_000))
    built(tmp_path / "x", [osv("A-1")])
    assert not old.exists()
    assert young.exists()


def test_a_reader_of_the_old_index_is_not_disturbed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "advisories.sqlite"
    built(path, [osv("A-1")])
    with opened(path) as old:
        built(path, [osv("B-1")])
        with opened(path) as new:
            found = [index.advisories(Ecosystem.PYPI, "flask") for index in (old, new)]
    assert [item.id for each in found if isinstance(each, tuple) for item in each] == ["A-1", "B-1"]


def test_a_folder_that_cannot_be_written_is_a_notice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = build(tmp_path / "file" / "x", [parsed(osv("A-1"))], now=NOW)
    assert isinstance(found, Notice)
    assert found.code == "advisory-index-not-built"


def test_an_index_is_for_its_user_alone_and_plain_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "advisories.sqlite"
    built(path, [osv("A-1")])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    database = sqlite3.connect(path)
    assert database.execute("SELECT ecosystem, name FROM package").fetchall() == [("PyPI", "flask")]
    database.close()
