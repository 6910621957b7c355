"""The index as a reader sees it: what it answers, and that a broken, foreign or hostile file is a notice."""

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.dependency_scan.advisories import Advisory, Index, Informational, Reference, open_index
from mcp_tools.dependency_scan.advisories.build import update
from mcp_tools.dependency_scan.advisories.layout import APPLICATION_ID, SCHEMA_VERSION, TABLES
from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.finding import Level, Notice
from tests.dependency_scan.advisories.making import DATA, NOW, affected, built, index_of, opened, osv


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixtures' advisories as an index."""
    path = tmp_path_factory.mktemp("index") / "advisories.sqlite"
    update(path, [DATA], now=NOW)
    return path


def told(index: Index, ecosystem: Ecosystem, name: str) -> tuple[Advisory, ...]:
    """The advisories about a package."""
    found = index.advisories(ecosystem, name)
    assert isinstance(found, tuple)
    return found


def test_all_advisories_about_a_package_are_found(real: Path) -> None:
    with opened(real) as index:
        assert [(item.id, item.fixed) for item in told(index, Ecosystem.PYPI, "jinja2")] == [
            ("PYSEC-2014-8", ("2.7.2",)),
            ("PYSEC-2014-82", ("2.7.3",)),
            ("PYSEC-2019-217", ("2.10.1",)),
            ("PYSEC-2019-220", ("2.8.1",)),
            ("PYSEC-2021-66", ("2.11.3",)),
            ("PYSEC-2026-1471", ("3.1.6",)),
            ("PYSEC-2026-1472", ("3.1.5",)),
            ("PYSEC-2026-1473", ("3.1.3",)),
            ("PYSEC-2026-1474", ("3.1.4",)),
            ("PYSEC-2026-1475", ("3.1.5",)),
        ]
        assert told(index, Ecosystem.NPM, "jinja2") == ()
        assert told(index, Ecosystem.PYPI, "Jinja2") == ()  # the name must be normalised


def test_an_advisory_comes_back_whole(tmp_path: Path) -> None:
    record = osv(
        "RUSTSEC-2026-0001",
        aliases=["CVE-2026-1"],
        published="2026-09-01T00:00:00Z",
        references=[{"type": "REPORT", "url": "https://x.example/1"}],
        affected=[
            affected("x", "crates.io", versions=["1.0.0"], database_specific={"informational": "unsound"}),
            affected(
                "y",
                "crates.io",
                ranges=[{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.10.0"}, {"fixed": "2.9.0"}]}],
            ),
        ],
    )
    with index_of(tmp_path, record) as index:
        (x,), (y,) = told(index, Ecosystem.CRATES, "x"), told(index, Ecosystem.CRATES, "y")
    assert (x.informational, x.level, x.source) == (Informational.UNSOUND, Level.WARNING, "RustSec advisory database")
    assert x.references == (Reference("report", "https://x.example/1"),)
    assert (x.fixed, y.fixed) == ((), ("2.9.0", "2.10.0"))
    assert x.affected[0].versions == {"1.0.0"}
    assert x.modified is not None
    assert x.published is not None
    assert (x.modified.isoformat(), x.published.isoformat()) == (
        "2026-10-01T00:00:00+00:00",
        "2026-09-01T00:00:00+00:00",
    )
    assert x.is_called("cve-2026-1")
    assert not x.is_called("CVE-2026-10")
    assert x.page == "https://osv.dev/vulnerability/RUSTSEC-2026-0001"


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("critical", Level.ERROR),
        ("high", Level.ERROR),
        ("moderate", Level.WARNING),
        ("low", Level.NOTE),
        (None, Level.WARNING),
    ],
)
def test_a_severity_becomes_a_level(tmp_path: Path, word: str | None, level: Level) -> None:
    with index_of(tmp_path, osv("X-1", database_specific={"severity": word})) as index:
        assert told(index, Ecosystem.PYPI, "flask")[0].level is level


def test_the_same_objects_are_given_again(real: Path) -> None:
    with opened(real) as index:
        assert index.entries(Ecosystem.PYPI, "jinja2") is index.entries(Ecosystem.PYPI, "jinja2")


def test_threads_may_share_it(real: Path) -> None:
    with opened(real) as index:
        wanted = told(index, Ecosystem.PYPI, "jinja2")
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda: found.append(index.advisories(Ecosystem.PYPI, "jinja2"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert found == [wanted] * 8


def test_a_path_with_odd_characters_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=rwc#%41" / "ü?immutable=0.sqlite"
    built(path, [osv("A-1")])
    with opened(path) as index:
        assert told(index, Ecosystem.PYPI, "flask")[0].id == "A-1"


def test_nothing_can_be_written_or_attached_through_it(real: Path) -> None:
    before = real.read_bytes()
    with opened(real) as index:
        for statement in (
            "DELETE FROM package",
            "CREATE TABLE x (y)",
            f"ATTACH '{real.parent}/new.sqlite' AS n",
            "PRAGMA query_only = OFF",
            "SELECT load_extension('x')",
        ):
            with pytest.raises(sqlite3.Error):
                index._database.execute(statement)  # pyright: ignore[reportPrivateUsage] -- the claim is about it
    assert real.read_bytes() == before
    assert {path.name for path in real.parent.iterdir()} == {"advisories.sqlite", "advisories.sqlite.sources.txt"}


def refused(path: Path) -> str:
    """Why a file is not used."""
    found = open_index(path)
    assert isinstance(found, Notice)
    assert found.incomplete
    return found.message.removeprefix("The index of advisories cannot be used: ")


def test_no_index_is_told_apart_from_a_bad_one(tmp_path: Path) -> None:
    found = open_index(tmp_path / "none")
    assert isinstance(found, Notice)
    assert (found.code, found.incomplete) == ("no-advisory-data", True)


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 5_000, b"{}" * 400])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert refused(path)


