"""A raw server on loopback that says exactly the bytes a test wants, and knows when its client is gone."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel

from kimi_lsp.errors import KimiError
from kimi_lsp.model import (
    NO_RETRY,
    ChatRequest,
    Completion,
    Endpoint,
    Event,
    KimiClient,
    Limits,
    Message,
    RetryPolicy,
    Role,
    Ticker,
    Timeouts,
    profile_for,
)
from mcp_tools.redaction import Redacted

BOUND_S = 5.0
SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
KEY = "test-" + "key-0123456789"


@dataclass(slots=True, eq=False)
class Peer:
    """One connection: what came, what to say, and whether the client has left."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    raw: bytes = b""
    request_line: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Read the request."""
        self.raw = await self.reader.readuntil(b"\r\n\r\n")
        self.request_line, *rows = self.raw.decode("latin-1").strip().split("\r\n")
        self.headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rows)}
        self.body = await self.reader.readexactly(int(self.headers.get("content-length", "0")))
        self.raw += self.body

    async def say(self, *pieces: bytes) -> None:
        """Write, piece by piece."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def wait_for_leaving(self) -> None:
        """Wait until the client closes its side; bounded."""
        with anyio.fail_after(BOUND_S):
            with suppress(ConnectionError):
                while await self.reader.read(1024):
                    pass
        self.left.set()


Answer = Callable[[Peer], Awaitable[None]]


@dataclass(slots=True)
class Server:
    """A running server."""

    port: int
    peers: list[Peer] = field(default_factory=list[Peer])

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/v1"


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncGenerator[Server]:
    """Serve connections, each by the next answer, the last one again and again. A failed answer fails the test."""
    failures: list[BaseException] = []
    queue = list(answers)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        server.peers.append(peer)
        try:
            await peer.read()
            await (queue.pop(0) if len(queue) > 1 else queue[0])(peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            peer.left.set()
        except Exception as error:  # noqa: BLE001  (raised again below, where the test sees it)
            failures.append(error)
        finally:
            writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for peer in server.peers:
            peer.writer.close()
    if failures:
        raise failures[0]


def saying(*pieces: bytes) -> Answer:
    """Say the pieces, then close."""

    async def answer(peer: Peer) -> None:
        await peer.say(*pieces)

    return answer


def streaming(*events: bytes) -> Answer:
    """Say an event stream, then close."""
    return saying(SSE_HEAD, *events)


def refusing(status: int, body: object = b"", **headers: str) -> Answer:
    """Say an error answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    rows = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n{rows}\r\n"
    return saying(head.encode() + raw)


async def hanging(peer: Peer) -> None:
    """Say nothing until the client leaves."""
    await peer.wait_for_leaving()


def ask(text: str = "Audit this.", max_tokens: int = 1000) -> ChatRequest:
    """A small request."""
    return ChatRequest((Message(Role.USER, Redacted(text)),), max_tokens=max_tokens)


@dataclass(slots=True)
class Waits:
    """A clock that stands still but for the waits it was asked for."""

    asked: list[float] = field(default_factory=list[float])

    async def sleep(self, seconds: float) -> None:
        """Note the wait and give others a turn."""
        self.asked.append(seconds)
        await anyio.lowlevel.checkpoint()

    @property
    def ticker(self) -> Ticker:
        """The same as the client takes it, without jitter."""
        return Ticker(clock=lambda: sum(self.asked), sleep=self.sleep, jitter=lambda: 0.0)


def client(
    base_url: str,
    *,
    model: str = "kimi-k2.6",
    key: str | None = KEY,
    retry: RetryPolicy = NO_RETRY,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    ticker: Ticker | None = None,
    guard: Callable[[bytes], list[str]] = lambda body: [],
    **endpoint: object,
) -> KimiClient:
    """A client for a test server."""
    settings: dict[str, object] = {"key": key, **endpoint}
    made = Endpoint(base_url, model, profile_for(model, base_url), **settings)  # pyright: ignore[reportArgumentType]  (tests name the fields)
    return KimiClient(made, guard=guard, retry=retry, timeouts=timeouts, limits=limits, ticker=ticker)


async def outcome(asker: KimiClient, request: ChatRequest | None = None) -> tuple[list[Event], Completion]:
    """All events of one call, and its completion; bounded."""
    with anyio.fail_after(BOUND_S):
        async with asker, asker.stream(request or ask()) as exchange:
            events = [event async for event in exchange]
        return events, exchange.completion


async def failure(asker: KimiClient) -> KimiError:
    """The error that a call ends with; bounded."""
    try:
        _, completion = await outcome(asker)
    except KimiError as error:
        return error
    raise AssertionError(f"no error, but {completion}")
