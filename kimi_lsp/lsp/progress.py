"""Work-done progress of one audit: begun once, reported as often as a client reads, always ended."""

from decimal import Decimal

from kimi_lsp.errors import KimiError
from kimi_lsp.lsp.connection import Connection, RequestError
from kimi_lsp.lsp.protocol import ProgressCreateParams, ProgressParams, ProgressValue

_CREATE_DEADLINE_S = 5.0


class Progress:
    """Reports nothing when the client gave no token and cannot make one."""

    def __init__(self, connection: Connection, token: int | str | None) -> None:
        self._connection = connection
        self._token = token
        self._is_open = False

    @property
    def token(self) -> int | str | None:
        """The token in use."""
        return self._token

    @classmethod
    async def make(cls, connection: Connection, token: int | str | None, fresh: str | None) -> "Progress":
        """With the client's own token, else with a fresh one that the client agrees to."""
        if token is None and fresh is not None:
            params = ProgressCreateParams(fresh)
            try:
                await connection.request("window/workDoneProgress/create", params, object, timeout_s=_CREATE_DEADLINE_S)
                token = fresh
            except (RequestError, TimeoutError, KimiError):
                token = None
        return cls(connection, token)

    def begin(self, title: str) -> None:
        """Show it, with a button to cancel."""
        if self._token is not None:
            self._is_open = True
            self._send(ProgressValue("begin", title=title, cancellable=True, percentage=0))

    def report(self, message: str, percentage: int | None) -> None:
        """Say how far it is. Several that were not sent yet become one."""
        if self._is_open:
            value = ProgressValue("report", message=message, percentage=percentage)
            self._send(value, key=f"progress {self._token!r}")

    def end(self, message: str) -> None:
        """Take it away."""
        if self._is_open:
            self._is_open = False
            self._send(ProgressValue("end", message=message))

    def _send(self, value: ProgressValue, key: str | None = None) -> None:
        assert self._token is not None
        self._connection.notify("$/progress", ProgressParams(self._token, value), key=key)


def spent_text(tokens: int, cost_usd: Decimal) -> str:
    """`12,345 tokens, $0.0042`."""
    return f"{tokens:,} tokens, ${cost_usd:.4f}"
