"""HTTP/1.1 on an asyncio socket by hand: no server framework resets a connection at chunk n or hangs up early.

Requests are parsed by h11; answers are written byte by byte as their steps say. A client that goes away is noticed at
once, also while an answer waits.
"""

import asyncio
import contextlib
import http
import socket
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

import h11

from tests.fakes.app import Reply
from tests.fakes.plan import HangUp, Reset, Send, Stall
from tests.fakes.record import Journal, Recorded, Sent

MAX_HEAD_BYTES = 1 << 20


class Host:
    """The connections of one listening socket: what answers them, and where they are recorded."""

    def __init__(self, reply: Callable[[Recorded], Reply], journal: Journal, *, patience_s: float) -> None:
        self.reply = reply
        self.journal = journal
        self.patience_s = patience_s
        self.accepted = 0
        self.failures: list[str] = []  # what went wrong in the server or in a test's own responder
        self.open: set[Connection] = set()

    def connect(self) -> "Connection":
        """A protocol for a new connection."""
        self.accepted += 1
        return Connection(self, self.accepted)

    async def close(self) -> None:
        """End all connections and wait for their tasks."""
        for connection in list(self.open):
            connection.abort()
        tasks = [task for connection in list(self.open) if (task := connection.task)]
        await asyncio.gather(*tasks, return_exceptions=True)


