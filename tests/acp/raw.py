"""A raw ACP client over the real agent process: exact lines out, every frame of both sides kept. It judges nothing.

    async with RawAgent.start(env=world.env(kimi)) as agent:
        await agent.initialize()
        session = await agent.new_session(root)
        result = await agent.turn(session, "/audit")

It knows JSON-RPC and no ACP library, so that no defect is shared with what it measures. Only what is no line of
JSON-RPC at all is an error of its own; a check of frames against the protocol's schema can be handed in. Linux only.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from tests.acp.raw_wire import (
    FULL,
    SENT,
    Answer,
    ErrorAnswer,
    Frame,
    NoAnswer,
    Refusal,
    allowed,
    choosing,
    read_line,
    text_block,
)
from tests.fakes.json_value import Json, JsonObject, compact, get
from tests.lsp.raw_child import BOUND_S, Child

__all__ = [
    "AGENT",
    "BOUND_S",
    "FULL",
    "SENT",
    "Answer",
    "ErrorAnswer",
    "Frame",
    "NoAnswer",
    "RawAgent",
    "Refusal",
    "allowed",
    "choosing",
    "text_block",
]

AGENT: Final = (sys.executable, "-P", "-m", "kimi_lsp", "acp")


class Check(Protocol):
    """Holds lines of a conversation against the protocol's schema; AssertionError for one that does not fit."""

    def client(self, line: bytes, /) -> object:
        """Take a line of the client's."""
        ...

    def agent(self, line: bytes, /) -> object:
        """Take a line of the agent's."""
        ...

    def bad_input(self, line: bytes, /) -> None:
        """Take a line of the client's that is wrong on purpose."""
        ...


@dataclass(slots=True, eq=False)
class _Waiter:
    predicate: Callable[[Frame], bool]
    future: asyncio.Future[Frame]


