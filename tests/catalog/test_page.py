from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.catalog.page import Entry, Room, clip, fit


def full(text: str) -> Entry:
    return Entry(text, {"text": text, "more": "x" * 100})


def short(text: str) -> Entry:
    return Entry(text, {"text": text})


def test_all_that_was_asked_for_is_told_in_full_where_there_is_room() -> None:
    fitted = fit(["a", "b", "c"], 0, Room(8_000, 2), full, short)
    assert [entry.data["text"] for entry in fitted.entries] == ["a", "b"]
    assert "more" in fitted.entries[0].data
    assert fitted.next_offset == 2


def test_entries_are_shortened_before_there_are_fewer() -> None:
    items = [f"{number:03}" for number in range(100)]
    fitted = fit(items, 0, Room(5_000, 100), full, short)
    assert "more" not in fitted.entries[0].data
    assert len(fitted.entries) == 100


@given(st.lists(st.text(max_size=400), max_size=60), st.integers(1_300, 9_000), st.integers(1, 50))
def test_pages_together_are_everything_once_and_none_is_too_large(items: list[str], chars: int, entries: int) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        fitted = fit(items, offset, Room(chars, entries), full, short)
        told = [str(entry.data["text"]) for entry in fitted.entries]
        assert len(told) <= entries
        assert len(told) == 1 or sum(entry.chars for entry in fitted.entries) <= chars - 1_200 or not told
        assert told or not items
        seen += told
        offset = fitted.next_offset
    assert seen == items


def test_a_clipped_text_is_one_printable_line() -> None:
    assert clip("a\nb\x1b[31m\u202e" + "c" * 100, 30) == r"a b\x1b[31m\u{202e}cccccccccc…"
