"""An editor's conversation over LSP: what the protocol itself says of requests, cancelling, logging and the end."""

from typing import ClassVar

import anyio

from kimi_lsp.faces import envelope
from kimi_lsp.faces.asking import RequestError
from kimi_lsp.faces.conversation import Conversation, Ends, Route, Severity
from kimi_lsp.faces.envelope import Incoming
from kimi_lsp.faces.frames import framed
from kimi_lsp.faces.jsonrpc import INVALID_PARAMS, INVALID_REQUEST, REQUEST_FAILED, RefusedError
from kimi_lsp.lsp.protocol import CancelParams, MessageParams, MessageType
from kimi_lsp.lsp.start import Handshake

_SHUTDOWN_S = 5.0  # how long the answer to `shutdown` waits for what stops
_LEVELS = {
    "error": MessageType.ERROR,
    "warning": MessageType.WARNING,
    "info": MessageType.INFO,
    "debug": MessageType.DEBUG,
}

__all__ = ["INVALID_PARAMS", "REQUEST_FAILED", "Connection", "RequestError", "Route"]


class Connection(Conversation):
    """The conversation with the client that shook hands. Routes are given before `serve`.

    `initialize`, `shutdown`, `exit` and `$/cancelRequest` are handled here. `on_end` is called at `shutdown`, or at the
    end without one. The exit code is 0 after `shutdown` and `exit`, 1 after `exit` alone and when the client just goes.
    """

    gone_code: ClassVar[int] = 1

    def __init__(self, handshake: Handshake) -> None:
        ends = Ends(handshake.channel, handshake.reader, framed, handshake.pending, handshake.end_process)
        super().__init__(ends, cancelled=_cancelled)
        self._level = _LEVELS[handshake.log_level]
        self._has_shut_down = False

    def log(self, type: MessageType, text: str) -> None:  # noqa: A002 - the specification's word
        """Log to the client (`window/logMessage`), if the level is wanted. Dropped and counted if it does not read."""
        if type > self._level:
            return
        shown = min(type, MessageType.LOG)  # DEBUG is not in LSP 3.17
        if self.outbox.post(_log_line(shown, text), droppable=True) and (dropped := self.outbox.take_dropped()):
            text = f"{dropped} log lines before this one were dropped: the client read too slowly"
            self.outbox.post(_log_line(MessageType.WARNING, text))

    def report(self, severity: Severity, text: str) -> None:
        """Log it to the client."""
        self.log(_LEVELS[severity], text)

    def own_notification(self, method: str, message: Incoming) -> bool:
        """`exit` and `$/cancelRequest`; after `shutdown` nothing else counts."""
        if method == "exit":
            self.stop(0 if self._has_shut_down else 1)
        elif method == "$/cancelRequest":
            try:
                self.cancel(envelope.read(message.params, CancelParams).id)
            except RefusedError as refused:
                self.report("debug", f"$/cancelRequest: {refused}")
        else:
            return self._has_shut_down
        return True

    def own_request(self, id_: int | str, method: str, message: Incoming) -> bool:
        """`shutdown`, and what is too late."""
        del message
        if self._has_shut_down:
            self.refuse(id_, INVALID_REQUEST, "the server has been shut down")
        elif method == "initialize":
            self.refuse(id_, INVALID_REQUEST, "initialize has been answered")
        elif method == "shutdown":
            self._has_shut_down = True
            self.answer_with(id_, method, self._shut_down())
        else:
            return False
        return True

    async def _shut_down(self) -> None:
        with anyio.move_on_after(_SHUTDOWN_S):
            await self.say_farewell()


def _cancelled(number: int) -> bytes:
    return envelope.notification("$/cancelRequest", CancelParams(number))


def _log_line(type: MessageType, text: str) -> bytes:  # noqa: A002 - the specification's word
    return envelope.notification("window/logMessage", MessageParams(type, text))
