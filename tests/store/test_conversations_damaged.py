"""Conversations in a store that somebody changed by hand: counted, or an error of the store, and nothing else.

Only SQLite, which lets any type into any column.
"""

import zlib
from collections.abc import Iterator

import pytest

from kimi_lsp.errors import StoreError
from kimi_lsp.store import History, Store
from kimi_lsp.store.conversations import Bounds, Conversations
from tests.store.helpers import Ticker


@pytest.fixture
def hurt() -> Iterator[Store]:
    """A store of three conversations with three entries each."""
    clock = Ticker()
    with Store.open("sqlite://", clock=clock) as store:
        for number in range(3):
            store.conversations.create(f"c{number}", "/shop", ["/lib"], {"depth": "dual"})
            store.conversations.append(f"c{number}", ["a", "b", "c"])
            clock.advance(seconds=1)
        yield store


def _bounded(store: Store, bounds: Bounds) -> Conversations:
    return Conversations(store.database, Ticker(), bounds)


def _set(store: Store, statement: str, *parameters: object) -> None:
    with store.database.write("conversations") as connection:
        connection.exec_driver_sql(statement, parameters)


_TEXT = zlib.compress(b'"b"')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        _TEXT[:-1],
        _TEXT + b"x",
        zlib.compress(b'{"a":'),
        zlib.compress(b"0.5"),
        zlib.compress(b"NaN"),
        zlib.compress(b"\xff"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b"9" * 5000),
        zlib.compress(b'"' + b"x" * (4 << 20) + b'"'),
        "text",
        5,
    ],
    ids=["empty", "noise", "cut", "longer", "half", "float", "nan", "utf-8", "deep", "huge", "bomb", "text", "number"],
)
def test_an_entry_that_cannot_be_read_is_passed_over_and_counted(hurt: Store, data: object) -> None:
    _set(hurt, "UPDATE kimi_utterances SET data = ? WHERE conversation = 'c1' AND number = 2", data)
    assert hurt.conversations.entries("c1") == History(("a", "c"), damaged=1)
    hurt.conversations.append("c1", ["d"])
    assert hurt.conversations.entries("c1") == History(("a", "c", "d"), damaged=1)
    assert hurt.conversations.entries("c2") == History(("a", "b", "c"))


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM kimi_utterances WHERE conversation = 'c1' AND number = 2",
        "UPDATE kimi_utterances SET number = 'x' WHERE conversation = 'c1' AND number = 2",
        "UPDATE kimi_utterances SET number = 77 WHERE conversation = 'c1' AND number = 2",
        "UPDATE kimi_utterances SET conversation = 'c9' WHERE conversation = 'c1' AND number = 2",
    ],
)
def test_an_entry_that_is_missing_is_counted(hurt: Store, change: str) -> None:
    _set(hurt, change)
    assert hurt.conversations.entries("c1") == History(("a", "c"), damaged=1)


@pytest.mark.parametrize(
    "change",
    [
        "roots = 'x'",
        "roots = '5'",
        "roots = '[1]'",
        "roots = '{}'",
        "roots = x'00'",
        "roots = 1.5",
        "chosen = '[]'",
        "chosen = '{\"depth\": 1}'",
        "chosen = '{'",
        "chosen = replace(hex(zeroblob(50000)), '00', '[')",
        "created_at = 'x'",
        "created_at = 5",
        "updated_at = x'ff'",
        "updated_at = ''",
    ],
)
def test_a_damaged_conversation_is_named_and_can_be_deleted(hurt: Store, change: str) -> None:
    _set(hurt, f"UPDATE kimi_conversations SET {change} WHERE id = 'c1'")
    for use in (lambda: hurt.conversations.get("c1"), hurt.conversations.find):
        with pytest.raises(StoreError, match="conversation 'c1' in the store is damaged") as caught:
            use()
        assert "Delete it" in caught.value.hint
    assert hurt.conversations.delete("c1")
    assert [conversation.id for conversation in hurt.conversations.find()[0]] == ["c2", "c0"]


@pytest.mark.parametrize(
    "change",
    [
        "first = 0",
        "first = 5",
        "last = -1",
        "last = 9223372036854775807",
        "size = -1",
        "size = 9223372036854775807",
        "first = 'x'",
        "last = 1.5",
        "size = x'00'",
    ],
)
def test_numbers_that_make_no_sense_are_an_error_of_the_store(hurt: Store, change: str) -> None:
    _set(hurt, f"UPDATE kimi_conversations SET {change} WHERE id = 'c1'")
    for use in (lambda: hurt.conversations.entries("c1"), lambda: hurt.conversations.append("c1", ["d"])):
        with pytest.raises(StoreError, match=r"is damaged|cannot be read"):
            use()
    assert hurt.conversations.delete("c1")
    assert hurt.conversations.entries("c2").entries == ("a", "b", "c")


@pytest.mark.parametrize("change", ["size = 'x'", "size = 10000", "size = -5", "number = number + 0.5"])
def test_a_bound_is_kept_or_refused_when_entries_lie_about_their_size(hurt: Store, change: str) -> None:
    _set(hurt, f"UPDATE kimi_utterances SET {change} WHERE conversation = 'c1'")
    talk = _bounded(hurt, Bounds(entries=2, bytes=10))
    try:
        talk.append("c1", ["d"])
    except StoreError:
        return
    assert len(talk.entries("c1").entries) <= 2


def test_sizes_of_entries_that_are_missing_do_not_push_out_new_ones_for_ever(hurt: Store) -> None:
    _set(hurt, "DELETE FROM kimi_utterances WHERE conversation = 'c1'")
    talk = _bounded(hurt, Bounds(entries=2, bytes=10))
    talk.append("c1", [])
    assert talk.entries("c1") == History((), dropped=3)
    talk.append("c1", ["d", "e"])
    assert talk.entries("c1") == History(("d", "e"), dropped=3)


def test_one_that_is_too_many_is_not_counted_as_damaged(hurt: Store) -> None:
    _set(hurt, "INSERT INTO kimi_utterances VALUES ('c1', 1.5, 3, ?)", _TEXT)
    assert hurt.conversations.entries("c1") == History(("a", "b", "b", "c"))
