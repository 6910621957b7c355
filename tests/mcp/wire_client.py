"""Raw MCP clients for tests, in either protocol era: lines to a process, bytes to a socket. Every wait is bounded."""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import cast

import h11

from tests.fakes.json_value import Json, JsonObject, compact, get

DEADLINE_S = 20.0
_LINE_LIMIT = 64 * 1024 * 1024
_ACCEPT = "application/json, text/event-stream"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Era(StrEnum):
    """A protocol version of each era."""

    LEGACY = "2025-11-25"
    MODERN = "2026-07-28"


def request(era: Era, request_id: Json, method: str, params: JsonObject | None = None) -> JsonObject:
    """A request of that era; the modern one says with each what it speaks."""
    given = dict(params or {})
    if era is Era.MODERN:
        meta = given.get("_meta")
        given["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": era.value,
            "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
            **(meta if isinstance(meta, dict) else {}),
        }
    message: JsonObject = {"jsonrpc": "2.0", "id": request_id, "method": method}
    return {**message, "params": given} if given else message


def call(era: Era, request_id: Json, tool: str, **arguments: Json) -> JsonObject:
    """A tool call."""
    return request(era, request_id, "tools/call", {"name": tool, "arguments": arguments})


def initialize(request_id: Json = 0) -> JsonObject:
    """The request that begins the handshake."""
    params: JsonObject = {
        "protocolVersion": Era.LEGACY.value,
        "capabilities": {},
        "clientInfo": {"name": "wire", "version": "1"},
    }
    return request(Era.LEGACY, request_id, "initialize", params)


def notification(method: str, params: JsonObject | None = None) -> JsonObject:
    """A notification."""
    message: JsonObject = {"jsonrpc": "2.0", "method": method}
    return message if params is None else {**message, "params": params}


def text_of(message: Json) -> str:
    """The first text of a tool's result."""
    text = get(message, "result", "content", 0, "text")
    assert isinstance(text, str), message
    return text


@dataclass(slots=True)
class Process:
    """A server process: its lines, what it says on standard error, and how it ends."""

    process: asyncio.subprocess.Process
    errors: list[str] = field(default_factory=list[str])
    others: list[JsonObject] = field(default_factory=list["JsonObject"])
    _said: asyncio.Event = field(default_factory=asyncio.Event)
    _errors_end: bool = False

    async def send(self, *messages: Json) -> None:
        """Send messages, each on its line."""
        await self.send_raw("".join(compact(message) + "\n" for message in messages).encode())

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        async with asyncio.timeout(DEADLINE_S):
            await self.process.stdin.drain()

    async def read(self, deadline_s: float = DEADLINE_S) -> JsonObject:
        """The next message. Strict: a line that is no JSON-RPC message is an AssertionError; so is the end."""
        assert self.process.stdout is not None
        async with asyncio.timeout(deadline_s):
            line = await self.process.stdout.readline()
        assert line.endswith(b"\n"), f"the server ended: {line[:200]!r}, {self.errors[-20:]}"
        message: Json = json.loads(line.decode("utf-8", "strict"), parse_constant=_no_constant)
        assert isinstance(message, dict), line[:200]
        assert message["jsonrpc"] == "2.0", line[:200]
        return message

    async def answer(self, request_id: Json, deadline_s: float = DEADLINE_S) -> JsonObject:
        """The answer to a request; what comes before it goes to `others`."""
        async with asyncio.timeout(deadline_s):
            while True:
                message = await self.read(deadline_s)
                if "method" not in message and message["id"] == request_id:
                    return message
                self.others.append(message)

    async def ask(self, message: JsonObject, deadline_s: float = DEADLINE_S) -> JsonObject:
        """Send a request and take its answer."""
        await self.send(message)
        return await self.answer(message["id"], deadline_s)

    async def open(self, era: Era) -> JsonObject:
        """Begin a conversation of that era; gives the answer to `initialize` or `server/discover`, whose id is 0."""
        if era is Era.MODERN:
            return await self.ask(request(era, 0, "server/discover"))
        answer = await self.ask(initialize())
        await self.send(notification("notifications/initialized"))
        return answer

    async def end_input(self) -> None:
        """Close standard input."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await self.process.stdin.wait_closed()

    async def rest(self, deadline_s: float = DEADLINE_S) -> bytes:
        """All that standard output still holds, to its end."""
        assert self.process.stdout is not None
        async with asyncio.timeout(deadline_s):
            return await self.process.stdout.read()

    async def exit_code(self, deadline_s: float = DEADLINE_S) -> int:
        """How it ended."""
        async with asyncio.timeout(deadline_s):
            return await self.process.wait()

    async def said(self, pattern: str, deadline_s: float = DEADLINE_S) -> re.Match[str]:
        """Wait for a line on standard error."""
        seen = 0
        async with asyncio.timeout(deadline_s):
            while True:
                while seen < len(self.errors):
                    if match := re.search(pattern, self.errors[seen]):
                        return match
                    seen += 1
                assert not self._errors_end, f"never said {pattern!r}: {self.errors[-20:]}"
                self._said.clear()
                await self._said.wait()

    def forget(self) -> None:
        """Forget what was said and received so far."""
        self.errors.clear()
        self.others.clear()

    async def listen_to_errors(self) -> None:
        """Keep what comes on standard error."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
            self._said.set()
        self._errors_end = True
        self._said.set()


