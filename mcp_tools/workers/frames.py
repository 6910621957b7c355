"""What a pool and a worker say to each other, as bytes. Pure: no pipe, no process.

A frame is a length (4 bytes, big-endian, of what follows), a kind (1 byte) and a payload. JSON is ASCII with escapes,
so that lone surrogates (names of files that are no UTF-8) arrive as they were.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from mcp_tools.catalog.values import Answer, Json, JsonObject

MAX_FRAME_BYTES: Final = 8 << 20
"""Bytes of a frame without its length, either way."""

_HEAD_BYTES: Final = 4
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Kind(IntEnum):
    """What a frame is. The first two go to a worker, the others come from it."""

    SETUP = 1
    CALL = 2
    READY = 3
    ANSWER = 4
    LAST_ANSWER = 5  # an answer, after which the worker wants to be replaced
    FAILED = 6  # the name of an exception's type
    NO_MEMORY = 7


class FrameError(Exception):
    """The bytes are no frames, or a value makes none. Constant messages."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """What a worker is to do. `deadline_s` is counted from when it is sent."""

    name: str
    arguments: JsonObject
    deadline_s: float


@dataclass(slots=True)
class Frames:
    """Bytes in, frames out."""

    _pending: bytearray = field(default_factory=bytearray)

    @property
    def is_empty(self) -> bool:
        """Nothing of a next frame has come."""
        return not self._pending

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Take bytes in and yield the frames that they complete. Raises FrameError; feed nothing more then."""
        self._pending += chunk
        while len(self._pending) > _HEAD_BYTES:
            size = int.from_bytes(self._pending[:_HEAD_BYTES], "big")
            if not 1 <= size <= MAX_FRAME_BYTES:
                raise FrameError("a frame of a forbidden size")
            if len(self._pending) < _HEAD_BYTES + size:
                return
            kind, payload = self._pending[_HEAD_BYTES], bytes(self._pending[_HEAD_BYTES + 1 : _HEAD_BYTES + size])
            del self._pending[: _HEAD_BYTES + size]
            try:
                yield Frame(Kind(kind), payload)
            except ValueError:
                raise FrameError("a frame of an unknown kind") from None


def frame_bytes(kind: Kind, payload: bytes = b"") -> bytes:
    """A frame as bytes. Raises FrameError when it is too large."""
    size = 1 + len(payload)
    if size > MAX_FRAME_BYTES:
        raise FrameError("a frame of a forbidden size")
    return b"%b%c%b" % (size.to_bytes(_HEAD_BYTES, "big"), kind, payload)


def json_bytes(value: Json) -> bytes:
    """JSON text. Raises FrameError for what JSON cannot say, or cannot say in this depth."""
    try:
        return _encode(value).encode("ascii")
    except (ValueError, TypeError, RecursionError):
        raise FrameError("a value that is no JSON") from None


def json_object(payload: bytes) -> JsonObject:
    """The object of a payload. Raises FrameError for anything else."""
    try:
        value: Json = json.loads(payload)
    except (ValueError, RecursionError):
        raise FrameError("a payload that is no JSON") from None
    if not isinstance(value, dict):
        raise FrameError("a payload that is no object")
    return value


def call_payload(call: Call) -> bytes:
    """A call. Raises FrameError."""
    return json_bytes({"name": call.name, "arguments": call.arguments, "deadline_s": call.deadline_s})


def call_of(payload: bytes) -> Call:
    """A call. Raises FrameError."""
    match json_object(payload):
        case {"name": str(name), "arguments": dict(arguments), "deadline_s": float(deadline_s)}:
            return Call(name, arguments, deadline_s)
        case _:
            raise FrameError("a payload that is no call")


def answer_payload(answer: Answer) -> bytes:
    """An answer. Raises FrameError."""
    return json_bytes({"text": answer.text, "data": answer.data, "is_error": answer.is_error})


def answer_of(payload: bytes) -> Answer:
    """An answer. Raises FrameError."""
    match json_object(payload):
        case {"text": str(text), "data": dict(data), "is_error": bool(is_error)}:
            return Answer(text, data, is_error)
        case _:
            raise FrameError("a payload that is no answer")
