"""Messages on their way out: posting never waits, a thread writes, and what a slow client cannot take stays bounded."""

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import anyio

from kimi_lsp.faces.channel import Channel

_BATCH_BYTES = 64 * 1024  # written at once; what is in a batch can no longer be replaced


class Outbox:
    """A queue of message bodies with one writer thread. `post` may be called from any thread.

    `cap_bytes` is where waiting begins to be a sign of a client that does not read: above it droppable messages are
    dropped and `ready` waits. Nothing else is lost while the client is there; a client that is gone loses everything.
    """

    def __init__(self, channel: Channel, framed: Callable[[bytes], bytes], *, cap_bytes: int = 1024 * 1024) -> None:
        """Set up; `framed` makes a body what goes over the wire."""
        self._channel = channel
        self._framed = framed
        self._cap_bytes = cap_bytes
        self._changed = threading.Condition()  # guards all that follows
        self._waiting: OrderedDict[str | int, bytes] = OrderedDict()
        self._bytes = 0
        self._count = 0
        self._dropped = 0
        self._is_closed = False
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop
        self._on_broken: Callable[[], object]
        self._ended = asyncio.Event()

    def start(self, on_broken: Callable[[], object]) -> None:
        """Begin to write. `on_broken` is called on the running loop when the client does not take anything any more."""
        self._loop = asyncio.get_running_loop()
        self._on_broken = on_broken
        threading.Thread(target=self._write, name="face-writer", daemon=True).start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the bodies that have not been written yet."""
        return self._bytes

    def post(self, body: bytes, *, key: str | None = None, droppable: bool = False) -> bool:
        """Send a body after those that wait. One of the same key that still waits is withdrawn.

        The newer one takes its place in line at the end, so that nothing overtakes what it was sent after. False when
        it was dropped.
        """
        with self._changed:
            if self._is_closed:
                return False
            if droppable and self._bytes > self._cap_bytes:
                self._dropped += 1
                return False
            if key is not None:
                self._bytes -= len(self._waiting.pop(key, b""))
            self._count += 1
            self._waiting[self._count if key is None else key] = body
            self._bytes += len(body)
            self._changed.notify()
            return True

    def take_dropped(self) -> int:
        """How many messages were dropped since this was last asked."""
        with self._changed:
            dropped, self._dropped = self._dropped, 0
            return dropped

    async def ready(self, limit_bytes: int | None = None) -> None:
        """Return once no more than `limit_bytes` (the cap, unless given) wait, or the client is gone."""
        limit = self._cap_bytes if limit_bytes is None else limit_bytes
        while True:
            with self._changed:
                if self._bytes <= limit:
                    return
                waiter = (limit, self._loop.create_future())
                self._waiters.append(waiter)
            try:
                await waiter[1]
            finally:
                with self._changed:
                    if waiter in self._waiters:
                        self._waiters.remove(waiter)

    async def close(self, deadline_s: float) -> bool:
        """Take nothing more, write what waits, end the thread. False when the deadline came first."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        with anyio.move_on_after(deadline_s, shield=True):
            await self._ended.wait()
            return True
        with self._changed:
            self._forget()
        return False

    # The writer thread

    def _write(self) -> None:
        try:
            while batch := self._next_batch():
                self._channel.write(b"".join(map(self._framed, batch)))
                self._written(sum(map(len, batch)))
        except OSError:
            with self._changed:
                self._is_closed = True
                self._forget()
            self._tell(self._on_broken)
        self._tell(self._ended.set)

    def _next_batch(self) -> list[bytes]:
        """The bodies to write now; waits for the first. Nothing when the outbox is closed and empty."""
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            batch: list[bytes] = []
            size = 0
            while self._waiting and size < _BATCH_BYTES:
                batch.append(self._waiting.popitem(last=False)[1])
                size += len(batch[-1])
            return batch

    def _written(self, size: int) -> None:
        with self._changed:
            self._bytes = max(0, self._bytes - size)
            self._wake()

    def _forget(self) -> None:
        self._waiting.clear()
        self._bytes = 0
        self._wake()

    def _wake(self) -> None:
        due = [waiter for waiter in self._waiters if self._bytes <= waiter[0]]
        if due:
            self._waiters = [waiter for waiter in self._waiters if waiter not in due]
            self._tell(lambda: [future.set_result(None) for _, future in due if not future.done()])

    def _tell(self, what: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(what)
