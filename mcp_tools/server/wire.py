"""Messages as both transports read them, within bounds, and write them, whatever is in them."""

import json
import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    PROTOCOL_VERSION_META_KEY,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)
from pydantic import ValidationError
from pydantic_core import from_json

from mcp_tools.output.escape import encodable

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Bytes that one message from a client may have."""

_MAX_VALUES = 250_000  # of one message; small ones take ten times their text in memory
_MAX_ID_CHARS = 256
_MAX_ID = 2**63
_MAX_METHOD_CHARS = 128
_MAX_VERSION_CHARS = 64
_FEW_BYTES = 64 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_INFINITE = re.compile(r"\d[eE]\+?\d{3}|\d{300}")


@dataclass(frozen=True, slots=True)
class WireLimits:
    """What one connection over stdio may take of this process.

    `max_requests` and `max_request_bytes` bound what is being answered at the same time; beyond that the transport
    stops to read. `eof_grace_s`: how long calls that run may still take once standard input has ended.
    `flush_s`: how long a client may take to read the last answers.
    """

    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_requests: int = 256
    max_request_bytes: int = 4 * MAX_MESSAGE_BYTES
    max_unread_bytes: int = 1024 * 1024
    eof_grace_s: float = 0.2
    flush_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message was not taken: a JSON-RPC code, a fixed text, and the request's id where it could be read."""

    code: int
    message: str
    id: RequestId | None = None

    def answer(self) -> JSONRPCError:
        """It as the answer to send."""
        return JSONRPCError(jsonrpc="2.0", id=self.id, error=ErrorData(code=self.code, message=self.message))


STOPPED: Final = Refused(INTERNAL_ERROR, "The server is stopping")
TOO_LONG: Final = Refused(INVALID_REQUEST, "Invalid request: the message is too long")


class LineReader:
    """Bytes in, lines out, however the bytes are cut. A line that is too long is skipped, not kept: None stands for it.

    Holds at most `max_bytes` and one chunk.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._is_skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Take bytes, give the lines that they complete, without their ends."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            if self._parts or self._is_skipping:
                yield from self._add(piece)
                yield from self.end()
            else:
                yield piece if len(piece) <= self._max_bytes else None
        if rest:
            yield from self._add(rest)

    def end(self) -> Iterator[bytes]:
        """The line that has begun, if it has any bytes and is not too long. A new one begins."""
        if self._parts:
            yield b"".join(self._parts)
        self._parts, self._size, self._is_skipping = [], 0, False

    def _add(self, piece: bytes) -> Iterator[None]:
        if self._is_skipping:
            return
        self._size += len(piece)
        if self._size > self._max_bytes:
            self._parts, self._is_skipping = [], True
            yield None
        else:
            self._parts.append(piece)


def parse(data: bytes) -> JSONRPCMessage | Refused | None:
    """Read one message. None for what is to be dropped without a word: a malformed response.

    Bytes that are not UTF-8 become U+FFFD. Of a key that is there twice the last one counts, as everywhere in the
    SDK. Nested more than 200 deep, NaN, an infinity or a number that is one once read: not JSON here.
    """
    text = data.decode("utf-8", "replace")
    if len(data) > _FEW_BYTES and sum(map(text.count, ",[{")) > _MAX_VALUES:
        return Refused(INVALID_REQUEST, "Invalid request: the message holds too many values")
    try:
        value: object = from_json(text, allow_inf_nan=False)
    except ValueError:
        return Refused(PARSE_ERROR, "Parse error: a message is one JSON object in UTF-8")
    if isinstance(value, list):
        return Refused(INVALID_REQUEST, "Invalid request: batches are not supported")
    if not isinstance(value, dict):
        return Refused(INVALID_REQUEST, "Invalid request: a message is one JSON object")
    fields = cast("dict[str, object]", value)
    if "method" not in fields and ("result" in fields or "error" in fields):
        return _response(fields)
    request_id = _request_id(fields.get("id"))
    if _MAYBE_INFINITE.search(text) and _has_infinity(fields):
        return Refused(PARSE_ERROR, "Parse error: a number is out of range", request_id)
    return _call(fields, request_id)


def _call(fields: dict[str, object], request_id: RequestId | None) -> JSONRPCMessage | Refused:
    method, params = fields.get("method"), fields.get("params")
    if fields.get("jsonrpc") != "2.0":
        return Refused(INVALID_REQUEST, 'Invalid request: "jsonrpc" is "2.0"', request_id)
    if not isinstance(method, str) or not 0 < len(method) <= _MAX_METHOD_CHARS:
        return Refused(INVALID_REQUEST, "Invalid request: no method, or an overlong one", request_id)
    if request_id is None and "id" in fields:
        return Refused(INVALID_REQUEST, "Invalid request: an id is a string (up to 256 characters) or an integer")
    if params is not None and not isinstance(params, dict):
        return Refused(INVALID_PARAMS, "Invalid params: they are an object", request_id)
    given = {} if params is None else {"params": cast("dict[str, Any]", params)}
    if given and _has_overlong_version(given["params"]):
        return Refused(INVALID_PARAMS, "Invalid params: that is no protocol version", request_id)
    if request_id is None:
        return JSONRPCNotification(jsonrpc="2.0", method=method, **given)
    return JSONRPCRequest(jsonrpc="2.0", id=request_id, method=method, **given)


def _response(fields: dict[str, object]) -> JSONRPCMessage | None:
    try:
        if "error" in fields:
            return JSONRPCError.model_validate(fields)
        return JSONRPCResponse.model_validate(fields)
    except ValidationError:
        return None


def _request_id(value: object) -> RequestId | None:
    if isinstance(value, str):
        return value if len(value) <= _MAX_ID_CHARS else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_MAX_ID <= value < _MAX_ID else None
    return None


def _has_overlong_version(params: dict[str, Any]) -> bool:
    """Whether a version is such that an answer must not repeat it, as the SDK's does."""
    meta: object = params.get("_meta")
    versions: list[object] = [params.get("protocolVersion")]
    if isinstance(meta, dict):
        versions.append(cast("dict[str, object]", meta).get(PROTOCOL_VERSION_META_KEY))
    return any(isinstance(version, str) and len(version) > _MAX_VERSION_CHARS for version in versions)


