"""How much goes through: updates from a turn's panel to the client's pipe, a model's stream through a whole turn."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import anyio

from kimi_lsp.acp.agent import Way
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.lines import LineCutter
from kimi_lsp.acp.scribe import Purse, Scribe
from kimi_lsp.acp.start import Handshake
from kimi_lsp.faces.channel import Socket
from tests.acp.raw import RawAgent
from tests.acp.world import World
from tests.bench.figure import Figure, at_least, at_most, reported
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Script

_RATE = 1_000  # updates a second
_TICK_S = 0.01
_PAUSE_S = 0.0004  # of the fake before an event: with what a sleep costs it comes to some 1,000 a second
_BURST = 50_000
_LINE = "word word word word end.\n"
_TEXT = "The value comes from the caller and nothing on the way checks it.\n"


async def panel(seconds: float) -> AsyncGenerator[Figure]:
    """The panel of a turn and the connection below it, in this process; a thread of it reads the other end.

    1,000 updates a second for so long, ten every hundredth of one; after that as many as it takes.
    """
    ours, theirs = socket.socketpair()
    connection = Connection(Handshake(Socket(ours), LineCutter(), [], b"{}"))
    reader = _Reader(theirs)
    scribe = Scribe(Way(connection, "session"), Client(), Purse(), "t1-", lambda text: None)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve())
        flow = await _driven(connection, scribe, reader, round(seconds / _TICK_S))
        connection.stop(0)
    reader.close()
    yield at_least("acp: updates a second from a panel, sustained", flow.sustained, "/s", _RATE * 0.98)
    yield at_most("acp: bytes that wait for the client, at most, meanwhile", flow.most_waiting, "bytes", 64 * 1024)
    yield at_most("acp: bytes that wait a tick after the last update", flow.waiting_after, "bytes", 0)
    yield reported("acp: updates a second from a panel, as many as it takes", flow.burst, "/s")


async def _driven(connection: Connection, scribe: Scribe, reader: "_Reader", ticks: int) -> "_Flow":
    a_tick, most, began = round(_RATE * _TICK_S), 0, time.perf_counter()
    for tick in range(ticks):
        for number in range(a_tick):
            scribe.say(_TEXT, f"m{tick}-{number}")
        most = max(most, connection.waiting_bytes)
        await anyio.sleep(max(0.0, began + (tick + 1) * _TICK_S - time.perf_counter()))
    took, left = time.perf_counter() - began, connection.waiting_bytes
    began = time.perf_counter()
    for number in range(_BURST):
        scribe.say(_TEXT, f"b{number}")
        await scribe.ready()
    await reader.until(ticks * a_tick + _BURST)
    return _Flow(ticks * a_tick / took, most, left, _BURST / (time.perf_counter() - began))


async def turn(world: World, chunks: int) -> AsyncGenerator[Figure]:
    """A question whose answer streams through model, redaction, panel and pipe: paced by the fake, then at once.

    The fake sleeps before each event, and a little longer than it is told; what it came to is the first figure.
    """
    with FakeKimi() as kimi:
        env = world.env(kimi, ASK_ABOVE_USD="100000", RUN_USD="100000", DAILY_USD="100000", WEEKLY_USD="100000")
        async with RawAgent.start(env=env) as agent:
            await agent.initialize()
            session = await agent.new_session(world.root)
            kimi.enqueue(Script(reasoning="Yes.\n", content="Yes."))
            await agent.turn(session, "Is it so?")  # loads what a turn needs
            paced = await _streamed(agent, session, kimi, chunks, _PAUSE_S)
            full = await _streamed(agent, session, kimi, chunks * 4, 0.0)
    yield reported("acp: a model's events a second through a turn, paced", paced.events, "/s")
    yield at_most("acp: the model's last event to the client's last update", paced.lag_ms, "ms", 100)
    yield at_least("acp: a model's events a second through a turn, at once", full.events, "/s", _RATE)
    yield reported("acp: updates a second of that turn", full.updates, "/s")


async def _streamed(agent: RawAgent, session: str, kimi: FakeKimi, chunks: int, delay_s: float) -> "_Stream":
    since = agent.mark
    kimi.enqueue(Script(content=_LINE * chunks, chunk_chars=len(_LINE), delay_s=delay_s))
    await agent.turn(session, "Say it at length.", timeout_s=120)
    said = agent.updates(session, "agent_message_chunk", since=since)
    assert "".join(frame.text for frame in said).count(_LINE.strip()) == chunks, "something of it is missing"
    sent = [one.at for one in kimi.chats[-1].sent if one.answer]
    took = said[-1].at - sent[0]
    return _Stream(chunks / took, len(said) / took, (said[-1].at - sent[-1]) * 1000)


@dataclass(frozen=True, slots=True)
class _Stream:
    """Events and updates a second from the first event to the last update; how late that was."""

    events: float
    updates: float
    lag_ms: float


@dataclass(frozen=True, slots=True)
class _Flow:
    """Updates a second at the wanted rate and as many as possible; bytes that waited."""

    sustained: float
    most_waiting: int
    waiting_after: int
    burst: float


class _Reader:
    """Counts the lines that come."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lines = 0
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    async def until(self, lines: int) -> None:
        """Wait until so many have come."""
        with anyio.fail_after(60):
            while self._lines < lines:  # noqa: ASYNC110 - the other thread is not to be slowed down by telling
                await anyio.sleep(0.001)

    def close(self) -> None:
        """End."""
        self._thread.join(5)
        self._end.close()

    def _read(self) -> None:
        while data := os.read(self._end.fileno(), 1 << 16):
            self._lines += data.count(b"\n")
