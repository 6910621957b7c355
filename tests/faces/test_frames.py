"""The framing: any cut of the stream gives the same, and damage costs as little as it can."""

import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kimi_lsp.faces.frames import Damaged, FrameReader, framed

NEXT = b'{"next":1}'


def read(data: bytes, *, max_body: int = 1000, max_header: int = 300) -> list[bytes | Damaged]:
    return FrameReader(max_body=max_body, max_header=max_header).feed(data)


def test_a_framed_body_is_read_again() -> None:
    assert framed(b"{}") == b"Content-Length: 2\r\n\r\n{}"
    assert read(framed(b"{}") + framed(NEXT)) == [b"{}", NEXT]


@pytest.mark.parametrize(
    "header",
    [
        "content-length: 2\r\n\r\n",
        "CONTENT-LENGTH:2\r\n\r\n",
        "Content-Length :\t 2 \t\r\n\r\n",
        "Content-Length: 2\n\n",
        "Content-Length: 002\r\n\n",
        "\r\n\r\n\nContent-Length: 2\r\n\r\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        "Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc;charset=utf8\r\n\r\n",
        'Content-Length: 2\r\ncontent-type: x; version=1; CharSet="UTF-8"\r\n\r\n',
        "Content-Length: 2\r\nContent-Type:\r\nX-Other: a: b\r\n\r\n",
    ],
)
def test_whatever_http_would_read_is_read(header: str) -> None:
    assert read(header.encode() + b"{}" + framed(NEXT)) == [b"{}", NEXT]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("Content-Length: x\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: -2\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: +2\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: 0x2\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: 2_0\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: ٢\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length:\r\n\r\n{}", "Content-Length is no number"),
        ("Content-Length: 2, 2\r\n\r\n{}", "Content-Length is no number"),
        (f"Content-Length: {'9' * 30}\r\n\r\n{{}}", "Content-Length is no number"),
        ("Content-Length: 999999999999\r\n\r\n{}", "the body is too large"),
        ("Content-Length: 1001\r\n\r\n{}", "the body is too large"),
        ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "two Content-Length fields"),
        ("Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}", "two Content-Length fields"),
        ("Content-Type: text\r\n\r\n{}", "no Content-Length field"),
        ("Content-Length: 2\r\nContent-Type: x; charset=latin-1\r\n\r\n{}", "the charset is not UTF-8"),
        ('Content-Type: x; charset="utf-16"\r\nContent-Length: 2\r\n\r\n{}', "the charset is not UTF-8"),
        ('{"jsonrpc":"2.0","method":"m"}', "no header field"),
        ('{\n  "a": 1\n}', "no header field"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "no header field"),
        (": 2\r\n\r\n{}", "no header field"),
        (" Content-Length: x\r\n\r\n{}", "no header field"),
        ("X: " + "x" * 300 + "\r\n\r\n{}", "the header is too long"),
        ("A: b\r\n" * 60 + "\r\n{}", "the header is too long"),
        ("x" * 5000, "the header is too long"),
    ],
)
def test_damage_is_reported_once_and_the_next_frame_is_read(data: str, reason: str) -> None:
    assert read(data.encode() + framed(NEXT) + framed(b"{}")) == [Damaged(reason), NEXT, b"{}"]


def test_a_length_that_is_too_short_costs_its_frame_only() -> None:
    assert read(b'Content-Length: 5\r\n\r\n{"a":12345}' + framed(NEXT)) == [b'{"a":', Damaged("no header field"), NEXT]


def test_a_body_of_nothing_is_a_body() -> None:
    assert read(b"Content-Length: 0\r\n\r\n" + framed(NEXT)) == [b"", NEXT]


def test_text_in_a_lost_body_is_not_taken_for_a_header() -> None:
    body = rb'{"text":"Content-Length: 2\r\n\r\n{}","more":"Content-Length: 2"}'
    assert read(b"Content-Length: no\r\n\r\n" + body + framed(NEXT)) == [Damaged("Content-Length is no number"), NEXT]


def test_a_body_at_the_limit_is_read_and_one_beyond_it_is_not() -> None:
    body, longer = b"x" * 1000, b"x" * 1001
    assert read(framed(body)) == [body]
    assert read(framed(longer) + framed(NEXT)) == [Damaged("the body is too large"), NEXT]


def test_a_body_that_is_too_large_is_never_held() -> None:
    reader = FrameReader(max_body=1000)
    chunk = b"x" * 4096
    tracemalloc.start()
    try:
        assert reader.feed(b"Content-Length: 67108864\r\n\r\n") == [Damaged("the body is too large")]
        for _ in range(16384):
            assert reader.feed(chunk) == []
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert reader.feed(framed(NEXT)) == [NEXT]


def test_a_declared_length_alone_takes_no_memory() -> None:
    reader = FrameReader()
    tracemalloc.start()
    try:
        assert reader.feed(b"Content-Length: 268435456\r\n\r\n{") == []
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


_PIECES = st.sampled_from(
    [
        framed(b"{}"),
        framed(b""),
        framed(b'{"text":"\\r\\nContent-Length: 3\\r\\n"}'),
        b"content-length:4\n\nabcd",
        b"Content-Length: 5 5\r\n\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 999999\r\n\r\n",
        b"Content-Type: a; charset=latin-1\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"Content-Len",
        b"gth: 2\r\n\r\n",
        b"x" * 70,
        b": ",
    ]
)
_STREAMS = st.lists(st.one_of(_PIECES, st.binary(max_size=12)), max_size=12).map(b"".join)


@given(_STREAMS, st.lists(st.integers(1, 40), min_size=1, max_size=50))
@example(b"x" * 61 + b"\nContent-Length: 2\r\n\r\n{}", [1])
def test_every_cut_of_a_stream_gives_the_same(stream: bytes, sizes: list[int]) -> None:
    whole = read(stream, max_body=50, max_header=60)
    for pattern in ([1], sizes):
        reader = FrameReader(max_body=50, max_header=60)
        events: list[bytes | Damaged] = []
        at = turn = 0
        while at < len(stream):
            size = pattern[turn % len(pattern)]
            events += reader.feed(stream[at : at + size])
            at, turn = at + size, turn + 1
        assert events == whole


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 64))
def test_bodies_come_out_as_they_went_in(bodies: list[bytes], size: int) -> None:
    stream = b"".join(map(framed, bodies))
    reader = FrameReader()
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    assert events == bodies


@given(_STREAMS)
def test_after_any_damage_the_second_frame_at_the_latest_is_read(stream: bytes) -> None:
    reader = FrameReader(max_body=50, max_header=60)
    reader.feed(stream)
    reader.feed(b"x" * 60)  # more than what a length before it may have asked for
    reader.feed(b"\r\n\r\n" + framed(NEXT))
    assert reader.feed(framed(NEXT))[-1:] == [NEXT]
