"""Messages as values: decodes what comes in once, encodes what goes out. Text that is no Unicode passes both ways."""

import json
from typing import Any, Literal, TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from kimi_lsp.faces.jsonrpc import INVALID_PARAMS, PARSE_ERROR, RefusedError, parse, utf8

T = TypeVar("T")
_NULL = Raw(b"null")
_EMPTY = Raw(b"{}")


class Incoming(Struct, frozen=True):
    """A request (id, method), a notification (method) or a response (id, result or error); see `jsonrpc.parse`."""

    jsonrpc: Literal["2.0"]
    id: int | str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    params: Raw = _NULL
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class ErrorBody(Struct):
    """The error of a response."""

    code: int
    message: str


class _Notification(Struct, tag_field="jsonrpc", tag="2.0"):
    method: str
    params: object


class _Request(Struct, tag_field="jsonrpc", tag="2.0"):
    id: int
    method: str
    params: object


class _Response(Struct, tag_field="jsonrpc", tag="2.0"):
    id: int | str
    result: object


_INCOMING = msgspec.json.Decoder(Incoming)
_ENCODER = msgspec.json.Encoder()


def decode(body: bytes) -> Incoming:
    """The message of a frame, its `params` not looked at yet. RefusedError when it is none."""
    try:
        if not body.isascii():
            body.decode()  # also in members that nobody looks at: msgspec skips those
        message = _INCOMING.decode(body)
        if message.method is not UNSET or (
            message.id is not UNSET and (message.result, message.error) != (UNSET, UNSET)
        ):
            return message
    except (ValueError, RecursionError):
        pass
    return _decode_slowly(body)


def read(raw: Raw, shape: type[T]) -> T:
    """A part of a message in its own type. RefusedError (-32602, no values in its text) when it does not fit."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise RefusedError(INVALID_PARAMS, _without_values(error)) from None
    except (ValueError, RecursionError):
        return _read_slowly(raw, shape)


def read_params(raw: Raw, shape: type[T]) -> T:
    """The same for params, which may be left out where nothing in them is needed."""
    is_null = memoryview(raw).nbytes == 4 and bytes(raw) == b"null"
    return read(_EMPTY if is_null else raw, shape)


def notification(method: str, params: object) -> bytes:
    """The body of a notification."""
    return _encode(_Notification(method, UNSET if params is None else params))


def request(id_: int, method: str, params: object) -> bytes:
    """The body of a request."""
    return _encode(_Request(id_, method, UNSET if params is None else params))


def response(id_: int | str, result: object) -> bytes:
    """The body of a response. TypeError when the result is no message."""
    return _encode(_Response(id_, result))


def _decode_slowly(body: bytes) -> Incoming:
    """The same by `json`, which knows what is wrong and takes lone surrogates, as editors send them."""
    members = parse(body)
    found = {name: members[name] for name in ("jsonrpc", "id", "method") if name in members}
    if found.get("id", "") is None:
        del found["id"]  # of a response to what the client could not read
    try:
        for name in ("params", "result", "error"):
            if name in members:
                found[name] = Raw(json.dumps(members[name]).encode())
    except RecursionError:
        raise RefusedError(PARSE_ERROR, "the message is nested too deeply") from None
    return Incoming(**cast("dict[str, Any]", found))


def _read_slowly(raw: Raw, shape: type[T]) -> T:
    try:
        value: object = json.loads(bytes(raw))
        try:
            return msgspec.convert(value, shape)  # keeps lone surrogates, but knows no Raw
        except msgspec.ValidationError:
            return msgspec.json.decode(utf8(json.dumps(value, ensure_ascii=False)), type=shape)
    except msgspec.ValidationError as error:
        raise RefusedError(INVALID_PARAMS, _without_values(error)) from None
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_PARAMS, "the params cannot be read") from None


def _without_values(error: msgspec.ValidationError) -> str:
    text = str(error)
    return text if text.startswith(("Expected", "Object missing")) else "a value is out of range"


def _encode(message: Struct) -> bytes:
    try:
        return _ENCODER.encode(message)
    except UnicodeEncodeError:
        value: object = msgspec.to_builtins(message, str_keys=True)
        return utf8(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
