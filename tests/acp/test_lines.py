"""A byte stream is cut into the same lines, however it arrives."""

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.acp.lines import LineCutter, line_of
from kimi_lsp.faces.frames import Damaged


@given(st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b""))), st.data())
def test_however_a_stream_is_cut_the_same_lines_come_out(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(line_of, lines))
    cutter, found = LineCutter(), list[bytes | Damaged]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += cutter.feed(stream[:size])
        stream = stream[size:]
    assert found == [line for line in lines if line.strip(b" \t\r")]


def test_a_line_that_is_too_long_is_told_once_and_the_next_one_is_whole() -> None:
    cutter = LineCutter(max_line=10)
    found = [*cutter.feed(b"x" * 8), *cutter.feed(b"y" * 8), *cutter.feed(b"z" * 100), *cutter.feed(b"z\n[1]\n")]
    assert found == [Damaged("a line is too long"), b"[1]"]


def test_what_is_held_of_a_line_without_an_end_is_bounded() -> None:
    cutter = LineCutter(max_line=1_000)
    for _ in range(1_000):
        cutter.feed(b"x" * 900)
    assert cutter.held_bytes <= 1_000


def test_a_line_as_long_as_may_be_passes() -> None:
    assert LineCutter(max_line=4).feed(b"1234\n") == [b"1234"]
