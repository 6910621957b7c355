"""Conversations: found by folder, page by page; kept within bounds; gone for good when deleted."""

import base64
import json
import random
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from kimi_lsp.errors import StoreError, UsageError
from kimi_lsp.store import Conversation, History, JsonValue, Store
from kimi_lsp.store.conversations import Bounds, Conversations
from kimi_lsp.store.tables import conversations, tombstones, utterances
from tests.store.helpers import Ticker, together

NOON = "2026-11-25T12:00:00.000000Z"


def bounded(store: Store, bounds: Bounds) -> Conversations:
    """The same conversations, kept within narrower bounds."""
    return Conversations(store.database, Ticker(), bounds)


def ids(page: list[Conversation]) -> list[str]:
    return [conversation.id for conversation in page]


@pytest.fixture
def talk(store: Store) -> Conversations:
    return store.conversations


# --- one conversation


def test_a_new_conversation_is_what_it_was_created_as(talk: Conversations) -> None:
    created = talk.create("c1", "/shop", ["/lib", "/caf\udce9"], {"depth": "dual", "model": "kimi-k2.6"})

    assert created == Conversation(
        id="c1",
        cwd="/shop",
        roots=("/lib", "/caf\udce9"),
        title="",
        values={"depth": "dual", "model": "kimi-k2.6"},
        created_at=NOON,
        updated_at=NOON,
    )
    assert talk.get("c1") == created
    assert talk.find() == ([created], None)
    assert talk.entries("c1") == History(())


def test_an_id_that_is_taken_is_refused_and_the_first_stays_as_it_is(talk: Conversations) -> None:
    first = talk.create("c1", "/shop")
    with pytest.raises(StoreError, match="is or was a conversation 'c1' already"):
        talk.create("c1", "/other")
    assert talk.get("c1") == first


def test_each_change_changes_one_thing_and_the_time(talk: Conversations, clock: Ticker) -> None:
    talk.create("c1", "/shop", ["/lib"], {"depth": "local"})
    other = talk.create("c2", "/shop")
    clock.advance(seconds=1)
    assert talk.rename("c1", "Is the login safe?").title == "Is the login safe?"
    clock.advance(seconds=1)
    assert talk.choose("c1", {"model": "kimi-k3"}).values == {"model": "kimi-k3"}
    clock.advance(seconds=1)
    changed = talk.set_roots("c1", ["/a", "/b"])

    assert changed == Conversation(
        id="c1",
        cwd="/shop",
        roots=("/a", "/b"),
        title="Is the login safe?",
        values={"model": "kimi-k3"},
        created_at=NOON,
        updated_at="2026-11-25T12:00:03.000000Z",
    )
    assert talk.get("c1") == changed
    assert talk.get("c2") == other
    clock.advance(seconds=1)
    talk.append("c1", ["hello"])
    (last, _), _ = talk.find()
    assert last.updated_at == "2026-11-25T12:00:04.000000Z"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_conversation_that_is_not_there_is_named_by_whatever_needs_it(talk: Conversations, is_deleted: bool) -> None:
    if is_deleted:
        talk.create("c1", "/shop")
        talk.delete("c1")
    assert talk.get("c1") is None
    for use in (
        lambda: talk.rename("c1", "x"),
        lambda: talk.choose("c1", {}),
        lambda: talk.set_roots("c1", []),
        lambda: talk.append("c1", ["x"]),
        lambda: talk.append("c1", []),
        lambda: talk.entries("c1"),
    ):
        with pytest.raises(StoreError, match="There is no conversation 'c1'"):
            use()


def test_a_long_id_with_control_characters_is_shortened_in_the_message(talk: Conversations) -> None:
    with pytest.raises(StoreError) as caught:
        talk.rename("\n\x1b[2J" + "x" * 10_000, "title")
    assert len(caught.value.line) < 300
    assert caught.value.line.isprintable()


# --- what was said

_JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@example([["half a surrogate: \udce9", "NUL: \0", "mark: \x01"], []])
@given(st.lists(st.lists(_JSON, max_size=4), max_size=4))
def test_whatever_is_said_comes_back_in_order(batches: list[list[JsonValue]]) -> None:
    with Store.open("sqlite://") as store:
        store.conversations.create("c1", "/shop")
        for batch in batches:
            store.conversations.append("c1", batch)
        assert store.conversations.entries("c1") == History(tuple(entry for batch in batches for entry in batch))


def test_conversations_do_not_hear_each_other(talk: Conversations) -> None:
    for name in ("c1", "c2"):
        talk.create(name, "/shop")
    talk.append("c1", ["a"])
    talk.append("c2", ["b"])
    talk.append("c1", ["c"])
    assert talk.entries("c1").entries == ("a", "c")
    assert talk.entries("c2").entries == ("b",)


def _nested(depth: int) -> JsonValue:
    value: JsonValue = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "bad",
    [0.5, float("nan"), b"bytes", {1: "x"}, _nested(100_000), object(), "x" * (4 << 20)],
    ids=["float", "nan", "bytes", "key", "nested", "object", "long"],
)
def test_an_entry_that_cannot_be_kept_is_refused_with_all_that_came_with_it(talk: Conversations, bad: object) -> None:
    created = talk.create("c1", "/shop")
    with pytest.raises(ValueError, match=r"record|too long"):
        talk.append("c1", ["good", bad])  # pyright: ignore[reportArgumentType] (what the type forbids is the test)
    assert talk.entries("c1") == History(())
    assert talk.get("c1") == created


# --- finding


def test_conversations_are_found_last_changed_first_and_then_by_id(talk: Conversations, clock: Ticker) -> None:
    for name in ("b", "a", "c"):
        talk.create(name, "/shop")
    clock.advance(seconds=1)
    talk.create("d", "/shop")
    clock.advance(seconds=1)
    talk.append("a", ["hello"])
    assert ids(talk.find()[0]) == ["a", "d", "c", "b"]


def test_a_folder_is_compared_letter_by_letter(talk: Conversations) -> None:
    folders = ["/shop", "/shop/", "/Shop", "/shop/lib", "/sh_p", "/caf\udce9", "/café"]
    for number, folder in enumerate(folders):
        talk.create(f"c{number}", folder)
    assert [ids(talk.find(folder)[0]) for folder in folders] == [[f"c{number}"] for number in range(len(folders))]
    assert talk.find("/nowhere") == ([], None)


def test_pages_meet_without_a_gap_and_the_last_one_has_no_cursor(talk: Conversations) -> None:
    names = [f"c{number}\0\udce9" for number in range(6)]  # a cursor takes any id
    for name in names:
        talk.create(name, "/shop")
        talk.create(f"other {name}", "/other")
    pages: list[list[str]] = []
    cursor: str | None = None
    for _ in range(len(names)):
        page, cursor = talk.find("/shop", after=cursor, limit=2)
        pages.append(ids(page))
        if cursor is None:
            break
    assert pages == [names[5:3:-1], names[3:1:-1], names[1::-1]]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["append", "create", "delete", "back"]), st.integers(0, 9)), max_size=12))
def test_pages_never_repeat_one_and_leave_none_out_that_stays_as_it_is(changes: list[tuple[str, int]]) -> None:
    clock = Ticker()
    with Store.open("sqlite://", clock=clock) as store:
        talk = store.conversations
        for number in range(10):
            talk.create(f"c{number}", "/shop")
            clock.advance(seconds=number % 2)
        seen: list[str] = []
        touched: set[str] = set()
        cursor: str | None = None
        for step in range(10):
            page, cursor = talk.find(after=cursor, limit=3)
            seen += ids(page)
            if cursor is None:
                break
            for kind, number in changes[3 * step : 3 * step + 3]:
                name = f"c{number}"
                clock.advance(seconds=1)
                if kind == "back":
                    clock.advance(hours=-1)
                if kind == "create":
                    talk.create(f"new {step} {number} {len(touched)} {clock.now}", "/shop")
                elif talk.get(name) is not None:
                    touched.add(name)
                    if kind == "delete":
                        talk.delete(name)
                    else:
                        talk.append(name, ["hello"])
        assert cursor is None
        assert len(seen) == len(set(seen))
        assert {f"c{number}" for number in range(10)} - touched <= set(seen)


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "x",
        "é" * 4,
        "2",
        "A" * 10_000,
        "\0",
        _encoded(5),
        _encoded([NOON]),
        _encoded([NOON, "c1", "c2"]),
        _encoded([NOON, 1]),
        _encoded(["yesterday", "c1"]),
        _encoded({NOON: "c1"}),
        base64.b64encode(b"\xff" * 9).decode(),
        base64.b64encode(b"[" * 100_000).decode(),
    ],
)
def test_a_cursor_that_is_none_is_a_usage_error(talk: Conversations, cursor: str) -> None:
    with pytest.raises(UsageError, match="cursor is none"):
        talk.find(after=cursor)


