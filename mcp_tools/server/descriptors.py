"""The two ends of standard input and output: watched by the event loop, or by a thread where no loop can."""

import asyncio
import contextlib
import errno
import os
import queue
import select
import socket
import stat
import sys
import threading
from collections.abc import Callable
from typing import Protocol

_CHUNK_BYTES = 64 * 1024
_HANG_UPS = getattr(select, "POLLHUP", 0) | getattr(select, "POLLRDHUP", 0)


class Inbox(Protocol):
    """Takes what is read."""

    def feed(self, data: bytes) -> None:
        """Take bytes."""

    def end(self) -> None:
        """Know that nothing more comes."""


class Outbox(Protocol):
    """Is told how writing goes."""

    def pause(self) -> None:
        """Wait: enough is unwritten."""

    def resume(self) -> None:
        """Go on."""

    def lost(self) -> None:
        """Know that nothing more can be written."""


class Reader(Protocol):
    """The part of an asyncio transport that an inbox uses."""

    def pause_reading(self) -> None:
        """Feed nothing for now."""

    def resume_reading(self) -> None:
        """Feed again."""

    def close(self) -> None:
        """Feed nothing more."""


class Writer(Protocol):
    """The part of an asyncio transport that an outbox uses."""

    def write(self, data: bytes, /) -> None:
        """Write, sooner or later."""

    def close(self) -> None:
        """Write what is left, then tell `lost`."""

    def abort(self) -> None:
        """Give up what is left."""


def take_stdio() -> tuple[int, int]:
    """Take descriptors 0 and 1 for the conversation; returns where it now is, to be read and to be written.

    Both are above 2 and not inherited. From now on 0 is empty and 1 is standard error. What was closed when the
    interpreter started reads as empty and writes to nowhere, and is left alone: its number may be another file's.
    """
    spare = [os.open(os.devnull, os.O_RDWR)]
    while spare[-1] <= 2:  # where a copy of another stream must not come to lie
        spare.append(os.open(os.devnull, os.O_RDWR))
    null = spare[-1]
    read_fd = os.dup(null if sys.__stdin__ is None else 0)
    write_fd = os.dup(null if sys.__stdout__ is None else 1)
    if sys.__stdin__ is not None:
        os.dup2(null, 0)
    if sys.__stdout__ is not None:
        os.dup2(null if sys.__stderr__ is None else 2, 1)
    os.close(null)
    return read_fd, write_fd


class _Link(asyncio.Protocol):
    """Ties one descriptor to the boxes, or to one of them, and leaves it as it was."""

    def __init__(self, fd: int, inbox: Inbox | None, outbox: Outbox | None) -> None:
        self._fd, self._inbox, self._outbox = fd, inbox, outbox
        self._was_blocking = os.get_blocking(fd)

    def data_received(self, data: bytes) -> None:
        if self._inbox is not None:
            self._inbox.feed(data)

    def eof_received(self) -> bool:
        if self._inbox is not None:
            self._inbox.end()
        return True  # the other direction goes on

    def pause_writing(self) -> None:
        if self._outbox is not None:
            self._outbox.pause()

    def resume_writing(self) -> None:
        if self._outbox is not None:
            self._outbox.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        with contextlib.suppress(OSError):
            os.set_blocking(self._fd, self._was_blocking)  # another process may have the same one
        if self._inbox is not None:
            self._inbox.end()
        if self._outbox is not None:
            self._outbox.lost()


async def open_ends(
    read_fd: int, write_fd: int, inbox: Inbox, outbox: Outbox, *, max_unread_bytes: int
) -> tuple[Reader, Writer]:
    """Begin to read, and to write. Beyond `max_unread_bytes` that the other side has not taken, `outbox` is paused.

    Both descriptors are owned from now on.
    """
    if _is_one_socket(read_fd, write_fd):
        os.close(write_fd)
        both = await _open_socket(read_fd, _Link(read_fd, inbox, outbox))
        both.set_write_buffer_limits(max_unread_bytes)
        return both, both
    writer = await _open_writer(write_fd, outbox, max_unread_bytes)
    return await _open_reader(read_fd, inbox), writer