def _has_infinity(value: object) -> bool:
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, dict):
            rest.extend(cast("dict[str, object]", item).values())
        elif isinstance(item, list):
            rest.extend(cast("list[object]", item))
        elif isinstance(item, float) and math.isinf(item):
            return True
    return False


def render(message: JSONRPCMessage) -> bytes | None:
    """Write one message as one line, without its end. Never fails; None for a notification that cannot be written.

    Lone surrogates, which UTF-8 has no bytes for, are made visible. An answer that is not JSON (NaN, an object, a
    loop) becomes an error for the same request.
    """
    try:
        return _encoded(_dumps(_fields(message)))
    except (TypeError, ValueError, RecursionError):
        if not isinstance(message, JSONRPCResponse | JSONRPCError):
            logger.warning("a notification could not be written; it is dropped")
            return None
    logger.error("an answer could not be written; its request fails")
    return _encoded(_dumps(Refused(INTERNAL_ERROR, _UNSENDABLE, message.id).answer().model_dump(exclude_unset=True)))


def sendable(result: dict[str, Any]) -> dict[str, Any]:
    """A result that any transport can write: itself, or a copy whose lone surrogates are visible.

    Raises MCPError (-32603) for a result that is no JSON.
    """
    try:
        text = _dumps(result)
    except (TypeError, ValueError, RecursionError):
        raise MCPError(INTERNAL_ERROR, _UNSENDABLE) from None
    return json.loads(_visible(text)) if _SURROGATE.search(text) else result


class Net(ServerMiddleware[Any]):
    """A last net round every handler of a server: no exception ends it, and no exception's text leaves it."""

    def __init__(self, *, results: bool) -> None:
        self._results = results
        self._running: set[anyio.CancelScope] = set()
        self._is_stopped = False

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Run the rest of the chain."""
        result = None
        with anyio.CancelScope() as scope:
            self._running.add(scope)
            if self._is_stopped:
                scope.cancel()
            try:
                result = await self._call(ctx, call_next)
            finally:
                self._running.discard(scope)
        if scope.cancelled_caught:
            raise MCPError(INTERNAL_ERROR, STOPPED.message)
        return sendable(result) if self._results and isinstance(result, dict) else result

    def stop(self) -> None:
        """End every call that runs, and every one to come, with an error that says so."""
        self._is_stopped = True
        for scope in self._running:
            scope.cancel()

    async def _call(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        try:
            return await call_next(ctx)
        except MCPError as error:
            if self._results:
                raise _sendable_error(error) from None
            raise
        except ValidationError:  # the SDK says no more of it than that the parameters are wrong
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: whatever it is, the server lives
            logger.error("a handler failed: %s", type(error).__name__)  # noqa: TRY400 - its text may hold secrets
            raise MCPError(INTERNAL_ERROR, "Internal error") from None


def contain(server: Server[Any], *, results: bool) -> Net:
    """Put a net round every handler of a server, outside all that it has; once for each transport that serves it.

    Args:
        server: changed in place.
        results: look at results, too (see `sendable`); for a transport that cannot write everything.
    """
    net = Net(results=results)
    server.middleware.insert(0, net)
    return net


def _sendable_error(error: MCPError) -> MCPError:
    try:
        shown = sendable({"message": error.error.message, "data": error.error.data})
    except MCPError as other:
        return other
    return MCPError(error.error.code, shown["message"], shown["data"])


def _fields(message: JSONRPCMessage) -> dict[str, Any]:
    if isinstance(message, JSONRPCResponse):
        return {"jsonrpc": "2.0", "id": message.id, "result": message.result}
    return message.model_dump(by_alias=True, exclude_unset=True)


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_UNSENDABLE = "Internal error: the result cannot be sent"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _visible(text).encode()


def _visible(text: str) -> str:
    """JSON text with its lone surrogates, all of them inside strings, made visible."""
    return _SURROGATE.sub(lambda match: encodable(match[0]).replace("\\", "\\\\"), text)
