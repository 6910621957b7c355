"""The product's HTTP app for clients that can send no token: one stands before it and adds what is missing."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_tools.server.http import PATH, HttpOptions, http_app
from tests.mcp.clients.world import TOKEN

_START_S = 10.0


class WithToken:
    """Adds the bearer token to requests that come without one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and all(name != b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]}
        await self._app(scope, receive, send)


class _Web(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def listening(server: Server[Any]) -> AsyncGenerator[str]:
    """Serve it on a free port of loopback; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        options = HttpOptions(token=TOKEN, port=port)
        app = WithToken(http_app(server, options, port))
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, log_level="critical", timeout_graceful_shutdown=1
        )
        web = _Web(config)
        async with server.session_manager.run(), anyio.create_task_group() as tasks:
            tasks.start_soon(web.serve, [listener])
            with anyio.fail_after(_START_S):
                await web.is_up.wait()
            yield f"http://127.0.0.1:{port}{PATH}"
            web.should_exit = True
