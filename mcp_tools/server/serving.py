"""The event loop of a server: workers, transport, signals, and an end that does not wait for anybody."""

import os
import signal
import sys
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.server.lowlevel import Server

from mcp_tools.server.app import build
from mcp_tools.server.guard import Limits
from mcp_tools.server.http import HttpOptions, serve_http
from mcp_tools.server.options import Options, Prepared
from mcp_tools.server.stdio import serve_stdio
from mcp_tools.server.token import new_token, read_token
from mcp_tools.workers import Pool

_WORKERS = 2


class UsageError(Exception):
    """The options cannot be carried out. The message is safe to show."""


def serve(options: Options, prepared: Prepared, prog: str) -> int:
    """Serve until the client goes or a signal comes; returns the exit code. Raises UsageError."""
    http = _http(options, prog) if options.http else None
    return anyio.run(_Serving(options, prepared, prog, http).run)


class _Serving:
    """One run of a server."""

    def __init__(self, options: Options, prepared: Prepared, prog: str, http: HttpOptions | None) -> None:
        self._options, self._prepared, self._prog, self._http = options, prepared, prog, http
        self._exit = 0

    async def run(self) -> int:
        """Serve."""
        workers = min(_WORKERS, os.cpu_count() or 1)
        async with Pool(self._prepared.setup, size=workers) as pool, anyio.create_task_group() as group:
            await group.start(self._watch_signals, group.cancel_scope)
            pool.warm()
            server = build(
                pool,
                version=self._prepared.version,
                extra=self._prepared.extra,
                limits=Limits(deadline_s=self._options.deadline_s),
                with_structure=self._options.with_structure,
            )
            await self._serve(server)
            group.cancel_scope.cancel()
        return self._exit

    async def _serve(self, server: Server[Any]) -> None:
        if self._http is None:
            if sys.stdin.isatty():
                self._say("an agent starts this and speaks on standard input; --http serves over HTTP; Ctrl-C ends it")
            await serve_stdio(server)
            return
        try:
            await serve_http(server, self._http, on_start=self._say)
        except OSError as error:
            self._say(f"cannot listen: {(error.strerror or 'the system refused').lower()}")
            self._exit = 1

    async def _watch_signals(self, scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for number in signals:
                self._exit = 128 + number
                scope.cancel()
                return

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{self._prog}: {text}\n")
        sys.stderr.flush()


def _http(options: Options, prog: str) -> HttpOptions:
    try:
        if options.token_file is not None:
            token = read_token(options.token_file)
        else:
            token = new_token()
            sys.stderr.write(f"{prog}: this run's token, shown once: {token}\n")
        return HttpOptions(host=options.host, port=options.port, token=token, hosts=options.hosts)
    except (ValueError, OSError) as error:
        raise UsageError(str(error) if isinstance(error, ValueError) else "--token-file cannot be read") from None
