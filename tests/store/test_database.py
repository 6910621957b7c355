"""Opening a store: privacy, versions, damage, full disks, and what it costs to import."""

import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from kimi_lsp.errors import BudgetError, StoreError
from kimi_lsp.store import Decision, Store
from kimi_lsp.store.database import Database
from kimi_lsp.store.migrations import MIGRATIONS, newest, upgrade, version_of
from tests.store.helpers import ROOT, WAIT_S, reserve, spend


def test_importing_the_store_does_not_import_sqlalchemy() -> None:
    code = "import sys, kimi_lsp.store; print(sorted({'sqlalchemy', 'sqlite3'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_folder_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(tmp_path / "state") as store:
            spend(store)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_store_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / "store.db").chmod(0o644)
    Store.open(tmp_path).close()
    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        spend(store)
        head = store.trail.append("call", {"x": 1})
    with Store.open(str(tmp_path)) as store:
        assert store.ledger.spending().calls == 1
        assert store.trail.head().hash == head


def test_the_same_file_can_be_named_by_a_url(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        spend(store)
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        assert store.ledger.spending().calls == 1


def test_the_connection_waits_for_others_and_syncs_every_commit(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.database.read() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous", "secure_delete", "temp_store")
        }
    assert values == {
        "journal_mode": "wal",
        "busy_timeout": 30_000,
        "foreign_keys": 1,
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
    }


def test_a_writer_takes_its_lock_before_it_reads(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        other = Database.open(tmp_path, busy_timeout_s=0.05)
        with store.database.write("ledger"):
            with pytest.raises(StoreError, match="is held by another process") as caught, other.write("ledger"):
                pass
            with other.read() as connection:  # a reader never waits for a writer
                assert version_of(connection) == newest()
        other.close()
    assert caught.value.code == "store"


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store.database.write("ledger") as connection:
        connection.execute(text("UPDATE kimi_schema SET version = 99"))
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match=r"written by a newer kimi-lsp \(schema 99, this one knows 2\)") as caught:
        Store.open(tmp_path)
    assert "Update kimi-lsp" in caught.value.hint
    assert (tmp_path / "store.db").read_bytes() == before


def _add_column(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE kimi_verdicts ADD COLUMN colour TEXT"))


def _fail(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE kimi_verdicts ADD COLUMN shape TEXT"))
    connection.execute(text("SELECT x FROM nowhere"))


def test_an_older_store_is_brought_forward_once_and_keeps_its_data(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        spend(store)
    for _ in range(2):
        database = Database.open(tmp_path, steps=(*MIGRATIONS, _add_column))
        with database.read() as connection:
            assert version_of(connection) == newest() + 1
            assert connection.execute(text("SELECT count(colour) FROM kimi_verdicts")).scalar() == 0
            assert connection.execute(text("SELECT count(*) FROM kimi_calls")).scalar() == 1
        database.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with pytest.raises(StoreError, match="no such table: nowhere"):
        Database.open(tmp_path, steps=(*MIGRATIONS, _add_column, _fail))
    with Store.open(tmp_path) as store, store.database.read() as connection:
        columns = connection.execute(text("SELECT name FROM pragma_table_info('kimi_verdicts')")).scalars().all()
    assert not {"colour", "shape"} & set(columns)


def test_upgrading_twice_in_a_row_changes_nothing() -> None:
    database = Database.open("sqlite://")
    with database.write("ledger") as connection:
        upgrade(connection, "here")
        assert version_of(connection) == newest()
    database.close()


@pytest.mark.parametrize("size", [100, 4096, 100_000])
def test_random_bytes_in_the_place_of_the_store_are_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(random.Random(size).randbytes(size))
    with pytest.raises(StoreError, match=r"store\.db is not a database") as caught:
        Store.open(tmp_path)
    assert "Move it away" in caught.value.hint
    assert len(path.read_bytes()) == size


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    with Store.open(tmp_path) as store:
        spend(store)


def test_a_store_cut_short_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.trail.append("call", {}, {"answer": "text"})
    path = tmp_path / "store.db"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match="is damaged"):
        Store.open(tmp_path)


def _use_everything(store: Store) -> None:
    uses: list[Callable[[], object]] = [
        store.trail.verify,
        lambda: list(store.trail.export()),
        lambda: store.trail.append("call", {"x": 1}, {"answer": "new"}),
        store.ledger.entries,
        store.ledger.open_reservations,
        store.ledger.spending,
        lambda: store.ledger.spending("run-1"),
        lambda: reserve(store),
        lambda: store.cache.get_many(map(str, range(20))),
        lambda: store.cache.put("x", "y", project="p"),
        lambda: store.cache.prune(max_bytes=10),
        store.consents.all,
        lambda: store.consents.give("p", "f"),
        lambda: store.verdicts.all("p"),
        lambda: store.verdicts.set("p", "g", Decision.CONFIRMED),
        store.conversations.find,
        lambda: store.conversations.entries("c3"),
        lambda: store.conversations.append("c3", ["more"]),
        lambda: store.conversations.rename("c3", "another title"),
        lambda: store.conversations.delete("c3"),
        lambda: store.conversations.create("new", "/p"),
    ]
    for use in uses:
        try:
            use()
        except (StoreError, BudgetError):
            continue


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with something of everything in it."""
    folder = tmp_path_factory.mktemp("whole")
    with Store.open(folder) as store:
        for number in range(20):
            spend(store)
            store.trail.append("call", {"number": number}, {"answer": f"answer {number} " * 30})
        store.cache.put_many({str(number): "value" * number for number in range(20)}, project="p")
        store.consents.give("p", "e")
        store.verdicts.set("p", "f", Decision.DISMISSED, reason="no")
        for number in range(5):
            store.conversations.create(f"c{number}", "/p", ["/q"], {"depth": "dual"})
            store.conversations.append(f"c{number}", [{"said": "word " * 100}] * 5)
    return (folder / "store.db").read_bytes()


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_file_raises_nothing_but_store_errors(tmp_path: Path, whole: bytes, seed: int) -> None:
    data = bytearray(whole)
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 100)):
        start = chance.randrange(100, len(data) - 8)
        data[start : start + 8] = chance.randbytes(8)
    (tmp_path / "store.db").write_bytes(data)

    try:
        store = Store.open(tmp_path)
    except StoreError:
        return
    with store:
        _use_everything(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE kimi_calls SET state = 'x'",
        "UPDATE kimi_calls SET reserved_nano = 'x', cost_nano = 'x'",
        "UPDATE kimi_days SET nano = 'x', held_nano = x'00'",
        "UPDATE kimi_heads SET seq = 'x', hash = 5",
        "UPDATE kimi_verdicts SET decision = 'x'",
        "UPDATE kimi_records SET seq = 'x' WHERE seq = 7",
        "DELETE FROM kimi_heads",
        "DROP TABLE kimi_calls",
        "UPDATE kimi_conversations SET roots = 'x', first = 'x'",
        "UPDATE kimi_conversations SET last = 9223372036854775807, size = -1",
        "UPDATE kimi_utterances SET number = 0.5 + number, data = 5",
        "DROP TABLE kimi_utterances",
        "UPDATE kimi_calls SET prompt_tokens = 'x', is_estimated = 'x'",
        "UPDATE kimi_schema SET version = 0",
        "DELETE FROM kimi_schema",
        "DROP TABLE kimi_schema",
    ],
)
def test_rows_that_make_no_sense_raise_nothing_but_store_errors(tmp_path: Path, whole: bytes, change: str) -> None:
    (tmp_path / "store.db").write_bytes(whole)
    connection = sqlite3.connect(tmp_path / "store.db")
    with connection:
        connection.execute(change)
    connection.close()
    try:
        store = Store.open(tmp_path)
    except StoreError:
        return
    with store:
        _use_everything(store)


def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        spend(store)
        store.database.engine.dispose()
        event.listen(store.database.engine, "connect", _allow_no_more_pages)
        with pytest.raises(StoreError, match="cannot grow: the disk is full") as caught:
            store.trail.append("call", {"text": random.Random(0).randbytes(200_000).hex()})
        assert "Free some space" in caught.value.hint
        assert store.trail.head().seq == 0
        assert store.trail.verify().is_ok
        assert store.ledger.spending().calls == 1


def _allow_no_more_pages(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA max_page_count = 1").close()  # SQLite raises it to what the file has already


def test_a_store_that_cannot_be_written_can_be_read(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        spend(store)
    with Store.open(f"sqlite:///file:{tmp_path / 'store.db'}?mode=ro&uri=true") as store:
        assert store.ledger.spending().calls == 1
        with pytest.raises(StoreError, match="is read-only"):
            reserve(store)


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file.state cannot be used: Not a directory") as caught:
        Store.open(tmp_path / "file" / "state")
    assert "KIMI_LSP_STATE_DIR" in caught.value.hint


def test_a_state_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StoreError, match="state cannot be used"):
        Store.open(tmp_path / "state")


def test_a_folder_in_the_place_of_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreError, match=r"store\.db is no file"):
        Store.open(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")
def test_a_fifo_in_the_place_of_the_store_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store.db")
    with pytest.raises(StoreError, match=r"store\.db is no file"):
        Store.open(tmp_path)


def test_a_nul_in_the_path_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(tmp_path / "a\0b")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_state_directory_may_have_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    state = tmp_path / os.fsdecode(b"caf\xe9 ?#%41")
    with Store.open(state) as store:
        spend(store)
    assert (state / "store.db").is_file()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nothing://host/name", "needs a database driver that is not installed"),
        ("postgresql+nothing://host/name", "needs a database driver that is not installed"),
        ("://", "is not a database URL"),
        ("postgresql://host:port/name", "The URL of the store"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line(url: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem) as caught:
        Store.open(url)
    assert "\n" not in caught.value.line


def test_the_password_of_a_url_is_never_shown() -> None:
    word = "hunt" + "er2"
    with pytest.raises(StoreError) as caught:
        Store.open(f"postgresql+nothing://user:{word}@host/name")
    assert word not in caught.value.line
    assert "user:***@host" in caught.value.line


@pytest.mark.parametrize("place", ["memory", "file"])
def test_many_threads_share_one_store(tmp_path: Path, place: str) -> None:
    with Store.open("sqlite://" if place == "memory" else tmp_path) as store:

        def work(number: int) -> None:
            for attempt in range(6):
                spend(store, run=f"run-{number}")
                store.trail.append("call", {"worker": number, "attempt": attempt})
                store.cache.put(f"{number}/{attempt}", "value", project="p")
                assert store.cache.get(f"{number}/{attempt}") == "value"
                assert store.ledger.spending(f"run-{number}").calls == attempt + 1

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))
        assert store.ledger.spending().calls == 36
        assert store.trail.verify(store.trail.head()).checked == 36


def test_a_second_store_in_memory_is_another_one() -> None:
    with Store.open("sqlite://") as one, Store.open("sqlite://") as other:
        spend(one)
        assert other.ledger.spending().calls == 0


def test_a_store_can_be_used_again_after_it_was_closed(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    spend(store)
    store.close()
    assert store.ledger.spending().calls == 1
    store.close()
