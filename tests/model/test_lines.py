import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.errors import StreamError
from kimi_lsp.model import LineSplitter

NASTY = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"


def lines(*chunks: bytes) -> list[str]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush()


def test_every_line_end_of_an_event_stream_ends_a_line() -> None:
    assert lines(b"a\nb\r\nc\rd") == ["a", "b", "c", "d"]


def test_characters_that_only_python_takes_for_line_ends_stay_in_the_line() -> None:
    assert lines(f"x{NASTY}y\n".encode()) == [f"x{NASTY}y"]


def test_a_carriage_return_ends_its_line_at_once_and_a_later_line_feed_ends_no_other() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\r") == ["a"]
    assert splitter.feed(b"\nb\n") == ["b"]


def test_bytes_that_are_no_text_cost_only_themselves() -> None:
    assert lines(b"a\xffb\n\xe2\x82\nok\n") == ["a\ufffdb", "\ufffd", "ok"]


def test_a_line_beyond_the_cap_is_an_error_however_it_arrives() -> None:
    splitter = LineSplitter(max_line_bytes=8)
    assert splitter.feed(b"12345678") == []
    with pytest.raises(StreamError, match="exceeds 8 bytes"):
        splitter.feed(b"9")


@given(
    st.lists(st.sampled_from(["a", "é", "數", "😀", NASTY, "\n", "\r\n", "\r", "data: {}"]), max_size=30),
    st.lists(st.integers(0, 200), max_size=12),
)
def test_where_the_chunks_end_changes_nothing(parts: list[str], splits: list[int]) -> None:
    body = "".join(parts).encode()
    borders = [0, *sorted({min(split, len(body)) for split in splits}), len(body)]
    pieces = [body[start:end] for start, end in itertools.pairwise(borders)]
    assert lines(*pieces) == lines(body) == lines(*(body[i : i + 1] for i in range(len(body))))
