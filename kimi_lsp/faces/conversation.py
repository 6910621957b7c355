"""One client's conversation: dispatch in arrival order, cancellation, round trips, the end. A protocol derives from it.

A handler is a plain function: it is called on the loop, in the order of arrival, with its params already in their own
type, so that it sees the state that the client meant. What takes longer it returns as an awaitable.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar, cast

import anyio
import anyio.abc
import anyio.lowlevel
from msgspec import UNSET, Struct

from kimi_lsp.errors import KimiError
from kimi_lsp.faces import envelope
from kimi_lsp.faces.asking import Asking, RequestError
from kimi_lsp.faces.channel import Channel
from kimi_lsp.faces.envelope import Incoming
from kimi_lsp.faces.failures import innermost, place
from kimi_lsp.faces.frames import Damaged
from kimi_lsp.faces.intake import Cutter, Events, Intake
from kimi_lsp.faces.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    REQUEST_CANCELLED,
    REQUEST_FAILED,
    RefusedError,
    error_body,
)
from kimi_lsp.faces.outbox import Outbox

T = TypeVar("T")
Severity = Literal["error", "warning", "debug"]

_SLICE_S = 0.004  # how long frames are handled before timers and other tasks have their turn
_PAUSE_BYTES = 32 * 1024 * 1024  # of answers that wait, above which nothing more is read
_FAREWELL_S = 0.3  # how long what stops may take at the end
_FLUSH_S = 0.2
_OVERRUN_S = 0.9  # from the end on; then the process is ended whatever still runs


@dataclass(frozen=True, slots=True)
class Route:
    """Who handles a method. The handler takes the params in that type; without one it takes nothing.

    For a request it returns the result, a `Reply`, or an awaitable of either; for a notification nothing, or an
    awaitable.
    """

    params: type[Struct] | None
    handler: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Reply:
    """A result, and what is done as soon as it is on its way to the client: nothing is sent in between."""

    result: object
    after: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Stoppable(Awaitable[object]):
    """An awaitable that still answers when its request is cancelled: it is told to stop, and not broken off."""

    outcome: Coroutine[object, None, object]
    stop: Callable[[], object]

    def __await__(self) -> Generator[Any, Any, object]:
        """Wait for the outcome."""
        return self.outcome.__await__()


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a conversation that has begun.

    `end_process` ends the process at once with an exit code, whatever still runs in it: the last resort of a server
    that must go. None where the process is not the server's own, as in tests.
    """

    channel: Channel
    reader: Cutter  # it may hold the beginning of a frame
    framed: Callable[[bytes], bytes]
    pending: Sequence[bytes | Damaged] = ()  # what the reader has cut already
    end_process: Callable[[int], object] | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """An awaitable that runs for the client; `request_id` is None when nobody waits for an answer."""

    what: str
    outcome: Awaitable[object]
    request_id: int | str | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Conversation:
    """The conversation with a client. Routes are given before `serve`.

    `on_end` is called once when the end is near: what it returns, if awaitable, is waited for a while.
    """

    gone_code: ClassVar[int]  # the exit code when the client just goes
    failed_code: ClassVar[int] = REQUEST_FAILED  # of an answer that says what went wrong

    def __init__(self, ends: Ends, *, cancelled: Callable[[int], bytes] | None) -> None:
        """Set up.

        Args:
            ends: where it is held.
            cancelled: the notification that a request of ours is given up; None where the client is not told.
        """
        self.on_end: Callable[[], object] = lambda: None
        self.outbox = Outbox(ends.channel, ends.framed)
        self._ends_of = ends
        self._routes: dict[str, Route] = {}
        self._intake = Intake(ends.channel, ends.reader)
        self._asking = Asking(self.outbox.post, cancelled)
        self._jobs: dict[_Job, None] = {}  # in the order in which they came
        self._running: dict[int | str, _Job] = {}  # requests that have no answer yet
        self._farewell: asyncio.Event | None = None  # set when what `on_end` began is over
        self._code: int | None = None
        self._is_over = False
        self._dispatching = anyio.CancelScope()
        self._ends: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._group: anyio.abc.TaskGroup | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # What a protocol adds

    def report(self, severity: Severity, text: str) -> None:
        """Say what went wrong on our side, where somebody may see it. `text` quotes nothing of the client's."""
        raise NotImplementedError  # each protocol has its own

    def own_notification(self, method: str, message: Incoming) -> bool:
        """Handle a notification of the protocol itself; False where it is none, or of no interest there."""
        raise NotImplementedError  # each protocol has its own

    def own_request(self, id_: int | str, method: str, message: Incoming) -> bool:
        """Handle a request of the protocol itself; False where it is none."""
        raise NotImplementedError  # each protocol has its own

    # Out

    def route(self, method: str, route: Route) -> None:
        """Say who handles a method that is not the protocol's own."""
        self._routes[method] = route

    def notify(self, method: str, params: object, *, key: str | None = None) -> None:
        """Send a notification. It replaces one of the same key that the client has not taken yet."""
        self.outbox.post(envelope.notification(method, params), key=key)

    async def request(self, method: str, params: object, result: type[T], *, timeout_s: float | None) -> T:
        """Ask the client. RequestError when it answers with an error or another shape, or goes; TimeoutError.

        When the wait is cancelled or times out the client is told so, if the protocol has it; a late answer is ignored.
        """
        return await self._asking.ask(method, params, result, timeout_s)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that the client has not taken yet."""
        return self.outbox.waiting_bytes

    async def ready(self) -> None:
        """Wait while the client takes less than it is sent."""
        await self.outbox.ready()

    def refuse(self, id_: int | str, code: int, message: str) -> None:
        """Answer a request with an error."""
        self.outbox.post(error_body(id_, code, message))

    # Tasks

    def spawn(self, function: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run a function of its own accord, until it ends or the conversation does. What it raises is reported."""
        self._begin(_Job(getattr(function, "__name__", "a task"), function(*args)))

    def answer_with(self, id_: int | str, method: str, outcome: Awaitable[object]) -> None:
        """Run what answers a request of the protocol itself."""
        self._begin(_Job(method, outcome, id_))

    def cancel(self, id_: int | str) -> None:
        """Cancel a request that the client does not wait for any more; it is answered."""
        job = self._running.get(id_)
        if job is None:
            return
        if isinstance(job.outcome, Stoppable):
            job.outcome.stop()
            return
        del self._running[id_]
        self.refuse(id_, REQUEST_CANCELLED, "cancelled")
        job.scope.cancel()

    def stop(self, code: int) -> None:
        """End with that exit code, the first one given. May be called from any thread and from a signal handler."""
        if self._code is None:
            self._code = code
        self._ends.put(code)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: all is over
                self._loop.call_soon_threadsafe(self._dispatching.cancel)

    async def serve(self) -> int:
        """Serve until the client goes or `stop` is called; the exit code."""
        self._loop = asyncio.get_running_loop()
        self.outbox.start(lambda: self.stop(self.gone_code))
        self._intake.start(on_end=lambda: self._ends.put(self.gone_code))
        if self._ends_of.end_process is not None:
            threading.Thread(target=self._end_process, name="face-end", daemon=True).start()
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                for job in self._jobs:
                    group.start_soon(self._run, job)
                with self._dispatching:
                    await self._dispatch()
                self.stop(self.gone_code)  # where nothing else has said so
                self._asking.end()
                self._intake.stop()
                with anyio.move_on_after(_FAREWELL_S, shield=True):
                    await self.say_farewell()
                group.cancel_scope.cancel()
        finally:
            self._is_over = True
            await self.outbox.close(_FLUSH_S)
        return self.gone_code if self._code is None else self._code

    async def _dispatch(self) -> None:
        await self._take_all(self._ends_of.pending)
        while self._code is None and (events := await self._intake.next()) is not None:
            await self._take_all(events)
            await self.outbox.ready(_PAUSE_BYTES)
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
            self.report("debug", f"a damaged frame: {event.reason}")
            self.outbox.post(error_body(None, PARSE_ERROR, event.reason))
            return
        try:
            message = envelope.decode(event)
        except RefusedError as refused:
            self.report("debug", f"a message was refused: {refused}")
            self.outbox.post(refused.answer)
            return
        if message.method is UNSET:
            if not self._asking.take(message):
                self.report("debug", "an answer to nothing that was asked")
        elif message.id is UNSET:
            self._take_notification(message.method, message)
        else:
            self._take_request(message.id, message.method, message)

    def _take_notification(self, method: str, message: Incoming) -> None:
        if self.own_notification(method, message):
            return
        if (route := self._routes.get(method)) is not None:
            try:
                outcome = _call(route, message)
            except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
                self._report_failure(method, error)
                return
            if (awaitable := _awaitable(outcome)) is not None:
                self._begin(_Job(method, awaitable))
        elif not method.startswith("$/"):
            self.report("debug", f"not handled: {_shown(method)}")

    def _take_request(self, id_: int | str, method: str, message: Incoming) -> None:
        if id_ in self._running:
            self.refuse(id_, INVALID_REQUEST, "a request of this id is running")
        elif self.own_request(id_, method, message):
            pass
        elif (route := self._routes.get(method)) is None:
            self.refuse(id_, METHOD_NOT_FOUND, f"unknown method {_shown(method)}")
        else:
            try:
                outcome = _call(route, message)
                if (awaitable := _awaitable(outcome)) is not None:
                    self._begin(_Job(method, awaitable, id_))
                else:
                    self._send(*_encoded(id_, outcome))
            except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
                self._fail(id_, method, error)

    def _send(self, body: bytes, after: Callable[[], object] | None) -> None:
        self.outbox.post(body)
        if after is not None:
            try:
                after()
            except Exception as error:  # noqa: BLE001 - as above, and the request has its answer
                self._report_failure("after an answer", error)

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
                    encoded = _encoded(job.request_id, result)
                    if self._claim(job):
                        self._send(*encoded)
        except asyncio.CancelledError:
            pass  # the end, or an awaitable that was cancelled elsewhere: it must not take the others with it
        except Exception as error:  # noqa: BLE001 - a handler's defect must not end the conversation
            if job.request_id is not None and self._claim(job):
                self._fail(job.request_id, job.what, error)
            else:
                self._report_failure(job.what, error)
        finally:
            self._jobs.pop(job, None)
            if job.request_id is not None and self._claim(job) and self._code is None:
                self.refuse(job.request_id, self.failed_code, "cancelled by the server")

    def _claim(self, job: _Job) -> bool:
        """Whether the answer is still owed; from now on it is not."""
        if job.request_id is None or self._running.get(job.request_id) is not job:
            return False
        del self._running[job.request_id]
        return True

    # Failures

    def _fail(self, id_: int | str, what: str, error: Exception) -> None:
        error = innermost(error)
        if isinstance(error, RequestError | RefusedError):
            self.refuse(id_, error.code, str(error))
        elif isinstance(error, KimiError):
            self.refuse(id_, self.failed_code, error.line)
        else:
            self.refuse(id_, INTERNAL_ERROR, "internal error")
            self._report_failure(what, error)

    def _report_failure(self, what: str, error: Exception) -> None:
        error = innermost(error)
        if isinstance(error, KimiError):
            self.report("warning", f"{what}: {error.line}")
        elif isinstance(error, RequestError | RefusedError):
            self.report("warning", f"{what}: {error}")
        else:
            self.report("error", f"{what}: {place(error)}")

    # The end

    async def say_farewell(self) -> None:
        """Begin what `on_end` does, once, and wait for it."""
        if self._farewell is not None:
            await self._farewell.wait()
            return
        self._farewell = asyncio.Event()
        try:
            if (awaitable := _awaitable(self.on_end())) is not None:
                await awaitable
        except Exception as error:  # noqa: BLE001 - the end comes all the same
            self._report_failure("shutdown", error)
        finally:
            self._farewell.set()

    def _end_process(self) -> None:
        """In a thread: end the process when it does not end by itself, be it that the loop is stuck."""
        code = self._ends.get()
        time.sleep(_OVERRUN_S)
        assert self._ends_of.end_process is not None
        self._ends_of.end_process(code if self._code is None else self._code)


def _call(route: Route, message: Incoming) -> object:
    if route.params is None:
        return route.handler()
    return route.handler(envelope.read_params(message.params, route.params))


def _encoded(id_: int | str, result: object) -> tuple[bytes, Callable[[], object] | None]:
    if isinstance(result, Reply):
        return envelope.response(id_, result.result), result.after
    return envelope.response(id_, result), None


def _awaitable(outcome: object) -> Awaitable[object] | None:
    return outcome if isinstance(outcome, Awaitable) else None  # pyright: ignore[reportUnknownVariableType] - a handler's


def _discard(outcome: Awaitable[object]) -> None:
    outcome = outcome.outcome if isinstance(outcome, Stoppable) else outcome
    if isinstance(outcome, Coroutine):
        cast("Coroutine[object, None, object]", outcome).close()


def _shown(method: str) -> str:
    return ascii(method[:80])
