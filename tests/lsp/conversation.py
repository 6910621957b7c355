"""A conversation with a `Connection` in this process: a socket pair, real threads, no child process."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from kimi_lsp.faces.channel import Socket
from kimi_lsp.faces.frames import Damaged, FrameReader, framed
from kimi_lsp.lsp.connection import Connection, Route
from kimi_lsp.lsp.start import Handshake
from tests.fakes.json_value import Json, JsonObject, compact, get, parse

BOUND_S = 20.0


class Client:
    """The editor's side."""

    def __init__(self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection = connection
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._bodies: list[JsonObject] = []
        self._asked = 0
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    def send(self, *bodies: Json) -> None:
        """Send messages, all at once."""
        self.raw(b"".join(framed(compact(body).encode()) for body in bodies))

    def notify(self, method: str, params: Json = None) -> None:
        """Send a notification."""
        self.send(notification(method, params))

    def request(self, method: str, params: Json = None) -> int:
        """Send a request; its id."""
        self._asked += 1
        self.send(request(self._asked, method, params))
        return self._asked

    async def receive(self) -> JsonObject:
        """The next message of the server; AssertionError at the end of the stream."""
        while not self._bodies:
            data = await asyncio.wait_for(self._reader.read(65536), BOUND_S)
            assert data, "the server's stream ended"
            for body in self._frames.feed(data):
                assert not isinstance(body, Damaged)
                message = parse(body)
                assert isinstance(message, dict)
                self._bodies.append(message)
        return self._bodies.pop(0)

    async def call(self, method: str, params: Json = None) -> JsonObject:
        """Send a request; the next message, which must answer it."""
        number = self.request(method, params)
        answer = await self.receive()
        assert answer.get("id") == number, answer
        return answer

    async def error_of(self, method: str, params: Json = None) -> tuple[Json, Json]:
        """Send a request; code and message of the error that answers it."""
        answer = await self.call(method, params)
        return get(answer, "error", "code"), get(answer, "error", "message")

    async def is_alive(self) -> bool:
        """Whether a request is still answered, and by the next message."""
        return (await self.call("test/no such method")).get("error") is not None

    async def is_alive_behind(self, method: str) -> bool:
        """The same, once all notifications of that method have been read."""
        number = self.request("test/no such method")
        while (message := await self.receive()).get("method") == method:
            pass
        return message.get("id") == number

    def pause(self) -> None:
        """Read nothing."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the server has not taken yet."""
        return self._transport.get_write_buffer_size()

    @property
    def _transport(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self._writer.transport)

    def finish(self) -> None:
        """Send nothing more."""
        self._writer.write_eof()

    def hang_up(self) -> None:
        """Close the stream, both ways."""
        self._writer.transport.abort()

    async def ended(self) -> int:
        """The exit code, once the conversation is over."""
        return await asyncio.wait_for(asyncio.shield(self.code), BOUND_S)


def notification(method: str, params: Json = None) -> JsonObject:
    """The body of a notification."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def request(request_id: int | str, method: str, params: Json = None) -> JsonObject:
    """The body of a request."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


@asynccontextmanager
async def conversation(routes: Mapping[str, Route], *, log_level: str = "info") -> "AsyncGenerator[Client]":
    """Serve these routes to a client; at the end it hangs up and the server must be gone soon."""
    ours, theirs = socket.socketpair()
    channel = Socket(theirs)
    connection = Connection(Handshake(channel, FrameReader(), [], b"{}", "utf-16", log_level))
    for method, route in routes.items():
        connection.route(method, route)
    reader, writer = await asyncio.open_connection(sock=ours)
    client = Client(connection, reader, writer)

    async def serve() -> None:
        client.code.set_result(await connection.serve())

    async with asyncio.TaskGroup() as group:
        group.create_task(serve())
        try:
            yield client
        finally:
            client.hang_up()
            await client.ended()
            channel.close()
