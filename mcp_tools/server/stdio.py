"""Serve MCP over standard input and output, one JSON message a line; nothing that a client or a tool does ends it."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import anyio
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import INVALID_REQUEST, JSONRPCError, JSONRPCRequest, JSONRPCResponse, RequestId

from mcp_tools.server.descriptors import Reader, Writer, has_hung_up, open_ends, take_stdio
from mcp_tools.server.wire import TOO_LONG, LineReader, Refused, WireLimits, contain, parse, render

_QUEUED_BYTES = 1024 * 1024  # of lines that were read and not yet taken
_QUEUED_LINES = 1024
_LOOK_S = 0.2  # between two looks whether a client that is not being read has gone


async def serve_stdio(server: Server[Any], *, limits: WireLimits | None = None) -> None:
    """Serve one client until standard input ends, or until cancelled; either takes less than a second.

    From then on standard input is empty and standard output goes to standard error, in this process and in its
    children: neither can touch the conversation, also when it has ended. `server` gets a last net (`contain`).
    Calls that still run when standard input ends may finish within `limits.eof_grace_s`.
    """
    limits = limits or WireLimits()
    contain(server, results=False)
    load = _Load(limits)
    outbox = _Outbox(load)
    inbox = _Inbox(limits, load, outbox)
    outbox.on_lost = inbox.abandon
    read_fd, write_fd = take_stdio()
    reader, writer = await open_ends(read_fd, write_fd, inbox, outbox, max_unread_bytes=limits.max_unread_bytes)
    outbox.attach(writer)
    inbox.attach(reader, read_fd)
    is_over = anyio.Event()

    async def run() -> None:
        await server.run(inbox, outbox, server.create_initialization_options())
        is_over.set()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            try:
                await is_over.wait()
            finally:
                outbox.hurry()  # the answers that the SDK gives at the end must not wait for the client
    finally:
        with anyio.CancelScope(shield=True):
            await outbox.close(limits.flush_s)
        inbox.close()


class _Load:
    """What is being answered: how many requests, and how large they were."""

    def __init__(self, limits: WireLimits) -> None:
        self._limits = limits
        self._sizes: dict[RequestId, int] = {}
        self._bytes = 0
        self.changed = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return len(self._sizes) >= self._limits.max_requests or self._bytes >= self._limits.max_request_bytes

    @property
    def is_empty(self) -> bool:
        return not self._sizes

    def take(self, request: RequestId, size: int) -> bool:
        """Count a request. False where one with its id is being answered."""
        if request in self._sizes:
            return False
        self._sizes[request] = size
        self._bytes += size
        return True

    def release(self, request: RequestId | None) -> None:
        """Count a request as answered."""
        if request is not None:
            self._bytes -= self._sizes.pop(request, 0)
            self.changed.set()


class _Outbox:
    """The SDK's write stream: answers become lines. Waits for a client that does not read, but not for ever."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._writer: Writer | None = None
        self.is_full = self._is_hurried = self._is_lost = False
        self._may_go_on = asyncio.Event()
        self._gone = asyncio.Event()
        self.on_lost: Callable[[], None] = lambda: None

    def attach(self, writer: Writer) -> None:
        self._writer = writer

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message. Raises anyio.BrokenResourceError when nobody will read it."""
        message = item.message
        try:
            data = render(message)
            if data is not None:
                await self._put(data)
        finally:
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                self._load.release(message.id)

    async def refuse(self, refused: Refused) -> None:
        """Answer what is no message."""
        data = render(refused.answer())
        if data is not None and not self._is_lost:
            await self._put(data)

    async def _put(self, data: bytes) -> None:
        while self.is_full and not self._is_hurried and not self._is_lost:
            self._may_go_on.clear()
            await self._may_go_on.wait()
        if self._writer is None or self._is_lost or self.is_full:
            raise anyio.BrokenResourceError
        self._writer.write(data + b"\n")

    def pause(self) -> None:
        self.is_full = True

    def resume(self) -> None:
        self.is_full = False
        self._may_go_on.set()
        self._load.changed.set()

    def hurry(self) -> None:
        """From now on drop what the client is not ready for."""
        self._is_hurried = True
        self._may_go_on.set()

    def lost(self) -> None:
        """The other side has gone, or all is written after `close`."""
        self._is_lost = True
        self._may_go_on.set()
        self._gone.set()
        self.on_lost()

    async def close(self, flush_s: float) -> None:
        """Give the client a moment to read the rest."""
        if self._writer is None or self._is_lost:
            return
        self._writer.close()
        with anyio.move_on_after(flush_s):
            await self._gone.wait()
        if not self._is_lost:
            self._writer.abort()

    async def aclose(self) -> None:
        """The SDK is done."""
        self.hurry()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class _ReadStream(Protocol):
    """What the SDK iterates over; its own protocol of the same shape is not public."""

    async def receive(self) -> SessionMessage | Exception: ...

    async def aclose(self) -> None: ...

    def __aiter__(self) -> "_ReadStream": ...

    async def __anext__(self) -> SessionMessage | Exception: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None: ...


class _Inbox:
    """The SDK's read stream: lines become messages, when there is room for them; what is none is answered here."""

    def __init__(self, limits: WireLimits, load: _Load, outbox: _Outbox) -> None:
        self._limits, self._load, self._outbox = limits, load, outbox
        self._cutter = LineReader(limits.max_message_bytes)
        self._lines: deque[bytes | None] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._reader: Reader | None = None
        self._fd = -1
        self._is_paused = self._is_ended = self._is_abandoned = False
        self._ends_at: float | None = None  # when a client that sends nothing more gets no more answers

    def attach(self, reader: Reader, fd: int) -> None:
        self._reader, self._fd = reader, fd

    def feed(self, data: bytes) -> None:
        """Take bytes from the client."""
        for line in self._cutter.feed(data):
            self._keep(line)
        if self._reader is not None and not self._is_paused and self._is_over(1):
            self._is_paused = True
            self._reader.pause_reading()

    def end(self) -> None:
        """The client sends nothing more."""
        if not self._is_ended:
            for line in self._cutter.end():
                self._keep(line)
        self._is_ended = True
        self._leave()
        self._arrived.set()
        self._load.changed.set()

    def abandon(self) -> None:
        """The client has gone: nothing that it sent matters."""
        self._is_abandoned = True
        self.end()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    async def receive(self) -> SessionMessage | Exception:
        """The next message. Raises anyio.EndOfStream."""
        while True:
            await self._wait_for_room()
            if self._is_abandoned:
                raise anyio.EndOfStream
            if self._lines:
                message = await self._take(self._next_line())
                if message is not None:
                    return message
            elif self._is_ended:
                await self._linger()
                self._outbox.hurry()
                raise anyio.EndOfStream
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def _take(self, line: bytes | None) -> SessionMessage | None:
        if line is not None and not line.strip():
            return None
        message = TOO_LONG if line is None else parse(line)
        if isinstance(message, JSONRPCRequest) and not self._load.take(message.id, len(line or b"")):
            message = Refused(INVALID_REQUEST, "Invalid request: a request with that id is being answered", message.id)
        if isinstance(message, Refused):
            while self._outbox.is_full and not self._is_abandoned:
                await self._wait()
            if not self._is_abandoned:
                await self._outbox.refuse(message)
            return None
        if not isinstance(message, JSONRPCRequest):
            return None if message is None else SessionMessage(message)
        request = message.id

        async def unanswered() -> None:
            self._load.release(request)

        return SessionMessage(message, ServerMessageMetadata(on_request_unanswered=unanswered))

    async def _wait_for_room(self) -> None:
        while self._load.is_full and not self._is_abandoned:
            await self._wait()

    async def _wait(self) -> None:
        """Wait for the client to read, but not for one that has gone; told without reading on."""
        self._load.changed.clear()
        with anyio.move_on_after(_LOOK_S):
            await self._load.changed.wait()
        if self._ends_at is None and has_hung_up(self._fd):
            self._leave()
        if self._ends_at is not None and self._ends_at <= asyncio.get_running_loop().time():
            self.abandon()

    async def _linger(self) -> None:
        if self._ends_at is None:
            return
        with anyio.move_on_after(self._ends_at - asyncio.get_running_loop().time()):
            while not self._load.is_empty and not self._is_abandoned:
                self._load.changed.clear()
                await self._load.changed.wait()

    def _leave(self) -> None:
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + self._limits.eof_grace_s

    def _keep(self, line: bytes | None) -> None:
        self._lines.append(line)
        self._bytes += len(line or b"")
        self._arrived.set()

    def _next_line(self) -> bytes | None:
        line = self._lines.popleft()
        self._bytes -= len(line or b"")
        if self._is_paused and not self._is_over(2) and self._reader is not None:
            self._is_paused = False
            self._reader.resume_reading()
        return line

    def _is_over(self, part: int) -> bool:
        return self._bytes > _QUEUED_BYTES // part or len(self._lines) > _QUEUED_LINES // part

    async def aclose(self) -> None:
        """The SDK is done."""
        self.abandon()

    def __aiter__(self) -> _ReadStream:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()