@pytest.mark.parametrize("limit", [-1, 0, 1001])
def test_a_page_holds_between_one_and_a_thousand(talk: Conversations, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        talk.find(limit=limit)


# --- deleting


def test_a_deleted_conversation_is_gone_and_its_id_never_comes_back(talk: Conversations) -> None:
    talk.create("c1", "/shop")
    kept = talk.create("c2", "/shop")
    assert talk.delete("c1")
    assert not talk.delete("c1")
    assert talk.find() == ([kept], None)
    with pytest.raises(StoreError, match="is or was a conversation 'c1'"):
        talk.create("c1", "/shop")


def test_deleting_what_never_was_leaves_nothing_behind(talk: Conversations) -> None:
    assert not talk.delete("c1")
    talk.create("c1", "/shop")


def test_a_deletion_leaves_no_byte_of_it_in_the_file_and_does_not_touch_the_trail(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(600).hex()
    kept = zlib.compress(json.dumps(noise).encode())[200:260]  # as it lies in the file
    words = [b"the-title", b"/the-folder", b"/the-root", b"the-choice", kept]
    with Store.open(tmp_path) as store:
        store.trail.append("model-call", {"conversation": "c1"}, {"answer": "text"})
        head = store.trail.head()
        store.conversations.create("c1", "/the-folder", ["/the-root"], {"depth": "the-choice"})
        store.conversations.rename("c1", "the-title")
        store.conversations.append("c1", [noise])

        def present() -> list[bytes]:
            data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
            return [word for word in words if word in data]

        assert present() == words
        store.conversations.delete("c1")
        assert present() == []
        assert store.trail.verify(head).checked == 1
        assert store.trail.head() == head


# --- bounds

_SIZES = st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=8)


@settings(deadline=None, max_examples=100)
@given(_SIZES)
def test_the_oldest_entries_go_first_and_are_counted(batches: list[list[int]]) -> None:
    bounds = Bounds(entries=5, bytes=80)
    said: list[str] = []
    first = 0
    with Store.open("sqlite://") as store:
        talk = bounded(store, bounds)
        talk.create("c1", "/shop")
        for batch in batches:
            talk.append("c1", ["x" * size for size in batch])
            said += ["x" * size for size in batch]
            while len(said) - first > bounds.entries or sum(len(text) + 2 for text in said[first:]) > bounds.bytes:
                first += 1
            assert talk.entries("c1") == History(tuple(said[first:]), dropped=first)
        with store.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(utterances)).scalar() == len(said) - first


def test_thousands_of_entries_beyond_the_bound_go_at_once(store: Store) -> None:
    talk = bounded(store, Bounds(entries=700))
    talk.create("c1", "/shop")
    talk.append("c1", range(700))
    talk.append("c1", range(700, 2500))
    assert talk.entries("c1") == History(tuple(range(1800, 2500)), dropped=1800)


def test_an_entry_that_fits_under_no_bound_takes_all_before_it_along(store: Store) -> None:
    talk = bounded(store, Bounds(bytes=100))
    talk.create("c1", "/shop")
    talk.append("c1", ["a", "x" * 100])
    assert talk.entries("c1") == History((), dropped=2)
    talk.append("c1", ["b"])
    assert talk.entries("c1") == History(("b",), dropped=2)


