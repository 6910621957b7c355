"""A client's conversation over ACP: what may be sent at all, what a second `initialize` and a cancellation mean."""

import json
from collections.abc import Callable
from typing import ClassVar, TypeVar

from kimi_lsp.acp.lines import line_of
from kimi_lsp.acp.log import Log
from kimi_lsp.acp.protocol import CancelRequest
from kimi_lsp.acp.start import Handshake, initialized
from kimi_lsp.faces import envelope
from kimi_lsp.faces.conversation import Conversation, Ends, Severity
from kimi_lsp.faces.envelope import Incoming
from kimi_lsp.faces.jsonrpc import INTERNAL_ERROR, RefusedError

T = TypeVar("T")

SENT = frozenset({"session/update", "session/request_permission", "fs/read_text_file", "elicitation/create"})
"""Every method that this agent can send. None of them writes, and nothing else gets through."""


class Connection(Conversation):
    """The conversation with the client that shook hands. Routes are given before `serve`.

    `initialize` and `$/cancel_request` are handled here. The exit code is 0 when the client goes.
    """

    gone_code: ClassVar[int] = 0
    failed_code: ClassVar[int] = INTERNAL_ERROR

    def __init__(self, handshake: Handshake, end_process: Callable[[int], object] | None = None) -> None:
        ends = Ends(handshake.channel, handshake.cutter, line_of, handshake.pending, end_process)
        super().__init__(ends, cancelled=None)
        self.log = Log()

    def notify(self, method: str, params: object, *, key: str | None = None) -> None:
        """Send a notification. PermissionError for one that an agent which only reads has no use for."""
        _check(method)
        super().notify(method, params, key=key)

    async def request(self, method: str, params: object, result: type[T], *, timeout_s: float | None) -> T:
        """Ask the client. PermissionError as above; for the rest see `Conversation.request`."""
        _check(method)
        return await super().request(method, params, result, timeout_s=timeout_s)

    def report(self, severity: Severity, text: str) -> None:
        """Say it on standard error, which clients keep as the agent's log."""
        if severity != "debug":
            self.log.write(f"{severity}: {text}")

    def own_notification(self, method: str, message: Incoming) -> bool:
        """`$/cancel_request`."""
        if method != "$/cancel_request":
            return False
        try:
            self.cancel(envelope.read(message.params, CancelRequest).request_id)
        except RefusedError as refused:
            self.report("debug", f"{method}: {refused}")
        return True

    def own_request(self, id_: int | str, method: str, message: Incoming) -> bool:
        """`initialize` once more: it is answered, and what the client said first holds."""
        if method != "initialize":
            return False
        told: dict[str, object] = {"id": id_, "method": method, "params": json.loads(bytes(message.params))}
        try:
            self.outbox.post(initialized(told)[0])
        except RefusedError as refused:
            self.outbox.post(refused.answer)
        return True


def _check(method: str) -> None:
    if method not in SENT:
        raise PermissionError(f"this agent only reads: it does not send {method}")
