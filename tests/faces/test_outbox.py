"""What goes out: in order, the latest of a key only, bounded, and never at the cost of whoever posts."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from kimi_lsp.faces.channel import Channel, Socket
from kimi_lsp.faces.frames import FrameReader, framed
from kimi_lsp.faces.outbox import Outbox

BOUND_S = 20


class Held(Channel):
    """A channel whose writes wait until they are let through."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.is_broken = False
        self.reader = FrameReader()
        self.bodies: list[object] = []

    def write(self, data: bytes) -> None:
        """Take a batch, once it may."""
        self.entered.release()
        assert self.let.acquire(timeout=BOUND_S)
        if self.is_broken:
            raise BrokenPipeError
        self.bodies += self.reader.feed(data)

    def let_all(self) -> None:
        """Hold nothing back any more."""
        self.let.release(1000)

    async def begun(self) -> None:
        """Return once the writer has a batch in its hands."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=BOUND_S)


@pytest.fixture
def held() -> Iterator[Held]:
    channel = Held()
    yield channel
    channel.let_all()


async def test_bodies_go_out_in_order(held: Held) -> None:
    outbox = Outbox(held, framed)
    outbox.post(b"early")  # before it has begun
    outbox.start(lambda: None)
    for n in range(100):
        outbox.post(b"%d" % n)
    held.let_all()
    assert await outbox.close(BOUND_S)
    assert held.bodies == [b"early", *(b"%d" % n for n in range(100))]


async def test_a_later_body_of_a_key_takes_the_place_of_one_that_waits(held: Held) -> None:
    outbox = Outbox(held, framed)
    outbox.start(lambda: None)
    outbox.post(b"a1", key="a")
    await held.begun()  # a1 is on its way: it can no longer be replaced
    outbox.post(b"a2", key="a")
    outbox.post(b"b1", key="b")
    outbox.post(b"other")
    outbox.post(b"a3", key="a")
    assert outbox.waiting_bytes == len(b"a1" + b"b1" + b"other" + b"a3")
    held.let_all()
    await outbox.close(BOUND_S)
    assert held.bodies == [b"a1", b"b1", b"other", b"a3"]
    assert outbox.waiting_bytes == 0


async def test_reports_stay_between_the_begin_and_the_end_of_their_own_progress(held: Held) -> None:
    outbox = Outbox(held, framed)
    outbox.start(lambda: None)
    outbox.post(b"first")
    await held.begun()
    for turn in (b"1", b"2"):  # the token is used again
        outbox.post(b"begin" + turn)
        outbox.post(b"report" + turn, key="token")
        outbox.post(b"more" + turn, key="token")
        outbox.post(b"end" + turn)
    held.let_all()
    await outbox.close(BOUND_S)
    assert held.bodies == [b"first", b"begin1", b"end1", b"begin2", b"more2", b"end2"]


async def test_droppable_bodies_are_dropped_and_counted_above_the_cap(held: Held) -> None:
    outbox = Outbox(held, framed, cap_bytes=10)
    outbox.start(lambda: None)
    assert outbox.post(b"x" * 10)
    assert outbox.post(b"log 1", droppable=True)
    assert not outbox.post(b"log 2", droppable=True)
    assert not outbox.post(b"log 3", droppable=True)
    assert outbox.post(b"needed")
    held.let_all()
    await outbox.close(BOUND_S)
    assert held.bodies == [b"x" * 10, b"log 1", b"needed"]
    assert (outbox.take_dropped(), outbox.take_dropped()) == (2, 0)


async def test_waiting_for_room_ends_when_there_is_room(held: Held) -> None:
    outbox = Outbox(held, framed, cap_bytes=10)
    outbox.start(lambda: None)
    await outbox.ready()
    outbox.post(b"x" * 11)
    await held.begun()
    outbox.post(b"y" * 5)
    low, high = asyncio.create_task(outbox.ready(4)), asyncio.create_task(outbox.ready())
    given_up = asyncio.create_task(outbox.ready())
    await outbox.ready(16)
    await asyncio.sleep(0)
    assert not low.done()
    assert not high.done()
    given_up.cancel()
    held.let.release()
    await asyncio.wait_for(high, BOUND_S)
    assert not low.done()
    held.let.release()
    await asyncio.wait_for(low, BOUND_S)
    assert given_up.cancelled()
    assert await outbox.close(BOUND_S)


async def test_a_client_that_is_gone_is_told_of_once_and_holds_nobody(held: Held) -> None:
    gone = asyncio.Event()
    outbox = Outbox(held, framed, cap_bytes=10)
    outbox.start(gone.set)
    outbox.post(b"x" * 100)
    waiter = asyncio.create_task(outbox.ready())
    await held.begun()
    held.is_broken = True
    held.let_all()
    await asyncio.wait_for(gone.wait(), BOUND_S)
    await asyncio.wait_for(waiter, BOUND_S)
    assert not outbox.post(b"y" * 100)
    assert outbox.waiting_bytes == 0
    assert await outbox.close(BOUND_S)


async def test_closing_does_not_wait_for_ever_for_a_client_that_does_not_read(held: Held) -> None:
    outbox = Outbox(held, framed)
    outbox.start(lambda: None)
    outbox.post(b"first")
    await held.begun()
    outbox.post(b"second")
    assert not await outbox.close(0.01)
    assert outbox.waiting_bytes == 0
    held.let_all()
    assert not outbox.post(b"third")


async def test_posting_from_many_threads_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    channel = Socket(theirs)
    outbox = Outbox(channel, framed)
    outbox.start(lambda: None)

    def post(name: int) -> None:
        for n in range(500):
            outbox.post(b"%d %d" % (name, n))

    threads = [threading.Thread(target=post, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    reader, writer = await asyncio.open_connection(sock=ours)
    frames, bodies = FrameReader(), list[bytes]()
    while len(bodies) < 2000:
        events = frames.feed(await asyncio.wait_for(reader.read(65536), BOUND_S))
        bodies += [event for event in events if isinstance(event, bytes)]
    for name in range(4):
        mine = [body for body in bodies if body.startswith(b"%d " % name)]
        assert mine == [b"%d %d" % (name, n) for n in range(500)]
    await outbox.close(BOUND_S)
    writer.close()
    channel.close()
