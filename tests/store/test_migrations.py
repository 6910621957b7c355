"""From version 1 to today: a user's store is brought forward in place, with everything in it, or not touched at all."""

from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from kimi_lsp.errors import StoreError
from kimi_lsp.store import Decision, Store
from kimi_lsp.store.cache import Cache
from kimi_lsp.store.consent import Consents
from kimi_lsp.store.database import Database
from kimi_lsp.store.ledger import Ledger
from kimi_lsp.store.migrations import MIGRATIONS, newest, upgrade, version_of
from kimi_lsp.store.tables import metadata
from kimi_lsp.store.trail import Trail
from kimi_lsp.store.verdicts import Verdicts
from kimi_lsp.usage import Usage
from tests.store.helpers import NO_CEILING, Ticker, together

VERSION_1: Final = """
CREATE TABLE kimi_schema (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE kimi_heads (name VARCHAR(32) NOT NULL, seq BIGINT NOT NULL, hash VARCHAR(64) NOT NULL, PRIMARY KEY (name));
CREATE TABLE kimi_calls (
    id INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    day VARCHAR(10) NOT NULL,
    model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    label TEXT NOT NULL,
    state VARCHAR(10) NOT NULL,
    reserved_at VARCHAR(27) NOT NULL,
    reserved_tokens BIGINT NOT NULL,
    reserved_nano BIGINT NOT NULL,
    settled_at VARCHAR(27),
    prompt_tokens BIGINT,
    cached_tokens BIGINT,
    completion_tokens BIGINT,
    reasoning_tokens BIGINT,
    cache_write_tokens BIGINT,
    is_estimated BOOLEAN,
    cost_nano BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX kimi_calls_run ON kimi_calls (run_id);
CREATE INDEX kimi_calls_state ON kimi_calls (state);
CREATE TABLE kimi_days (
    day VARCHAR(10) NOT NULL,
    tokens BIGINT NOT NULL,
    nano BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    held_tokens BIGINT NOT NULL,
    held_nano BIGINT NOT NULL,
    held_calls BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    PRIMARY KEY (day)
);
CREATE TABLE kimi_records (
    seq BIGINT NOT NULL,
    ts VARCHAR(27) NOT NULL,
    kind TEXT NOT NULL,
    run_id TEXT NOT NULL,
    body TEXT NOT NULL,
    contents TEXT NOT NULL,
    prev_hash VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (hash)
);
CREATE INDEX kimi_records_run ON kimi_records (run_id);
CREATE TABLE kimi_contents (digest VARCHAR(64) NOT NULL, data BLOB NOT NULL, PRIMARY KEY (digest));
CREATE TABLE kimi_cache (
    key TEXT NOT NULL,
    project TEXT NOT NULL,
    size BIGINT NOT NULL,
    used_at VARCHAR(27) NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (key)
);
CREATE INDEX kimi_cache_project ON kimi_cache (project);
CREATE INDEX kimi_cache_used ON kimi_cache (used_at, size);
CREATE TABLE kimi_consents (
    project TEXT NOT NULL, endpoint TEXT NOT NULL, given_at VARCHAR(27) NOT NULL, PRIMARY KEY (project, endpoint)
);
CREATE TABLE kimi_verdicts (
    project TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    decision VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    given_at VARCHAR(27) NOT NULL,
    PRIMARY KEY (project, fingerprint)
);
INSERT INTO kimi_schema (version) VALUES (1)
"""  # as the program of version 1 wrote it; never to be changed

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def old(shared_place: Path | str) -> Path | str:
    """Where a store of version 1 lies, with rows in every table."""
    _create(shared_place)
    database = Database.open(shared_place, steps=())  # as the program of version 1 did
    clock = Ticker()
    ledger = Ledger(database, clock)
    for number in range(3):
        held = ledger.reserve(
            f"run-{number}",
            model="kimi-k2.6",
            endpoint="api.example",
            tokens=100,
            cost_usd=Decimal("0.01"),
            ceilings=NO_CEILING,
        )
        if number:
            ledger.settle(held, Usage(prompt_tokens=90, completion_tokens=5), Decimal("0.004"))
    trail = Trail(database, clock)
    for number in range(3):
        trail.append("model-call", {"number": number}, {"answer": f"answer {number}"}, run_id="run-1")
    Cache(database, clock).put("key", "value \0 \udce9", project="/shop")
    Consents(database, clock).give("/shop", "api.example")
    Verdicts(database, clock).set("/shop", "f1", Decision.DISMISSED, reason="only in tests", who="ann")
    assert all(_rows(database).values())
    database.close()
    return shared_place


def _create(place: Path | str) -> None:
    if isinstance(place, Path):
        place.mkdir()
        engine = create_engine(f"sqlite:///{place / 'store.db'}")
    else:
        engine = create_engine(place)
    script = VERSION_1
    if engine.dialect.name == "postgresql":
        script = script.replace("id INTEGER", "id BIGSERIAL").replace("BLOB", "BYTEA")
    with engine.begin() as connection:
        for statement in script.split(";"):
            connection.exec_driver_sql(statement)
        for name in ("ledger", "trail", "cache", "consents", "verdicts"):
            connection.exec_driver_sql(f"INSERT INTO kimi_heads (name, seq, hash) VALUES ('{name}', 0, '{'0' * 64}')")
    engine.dispose()