def test_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path)
    assert refused(Path("/dev/zero")) == "it is no index."


def changed(real: Path, path: Path, *statements: str) -> Path:
    """A copy of the index that somebody has worked on."""
    path.write_bytes(real.read_bytes())
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()
    return path


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT 1; END", "its tables are not those of an index."),
        ("CREATE VIEW v AS SELECT load_extension('x')", "its tables are not those of an index."),
        ("CREATE TABLE more (x)", "its tables are not those of an index."),
        ("DROP TABLE source", "its tables are not those of an index."),
        ("PRAGMA user_version = 99", "its layout is 99, this version reads 1."),
        ("PRAGMA application_id = 5", "it is no index of advisories."),
        ("DELETE FROM meta WHERE key = 'snapshot'", "what it says of itself is damaged."),
        ("UPDATE meta SET value = 'x' WHERE key = 'built'", "what it says of itself is damaged."),
        ("UPDATE coverage SET ecosystem = 'Debian' WHERE ecosystem = 'Go'", "what it says of itself is damaged."),
    ],
)
def test_a_database_that_is_not_exactly_an_index_is_refused(
    real: Path, tmp_path: Path, statement: str, why: str
) -> None:
    assert refused(changed(real, tmp_path / "x", statement)) == why


def test_a_view_in_the_place_of_a_table_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "x"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    for name, statement in TABLES.items():
        if name != "package":
            database.execute(statement)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    database.execute(f"CREATE VIEW package AS {endless}")
    database.close()
    assert refused(path) == "its tables are not those of an index."


def test_a_file_cut_short_or_grown_is_refused(real: Path, tmp_path: Path) -> None:
    data = real.read_bytes()
    path = tmp_path / "x"
    for part in (data[:-4096], data[:-1], data + b"\0" * 4096, data[:4096], data[:120]):
        path.write_bytes(part)
        assert refused(path)


def test_a_row_that_was_changed_is_a_notice_and_not_an_answer(real: Path, tmp_path: Path) -> None:
    path = changed(
        real,
        tmp_path / "x",
        "UPDATE package SET body = replace(body, 'f3.1.3', 'f1.1.3') WHERE name = 'jinja2'",
        "UPDATE package SET name = 'numpy' WHERE name = 'requests'",
        "UPDATE advisory SET body = 'x' WHERE number = (SELECT max(number) FROM advisory)",
    )
    with opened(path) as index:
        for name in ("jinja2", "numpy"):
            found = index.advisories(Ecosystem.PYPI, name)
            assert isinstance(found, Notice)
            assert found.code == "advisory-index-unusable"
        assert index.verify() is not None
        assert index.advisories(Ecosystem.PYPI, "plone")  # and it goes on


def test_missing_rows_are_seen_by_a_full_check(real: Path, tmp_path: Path) -> None:
    for table, where in (("package", "name = 'jinja2'"), ("advisory", "number = 3")):
        with opened(changed(real, tmp_path / table, f"DELETE FROM {table} WHERE {where}", "VACUUM")) as index:
            assert isinstance(index.verify(), Notice)
    with opened(real) as index:
        assert index.verify() is None
        assert told(index, Ecosystem.PYPI, "jinja2")
        with pytest.raises(sqlite3.Error):
            index._database.execute("PRAGMA query_only = OFF")  # pyright: ignore[reportPrivateUsage] -- as above


@given(st.integers(100, 40_000), st.binary(min_size=1, max_size=64))
def test_noise_in_the_file_never_raises(real: Path, at: int, noise: bytes) -> None:
    data = bytearray(real.read_bytes())
    at %= len(data) - len(noise)
    data[at : at + len(noise)] = noise
    path = real.parent.parent / "noise.sqlite"
    path.write_bytes(data)
    index = open_index(path)
    if isinstance(index, Index):
        with index:
            for name in ("jinja2", "requests", "plone", "nothing"):
                assert isinstance(index.advisories(Ecosystem.PYPI, name), tuple | Notice)
            assert isinstance(index.verify(), Notice | None)


def test_a_closed_index_says_so_and_does_not_raise(real: Path) -> None:
    index = opened(real)
    index.close()
    assert isinstance(index.advisories(Ecosystem.PYPI, "jinja2"), Notice)


def test_a_name_that_is_no_text_is_nobodys(real: Path) -> None:
    with opened(real) as index:
        assert index.advisories(Ecosystem.PYPI, "\udcff") == ()
        assert index.advisories(Ecosystem.PYPI, "a\0b' OR 1=1 --") == ()
