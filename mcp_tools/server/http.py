"""Serve MCP over streamable HTTP: who may speak is decided before a byte of a body is read."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Generator
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import INTERNAL_ERROR
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from mcp_tools.server.door import PATH, Door, Head, HttpOptions, Refusal, bracketed, refused
from mcp_tools.server.wire import STOPPED, TOO_LONG, Net, Refused, contain, parse, render

__all__ = ["PATH", "HttpApp", "HttpOptions", "http_app", "serve_http"]

logger = logging.getLogger(__name__)

_MAX_HEADER_BYTES = 16 * 1024
_KEEP_ALIVE_S = 5
_END_S = 0.3  # for answers that are being written when the server stops


class HttpApp:
    """An ASGI app that guards the SDK's: names, token, path, type, size and form are right, or it says what is not."""

    def __init__(self, app: ASGIApp, net: Net, options: HttpOptions, port: int) -> None:
        self._app, self._net, self._options = app, net, options
        self._door = Door(options, port)
        self._running: dict[anyio.CancelScope, str] = {}  # the method of each request that is being served
        self._is_stopped = False
        self._ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        with anyio.CancelScope() as running:
            self._running[running] = scope["method"]
            try:
                await self._serve(scope, receive, answer)
            except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the server lives
                logger.error("a request failed: %s", type(error).__name__)  # noqa: TRY400 - its text may hold secrets
                if not answer.is_started:
                    await answer.refuse(Refusal(500, Refused(INTERNAL_ERROR, "Internal error")))
            finally:
                del self._running[running]
                self._ended.set()
        if running.cancel_called and not answer.is_started:
            await answer.refuse(Refusal(503, STOPPED))

    async def stop(self, within_s: float) -> None:
        """Take no more requests, end every call with an error, then whatever still waits. Takes twice that at most."""
        self._is_stopped = True
        self._net.stop()
        with anyio.move_on_after(within_s):
            while "POST" in self._running.values():
                await self._next_end()
        for running in self._running:
            running.cancel()
        with anyio.move_on_after(within_s):
            while self._running:
                await self._next_end()

    async def _next_end(self) -> None:
        self._ended.clear()
        await self._ended.wait()

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        head = Head(scope["method"], scope["raw_path"], tuple(scope["headers"]))
        refusal = Refusal(503, STOPPED) if self._is_stopped else self._door.refusal(head)
        if refusal is not None:
            await answer.refuse(refusal)
            return
        if scope["method"] != "POST":
            await self._app(scope, receive, answer.send)
            return
        body = await self._body(receive)
        if body is None:
            return
        if isinstance(body, Refused):
            await answer.refuse(Refusal(408 if body is _TOO_SLOW else 413, body))
            return
        message = parse(body)
        if message is None or isinstance(message, Refused):
            await answer.refuse(Refusal(400, message or _NO_RESPONSE))
            return
        await self._app(_plain(scope), _Replay(body.decode("utf-8", "replace").encode(), receive), answer.send)

    async def _body(self, receive: Receive) -> bytes | Refused | None:
        """All of a body; None when the client has gone."""
        body = bytearray()
        with anyio.move_on_after(self._options.body_timeout_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                body += message.get("body", b"")
                if len(body) > self._options.max_body_bytes:
                    return TOO_LONG
                if not message.get("more_body", False):
                    return bytes(body)
        return _TOO_SLOW


class _Answer:
    """The way back to the client: adds what every answer carries."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            fields = [(name, value) for name, value in message.get("headers", []) if name.lower() not in _OURS]
            message = {**message, "headers": [*fields, *_ADDED]}
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        body = render(refusal.why.answer()) or b""
        length = (b"content-length", b"%d" % len(body))
        start: Message = {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [(b"content-type", b"application/json"), length, *refusal.fields],
        }
        await self.send(start)
        await self._send({"type": "http.response.body", "body": body})


class _Replay:
    """Gives a body that was read once more, then what else comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _plain(scope: Scope) -> Scope:
    """The scope with the content type spelt as the SDK knows it."""
    fields = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "headers": [*fields, (b"content-type", b"application/json")]}


def http_app(server: Server[Any], options: HttpOptions, port: int) -> HttpApp:
    """The ASGI app for a server, with sessions and event streams for the handshake era and without for the modern one.

    Args:
        server: gets a last net (`contain`) and a session manager, which `serve_http` or the app's lifespan runs.
        options: whom to let in.
        port: at which the app is reached; part of the Host names it answers to.
    """
    net = contain(server, results=True)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=options.max_body_bytes,
        max_sessions=options.max_sessions,
        session_idle_timeout=options.session_idle_s,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # HttpApp is stricter
    )
    return HttpApp(app, net, options, port)


async def serve_http(server: Server[Any], options: HttpOptions, *, on_start: Callable[[str], object]) -> None:
    """Serve until cancelled, which takes less than a second whatever runs. Leaves signals alone.

    `on_start` is told the URL once connections are taken. Raises OSError when the address cannot be had.
    """
    with _bind(options) as listener:
        port: int = listener.getsockname()[1]
        app = http_app(server, options, port)
        uvicorn_server = _Uvicorn(
            uvicorn.Config(
                app,
                http=_protocol(options),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=options.max_connections,
                timeout_keep_alive=_KEEP_ALIVE_S,
                h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
            ),
            lambda: on_start(f"http://{bracketed(options.address)}:{port}{PATH}"),
        )
        is_ready, is_over = anyio.Event(), anyio.Event()

        async def keep_sessions() -> None:
            with anyio.CancelScope(shield=True):  # they go last, or the SDK waits a second for answers to be read
                async with server.session_manager.run():
                    is_ready.set()
                    await is_over.wait()

        async with anyio.create_task_group() as group:
            group.start_soon(keep_sessions)
            try:
                await is_ready.wait()
                await uvicorn_server.serve([listener])
            finally:
                with anyio.CancelScope(shield=True):
                    await uvicorn_server.end(app)
                is_over.set()


class _Uvicorn(uvicorn.Server):
    """An HTTP server that tells when it has started, has no signal handlers and ends at once."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_start = on_start

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def end(self, app: HttpApp) -> None:
        """Take no more connections, end the requests, let their last bytes go, drop the rest."""
        for listening in getattr(self, "servers", []):  # there are none before it has started
            listening.close()
        await app.stop(_END_S)
        connections = [one for one in self.server_state.connections if isinstance(one, H11Protocol)]
        for connection in connections:
            connection.transport.close()
        await asyncio.sleep(0)
        for connection in connections:
            connection.transport.abort()


def _protocol(options: HttpOptions) -> type[H11Protocol]:
    """The protocol of one connection, with two bounds that uvicorn's has not: how many there are, and slow headers."""

    class Bounded(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base
            super().connection_made(transport)
            if len(self.connections) > options.max_connections:
                transport.abort()
            else:
                self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unwatch()
            super().connection_lost(exc)

        def _watch(self) -> None:
            """Wait for the rest of a request, but not while one is being served."""
            if self.cycle is not None and not self.cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison] - it is None at first
                self._unwatch()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(options.header_timeout_s, self.transport.abort)

        def _unwatch(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Bounded


def _bind(options: HttpOptions) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in options.address else socket.AF_INET)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((options.address, options.port))
        listener.listen(options.max_connections)
    except OSError:
        listener.close()
        raise
    return listener


_TOO_SLOW = refused("the body came too slowly")
_NO_RESPONSE = refused("that is no response to anything")
_ADDED = ((b"cache-control", b"no-store, no-transform"), (b"x-content-type-options", b"nosniff"))
_OURS = frozenset(name for name, _ in _ADDED)
