"""The trail: what is appended stays, and what was done to it shows."""

import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.errors import StoreError
from kimi_lsp.store import Head, Store, Verification, verify_export
from kimi_lsp.store.chain import START, Record, canonical, digest_of, hash_of
from tests.store.helpers import Ticker

COUNT = 6


def fill(store: Store, count: int = COUNT) -> list[str]:
    """Records that share one text and have one of their own."""
    return [
        store.trail.append(
            "model-call",
            {"number": number, "endpoint": "api.example", "flags": [True, None]},
            {"prompt": "the same for all", "answer": f"answer {number}"},
            run_id=f"run-{number % 2}",
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A trail of six records, closed, and a connection past all our code to do things to it."""
    with Store.open(tmp_path, clock=Ticker()) as store:
        fill(store)
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    yield connection
    connection.close()


def verified(tmp_path: Path, expected: Head | None = None) -> Verification:
    with Store.open(tmp_path) as store:
        return store.trail.verify(expected)


def head_of(tmp_path: Path) -> Head:
    with Store.open(tmp_path) as store:
        return store.trail.head()


def test_a_record_reads_back_as_it_was_written(store: Store, clock: Ticker) -> None:
    first = store.trail.append("plan", {})
    clock.advance(seconds=1)
    record_id = store.trail.append(
        "model-call", {"b": [1, {"x": None}], "a": "審 \0 \udce9"}, {"answer": "text"}, run_id="run-1"
    )
    record = store.trail.record(record_id)
    assert record == Record(
        seq=2,
        ts="2026-11-25T12:00:01.000000Z",
        kind="model-call",
        run_id="run-1",
        body={"a": "審 \0 \udce9", "b": [1, {"x": None}]},
        contents={"answer": digest_of("text")},
        prev_hash=first,
        hash=record_id,
    )
    assert record is not None
    assert record.id == record_id == hash_of(record)
    assert store.trail.head() == Head(2, record_id)
    assert store.trail.record("0" * 64) is None


@pytest.mark.parametrize("text", ["", "a", "審\U0001f600\r\n\0", "half \ud83d", "x" * 3_000_000, "\ud83d\ude00"])
def test_a_text_reads_back_as_it_was_written(store: Store, text: str) -> None:
    store.trail.append("call", {}, {"answer": text})
    (record,) = store.trail.records()
    kept = store.trail.content(record.contents["answer"])
    assert kept == ("\U0001f600" if text == "\ud83d\ude00" else text)  # two halves are one character in any reader
    assert store.trail.verify().is_ok
    assert verify_export(store.trail.export()).is_ok


def test_records_can_be_read_by_run_and_in_pages(store: Store) -> None:
    ids = fill(store)
    assert [record.id for record in store.trail.records("run-1")] == ids[::2]
    assert [record.id for record in store.trail.records(after_seq=2, limit=3)] == ids[2:5]
    assert store.trail.records("nobody's") == []


def test_the_same_text_is_kept_once(store: Store) -> None:
    fill(store)
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kimi_contents").scalar() == COUNT + 1


def test_an_empty_trail_verifies(store: Store) -> None:
    assert store.trail.head() == START
    assert store.trail.verify(START) == Verification(is_ok=True, checked=0, head=START)
    assert list(store.trail.export()) == []
    assert verify_export([]).is_ok


def test_a_whole_trail_verifies_against_every_head_it_had(store: Store) -> None:
    heads = [Head(number, record_id) for number, record_id in enumerate(fill(store), 1)]
    for head in heads:
        assert store.trail.verify(head) == Verification(is_ok=True, checked=COUNT, head=heads[-1])


@pytest.mark.parametrize("body", [{"cost": 0.5}, {"x": {"y": [float("inf")]}}, {"x": b""}])
def test_a_body_that_is_no_such_json_is_refused_and_leaves_no_gap(store: Store, body: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="record"):
        store.trail.append("call", body, {"answer": "text"})
    store.trail.append("call", {})
    assert store.trail.verify().checked == 1
    assert store.trail.content(digest_of("text")) is None


TAMPERED: dict[str, list[str]] = {
    "seq": ["seq + 1000", "-seq", "seq + 0.5", "'x'"],
    "ts": ["'2026-11-25T12:00:00.000001Z'", "''", "x'00'", "ts || ' '", "5"],
    "kind": ["'model-cal'", "char(1) || kind", "x'6d6f64656c2d63616c6c'", "CAST(x'ff' AS TEXT)"],
    "run_id": ["'run-9'", "''", "char(1) || run_id"],
    "body": [
        "'{}'",
        "''",
        "'['",
        "body || ' '",
        "replace(body, 'number', 'numbe')",
        "replace(body, 'true', 'false')",
        "replace(body, 'null', '0.5')",
        "replace(body, ':', ': ')",
        "'{\"a\":1,' || substr(body, 2)",
        "5",
        "x'7b7d'",
    ],
    "contents": ["'{}'", "'[]'", "replace(contents, 'answer', 'answe')", '\'{"answer":"x"}\'', "'{\"answer\":5}'"],
    "prev_hash": ["'x' || substr(prev_hash, 2)", "prev_hash || '0'", "''", f"'{'0' * 63}1'"],
    "hash": ["replace(hash, 'a', 'b')", "upper(hash)", "''", f"'{'0' * 63}1'", "x'00'"],
}


@pytest.mark.parametrize("column", TAMPERED)
def test_a_change_of_any_column_of_any_record_is_found_at_that_record(
    tmp_path: Path, database: sqlite3.Connection, column: str
) -> None:
    with Store.open(tmp_path) as store:
        for value, seq in itertools.product(TAMPERED[column], range(1, COUNT + 1)):
            # No row was ever deleted, so a rowid is its record's number.
            (before,) = database.execute(f"SELECT {column} FROM kimi_records WHERE rowid = ?", (seq,)).fetchone()
            database.execute(f"UPDATE kimi_records SET {column} = {value} WHERE rowid = ?", (seq,))

            found = store.trail.verify()
            broken = 1 if value == "-seq" else seq
            assert (found.is_ok, found.first_broken_seq, found.checked) == (False, broken, broken - 1), value
            assert found.problem

            database.execute(f"UPDATE kimi_records SET {column} = ? WHERE rowid = ?", (before, seq))
        assert store.trail.verify().is_ok


def test_a_record_put_before_the_first_is_found(tmp_path: Path, database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO kimi_records SELECT -1, ts, kind, run_id, body, contents, prev_hash, 'x' FROM kimi_records LIMIT 1"
    )
    assert verified(tmp_path).first_broken_seq == 1


def test_a_removed_record_is_found_wherever_it_was(tmp_path: Path, database: sqlite3.Connection) -> None:
    for seq in range(1, COUNT):
        database.execute("CREATE TEMP TABLE kept AS SELECT * FROM kimi_records WHERE seq = ?", (seq,))
        database.execute("DELETE FROM kimi_records WHERE seq = ?", (seq,))
        assert verified(tmp_path).first_broken_seq == seq
        database.execute("INSERT INTO kimi_records SELECT * FROM kept")
        database.execute("DROP TABLE kept")
    assert verified(tmp_path).is_ok


def test_a_removed_record_whose_followers_were_renumbered_is_found(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    database.execute("DELETE FROM kimi_records WHERE seq = 3")
    database.execute("UPDATE kimi_records SET seq = seq - 1 WHERE seq > 3")
    assert verified(tmp_path).first_broken_seq == 3


def test_exchanged_records_are_found(tmp_path: Path, database: sqlite3.Connection) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        database.execute("UPDATE kimi_records SET seq = ? WHERE seq = ?", (new, old))
    assert verified(tmp_path).first_broken_seq == 2


def test_the_removal_of_the_last_record_is_found_by_the_written_head(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    database.execute("DELETE FROM kimi_records WHERE seq = 6")
    found = verified(tmp_path)
    assert (found.is_ok, found.first_broken_seq, found.checked) == (False, 6, 5)
    assert found.problem == "the trail ends at record 5, but 6 were written"


def cut(database: sqlite3.Connection, seq: int) -> None:
    """Remove the end of the trail, and all that says so in the database."""
    database.execute("DELETE FROM kimi_records WHERE seq > ?", (seq,))
    row = database.execute("SELECT hash FROM kimi_records WHERE seq = ?", (seq,)).fetchone() or ("0" * 64,)
    database.execute("UPDATE kimi_heads SET seq = ?, hash = ? WHERE name = 'trail'", (seq, row[0]))


@pytest.mark.parametrize("left", range(COUNT))
def test_a_careful_cut_is_found_by_a_head_that_was_printed_elsewhere(
    tmp_path: Path, database: sqlite3.Connection, left: int
) -> None:
    printed = head_of(tmp_path)
    cut(database, left)
    assert verified(tmp_path).is_ok  # the chain alone cannot tell
    found = verified(tmp_path, printed)
    assert (found.is_ok, found.first_broken_seq) == (False, left + 1)
    assert found.problem == f"the trail ends at record {left}, but 6 were known"


def test_a_rewritten_trail_is_found_by_a_head_that_was_printed_elsewhere(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    printed = head_of(tmp_path)
    cut(database, 2)
    with Store.open(tmp_path) as store:
        fill(store, COUNT)
        assert store.trail.verify().is_ok
        found = store.trail.verify(printed)
    assert (found.is_ok, found.first_broken_seq) == (False, 6)
    assert "rewritten" in found.problem


def test_a_head_that_was_never_the_trails_is_found(store: Store) -> None:
    fill(store)
    for head in (Head(0, "1" * 64), Head(3, "1" * 64), replace(store.trail.head(), seq=7)):
        assert not store.trail.verify(head).is_ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE kimi_heads SET seq = 5 WHERE name = 'trail'",
        "UPDATE kimi_heads SET hash = 'x' WHERE name = 'trail'",
        "DELETE FROM kimi_heads WHERE name = 'trail'",
        "UPDATE kimi_heads SET seq = 0, hash = 'x' WHERE name = 'trail'",
    ],
)
def test_a_changed_head_is_found_and_no_record_is_added_in_vain(
    tmp_path: Path, database: sqlite3.Connection, change: str
) -> None:
    database.execute(change)
    assert not verified(tmp_path).is_ok
    with Store.open(tmp_path) as store:
        try:
            store.trail.append("call", {})
        except StoreError:
            assert store.trail.head().seq == COUNT
        assert not store.trail.verify().is_ok


def test_a_changed_text_is_found(tmp_path: Path, database: sqlite3.Connection) -> None:
    digest = digest_of("answer 4")
    other = "(SELECT data FROM kimi_contents WHERE digest <> ?1 LIMIT 1)"
    for value in (other, "x'00'", "data || x'00'", "substr(data, 1, length(data) - 1)", "5", "'text'"):
        (before,) = database.execute("SELECT data FROM kimi_contents WHERE digest = ?", (digest,)).fetchone()
        database.execute(f"UPDATE kimi_contents SET data = {value} WHERE digest = ?1", (digest,))
        found = verified(tmp_path)
        assert (found.is_ok, found.altered, found.first_broken_seq) == (False, (digest,), 4)
        with Store.open(tmp_path) as store, pytest.raises(StoreError, match=r"is damaged|Could not decode"):
            store.trail.content(digest)
        database.execute("UPDATE kimi_contents SET data = ? WHERE digest = ?", (before, digest))
    assert verified(tmp_path).is_ok


def test_a_text_that_vanished_without_a_record_is_found(tmp_path: Path, database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM kimi_contents WHERE digest = ?", (digest_of("answer 4"),))
    found = verified(tmp_path)
    assert (found.is_ok, found.missing, found.erased) == (False, (digest_of("answer 4"),), ())
    assert found.first_broken_seq == 4


def test_a_text_can_be_erased_and_the_chain_still_verifies(store: Store) -> None:
    fill(store)
    head = store.trail.head()
    digest = digest_of("answer 4")
    assert store.trail.erase(digest, reason="a customer asked", who="ann")

    assert store.trail.content(digest) is None
    found = store.trail.verify(head)
    assert (found.is_ok, found.checked, found.erased, found.missing) == (True, COUNT + 1, (digest,), ())
    (record,) = store.trail.records(after_seq=COUNT)
    assert (record.kind, record.body) == (
        "content-erased",
        {"digest": digest, "reason": "a customer asked", "who": "ann"},
    )
    assert verify_export(store.trail.export(), head).erased == (digest,)
    assert not store.trail.erase(digest, reason="again")
    assert store.trail.verify().checked == COUNT + 1


def test_a_text_that_came_back_after_its_erasure_must_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        fill(store)
        digest = digest_of("answer 4")
        store.trail.erase(digest, reason="a customer asked")
        store.trail.append("call", {}, {"answer": "answer 4"})
        assert store.trail.content(digest) == "answer 4"
        assert store.trail.verify().erased == ()
        with store.database.write("trail") as connection:
            connection.exec_driver_sql("DELETE FROM kimi_contents WHERE digest = ?", (digest,))
        assert store.trail.verify().missing == (digest,)


def test_an_erased_text_leaves_no_bytes_in_the_files(tmp_path: Path) -> None:
    text = random.Random(1).randbytes(2000).hex()
    with Store.open(tmp_path) as store:
        store.trail.append("call", {}, {"answer": text})
        with store.database.read() as connection:
            data = bytes(connection.exec_driver_sql("SELECT data FROM kimi_contents").scalar_one())
        parts = [data[start : start + 16] for start in range(0, len(data) - 16, 16)]

        def found() -> int:
            files = [path.read_bytes() for path in tmp_path.iterdir()]
            return sum(part in file for part in parts for file in files)

        assert found() >= len(parts) - 2
        store.trail.erase(digest_of(text), reason="asked for")
        assert found() == 0


def test_an_export_verifies_by_itself(store: Store) -> None:
    fill(store)
    lines = list(store.trail.export())
    assert verify_export(lines, store.trail.head()) == Verification(is_ok=True, checked=COUNT, head=store.trail.head())
    assert verify_export(line + "\r\n" for line in lines).is_ok
    assert [len(json.loads(line)["texts"]) for line in lines] == [2, 1, 1, 1, 1, 1]


def test_a_part_of_a_trail_verifies_from_the_head_it_continues(store: Store) -> None:
    ids = fill(store)
    lines = list(store.trail.export(after_seq=2))
    assert verify_export(lines, start=Head(2, ids[1])).checked == COUNT - 2
    assert not verify_export(lines).is_ok
    assert not verify_export(lines, start=Head(2, ids[0])).is_ok
    assert not verify_export(lines, Head(1, ids[0]), start=Head(2, ids[1])).is_ok
    assert not verify_export(lines, Head(2, ids[0]), start=Head(2, ids[1])).is_ok


Change = Callable[[list[str]], list[str]]
CHANGES: dict[str, Change] = {
    "all gone": lambda lines: [],
    "last gone": lambda lines: lines[:-1],
    "first gone": lambda lines: lines[1:],
    "third gone": lambda lines: [*lines[:2], *lines[3:]],
    "two exchanged": lambda lines: [lines[1], lines[0], *lines[2:]],
    "last twice": lambda lines: [*lines, lines[-1]],
    "empty line": lambda lines: [*lines, ""],
    "prose": lambda lines: ["not json", *lines],
    "a space": lambda lines: [lines[0].replace('{"', '{ "', 1), *lines[1:]],
    "a key twice": lambda lines: [lines[0].replace("{", '{"seq":1,', 1), *lines[1:]],
    "another type": lambda lines: [lines[0].replace('"seq":1', '"seq":true'), *lines[1:]],
    "deep nesting": lambda lines: ["[" * 200_000, *lines],
    "a list": lambda lines: ["[]", *lines],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_export_that_was_changed_is_found(change: Change) -> None:
    with Store.open("sqlite://", clock=Ticker()) as store:
        fill(store)
        assert not verify_export(change(list(store.trail.export())), store.trail.head()).is_ok


def _exported() -> list[str]:
    with Store.open("sqlite://", clock=Ticker()) as store:
        fill(store, 3)
        store.trail.erase(digest_of("answer 2"), reason="asked for")
        return list(store.trail.export())


LINES = _exported()


@given(st.data())
def test_one_changed_character_anywhere_in_an_export_is_found(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(LINES) - 1))
    place = data.draw(st.integers(0, len(LINES[number]) - 1))
    character = data.draw(st.characters(codec=None) | st.sampled_from('0123456789abcdef"{}[],:'))
    line = LINES[number][:place] + character + LINES[number][place + 1 :]
    lines = [*LINES[:number], line, *LINES[number + 1 :]]
    assert verify_export(lines).is_ok == (line == LINES[number])


def test_a_forged_text_in_an_export_is_found() -> None:
    first = json.loads(LINES[0])
    first["texts"][digest_of("answer 1")] = "nothing to see"
    found = verify_export([canonical(first), *LINES[1:]])
    assert (found.is_ok, found.altered) == (False, (digest_of("answer 1"),))


def test_a_text_left_out_of_an_export_is_found() -> None:
    first = json.loads(LINES[0])
    del first["texts"][digest_of("answer 1")]
    assert verify_export([canonical(first), *LINES[1:]]).missing == (digest_of("answer 1"),)


def test_a_long_trail_is_read_in_batches() -> None:
    with Store.open("sqlite://") as store:
        for number in range(520):
            store.trail.append("call", {"number": number}, {"answer": str(number)} if number % 3 == 0 else None)
        assert store.trail.verify().checked == 520
        assert verify_export(store.trail.export()).checked == 520