def test_the_conversations_untouched_for_longest_go_when_there_are_too_many(store: Store, clock: Ticker) -> None:
    talk = Conversations(store.database, clock, Bounds(conversations=3))
    for name in ("a", "b", "c"):
        talk.create(name, "/shop")
        clock.advance(seconds=1)
    talk.append("a", ["still here"])
    clock.advance(seconds=1)
    talk.create("d", "/shop")
    assert ids(talk.find()[0]) == ["d", "a", "c"]
    assert talk.entries("a").entries == ("still here",)
    with pytest.raises(StoreError, match="is or was"):
        talk.create("b", "/shop")


def test_a_long_conversation_makes_room_for_itself_and_is_never_the_one_to_go(store: Store, clock: Ticker) -> None:
    talk = Conversations(store.database, clock, Bounds(bytes=100, total_bytes=150))
    for name in ("a", "b", "c"):
        talk.create(name, "/shop")
        talk.append(name, ["x" * 38])
        clock.advance(seconds=1)
    assert ids(talk.find()[0]) == ["c", "b", "a"]
    clock.advance(hours=-1)  # so that by its stamp alone the one that grows would be the oldest
    talk.create("d", "/shop")
    talk.append("d", ["x" * 97])
    assert ids(talk.find()[0]) == ["c", "d"]
    assert talk.entries("d") == History(("x" * 97,))
    with store.database.read() as connection:
        owners = connection.execute(select(utterances.c.conversation)).scalars().all()
    assert sorted(owners) == ["c", "d"]


def test_so_many_tombstones_are_kept_and_no_more(store: Store, clock: Ticker) -> None:
    talk = Conversations(store.database, clock, Bounds(tombstones=2))
    for name in ("c", "a", "b"):
        talk.create(name, "/shop")
        talk.delete(name)
        clock.advance(seconds=1)
    with store.database.read() as connection:
        assert sorted(connection.execute(select(tombstones.c.id)).scalars()) == ["a", "b"]
    talk.create("c", "/shop")


# --- many at once


def test_threads_that_append_to_one_conversation_lose_nothing(store: Store) -> None:
    store.conversations.create("c1", "/shop")

    def work(number: int) -> None:
        for turn in range(5):
            store.conversations.append("c1", [[number, turn, part] for part in range(3)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    _assert_whole(store.conversations.entries("c1"), workers=6, turns=5)


def test_processes_that_append_to_one_conversation_lose_nothing(shared_place: Path | str) -> None:
    with Store.open(shared_place) as store:
        store.conversations.create("c1", "/shop")
        together("talk", shared_place, 4, "10", "c1")
        history = store.conversations.entries("c1")
        _assert_whole(
            History(tuple([int(part) for part in str(entry).split("/")] for entry in history.entries)),
            workers=4,
            turns=10,
        )
        changed = store.conversations.get("c1")
        assert changed is not None
        assert changed.title in {f"{number}/9" for number in range(4)}
        with store.database.read() as connection:
            (row,) = connection.execute(select(conversations.c.first, conversations.c.last, conversations.c.size)).all()
        assert tuple(row) == (1, 120, sum(len(json.dumps(entry)) for entry in history.entries))


def _assert_whole(history: History, *, workers: int, turns: int) -> None:
    """Each batch is there once, in one piece, and each worker's batches are in its order."""
    assert (history.dropped, history.damaged) == (0, 0)
    triples = [history.entries[start : start + 3] for start in range(0, len(history.entries), 3)]
    heads = [(triple[0][0], triple[0][1]) for triple in triples if isinstance(triple[0], list)]
    assert triples == [tuple([number, turn, part] for part in range(3)) for number, turn in heads]
    for worker in range(workers):
        assert [turn for number, turn in heads if number == worker] == list(range(turns))
    assert len(triples) == workers * turns


def test_of_processes_that_create_the_same_conversation_one_does(shared_place: Path | str) -> None:
    Store.open(shared_place).close()
    assert sorted(words[0] for words in together("found", shared_place, 3, "c1")) == ["mine", "taken", "taken"]