class RawAgent(Child):
    """One agent process. `frames` is all it said, in order; `sent` what it was told; `stderr` what it wrote there.

    answers: a function for each method that the agent may ask; the first `allow` option is chosen where permission is
    asked for, and a file that is not in `buffers` (path to text) is an error.
    """

    def __init__(self, check: Check | None = None) -> None:
        super().__init__()
        self.buffers: dict[str, str] = {}
        self.answers: dict[str, Answer] = {"session/request_permission": allowed, "fs/read_text_file": self._buffer}
        self.frames: list[Frame] = []
        self.sent: list[bytes] = []
        self._check = check
        self._pending = bytearray()
        self._failed: AssertionError | None = None
        self._over: AssertionError | None = None
        self._waiters: list[_Waiter] = []
        self._next_id = 0

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        command: Sequence[str] = AGENT,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        check: Check | None = None,
        memory_bytes: int | None = None,
    ) -> "AsyncGenerator[RawAgent]":
        """Start an agent in a process group of its own; at the end the whole group is killed.

        env is added to this process's environment. memory_bytes is the most address space it may have (RLIMIT_AS).
        check: takes every line of both sides; only `send_bytes` passes it by.
        """
        agent = cls(check)
        await agent._spawn(command, env=env, cwd=cwd, memory_bytes=memory_bytes)
        try:
            yield agent
        finally:
            await agent.kill()

    # Out

    def send(self, body: Json, *, is_checked: bool = True) -> None:
        """Send a JSON value on a line. `is_checked`: whether it is meant to fit the schema."""
        line = compact(body).encode()
        if is_checked and self._check is not None:
            self._check.client(line)
            self.sent.append(line)
            self.send_bytes(line + b"\n")
        else:
            self.send_lines(line + b"\n")

    def send_lines(self, data: bytes) -> None:
        """Send whole lines as they are; whatever is in them was meant to be."""
        for line in data.split(b"\n")[:-1]:
            self.expect(line)
        self.send_bytes(data)

    def expect(self, line: bytes) -> None:
        """Say what `send_bytes` is going to send, so that its answer is known for one."""
        self.sent.append(line)
        if self._check is not None and line.strip():
            self._check.bad_input(line)

    def notify(self, method: str, params: Json = None, *, is_checked: bool = True) -> None:
        """Send a notification."""
        self.send(_message({"method": method}, params), is_checked=is_checked)

    def request(self, method: str, params: Json = None, *, id_: Json = None, is_checked: bool = True) -> Json:
        """Send a request and give its id: the next number, unless one is given."""
        if id_ is None:
            self._next_id += 1
            id_ = self._next_id
        self.send(_message({"id": id_, "method": method}, params), is_checked=is_checked)
        return id_

    async def response(self, request_id: Json, timeout_s: float = BOUND_S, *, since: int = 0) -> Frame:
        """The answer to a request, be it a result or an error."""
        return await self.wait_for(lambda frame: frame.is_response_to(request_id), timeout_s, since=since)

    async def ask(self, method: str, params: Json = None, timeout_s: float = BOUND_S, *, id_: Json = None) -> Frame:
        """Send a request that need not fit the schema, and give its answer, result or error."""
        since = self.mark
        return await self.response(self.request(method, params, id_=id_, is_checked=False), timeout_s, since=since)

    async def call(self, method: str, params: Json = None, timeout_s: float = BOUND_S) -> JsonObject:
        """Send a request and give its result, an object. ErrorAnswer when there is none."""
        since = self.mark
        frame = await self.response(self.request(method, params), timeout_s, since=since)
        if "error" in frame.body:
            raise ErrorAnswer(method, frame.body["error"], self._last_words)
        result = frame.body.get("result")
        assert isinstance(result, dict), frame.body
        return result

    async def answer_to(self, data: bytes, request_id: Json, timeout_s: float = BOUND_S) -> Frame:
        """Send a line as it is, and give what comes back for this id (None: it could not be read)."""
        since = self.mark
        self.send_lines(data + b"\n")
        return await self.response(request_id, timeout_s, since=since)

    def answer(self, request: Frame, result: Json, *, is_checked: bool = True) -> None:
        """Answer a request of the agent's by hand (after NoAnswer)."""
        self.send({"jsonrpc": "2.0", "id": request.get("id"), "result": result}, is_checked=is_checked)

    async def answer_to_wrong(self, data: bytes, id_: str, timeout_s: float = BOUND_S) -> Frame:
        """Send a line that is no request of the protocol's and has an id all the same, and give what answers it."""
        since = self.mark
        self.expect(compact({"jsonrpc": "2.0", "id": id_, "method": "_"}).encode())
        self.send_bytes(data + b"\n")
        return await self.response(id_, timeout_s, since=since)

    def close_stdout(self) -> None:
        """Read its output no more, and let it find out."""
        self._stdout.close()

    def pause_stderr(self) -> None:
        """Read nothing of its standard error any more, as a client that has no use for it."""
        cast("asyncio.ReadTransport", self._transport.get_pipe_transport(2)).pause_reading()

    def close_stderr(self) -> None:
        """Close the end that its standard error goes to."""
        cast("asyncio.ReadTransport", self._transport.get_pipe_transport(2)).close()

    # In

    @property
    def mark(self) -> int:
        """The number that the next frame will have: a `since`."""
        return len(self.frames)

    async def wait_for(
        self, predicate: Callable[[Frame], bool], timeout_s: float = BOUND_S, *, since: int = 0
    ) -> Frame:
        """The first frame from number `since` on that satisfies a predicate; those that came already count.

        AssertionError when the time is over, when the agent's output ends, when it says what is no line of JSON-RPC,
        and when the check refused a frame.
        """
        self.assert_sound()
        for frame in self.frames[since:]:
            if predicate(frame):
                return frame
        if self._over is not None:
            raise AssertionError(f"{self._over}; {self._seen}{self._last_words}")
        waiter = _Waiter(predicate, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            return await asyncio.wait_for(waiter.future, timeout_s)
        except TimeoutError:
            raise AssertionError(f"did not come within {timeout_s:g} s; {self._seen}{self._last_words}") from None
        finally:
            self._waiters.remove(waiter)

    async def asked(self, method: str, timeout_s: float = BOUND_S, *, since: int = 0) -> Frame:
        """The first request or notification of that method from number `since` on."""
        return await self.wait_for(lambda frame: frame.method == method, timeout_s, since=since)

    async def updated(self, session: str, kind: str, timeout_s: float = BOUND_S, *, since: int = 0) -> Frame:
        """The first update of that kind in a session from number `since` on."""
        return await self.wait_for(
            lambda frame: frame.kind == kind and frame.session == session, timeout_s, since=since
        )

    def updates(self, session: str | None = None, kind: str | None = None, *, since: int = 0) -> list[Frame]:
        """Updates that came: of one session, of one kind, or all."""
        return [
            frame
            for frame in self.frames[since:]
            if frame.method == "session/update" and session in (None, frame.session) and kind in (None, frame.kind)
        ]

    def said(self, session: str, *, since: int = 0) -> str:
        """What the agent said in a session, without its thoughts."""
        return "".join(frame.text for frame in self.updates(session, "agent_message_chunk", since=since))

    def told(self, session: str, *, since: int = 0) -> str:
        """All that the agent told of a session, as JSON."""
        return "\n".join(compact(frame.body) for frame in self.updates(session, since=since))

    @property
    def methods(self) -> set[str]:
        """Every method that the agent has sent."""
        return {frame.method for frame in self.frames if frame.method is not None}

    def assert_sound(self) -> None:
        """AssertionError when a frame was refused. It is told once: an agent may be shared by tests."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise AssertionError(f"{failed}{self._last_words}")

    # A conversation

    async def initialize(self, capabilities: JsonObject | None = None, *, version: int = 1) -> JsonObject:
        """Greet the agent and give its answer; without capabilities: those of a client that has none."""
        params: JsonObject = {
            "protocolVersion": version,
            "clientCapabilities": capabilities or {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        return await self.call("initialize", params)

    async def new_session(self, cwd: str | Path, *, servers: Sequence[Json] = (), **more: Json) -> str:
        """Begin a session and give its id."""
        result = await self.call("session/new", {"cwd": str(cwd), "mcpServers": list(servers), **more})
        session = result["sessionId"]
        assert isinstance(session, str), result
        return session

    def prompt(self, session: str, *blocks: Json) -> Json:
        """Begin a turn, a string being a block of text, and give the request's id."""
        return self.request("session/prompt", _prompt(session, *blocks))

    async def turn(self, session: str, *blocks: Json, timeout_s: float = BOUND_S) -> JsonObject:
        """A whole turn; its result. ErrorAnswer when there is none."""
        return await self.call("session/prompt", _prompt(session, *blocks), timeout_s)

    def cancel(self, session: str) -> None:
        """Cancel a session's turn."""
        self.notify("session/cancel", {"sessionId": session})

    async def assert_alive(self) -> None:
        """AssertionError when the agent does not answer a request that has nothing to do with anything."""
        assert (await self.ask("_alive", {})).error_code == -32601

    # The child's side

    def _said(self, at: float, data: bytes) -> None:
        self._pending += data
        *lines, rest = bytes(self._pending).split(b"\n") if b"\n" in data else [bytes(self._pending)]
        if lines:
            self._pending = bytearray(rest)
        for line in lines:
            try:
                body = read_line(line)
            except (AssertionError, ValueError) as error:
                self._fail(AssertionError(f"the agent said what is no message: {error}; {line[:2000]!r}"))
                continue
            try:
                if self._check is not None:
                    self._check.agent(line)
            except AssertionError as error:
                self._fail(error)
            self._take(at, line, body)

    def _ended(self) -> None:
        if self._pending:
            self._fail(AssertionError(f"the agent's output ended within a line: {bytes(self._pending[:200])!r}"))
        self._over = AssertionError("the agent's output ended")
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(AssertionError(f"{self._over}{self._last_words}"))

    def _take(self, at: float, line: bytes, body: JsonObject) -> None:
        frame = Frame(len(self.frames), at, line, body)
        self.frames.append(frame)
        if frame.method is not None and "id" in body:
            self._reply(frame.method, frame)
        for waiter in list(self._waiters):
            if not waiter.future.done() and waiter.predicate(frame):
                waiter.future.set_result(frame)

    def _reply(self, method: str, frame: Frame) -> None:
        reply: JsonObject = {"jsonrpc": "2.0", "id": frame.get("id")}
        if method not in self.answers:
            self.send({**reply, "error": {"code": -32601, "message": "the test client does not know this"}})
            return
        with contextlib.suppress(NoAnswer):
            try:
                result = self.answers[method](frame.get("params"))
            except Refusal as refusal:
                self.send({**reply, "error": {"code": refusal.code, "message": str(refusal)}})
                return
            self.send({**reply, "result": result}, is_checked=False)

    def _fail(self, error: AssertionError) -> None:
        if self._failed is None:
            self._failed = error
        for waiter in self._waiters:
            if not waiter.future.done():
                self._failed = None
                waiter.future.set_exception(AssertionError(f"{error}{self._last_words}"))

    def _buffer(self, params: Json) -> Json:
        path = get(params, "path")
        if not isinstance(path, str) or path not in self.buffers:
            raise Refusal(-32002)
        return {"content": self.buffers[path]}

    @property
    def _seen(self) -> str:
        shown = (str(frame.kind or frame.method or f"the answer to {frame.get('id')}") for frame in self.frames[-12:])
        return "seen: " + (", ".join(shown) or "nothing")


def _message(head: JsonObject, params: Json) -> JsonObject:
    return {"jsonrpc": "2.0", **head, **({} if params is None else {"params": params})}


def _prompt(session: str, *blocks: Json) -> Json:
    return {
        "sessionId": session,
        "prompt": [text_block(block) if isinstance(block, str) else block for block in blocks],
    }
