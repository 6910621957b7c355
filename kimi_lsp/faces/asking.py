"""Questions to the client and their answers: each is waited for by one caller, who may have given up by then."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio
from msgspec import UNSET

from kimi_lsp.faces import envelope
from kimi_lsp.faces.envelope import ErrorBody, Incoming
from kimi_lsp.faces.jsonrpc import REQUEST_FAILED, RefusedError

T = TypeVar("T")
_GONE = "the client is gone"


class RequestError(Exception):
    """An error response: raised by a handler it is the answer to a request; raised to a caller it is the client's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Asking:
    """The requests that the client has not answered yet."""

    def __init__(self, post: Callable[[bytes], object], cancelled: Callable[[int], bytes] | None) -> None:
        """Set up; `cancelled` words the notification that a request is given up, None where nobody is told."""
        self._post = post
        self._cancelled = cancelled
        self._replies: dict[int, asyncio.Future[Incoming]] = {}
        self._asked = 0
        self._is_over = False

    async def ask(self, method: str, params: object, result: type[T], timeout_s: float | None) -> T:
        """See `Conversation.request`."""
        if self._is_over:
            raise RequestError(REQUEST_FAILED, _GONE)
        self._asked += 1
        number = self._asked
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self._post(envelope.request(number, method, params))
        try:
            with anyio.fail_after(timeout_s):
                message = await reply
        finally:
            if self._replies.pop(number, None) is not None and self._cancelled is not None:  # not answered: given up
                self._post(self._cancelled(number))
        try:
            if message.error is not UNSET:
                error = envelope.read(message.error, ErrorBody)
                raise RequestError(error.code, error.message)
            if message.result is not UNSET:
                return envelope.read(message.result, result)
        except RefusedError as refused:
            raise RequestError(REQUEST_FAILED, f"the client's answer to {method}: {refused}") from None
        raise RequestError(REQUEST_FAILED, f"the client's answer to {method} is empty")

    def take(self, message: Incoming) -> bool:
        """Take an answer in; False when nobody asked, or nobody waits any more."""
        reply = self._replies.pop(message.id, None) if isinstance(message.id, int) else None
        if reply is None or reply.done():
            return False
        reply.set_result(message)
        return True

    def end(self) -> None:
        """There will be no answers any more."""
        self._is_over = True
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(RequestError(REQUEST_FAILED, _GONE))
                reply.exception()  # looked at, whether or not somebody still waits
        self._replies.clear()