@contextlib.asynccontextmanager
async def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdin: int = asyncio.subprocess.PIPE,
    stdout: int = asyncio.subprocess.PIPE,
) -> AsyncGenerator[Process]:
    """Run a server; it is killed at the end if it still runs. `env` is added to the environment."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        limit=_LINE_LIMIT,
    )
    running = Process(process)
    listening = asyncio.create_task(running.listen_to_errors())
    try:
        yield running
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await process.stdin.wait_closed()
        await process.wait()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await listening
        finally:
            listening.cancel()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer, all of it. `fields` are header fields by lower-case name."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def messages(self) -> list[JsonObject]:
        """The JSON-RPC messages in it, from a JSON body or an event stream."""
        if self.fields.get("content-type", "").startswith("text/event-stream"):
            lines = re.split(r"\r\n|\r|\n", self.body.decode("utf-8"))
            texts = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
        else:
            texts = [self.body.decode("utf-8")] if self.body else []
        return [cast("JsonObject", json.loads(text, parse_constant=_no_constant)) for text in texts if text]

    @property
    def message(self) -> JsonObject:
        """The last message, which answers the request."""
        return self.messages[-1]


class HttpExchange:
    """One request over a connection of its own, whose answer may come bit by bit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str) -> None:
        self._reader, self.writer = reader, writer
        self._protocol = h11.Connection(h11.CLIENT)
        self._protocol.send(h11.Request(method=method, target="/", headers=[("Host", "any")]))
        self._protocol.send(h11.EndOfMessage())
        self.status = 0
        self.fields: dict[str, str] = {}
        self.body = b""

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._reader.read(65536))
        return event

    async def head(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait for the status and the header fields; gives the status."""
        async with asyncio.timeout(deadline_s):
            while not isinstance(event := await self._event(), h11.Response):
                assert isinstance(event, h11.InformationalResponse), event
        self.status = event.status_code
        self.fields = {name.decode().lower(): value.decode() for name, value in event.headers}
        return self.status

    async def part(self, deadline_s: float = DEADLINE_S) -> bytes | None:
        """The next bytes of the body; None at its end."""
        async with asyncio.timeout(deadline_s):
            event = await self._event()
        if not isinstance(event, h11.Data):
            return None
        self.body += bytes(event.data)
        return bytes(event.data)

    async def until(self, text: bytes, deadline_s: float = DEADLINE_S) -> None:
        """Read the body until it holds a text."""
        while text not in self.body:
            assert await self.part(deadline_s) is not None, self.body[-500:]

    async def answer(self, deadline_s: float = DEADLINE_S) -> HttpAnswer:
        """All of the answer."""
        if not self.status:
            await self.head(deadline_s)
        while await self.part(deadline_s) is not None:
            pass
        return HttpAnswer(self.status, self.fields, self.body)

    async def is_closed(self, deadline_s: float = DEADLINE_S) -> bool:
        """Wait for the server to end the connection."""
        async with asyncio.timeout(deadline_s):
            with contextlib.suppress(ConnectionResetError):
                while await self._reader.read(65536):
                    pass
        return True


@dataclass(slots=True)
class Http:
    """A client of a server at a loopback port. It has a session once `open` was called for the legacy era."""

    port: int
    token: str = field(repr=False)
    session: str = ""

    @contextlib.asynccontextmanager
    async def raw(self, data: bytes) -> AsyncGenerator[HttpExchange]:
        """Send bytes over a connection of their own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=_LINE_LIMIT)
        try:
            writer.write(data)
            yield HttpExchange(reader, writer, "HEAD" if data.startswith(b"HEAD ") else "GET")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                await writer.wait_closed()

    def fields(self, era: Era | None, message: Json = None) -> dict[str, str]:
        """The header fields of a good request."""
        fields = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": _ACCEPT,
        }
        if self.session and era is not Era.MODERN:
            fields["Mcp-Session-Id"] = self.session
        if era is not None:
            fields["MCP-Protocol-Version"] = era.value
        if era is Era.MODERN and isinstance(method := get(message, "method"), str):
            fields["Mcp-Method"] = method
            if isinstance(name := get(message, "params", _NAMED.get(method, "")), str):
                fields["Mcp-Name"] = name
        return fields

    def request_bytes(
        self,
        body: "Json | bytes",
        era: Era | None,
        *,
        method: str = "POST",
        path: str = "/mcp",
        change: dict[str, str | None] | None = None,
    ) -> bytes:
        """A request. `change` replaces header fields, or drops them (None)."""
        data = body if isinstance(body, bytes) else compact(body).encode()
        fields: dict[str, str | None] = {**self.fields(era, None if isinstance(body, bytes) else body)}
        if method == "POST":
            fields["Content-Length"] = str(len(data))
        fields |= change or {}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + (data if method == "POST" else b"")

    async def send(
        self,
        body: "Json | bytes",
        era: Era | None,
        *,
        method: str = "POST",
        path: str = "/mcp",
        change: dict[str, str | None] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> HttpAnswer:
        """One request and all of its answer."""
        async with self.raw(self.request_bytes(body, era, method=method, path=path, change=change)) as exchange:
            return await exchange.answer(deadline_s)

    async def ask(self, era: Era, message: JsonObject) -> JsonObject:
        """Send a request, give the JSON-RPC answer."""
        return (await self.send(message, era)).message

    async def open(self, era: Era) -> JsonObject:
        """Begin a conversation of that era; gives the answer to `initialize` or `server/discover`."""
        if era is Era.MODERN:
            return await self.ask(era, request(era, 0, "server/discover"))
        answer = await self.send(initialize(), None)
        self.session = answer.fields["mcp-session-id"]
        done = await self.send(notification("notifications/initialized"), era)
        assert done.status == 202, done
        return answer.message


def _no_constant(name: str) -> Json:
    raise AssertionError(f"{name} is not JSON")
