"""A client and the agent in one event loop, over a socket pair: fast, and with all of the agent's own code."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.server import build
from kimi_lsp.acp.start import shake_hands
from kimi_lsp.faces.channel import Socket
from tests.fakes.json_value import Json, JsonObject, get, items

DEADLINE_S = 30.0
Answer = Callable[[JsonObject], JsonObject | None]


class RefusedByAgentError(Exception):
    """The agent answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass
class Client:
    """The client's side. `answers` says what it answers to the agent's requests; None: nothing, ever."""

    writer: asyncio.StreamWriter
    connection: Connection  # the agent's side
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    frames: list[JsonObject] = field(default_factory=list[JsonObject])  # all that the agent sent
    asked: list[JsonObject] = field(default_factory=list[JsonObject])  # its requests
    _replies: dict[int, asyncio.Future[JsonObject]] = field(default_factory=dict[int, asyncio.Future[JsonObject]])
    _number: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, message: Mapping[str, object]) -> None:
        self.writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def begin(self, method: str, params: Mapping[str, object]) -> "asyncio.Future[JsonObject]":
        """Send a request; its answer comes later."""
        self._number += 1
        reply = self._replies[self._number] = asyncio.get_running_loop().create_future()
        self.send({"id": self._number, "method": method, "params": params})
        return reply

    async def ask(self, method: str, **params: object) -> JsonObject:
        """Send a request and wait for its result."""
        return await answered(self.begin(method, params))

    @property
    def last_number(self) -> int:
        """The id of the request that was sent last."""
        return self._number

    def notify(self, method: str, **params: object) -> None:
        self.send({"method": method, "params": params})

    async def new(self, cwd: Path, **params: object) -> str:
        """Open a session and wait for what is told after the answer."""
        result = await self.ask("session/new", cwd=str(cwd), mcpServers=[], **params)
        session = str(result["sessionId"])
        await self.until(lambda: any(kind(one) == "usage_update" for one in self.updates(session)))
        return session

    async def prompt(self, session: str, *blocks: str | Mapping[str, object]) -> JsonObject:
        """One turn."""
        return await answered(self.begin_prompt(session, *blocks))

    def begin_prompt(self, session: str, *blocks: str | Mapping[str, object]) -> "asyncio.Future[JsonObject]":
        told = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
        return self.begin("session/prompt", {"sessionId": session, "prompt": told})

    def updates(self, session: str) -> list[JsonObject]:
        """What the agent said of a session, in order."""
        return [
            update
            for frame in self.frames
            if frame.get("method") == "session/update" and get(frame, "params", "sessionId") == session
            if isinstance(update := get(frame, "params", "update"), dict)
        ]

    def said(self, session: str, what: str = "agent_message_chunk") -> str:
        """All the text of a kind."""
        return "".join(str(get(one, "content", "text")) for one in self.updates(session) if kind(one) == what)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        with anyio.fail_after(DEADLINE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            frame: JsonObject = json.loads(line)
            self.frames.append(frame)
            number = frame.get("id")
            if "method" not in frame and isinstance(number, int):
                self._replies.pop(number).set_result(frame)
            elif "method" in frame and number is not None:
                self.asked.append(frame)
                answer = self.answers.get(str(frame["method"]))
                params = frame.get("params")
                result = answer(params) if answer is not None and isinstance(params, dict) else None
                if result is not None:
                    self.send({"id": number, "result": result})
            self._changed.set()


async def answered(reply: "asyncio.Future[JsonObject]") -> JsonObject:
    """The result of a request. Raises RefusedByAgentError."""
    with anyio.fail_after(DEADLINE_S):
        frame = await reply
    error = frame.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        assert isinstance(code, int)
        raise RefusedByAgentError(code, str(error.get("message")))
    result = frame.get("result")
    assert isinstance(result, dict)
    return result


@asynccontextmanager
async def agent(environ: Mapping[str, str], **capabilities: object) -> AsyncGenerator[Client]:
    """An agent with a client that has shaken hands."""
    ours, theirs = socket.socketpair()
    told = {"protocolVersion": 1, "clientCapabilities": capabilities}
    first = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": told}
    theirs.sendall(json.dumps(first).encode() + b"\n")
    handshake = shake_hands(Socket(ours))
    assert handshake is not None
    connection = build(handshake, environ)
    reader, writer = await asyncio.open_connection(sock=theirs, limit=1 << 26)
    await reader.readline()
    client = Client(writer, connection)
    serving = asyncio.create_task(connection.serve())
    listening = asyncio.create_task(client.listen(reader))
    try:
        yield client
    finally:
        writer.close()
        with anyio.fail_after(DEADLINE_S):
            assert await serving == 0
            await listening
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        handshake.channel.close()


def kind(update: Json) -> str:
    """Which update it is."""
    return str(get(update, "sessionUpdate"))


def option(result: JsonObject, name: str) -> str:
    """The current value of an option, as an answer has it."""
    return next(str(get(one, "currentValue")) for one in items(result["configOptions"]) if get(one, "id") == name)
