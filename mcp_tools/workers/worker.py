"""One worker process, as the server sees it: calls to it, answers from it, and its end. It decides nothing."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol, cast

from mcp_tools.catalog.values import Answer
from mcp_tools.workers.errors import CallFailedError, WorkerError, WorkerLostError
from mcp_tools.workers.frames import Frame, FrameError, Frames, Kind, answer_of
from mcp_tools.workers.launch import environment, kill_all, neutral_folder

_log = logging.getLogger(__name__)


class State(Enum):
    """What a worker is doing."""

    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    SPENT = auto()  # it has answered, and wants to be replaced
    DEAD = auto()  # killed, or ended by itself


class Owner(Protocol):
    """Whom a worker tells what becomes of it. Called by the event loop."""

    def on_ready(self, worker: "Worker") -> None:
        """It can take its first call."""
        ...

    def on_dead(self, worker: "Worker", before: State) -> None:
        """It cannot be used any more; told once. `before` is what it did until now."""
        ...

    def on_gone(self, worker: "Worker") -> None:
        """Nothing is left of it, not even a zombie; told once, after `on_dead`."""
        ...


class Worker(asyncio.SubprocessProtocol):
    """A process that answers one call at a time."""

    def __init__(self, owner: Owner, setup: bytes) -> None:
        self.state = State.STARTING
        self.pid = 0  # until it runs
        self._owner = owner
        self._setup = setup
        self._frames = Frames()
        self._reply: asyncio.Future[Answer] | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    async def start(self, command: Sequence[str]) -> None:
        """Start the process; takes some milliseconds and should not be cancelled. Raises OSError."""
        await asyncio.get_running_loop().subprocess_exec(
            lambda: self,
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # what a parser prints may quote a project, and a full pipe would hold the worker up
            cwd=neutral_folder(),
            env=environment(os.environ),
            start_new_session=sys.platform != "win32",
        )

    def ask(self, frame: bytes) -> "asyncio.Future[Answer]":
        """Send a call to an idle worker. The future raises WorkerError; when it is done, `state` says what is left."""
        assert self.state is State.IDLE
        self.state = State.BUSY
        self._reply = asyncio.get_running_loop().create_future()
        self._send(frame)
        return self._reply

    def kill(self, reason: type[WorkerError] = WorkerLostError) -> None:
        """End it at once, with all that it has started; the call that it works on raises the reason."""
        if self.state is State.DEAD:
            return
        before, self.state = self.state, State.DEAD
        self._end()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(reason())
        self._owner.on_dead(self, before)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs; nothing has been read from it."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self.pid = self._transport.get_pid()
        if self.state is State.DEAD:  # killed while it was being started
            self._end()
        else:
            self._send(self._setup)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take what the worker says."""
        del fd
        if self.state is State.DEAD:
            return
        try:
            for frame in self._frames.feed(data):
                self._take(frame)
            if self.state is not State.BUSY and not self._frames.is_empty:
                raise FrameError("more than an answer")  # noqa: TRY301 - the one reaction to all of these is below
        except FrameError as error:
            _log.warning("a worker broke the protocol: %s", error)
            self.kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """The worker has closed a pipe: it ends, or has ended."""
        del fd, exc
        self.kill()

    def process_exited(self) -> None:
        """It has been waited for."""
        assert self._transport is not None
        self.kill()
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has been waited for, and its pipes are closed."""
        del exc
        self._owner.on_gone(self)

    def _take(self, frame: Frame) -> None:
        match self.state, frame.kind:
            case State.STARTING, Kind.READY:
                self.state = State.IDLE
                self._owner.on_ready(self)
            case State.STARTING, Kind.FAILED:
                _log.warning("a worker cannot serve: %s", _type_name(frame.payload))
                self.kill()
            case State.BUSY, Kind.ANSWER | Kind.LAST_ANSWER:
                answer = answer_of(frame.payload)
                self.state = State.IDLE if frame.kind is Kind.ANSWER else State.SPENT
                if self._reply is not None and not self._reply.done():
                    self._reply.set_result(answer)
            case State.BUSY, Kind.FAILED:
                _log.warning("a call failed: %s", _type_name(frame.payload))
                self.state = State.IDLE
                if self._reply is not None and not self._reply.done():
                    self._reply.set_exception(CallFailedError())
            case State.BUSY, Kind.NO_MEMORY:
                _log.warning("a worker ran out of memory")
                self.kill()
            case _:
                raise FrameError("a frame that is not due")

    def _send(self, frame: bytes) -> None:
        assert self._transport is not None
        cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0)).write(frame)

    def _end(self) -> None:
        if self._transport is None:
            return
        kill_all(self.pid)
        target = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        if not target.is_closing():  # an abort of what its reader has closed would close it twice
            target.abort()
        cast("asyncio.ReadTransport", self._transport.get_pipe_transport(1)).close()


def _type_name(payload: bytes) -> str:
    name = payload[:60].decode("ascii", "replace")
    return name if name.isidentifier() else "an exception"
