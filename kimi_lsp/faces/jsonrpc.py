"""What JSON-RPC demands of a message, with the standard library alone: `start` and the slow path of `connection`."""

import json

# Plain numbers: an enum costs a millisecond before the first answer.
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_NOT_INITIALIZED = -32002
REQUEST_CANCELLED = -32800
SERVER_CANCELLED = -32802
REQUEST_FAILED = -32803


class RefusedError(Exception):
    """A message that is none. `request_id` is None where none could be had; the text quotes nothing of the message."""

    def __init__(self, code: int, message: str, request_id: int | str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id

    @property
    def answer(self) -> bytes:
        """The body of the error response."""
        return error_body(self.request_id, self.code, str(self))


def parse(body: bytes) -> dict[str, object]:
    """The members of a request, a notification or a response.

    `jsonrpc` is right; `id`, if there, is an integer or a string (in a response also null); `method`, if there, is a
    string; without it there is a `result` or an `error`. Strings may hold lone surrogates. RefusedError otherwise.
    """
    try:
        message: object = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise RefusedError(PARSE_ERROR, "the message is not UTF-8") from None
    except RecursionError:
        raise RefusedError(PARSE_ERROR, "the message is nested too deeply") from None
    except ValueError:
        raise RefusedError(PARSE_ERROR, "the message is not JSON") from None
    members = as_object(message)
    if members is None:
        what = "the message is no object" if as_list(message) is None else "batches are not served"
        raise RefusedError(INVALID_REQUEST, what)
    wrong = _what_is_wrong(members)
    if wrong:
        raise RefusedError(INVALID_REQUEST, wrong, request_id(members))
    return members


def request_id(members: dict[str, object]) -> int | str | None:
    """The id, if it is one that a request may have."""
    found = members.get("id")
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def error_body(id_: int | str | None, code: int, message: str) -> bytes:
    """The body of an error response."""
    error = {"code": code, "message": message}
    return utf8(json.dumps({"jsonrpc": "2.0", "id": id_, "error": error}, ensure_ascii=False, separators=(",", ":")))


def as_object(value: object) -> dict[str, object] | None:
    """A JSON value, if it is an object."""
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType] - JSON


def as_list(value: object) -> list[object] | None:
    """A JSON value, if it is an array."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType] - JSON


def utf8(text: str) -> bytes:
    """Text as UTF-8; lone surrogates, which have no bytes there, become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _what_is_wrong(members: dict[str, object]) -> str:
    if members.get("jsonrpc") != "2.0":
        return "jsonrpc is not 2.0"
    if "method" not in members:
        return "" if "id" in members and ("result" in members or "error" in members) else "no method"
    if not isinstance(members["method"], str):
        return "the method is no string"
    if "id" in members and request_id(members) is None:
        return "the id is no integer and no string"
    return ""


def _no_number(name: str) -> float:
    raise ValueError(name)
