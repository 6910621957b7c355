"""One lender from its start to its end: it is started, asked, watched, and left alone once it went wrong."""

import logging
import math
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from kimi_lsp.audit.lenders.definitions import Offer, select
from kimi_lsp.audit.lenders.program import child_environment, program_path
from kimi_lsp.audit.lenders.replies import Reply, told
from kimi_lsp.audit.lenders.watch import Watch
from kimi_lsp.audit.toolloop.toolbox import ErrorText
from kimi_lsp.config import McpServer
from kimi_lsp.model import JsonObject
from mcp_tools.finding import Notice

if TYPE_CHECKING:
    from mcp.client import Transport

    from kimi_lsp.audit.lenders.connection import Connection

_log = logging.getLogger(__name__)

_CALLS = 4  # at the same time
_MAX_SILENT_CALLS = 2  # in a row


class Lender:
    """A server of the configuration. `run` is its whole life; `call` may be used while that goes on, and after it.

    `load_sdk` was called before either.
    """

    def __init__(self, name: str, server: McpServer, cwd: Path, *, trust_env: bool) -> None:
        self.name = name
        self.offers: tuple[Offer, ...] = ()
        self.notices: list[Notice] = []
        self._server, self._cwd, self._trust_env = server, cwd, trust_env
        self.is_ready = anyio.Event()  # it is known what the lender offers, be it nothing
        self._over = anyio.Event()
        self._watch = Watch(self._end)
        self._connection: Connection | None = None
        self._limit = anyio.Semaphore(_CALLS)
        self._silent_calls = 0

    async def run(self) -> None:
        """Start the lender and keep it until it fails or the task is cancelled. Never raises."""
        timeout_s = self._server.timeout_s
        with anyio.CancelScope(deadline=anyio.current_time() + timeout_s) as scope:
            try:
                await self._live(scope)
            except Exception as error:  # noqa: BLE001 - what an SDK makes of a stranger's bytes costs that stranger alone
                _log.debug("MCP server %s failed: %s", self.name, type(error).__name__)
                self._watch.blame(self._refusal() or "could not be reached, or does not speak MCP")
        if scope.cancelled_caught:
            self._watch.blame(f"did not answer within {timeout_s:g} s of its start")
        self.is_ready.set()

    async def _live(self, starting: anyio.CancelScope) -> None:
        from kimi_lsp.audit.lenders.connection import connected  # noqa: PLC0415 - late: see load_sdk

        transport = await self._transport()
        if transport is None:
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._leave_when_over, tasks.cancel_scope)
            async with connected(transport) as connection:
                chosen = select(self.name, await connection.definitions(), self._server.tools)
                self.offers = chosen.offers
                for reason in chosen.left_out:
                    self._note("lender-tool-left-out", f"does not lend {reason}")
                self._connection = connection
                starting.deadline = math.inf
                self.is_ready.set()
                await anyio.sleep_forever()

    async def _leave_when_over(self, scope: anyio.CancelScope) -> None:
        await self._over.wait()
        scope.cancel()

    async def _transport(self) -> "Transport | None":
        """The way to the lender, or None when its program is not there."""
        from kimi_lsp.audit.lenders.http import http_transport  # noqa: PLC0415 - late: see load_sdk
        from kimi_lsp.audit.lenders.stdio import stdio_transport  # noqa: PLC0415 - late: see load_sdk

        server = self._server
        if server.url is not None:
            headers = {name: value.reveal() for name, value in server.headers.items()}
            return http_transport(server.url, headers, server.timeout_s, self._watch, trust_env=self._trust_env)
        own = {name: value.reveal() for name, value in server.env.items()}
        path = await anyio.to_thread.run_sync(program_path, server.command[0], os.environ)
        if path is None:
            self._watch.blame("cannot be started: there is no such program on PATH")
            return None
        environment = child_environment(os.environ, own)
        return stdio_transport((path, *server.command[1:]), environment, self._cwd, self._watch)

    async def call(self, offer: Offer, arguments: JsonObject) -> str:
        """Call a tool. The text is for the model, also where there was no answer; cancellation passes."""
        timeout_s = self._server.timeout_s
        async with self._limit:
            with anyio.CancelScope(deadline=anyio.current_time() + timeout_s):
                return await self._asked(offer, arguments)
        if not self._watch.fault:
            self._silent_calls += 1
            if self._silent_calls >= _MAX_SILENT_CALLS:
                self._watch.blame(f"did not answer {_MAX_SILENT_CALLS} calls in a row")
        return self._sorry() if self._watch.fault else ErrorText(f"The tool gave no answer within {timeout_s:g} s.")

    async def _asked(self, offer: Offer, arguments: JsonObject) -> str:
        from kimi_lsp.audit.lenders.connection import refusal_in  # noqa: PLC0415 - late: see load_sdk

        connection = self._connection
        if connection is None:
            return self._sorry()
        try:
            if not await self._is_unchanged(connection):
                self._watch.blame("changed its tools after they were offered")
                return self._sorry()
            self._watch.renew()
            reply = await connection.call(offer.tool, arguments)
        except Exception as error:  # noqa: BLE001 - as in `run`
            refusal = refusal_in(error)
            if refusal is None or self._watch.fault:
                _log.debug("a call of MCP server %s failed: %s", self.name, type(error).__name__)
                self._watch.blame(self._refusal() or "did not keep to MCP in its answer")
                return self._sorry()
            reply = Reply((refusal,), is_error=True)
        self._silent_calls = 0
        return await anyio.to_thread.run_sync(told, reply)

    async def _is_unchanged(self, connection: "Connection") -> bool:
        """Whether every tool that was offered is still declared as it was.

        Asked before each call: a lender need not say that its tools changed, and since protocol 2026-07-28 it says so
        on request alone.
        """
        self._watch.renew()
        now = {one.name: one.digest for one in await connection.definitions()}
        return all(now.get(offer.tool) == offer.digest for offer in self.offers)

    def _refusal(self) -> str:
        status = self._watch.status
        return f"answers with HTTP status {status}" if status is not None else ""

    def _end(self) -> None:
        """It is over, told once. `run` leaves, and the SDK lets go of whoever waits for an answer."""
        self._note("lender-unavailable", self._watch.fault)
        self._connection = None
        self._over.set()
        self.is_ready.set()

    def _sorry(self) -> ErrorText:
        return ErrorText(f"This tool is not available: its server {self._watch.fault}.")

    def _note(self, code: str, what: str) -> None:
        self.notices.append(Notice(code, f"MCP server {self.name!r} {what}."))


def load_sdk() -> None:
    """Import the SDK, half a second of imports, in a worker thread. Its log, which quotes strangers, stays silent."""
    for name in ("mcp.client", "mcp.shared"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("connection", "http", "stdio"):
        import_module(f"{__package__}.{name}")