def _is_one_socket(read_fd: int, write_fd: int) -> bool:
    return _kind(read_fd) == "socket" and os.path.sameopenfile(read_fd, write_fd)


async def _open_reader(fd: int, inbox: Inbox) -> Reader:
    kind = _kind(fd)
    if kind == "socket":
        return await _open_socket(fd, _Link(fd, inbox, None))
    if kind == "pipe":
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: _Link(fd, inbox, None), os.fdopen(fd, "rb", 0))
        return transport
    return _ThreadReader(fd, inbox)


async def _open_writer(fd: int, outbox: Outbox, max_bytes: int) -> Writer:
    kind = _kind(fd)
    if kind == "other":
        return _ThreadWriter(fd, outbox, max_bytes)
    if kind == "socket":
        transport = await _open_socket(fd, _Link(fd, None, outbox))
    else:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_write_pipe(lambda: _Link(fd, None, outbox), os.fdopen(fd, "wb", 0))
    transport.set_write_buffer_limits(max_bytes)
    return transport


async def _open_socket(fd: int, link: _Link) -> asyncio.Transport:
    connected = socket.socket(fileno=fd)
    connected.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: link, connected)
    return transport


def _kind(fd: int) -> str:
    """What an event loop can do with it: `pipe`, `socket`, or nothing: `other`."""
    mode = os.fstat(fd).st_mode
    if sys.platform == "win32":
        return "other"
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "other"


def has_hung_up(fd: int) -> bool:
    """Whether whoever wrote to it has gone, told without reading what is still in it."""
    if sys.platform == "win32" or fd < 0:
        return False
    poll = select.poll()
    poll.register(fd, _HANG_UPS)
    return any(event & (_HANG_UPS | select.POLLERR) for _, event in poll.poll(0))


class _ThreadReader:
    """Reads in a thread that ends with the process: nothing wakes it."""

    def __init__(self, fd: int, inbox: Inbox) -> None:
        self._fd, self._inbox = fd, inbox
        self._loop = asyncio.get_running_loop()
        self._may_read = threading.Event()
        self._may_read.set()
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        """The descriptor stays: a thread may wait for it, and its number must not be another file's."""

    def _run(self) -> None:
        while True:
            self._may_read.wait()
            try:
                data = os.read(self._fd, _CHUNK_BYTES)
            except OSError:
                data = b""
            taken = threading.Event()
            if not _call(self._loop, self._deliver, data, taken) or not data:
                return
            taken.wait()  # one chunk at a time, so that pausing has its effect before the next

    def _deliver(self, data: bytes, taken: threading.Event) -> None:
        if data:
            self._inbox.feed(data)
        else:
            self._inbox.end()
        taken.set()


class _ThreadWriter:
    """Writes in a thread."""

    def __init__(self, fd: int, outbox: Outbox, max_bytes: int) -> None:
        self._fd, self._outbox, self._max_bytes = fd, outbox, max_bytes
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._unwritten = 0
        threading.Thread(target=self._run, name="stdout", daemon=True).start()

    def write(self, data: bytes, /) -> None:
        self._unwritten += len(data)
        self._queue.put(data)
        if self._unwritten > self._max_bytes:
            self._outbox.pause()

    def close(self) -> None:
        self._queue.put(None)

    def abort(self) -> None:
        self._queue.put(None)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[_write(self._fd, rest) :]
            except OSError:
                break
            if not _call(self._loop, self._written, len(data)):
                return
        _call(self._loop, self._outbox.lost)

    def _written(self, size: int) -> None:
        self._unwritten -= size
        if self._unwritten <= self._max_bytes // 4:
            self._outbox.resume()


def _write(fd: int, data: memoryview) -> int:
    try:
        return os.write(fd, data)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
            raise
        select.select([], [fd], [])  # another process made it non-blocking
        return 0


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object) -> bool:
    """Have the loop call something. False when the loop has ended."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        return False
    return True