def _rows(database: Database) -> Rows:
    """All that is in every table, but the version."""
    with database.read() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - {"kimi_schema"})
        return {
            name: sorted((tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")), key=repr)
            for name in names
        }


def _structure(database: Database) -> object:
    """Tables, columns, keys and indexes, as the database itself tells them."""
    with database.read() as connection:
        inspector = inspect(connection)
        return {
            name: (
                [
                    (column["name"], str(column["type"]), column["nullable"], column["default"])
                    for column in inspector.get_columns(name)
                ],
                inspector.get_pk_constraint(name)["constrained_columns"],
                sorted((index["name"] or "", index["column_names"]) for index in inspector.get_indexes(name)),
                [constraint["column_names"] for constraint in inspector.get_unique_constraints(name)],
            )
            for name in sorted(inspector.get_table_names())
        }


def _version(place: Path | str) -> int | None:
    engine = create_engine(f"sqlite:///{place / 'store.db'}" if isinstance(place, Path) else place)
    with engine.begin() as connection:
        version = version_of(connection)
    engine.dispose()
    return version


def test_a_store_of_version_1_keeps_every_row_and_gets_the_new_tables(old: Path | str) -> None:
    database = Database.open(old, steps=())
    before = _rows(database)
    database.close()
    assert len(before) == 8

    with Store.open(old, clock=Ticker()) as store:
        assert _version(old) == newest() == 2
        after = _rows(store.database)
        new_tables = {name: after.pop(name) for name in set(after) - set(before)}
        new_heads = set(after["kimi_heads"]) - set(before["kimi_heads"])
        after["kimi_heads"] = [head for head in after["kimi_heads"] if head not in new_heads]
        assert after == before
        assert new_heads == {("conversations", 0, "0" * 64)}
        assert new_tables == {"kimi_conversations": [], "kimi_utterances": [], "kimi_tombstones": []}


def test_a_store_that_was_brought_forward_works(old: Path | str) -> None:
    for _ in range(2):
        with Store.open(old, clock=Ticker()) as store:
            assert store.ledger.spending().calls == 2
            assert len(store.ledger.open_reservations()) == 1
            assert store.trail.verify(store.trail.head()).checked == 3
            assert store.cache.get("key") == "value \0 \udce9"
            assert store.consents.has("/shop", "api.example")
            assert store.verdicts.get_many("/shop", ["f1"])["f1"].who == "ann"
            if store.conversations.get("c1") is None:
                store.conversations.create("c1", "/shop")
                store.conversations.append("c1", ["hello"])
            assert store.conversations.entries("c1").entries == ("hello",)


def test_a_store_that_was_brought_forward_is_built_like_a_new_one(old: Path | str, tmp_path: Path) -> None:
    with Store.open(old) as store:
        upgraded = _structure(store.database)
    if not isinstance(old, Path):  # a server has room for one store
        engine = create_engine(old)
        metadata.drop_all(engine)
        engine.dispose()
    with Store.open(tmp_path / "new" if isinstance(old, Path) else old) as store:
        assert _structure(store.database) == upgraded


def test_processes_that_open_an_old_store_at_once_bring_it_forward_once(old: Path | str) -> None:
    answers = together("talk_first", old, 5)

    assert sorted(words[0] for words in answers) == ["0", "1", "2", "3", "4"]
    with Store.open(old) as store:
        assert _version(old) == newest()
        assert store.trail.verify(store.trail.head()).checked == 3
        found, _ = store.conversations.find()
        assert {conversation.id for conversation in found} == {"0", "1", "2", "3", "4"}


def test_a_program_that_has_the_old_store_open_goes_on_while_it_is_brought_forward(old: Path | str) -> None:
    database = Database.open(old, steps=())
    trail = Trail(database, Ticker())
    with Store.open(old) as store:
        trail.append("model-call", {"number": 3})
        store.conversations.create("c1", "/shop")
        assert store.trail.verify(trail.head()).checked == 4
    database.close()


def _fail(connection: Connection) -> None:
    connection.execute(text("SELECT x FROM nowhere"))


def test_a_step_that_fails_takes_those_before_it_along(old: Path | str) -> None:
    database = Database.open(old, steps=())
    before = _rows(database), _structure(database)
    with pytest.raises(StoreError, match="nowhere"):
        Database.open(old, steps=(*MIGRATIONS, _fail))
    assert (_rows(database), _structure(database)) == before
    assert _version(old) == 1
    database.close()
    Store.open(old).close()
    assert _version(old) == newest()


def test_the_program_of_version_1_refuses_todays_store(shared_place: Path | str) -> None:
    with Store.open(shared_place) as store:
        store.conversations.create("c1", "/shop")
    with pytest.raises(StoreError, match=r"newer kimi-lsp \(schema 2, this one knows 1\)"):
        Database.open(shared_place, steps=())
    with Store.open(shared_place) as store:
        assert store.conversations.get("c1") is not None


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_never_was_is_refused_and_nothing_is_changed(tmp_path: Path, version: int) -> None:
    with Store.open(tmp_path) as store:
        with store.database.write("ledger") as connection:
            connection.execute(text(f"UPDATE kimi_schema SET version = {version}"))
        before = _rows(store.database)
        with pytest.raises(StoreError, match=f"{version} is no version of a schema"):
            Store.open(tmp_path)
        assert _rows(store.database) == before
    assert _version(tmp_path) == version


def test_bringing_forward_what_is_new_already_changes_nothing() -> None:
    with Store.open("sqlite://") as store:
        before = _rows(store.database), _structure(store.database)
        with store.database.write("ledger") as connection:
            upgrade(connection, "here")
        assert (_rows(store.database), _structure(store.database)) == before
