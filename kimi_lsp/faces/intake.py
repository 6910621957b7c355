"""The thread that reads: blocks on the channel, cuts frames, hands them to the loop and is never far ahead of it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from kimi_lsp.faces.channel import Channel
from kimi_lsp.faces.frames import Damaged

Events = Sequence[bytes | Damaged]


class Cutter(Protocol):
    """Cuts a byte stream into message bodies."""

    def feed(self, data: bytes) -> Events:
        """Take the next bytes; give what they complete. Raises nothing."""
        ...


class Intake:
    """What the client sends, chunk by chunk. The next chunk is handed over once the last one was acknowledged.

    A daemon thread of its own, not one of a pool: nothing that is slow can make the server deaf, and nothing waits for
    the thread at the end.
    """

    def __init__(self, channel: Channel, reader: Cutter) -> None:
        self._channel = channel
        self._reader = reader
        self._chunks: asyncio.Queue[Events | None] = asyncio.Queue()
        self._room = threading.Semaphore(1)
        self._is_over = False

    def start(self, on_end: Callable[[], object]) -> None:
        """Begin to read. `on_end` is called in the thread when the client is gone."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop, on_end), name="face-reader", daemon=True).start()

    async def next(self) -> Events | None:
        """The events of the next chunk; None when the client is gone."""
        return await self._chunks.get()

    def acknowledge(self) -> None:
        """Say that a chunk has been handled."""
        self._room.release()

    def stop(self) -> None:
        """Hand over nothing more."""
        self._is_over = True
        self._room.release()

    def _read(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):  # the client is gone
            while data := self._channel.read():
                events = self._reader.feed(data)
                if events:
                    self._room.acquire()
                    self._hand_over(loop, events)
                if self._is_over:
                    return
        on_end()
        self._hand_over(loop, None)

    def _hand_over(self, loop: asyncio.AbstractEventLoop, events: Events | None) -> None:
        try:
            loop.call_soon_threadsafe(self._chunks.put_nowait, events)
        except RuntimeError:  # the loop is closed
            self._is_over = True
