"""One client's conversation: dispatch in arrival order, the gates of the protocol, cancellation, round trips, the end.

A handler is a plain function: it is called on the loop, in the order of arrival, with its params already in their own
type, so that it sees the state that the client meant. What takes longer it returns as an awaitable.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar, cast

import anyio
import anyio.abc
import anyio.lowlevel
from msgspec import UNSET, Struct

from kimi_lsp.errors import KimiError
from kimi_lsp.lsp import envelope
from kimi_lsp.lsp.asking import Asking, RequestError
from kimi_lsp.lsp.envelope import Incoming
from kimi_lsp.lsp.failures import innermost, place
from kimi_lsp.lsp.frames import Damaged
from kimi_lsp.lsp.intake import Events, Intake
from kimi_lsp.lsp.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    REQUEST_CANCELLED,
    REQUEST_FAILED,
    RefusedError,
    error_body,
)
from kimi_lsp.lsp.outbox import Outbox
from kimi_lsp.lsp.protocol import CancelParams, MessageParams, MessageType
from kimi_lsp.lsp.start import Handshake

T = TypeVar("T")

_SLICE_S = 0.004  # how long frames are handled before timers and other tasks have their turn
_PAUSE_BYTES = 32 * 1024 * 1024  # of answers that wait, above which nothing more is read
_SHUTDOWN_S = 5.0  # how long the answer to `shutdown` waits for what stops
_FAREWELL_S = 0.3  # the same at the end
_FLUSH_S = 0.2
_OVERRUN_S = 0.9  # from the end on; then the process is ended whatever still runs
_LEVELS = {
    "error": MessageType.ERROR,
    "warning": MessageType.WARNING,
    "info": MessageType.INFO,
    "debug": MessageType.DEBUG,
}

__all__ = ["INVALID_PARAMS", "REQUEST_FAILED", "Connection", "RequestError", "Route"]


@dataclass(frozen=True, slots=True)
class Route:
    """Who handles a method. The handler takes the params in that type; without one it takes nothing.

    For a request it returns the result, or an awaitable of it; for a notification nothing, or an awaitable.
    """

    params: type[Struct] | None
    handler: Callable[..., object]


@dataclass(slots=True, eq=False)
class _Job:
    """An awaitable that runs for the client; `request_id` is None when nobody waits for an answer."""

    what: str
    outcome: Awaitable[object]
    request_id: int | str | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Connection:
    """The conversation with the client that shook hands. Routes are given before `serve`.

    `on_shutdown` is called once when the end is near, at `shutdown` or without one: what it returns, if awaitable, is
    waited for a while.
    """

    def __init__(self, handshake: Handshake) -> None:
        self.on_shutdown: Callable[[], object] = lambda: None
        self._handshake = handshake
        self._routes: dict[str, Route] = {}
        self._level = _LEVELS[handshake.log_level]
        self._outbox = Outbox(handshake.channel)
        self._intake = Intake(handshake.channel, handshake.reader)
        self._asking = Asking(self._outbox.post)
        self._jobs: dict[_Job, None] = {}  # in the order in which they came
        self._running: dict[int | str, _Job] = {}  # requests that have no answer yet
        self._has_shut_down = False
        self._farewell: asyncio.Event | None = None  # set when what `on_shutdown` began is over
        self._code: int | None = None
        self._is_over = False
        self._dispatching = anyio.CancelScope()
        self._ends: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._group: anyio.abc.TaskGroup | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def route(self, method: str, route: Route) -> None:
        """Say who handles a method; `initialize`, `shutdown`, `exit` and `$/cancelRequest` are handled here."""
        self._routes[method] = route

    # Out

    def notify(self, method: str, params: object, *, key: str | None = None) -> None:
        """Send a notification. It replaces one of the same key that the client has not taken yet."""
        self._outbox.post(envelope.notification(method, params), key=key)

    async def request(self, method: str, params: object, result: type[T], *, timeout_s: float | None) -> T:
        """Ask the client. RequestError when it answers with an error or another shape, or goes; TimeoutError.

        When the wait is cancelled or times out the client is told so; what it still answers is ignored.
        """
        return await self._asking.ask(method, params, result, timeout_s)

    def log(self, type: MessageType, text: str) -> None:  # noqa: A002 - the specification's word
        """Log to the client (`window/logMessage`), if the level is wanted. Dropped and counted if it does not read."""
        if type > self._level:
            return
        shown = min(type, MessageType.LOG)  # DEBUG is not in LSP 3.17
        if self._outbox.post(_log_line(shown, text), droppable=True) and (dropped := self._outbox.take_dropped()):
            text = f"{dropped} log lines before this one were dropped: the client read too slowly"
            self._outbox.post(_log_line(MessageType.WARNING, text))

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that the client has not taken yet."""
        return self._outbox.waiting_bytes

    async def ready(self) -> None:
        """Wait while the client takes less than it is sent."""
        await self._outbox.ready()

    # Tasks

    def spawn(self, function: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run a function of its own accord, until it ends or the conversation does. What it raises is logged."""
        self._begin(_Job(getattr(function, "__name__", "a task"), function(*args)))

    def stop(self, code: int) -> None:
        """End with that exit code, the first one given. May be called from any thread and from a signal handler."""
        if self._code is None:
            self._code = code
        self._ends.put(code)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: all is over
                self._loop.call_soon_threadsafe(self._dispatching.cancel)

    async def serve(self) -> int:
        """Serve until the client goes or `stop` is called; the exit code.

        0 after `shutdown` and `exit`; 1 after `exit` alone and when the client just goes.
        """
        self._loop = asyncio.get_running_loop()
        self._outbox.start(lambda: self.stop(1))
        self._intake.start(on_end=lambda: self._ends.put(1))
        if self._handshake.end_process is not None:
            threading.Thread(target=self._end_process, name="lsp-end", daemon=True).start()
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                for job in self._jobs:
                    group.start_soon(self._run, job)
                with self._dispatching:
                    await self._dispatch()
                self.stop(1)  # where nothing else has said so
                self._asking.end()
                self._intake.stop()
                with anyio.move_on_after(_FAREWELL_S, shield=True):
                    await self._say_farewell()
                group.cancel_scope.cancel()
        finally:
            self._is_over = True
            await self._outbox.close(_FLUSH_S)
        return 1 if self._code is None else self._code

    async def _dispatch(self) -> None:
        await self._take_all(self._handshake.pending)
        while self._code is None and (events := await self._intake.next()) is not None:
            await self._take_all(events)
            await self._outbox.ready(_PAUSE_BYTES)
            self._intake.acknowledge()

    async def _take_all(self, events: Events) -> None:
        slice_end = time.monotonic() + _SLICE_S
        for event in events:
            if self._code is not None:
                return
            if time.monotonic() > slice_end:
                await anyio.lowlevel.checkpoint()
                slice_end = time.monotonic() + _SLICE_S
            self._take(event)

    def _take(self, event: bytes | Damaged) -> None:
        if isinstance(event, Damaged):
            self.log(MessageType.DEBUG, f"a damaged frame: {event.reason}")
            self._outbox.post(error_body(None, PARSE_ERROR, event.reason))
            return
        try:
            message = envelope.decode(event)
        except RefusedError as refused:
            self.log(MessageType.DEBUG, f"a message was refused: {refused}")
            self._outbox.post(refused.answer)
            return
        if message.method is UNSET:
            if not self._asking.take(message):
                self.log(MessageType.DEBUG, "an answer to nothing that was asked")
        elif message.id is UNSET:
            self._take_notification(message.method, message)
        else:
            self._take_request(message.id, message.method, message)

    def _take_notification(self, method: str, message: Incoming) -> None:
        if method == "exit":
            self.stop(0 if self._has_shut_down else 1)
        elif method == "$/cancelRequest":
            self._cancel(message)
        elif self._has_shut_down:
            pass
        elif (route := self._routes.get(method)) is not None:
            try:
                outcome = self._call(route, message)
            except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
                self._log_failure(method, error)
                return
            if (awaitable := _awaitable(outcome)) is not None:
                self._begin(_Job(method, awaitable))
        elif not method.startswith("$/"):
            self.log(MessageType.DEBUG, f"not handled: {_shown(method)}")

    def _take_request(self, id_: int | str, method: str, message: Incoming) -> None:
        if id_ in self._running:
            self._refuse(id_, INVALID_REQUEST, "a request of this id is running")
        elif self._has_shut_down:
            self._refuse(id_, INVALID_REQUEST, "the server has been shut down")
        elif method == "initialize":
            self._refuse(id_, INVALID_REQUEST, "initialize has been answered")
        elif method == "shutdown":
            self._has_shut_down = True
            self._begin(_Job(method, self._shut_down(), id_))
        elif (route := self._routes.get(method)) is None:
            self._refuse(id_, METHOD_NOT_FOUND, f"unknown method {_shown(method)}")
        else:
            try:
                outcome = self._call(route, message)
                if (awaitable := _awaitable(outcome)) is not None:
                    self._begin(_Job(method, awaitable, id_))
                else:
                    self._outbox.post(envelope.response(id_, outcome))
            except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
                self._fail(id_, method, error)

    def _call(self, route: Route, message: Incoming) -> object:
        if route.params is None:
            return route.handler()
        return route.handler(envelope.read_params(message.params, route.params))

    def _cancel(self, message: Incoming) -> None:
        try:
            params = envelope.read(message.params, CancelParams)
        except RefusedError as refused:
            self.log(MessageType.DEBUG, f"$/cancelRequest: {refused}")
            return
        job = self._running.pop(params.id, None)
        if job is not None:
            self._refuse(params.id, REQUEST_CANCELLED, "cancelled")
            job.scope.cancel()

    # Jobs

    def _begin(self, job: _Job) -> None:
        if self._is_over:
            _discard(job.outcome)
            return
        self._jobs[job] = None
        if job.request_id is not None:
            self._running[job.request_id] = job
        if self._group is not None:
            self._group.start_soon(self._run, job)

    async def _run(self, job: _Job) -> None:
        try:
            with job.scope:
                if job.scope.cancel_called:  # before it could begin
                    _discard(job.outcome)
                    return
                result = await job.outcome
                if job.request_id is not None:
                    body = envelope.response(job.request_id, result)
                    if self._claim(job):
                        self._outbox.post(body)
        except asyncio.CancelledError:
            pass  # the end, or an awaitable that was cancelled elsewhere: it must not take the others with it
        except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
            if job.request_id is not None and self._claim(job):
                self._fail(job.request_id, job.what, error)
            else:
                self._log_failure(job.what, error)
        finally:
            self._jobs.pop(job, None)
            if job.request_id is not None and self._claim(job) and self._code is None:
                self._refuse(job.request_id, REQUEST_FAILED, "cancelled by the server")

    def _claim(self, job: _Job) -> bool:
        """Whether the answer is still owed; from now on it is not."""
        if job.request_id is None or self._running.get(job.request_id) is not job:
            return False
        del self._running[job.request_id]
        return True

    # Failures

    def _refuse(self, id_: int | str, code: int, message: str) -> None:
        self._outbox.post(error_body(id_, code, message))

    def _fail(self, id_: int | str, what: str, error: Exception) -> None:
        error = innermost(error)
        if isinstance(error, RequestError | RefusedError):
            self._refuse(id_, error.code, str(error))
        elif isinstance(error, KimiError):
            self._refuse(id_, REQUEST_FAILED, error.line)
        else:
            self._refuse(id_, INTERNAL_ERROR, "internal error")
            self._log_failure(what, error)

    def _log_failure(self, what: str, error: Exception) -> None:
        error = innermost(error)
        if isinstance(error, KimiError):
            self.log(MessageType.WARNING, f"{what}: {error.line}")
        elif isinstance(error, RequestError | RefusedError):
            self.log(MessageType.WARNING, f"{what}: {error}")
        else:
            self.log(MessageType.ERROR, f"{what}: {place(error)}")

    # The end

    async def _shut_down(self) -> None:
        with anyio.move_on_after(_SHUTDOWN_S):
            await self._say_farewell()

    async def _say_farewell(self) -> None:
        if self._farewell is not None:
            await self._farewell.wait()
            return
        self._farewell = asyncio.Event()
        try:
            if (awaitable := _awaitable(self.on_shutdown())) is not None:
                await awaitable
        except Exception as error:  # noqa: BLE001 - the end comes all the same
            self._log_failure("shutdown", error)
        finally:
            self._farewell.set()

    def _end_process(self) -> None:
        """In a thread: end the process when it does not end by itself, be it that the loop is stuck."""
        code = self._ends.get()
        time.sleep(_OVERRUN_S)
        assert self._handshake.end_process is not None
        self._handshake.end_process(code if self._code is None else self._code)


def _awaitable(outcome: object) -> Awaitable[object] | None:
    return outcome if isinstance(outcome, Awaitable) else None  # pyright: ignore[reportUnknownVariableType] - a handler's


def _discard(outcome: Awaitable[object]) -> None:
    if isinstance(outcome, Coroutine):
        cast("Coroutine[object, None, object]", outcome).close()


def _log_line(type: MessageType, text: str) -> bytes:  # noqa: A002 - the specification's word
    return envelope.notification("window/logMessage", MessageParams(type, text))


def _shown(method: str) -> str:
    return ascii(method[:80])
