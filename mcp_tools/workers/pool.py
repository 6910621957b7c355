"""A few worker processes and a queue before them. Cancelling a call, or its deadline, kills the process it runs in."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import anyio
from anyio.abc import TaskGroup

from mcp_tools.catalog.values import Answer, JsonObject, Setup, setup_json
from mcp_tools.workers.errors import CallFailedError, DeadlineError, WorkerLostError
from mcp_tools.workers.frames import Call, FrameError, Kind, call_payload, frame_bytes, json_bytes
from mcp_tools.workers.launch import command as command_line
from mcp_tools.workers.worker import State, Worker

_log = logging.getLogger(__name__)

START_S: Final = 30.0
"""Seconds in which a worker has to be ready."""

_END_S: Final = 1.0
_MAX_DEADLINE_S: Final = 86_400.0


class Pool:
    """Workers that are started when they are needed, and replaced when they die. Use it as an async context manager.

    One pool belongs to one asyncio event loop, whose thread has to outlive it: on Linux a worker ends with that thread.

    Args:
        setup: what the workers are told about the projects.
        size: processes at most; one that is being killed counts until it is gone.
        memory_bytes: address space of a worker, and of each program that it starts. None: no limit.
        command: another program and its arguments, for tests; see `mcp_tools.workers.child.main`.
        idle_s: a worker without work for so many seconds is ended. None: none is.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        size: int = 2,
        memory_bytes: int | None = 1 << 30,
        command: Sequence[str] | None = None,
        idle_s: float | None = None,
    ) -> None:
        if size < 1:
            raise ValueError("a pool has at least one worker")
        self._setup = frame_bytes(Kind.SETUP, json_bytes(setup_json(setup)))
        self._size, self._idle_s = size, idle_s
        self._command = command_line(command, memory_bytes)
        self._workers: dict[Worker, asyncio.TimerHandle] = {}  # alive, or being killed; with what limits their time
        self._idle: list[Worker] = []  # the last one in is the first one out, so that the others can be ended
        self._waiters: deque[asyncio.Future[Worker]] = deque()
        self._new: asyncio.Queue[Worker] = asyncio.Queue()  # to be started, by a task: most of this runs in callbacks
        self._tasks: TaskGroup | None = None  # None before and after the block
        self._is_changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Open it; no process is started."""
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        tasks.start_soon(self._starter)
        self._tasks = tasks
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Kill every worker and wait for its end, a second at most. Calls that still run raise WorkerLostError."""
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(WorkerLostError())
        for worker in list(self._workers):
            worker.kill()
        while not self._new.empty():
            self.on_gone(self._new.get_nowait())
        with anyio.move_on_after(_END_S, shield=True):
            while self._workers:
                self._is_changed.clear()
                await self._is_changed.wait()
        tasks.cancel_scope.cancel()
        await tasks.__aexit__(None, None, None)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that live, the oldest first."""
        return tuple(worker.pid for worker in self._workers if worker.state is not State.DEAD and worker.pid)

    @property
    def running(self) -> int:
        """How many workers live or are being started."""
        return sum(worker.state is not State.DEAD for worker in self._workers)

    def warm(self) -> None:
        """Have a first worker started, if there is none. Returns at once."""
        if not self._workers:
            self._start()

    async def call(self, name: str, arguments: JsonObject, *, deadline_s: float) -> Answer:
        """Run a call on a free worker; calls wait in order.

        Args:
            name: the tool.
            arguments: what it is given.
            deadline_s: counted from when a worker has the call: waiting for it, and its start, are not included.

        Raises:
            DeadlineError: it took longer, and the worker was killed.
            WorkerLostError: the worker crashed, ran out of memory or cannot be started, or the pool is closed.
            CallFailedError: the tool raised an exception, or the arguments or the answer do not fit into a frame.
        """
        if not 0 < deadline_s <= _MAX_DEADLINE_S:
            raise ValueError("a deadline is a positive number of seconds, a day at most")
        try:
            frame = frame_bytes(Kind.CALL, call_payload(Call(name, arguments, float(deadline_s))))
        except FrameError:
            raise CallFailedError from None
        worker = await self._free_worker()
        reply = worker.ask(frame)
        timer = asyncio.get_running_loop().call_later(deadline_s, worker.kill, DeadlineError)
        try:
            return await reply
        finally:
            timer.cancel()
            if reply.done() and not reply.cancelled():
                reply.exception()  # it has been looked at, even when a cancellation came first
            self._put_back(worker)

    async def _free_worker(self) -> Worker:
        while True:
            worker = self._idle.pop() if self._idle else await self._next()
            if worker.state is State.IDLE:  # it may have died since it was handed over
                self._workers[worker].cancel()
                return worker

    async def _next(self) -> Worker:
        if self._tasks is None:
            raise WorkerLostError
        waiter: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._grow()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):
                    self._waiters.remove(waiter)
            elif waiter.exception() is None:  # a worker was handed over in the very moment of the cancellation
                self._put_back(waiter.result())
            raise

    def _put_back(self, worker: Worker) -> None:
        """A call is over. A worker that has not answered is worth nothing: its pipe holds the rest of that call."""
        if worker.state is not State.IDLE or self._tasks is None:
            worker.kill()
            return
        if (waiter := self._next_waiter()) is not None:
            waiter.set_result(worker)
            return
        self._idle.append(worker)
        if self._idle_s is not None:
            self._workers[worker] = asyncio.get_running_loop().call_later(self._idle_s, worker.kill)

    def _next_waiter(self) -> "asyncio.Future[Worker] | None":
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _grow(self) -> None:
        """Start as many workers as there are calls without one."""
        starting = sum(worker.state is State.STARTING for worker in self._workers)
        for _ in range(min(len(self._waiters) - starting, self._size - len(self._workers))):
            self._start()

    def _start(self) -> None:
        if self._tasks is None:
            return
        worker = Worker(self, self._setup)
        self._workers[worker] = asyncio.get_running_loop().call_later(START_S, worker.kill)
        self._new.put_nowait(worker)

    async def _starter(self) -> None:
        while True:
            worker = await self._new.get()
            try:
                with anyio.CancelScope(shield=True):  # a process that is half started could not be killed
                    await worker.start(self._command)
            except OSError as error:
                _log.warning("a worker process does not start: %s", error.strerror)
                worker.kill()
                self.on_gone(worker)

    def on_ready(self, worker: Worker) -> None:
        """A worker can take its first call."""
        self._workers[worker].cancel()
        self._put_back(worker)

    def on_dead(self, worker: Worker, before: State) -> None:
        """A worker cannot be used any more. If it never started, the oldest call fails, lest it be tried for ever."""
        self._workers[worker].cancel()
        if worker in self._idle:
            self._idle.remove(worker)
        if before is State.STARTING and (waiter := self._next_waiter()) is not None:
            waiter.set_exception(WorkerLostError())
        # A process that the kernel cannot end (a dead network disk) must not keep a place for ever.
        self._workers[worker] = asyncio.get_running_loop().call_later(_END_S, self.on_gone, worker)

    def on_gone(self, worker: Worker) -> None:
        """A worker's place is free."""
        timer = self._workers.pop(worker, None)
        if timer is not None:
            timer.cancel()
            self._is_changed.set()
            self._grow()