class Connection(asyncio.Protocol):
    """One client connection: requests one after the other, one answer at a time."""

    def __init__(self, host: Host, number: int) -> None:
        self.task: asyncio.Task[None] | None = None
        self._host = host
        self._number = number
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._active: Recorded | None = None
        self._is_ours = False  # it is this side that ends the connection
        self._is_last_write = False  # the answer is complete once the socket has taken what was written
        self._start(b"")

    def _start(self, rest: bytes) -> None:
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._raw = bytearray(rest)
        self._is_last_write = False
        self._body = bytearray()
        self._request: h11.Request | None = None
        if rest:
            self._parser.receive_data(rest)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
        self._host.open.add(self)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        try:
            self._parser.receive_data(data)
            self._parse()
        except h11.RemoteProtocolError as error:
            self._write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self._host.failures.append(f"a request was not HTTP: {error}")
            self._close()

    def eof_received(self) -> bool:
        self._client_left()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._client_left()
        self._writable.set()
        if self.task:
            self.task.cancel()
        self._host.open.discard(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def abort(self) -> None:
        """End the connection now, from this side."""
        self._is_ours = True
        if self.task:
            self.task.cancel()
        if self._transport:
            self._transport.abort()

    def _client_left(self) -> None:
        request = self._active
        has_all = self._is_last_write and self._writable.is_set()
        if request is not None and not (self._is_ours or has_all or request.is_over):
            request.closed_by_client_at = time.monotonic()
            self._host.journal.notify()
            if self.task:
                self.task.cancel()

    def _parse(self) -> None:
        """Take parsed events until more bytes are needed or a request is complete."""
        while self._active is None:
            event = self._parser.next_event()
            if isinstance(event, h11.Request):
                self._request = event
                if self._parser.they_are_waiting_for_100_continue:
                    self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._answer()
            else:
                return

    def _answer(self) -> None:
        """A request is complete: record it and answer it in a task."""
        assert self._request is not None
        rest, _ = self._parser.trailing_data
        request = Recorded(
            number=len(self._host.journal.requests) + 1,
            connection=self._number,
            method=self._request.method.decode("ascii"),
            target=self._request.target.decode("latin-1"),
            headers=tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in self._request.headers),
            body=bytes(self._body),
            raw=bytes(self._raw[: len(self._raw) - len(rest)]),
            arrived_at=time.monotonic(),
        )
        self._active = request
        self._host.journal.add(request)
        self.task = asyncio.get_running_loop().create_task(self._respond(request, rest))

    async def _respond(self, request: Recorded, rest: bytes) -> None:
        try:
            reply = self._host.reply(request)
        except Exception:  # noqa: BLE001 - a responder is the test's own code: kept, and raised in the test's thread
            self._host.failures.append(traceback.format_exc())
            self.abort()
            return
        try:
            is_complete = await self._send(request, reply)
        except Exception:  # noqa: BLE001 - as above: nothing may vanish in this thread
            self._host.failures.append(traceback.format_exc())
            is_complete = False
            self.abort()
        finally:
            reply.on_end()
            self._host.journal.notify()
        if not is_complete:
            return
        self._active = None
        if (request.header("connection") or "").lower() == "close":
            self._close()
            return
        self._start(rest)
        self._parse()

    async def _send(self, request: Recorded, reply: Reply) -> bool:
        """Carry out a reply. True: it is complete and the connection can go on."""
        await asyncio.sleep(reply.first_delay_s)
        request.status = reply.status or None
        is_chunked = reply.body_size is None
        if reply.has_head:
            await self._put(request, _head(reply), Send(b"", ends_event=False))
        is_border, left = True, reply.body_size or 0
        for step in reply.steps:
            if isinstance(step, Send):
                if is_border and not await self._paced(request, reply):
                    return False
                is_border = step.ends_event
                data = b"%x\r\n%s\r\n" % (len(step.data), step.data) if is_chunked else step.data
                left -= len(step.data)
                self._is_last_write = not is_chunked and not left
                await self._put(request, data, step)
                continue
            self._is_ours = not isinstance(step, Stall)
            if isinstance(step, Stall):
                await asyncio.sleep(self._host.patience_s)  # the client leaving cancels this
                self.abort()
            elif isinstance(step, Reset):
                self._reset()
            else:
                assert isinstance(step, HangUp)
                self._close()
            request.finished_at = time.monotonic()
            return False
        if is_chunked:
            self._finish(request)
            await self._put(request, b"0\r\n\r\n", Send(b"", ends_event=False))
        self._finish(request)
        return True

    def _finish(self, request: Recorded) -> None:
        """Mark the answer as complete: from here on a client may close without being seen as having left."""
        with self._host.journal.changed:
            request.finished_at = request.finished_at or time.monotonic()
            self._host.journal.changed.notify_all()

    async def _paced(self, request: Recorded, reply: Reply) -> bool:
        """Wait as long as the script says before an event. False: nobody opened the gate in time."""
        if reply.delay_s and request.events_sent:
            await asyncio.sleep(reply.delay_s)
        if reply.gate is None:
            return True
        try:
            await asyncio.wait_for(reply.gate.passed(), self._host.patience_s)
        except TimeoutError:
            self._host.failures.append(f"the gate of {request} stayed shut for {self._host.patience_s:g} s")
            self.abort()
            return False
        return True

    async def _put(self, request: Recorded, data: bytes, step: Send) -> None:
        """Hand bytes to the socket, wait until it has taken them, and note when that was.

        The time is taken before the write, so that no client can have seen the bytes earlier; after a wait, again.
        """
        if request.events_sent % 16 == 0:
            await asyncio.sleep(0)  # let the loop see a client that leaves
        with self._host.journal.changed:
            request.sent.append(Sent(time.monotonic(), len(data), step.answer, step.reasoning))
            request.events_sent += step.ends_event
            self._write(data)
            self._host.journal.changed.notify_all()
        if not self._writable.is_set():
            await self._writable.wait()
            request.sent[-1] = replace(request.sent[-1], at=time.monotonic())

    def _write(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        self._is_ours = True
        if self._transport:
            self._transport.close()

    def _reset(self) -> None:
        """Close with RST: an abortive close is what lingering for zero seconds means."""
        if self._transport:
            raw = self._transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


def _head(reply: Reply) -> bytes:
    """The status line and the headers."""
    lines = [f"HTTP/1.1 {reply.status} {http.HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append("transfer-encoding: chunked" if reply.body_size is None else f"content-length: {reply.body_size}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
