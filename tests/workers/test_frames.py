"""Bytes in, frames out, at every split; and what is no frame."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.catalog.values import Answer, Json
from mcp_tools.workers.frames import (
    MAX_FRAME_BYTES,
    Call,
    Frame,
    FrameError,
    Frames,
    Kind,
    answer_of,
    answer_payload,
    call_of,
    call_payload,
    frame_bytes,
    json_bytes,
)

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=40)), max_size=5), st.data())
def test_frames_arrive_whole_however_their_bytes_are_split(said: list[tuple[Kind, bytes]], data: st.DataObject) -> None:
    wire = b"".join(frame_bytes(kind, payload) for kind, payload in said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    frames = Frames()
    heard = [
        frame
        for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)
        for frame in frames.feed(wire[start:stop])
    ]
    assert heard == [Frame(kind, payload) for kind, payload in said]
    assert frames.is_empty


@given(TEXTS, OBJECTS, st.floats(0.001, 1e6))
def test_a_call_arrives_as_it_was_sent(name: str, arguments: dict[str, Json], deadline_s: float) -> None:
    call = Call(name, arguments, deadline_s)
    assert call_of(call_payload(call)) == call


@given(TEXTS, OBJECTS, st.booleans())
def test_an_answer_arrives_as_it_was_given(text: str, data: dict[str, Json], is_error: bool) -> None:
    answer = Answer(text, data, is_error)
    assert answer_of(answer_payload(answer)) == answer


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_refused(noise: bytes) -> None:
    frames = Frames()
    try:
        for frame in frames.feed(noise):
            for read in (call_of, answer_of):
                try:
                    read(frame.payload)
                except FrameError:
                    continue
    except FrameError:
        pass


@pytest.mark.parametrize("size", [0, MAX_FRAME_BYTES + 1, 0xFFFF_FFFF])
def test_a_size_that_is_not_allowed_is_refused_before_its_bytes_have_come(size: int) -> None:
    with pytest.raises(FrameError):
        list(Frames().feed(size.to_bytes(4, "big") + b"\x01"))


@pytest.mark.parametrize("kind", [0, 8, 255])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(FrameError):
        list(Frames().feed(b"\x00\x00\x00\x01" + bytes([kind])))


def test_the_largest_frame_passes_and_one_byte_more_does_not() -> None:
    payload = b"x" * (MAX_FRAME_BYTES - 1)
    assert list(Frames().feed(frame_bytes(Kind.ANSWER, payload))) == [Frame(Kind.ANSWER, payload)]
    with pytest.raises(FrameError):
        frame_bytes(Kind.ANSWER, payload + b"x")


def nested(depth: int) -> Json:
    value: Json = None
    for _ in range(depth):
        value = [value]
    return value


def circle() -> Json:
    value: list[Json] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [nested(100_000), circle(), 10**5000], ids=["deep", "circular", "a huge number"])
def test_what_json_cannot_say_is_refused(value: Json) -> None:
    with pytest.raises(FrameError):
        json_bytes(value)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"n": ' + b"1" * 5000 + b"}",
        b'{"text": 1, "data": {}, "is_error": false}',
        b'{"text": "", "data": [], "is_error": false}',
        b'{"text": "", "data": {}, "is_error": 0}',
        b'{"text": "", "data": {}}',
    ],
)
def test_a_payload_that_is_no_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        answer_of(payload)


@pytest.mark.parametrize("change", [{"name": 1}, {"arguments": []}, {"deadline_s": "1"}, {"deadline_s": None}])
def test_a_payload_that_is_no_call_is_refused(change: dict[str, Json]) -> None:
    right: dict[str, Json] = {"name": "echo", "arguments": {}, "deadline_s": 1.0}
    assert call_of(json.dumps(right).encode()) == Call("echo", {}, 1.0)
    with pytest.raises(FrameError):
        call_of(json.dumps(right | change).encode())
