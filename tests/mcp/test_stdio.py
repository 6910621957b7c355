"""The stdio transport, by a real process: both eras, hostile input, clients that do not read, every way to end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from tests.fakes.json_value import Json, compact, get
from tests.mcp.wire_client import Era, Process, call, initialize, notification, request, spawn, text_of

_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "tests.mcp.wire_child", "stdio")
_one_loop = pytest.mark.asyncio(loop_scope="module")
_ERAS = pytest.mark.parametrize("era", list(Era))


@dataclass(frozen=True, slots=True)
class Served:
    era: Era
    process: Process

    async def is_alive(self) -> bool:
        return text_of(await self.process.ask(call(self.era, "alive", "echo", text="still here"))) == "still here"


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child is stopped by signals")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(Era))
async def shared(request: pytest.FixtureRequest) -> AsyncGenerator[Served]:
    era: Era = request.param
    async with spawn(_COMMAND, cwd=_ROOT) as process:
        await process.open(era)
        yield Served(era, process)


@pytest.fixture
def served(shared: Served) -> Served:
    """A server in the middle of a conversation that no test ends."""
    shared.process.forget()
    return shared


@contextlib.asynccontextmanager
async def _unread() -> AsyncGenerator[tuple[Process, int]]:
    """A server of whose answers nobody reads a byte; they wait behind the descriptor."""
    read_fd, write_fd = os.pipe()
    try:
        async with spawn(_COMMAND, cwd=_ROOT, stdout=write_fd) as process:
            os.close(write_fd)
            yield process, read_fd
    finally:
        os.close(read_fd)


async def _has_bytes(fd: int) -> None:
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(fd, arrived.set)
    try:
        async with asyncio.timeout(20):
            await arrived.wait()
    finally:
        asyncio.get_running_loop().remove_reader(fd)


@contextlib.asynccontextmanager
async def _serving(era: Era) -> AsyncGenerator[Process]:
    async with spawn(_COMMAND, cwd=_ROOT) as process:
        await process.open(era)
        yield process


@_ERAS
async def test_a_conversation_of_either_era_also_after_garbage_and_among_noise(era: Era) -> None:
    async with spawn(_COMMAND, cwd=_ROOT) as process:
        await process.send_raw(b"\n  \r\n" + b"garbage\n" * 20)
        for _ in range(20):
            assert get(await process.read(), "error", "code") == -32700
        opened = await process.open(era)
        assert get(opened, "result", "protocolVersion" if era is Era.LEGACY else "supportedVersions") in (
            "2025-11-25",
            ["2026-07-28"],
        )
        tools = await process.ask(request(era, "t", "tools/list"))
        assert get(tools, "result", "tools", 0, "name") == "echo"
        assert text_of(await process.ask(call(era, 1, "echo", text="ü\u2028\n"))) == "ü\u2028\n"
        assert text_of(await process.ask(call(era, 2, "noise"))) == "quiet"
        await process.end_input()
        assert await process.rest() == b""
        assert await process.exit_code() == 0
        await process.said("noise of a print")
        await process.said("noise of a descriptor")
        await process.said("noise of a child")


async def test_the_sdks_own_client_is_served() -> None:
    parameters = StdioServerParameters(command=_COMMAND[0], args=list(_COMMAND[1:]), cwd=_ROOT)
    async with asyncio.timeout(20), Client(parameters) as client:
        assert [tool.name for tool in (await client.list_tools()).tools][:1] == ["echo"]
        result = await client.call_tool("surrogate", {})
        assert isinstance(result.content[0], TextContent)
        assert result.content[0].text == "bad\\xff.py \\u{d800} \\udc80"


@_one_loop
@pytest.mark.parametrize(
    ("line", "code", "answered"),
    [
        (b"garbage", -32700, None),
        (b"\x00\xff\xfe", -32700, None),
        (b"[" * 5000, -32700, None),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a":"\\udcff"}}', -32700, None),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a":NaN}}', -32700, None),
        (b'[{"jsonrpc":"2.0","id":5,"method":"ping"}]', -32600, None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
        (b'"text"', -32600, None),
        (b'{"jsonrpc":"2.0","id":5,"method":7}', -32600, 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}', -32602, 5),
    ],
)
async def test_what_is_no_message_is_answered_and_the_server_lives(
    served: Served, line: bytes, code: int, answered: Json
) -> None:
    process = served.process
    await process.send_raw(line + b"\n")
    answer = await process.read()
    assert (get(answer, "error", "code"), answer["id"]) == (code, answered)
    assert await served.is_alive()


@_one_loop
async def test_a_line_of_32_mib_is_skipped_and_not_repeated(served: Served) -> None:
    process = served.process
    for _ in range(32):
        await process.send_raw(b"m" * 1024 * 1024)
    answer = await process.read()  # before the line has ended
    assert answer == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32600, "message": "Invalid request: the message is too long"},
    }
    await process.send_raw(b"the rest of it\n")
    assert await served.is_alive()
    assert _peak_rss_mib(process) < 200


@_one_loop
async def test_a_large_request_within_the_bound_is_served(served: Served) -> None:
    era, process = served.era, served.process
    text = "ü" * 1_500_000
    assert text_of(await process.ask(call(era, 1, "echo", text=text))) == text


@_one_loop
async def test_lone_surrogates_in_answers_are_made_visible(served: Served) -> None:
    era, process = served.era, served.process
    answer = await process.ask(
        request(era, 1, "tools/call", {"name": "surrogate", "arguments": {}, "_meta": {"progressToken": "p"}})
    )
    assert text_of(answer) == "bad\\xff.py \\u{d800} \\udc80"
    assert [get(other, "params", "message") for other in process.others] == ["bad\\xff"]
    assert await served.is_alive()


@_one_loop
@pytest.mark.parametrize("tool", ["crash", "leave", "unknown"])
async def test_a_tool_that_fails_fails_its_call_alone_and_tells_nothing(served: Served, tool: str) -> None:
    era, process = served.era, served.process
    answer = await process.ask(call(era, 1, tool))
    assert get(answer, "error", "code") == -32603
    assert str(get(answer, "error", "message")).startswith("Internal error")
    assert await served.is_alive()
    assert not [line for line in process.errors if "secret" in line or str(_ROOT) in line]


@_one_loop
async def test_a_cancelled_call_is_stopped_and_never_answered(served: Served) -> None:
    era, process = served.era, served.process
    await process.send(call(era, 7, "sleep"))
    await process.said("sleeping")
    await process.send(notification("notifications/cancelled", {"requestId": 7}))
    await process.said("woken")
    assert await served.is_alive()
    assert [other for other in process.others if other.get("id") == 7] == []
    assert text_of(await process.ask(call(era, 7, "echo", text="again"))) == "again"


@_one_loop
async def test_an_id_that_is_in_use_is_refused(served: Served) -> None:
    era, process = served.era, served.process
    await process.send(call(era, 7, "sleep"))
    await process.said("sleeping")
    assert get(await process.ask(call(era, 7, "echo", text="x")), "error", "code") == -32600


@_one_loop
async def test_a_thousand_calls_in_one_go_are_all_answered(served: Served) -> None:
    era, process = served.era, served.process
    sending = asyncio.create_task(process.send(*(call(era, number, "echo", text="x") for number in range(1, 1001))))
    answered = [(await process.read())["id"] for _ in range(1000)]
    await sending
    assert sorted(map(str, answered)) == sorted(map(str, range(1, 1001)))


async def test_a_client_that_does_not_read_is_bounded_and_can_still_cancel_and_leave() -> None:
    era = Era.MODERN
    async with _unread() as (process, _):
        calls = [call(era, number, "huge", chars=100_000) for number in range(1, 101)]
        await process.send(*calls, call(era, "s", "sleep"))
        await process.said("sleeping")
        await process.send(notification("notifications/cancelled", {"requestId": "s"}))
        await process.said("woken")
        assert _peak_rss_mib(process) < 200
        await process.end_input()
        assert await process.exit_code() == 0


async def test_calls_that_run_when_input_ends_get_a_moment_and_then_are_stopped() -> None:
    async with _serving(Era.MODERN) as process:
        await process.send(call(Era.MODERN, 1, "sleep", seconds=0.05), call(Era.MODERN, 2, "sleep"))
        await process.said("sleeping")
        await process.end_input()
        assert text_of(await process.answer(1)) == "slept"
        assert get(await process.answer(2), "error", "code") == -32000
        assert await process.exit_code() == 0


async def test_one_socket_for_both_directions_is_served() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with spawn(_COMMAND, cwd=_ROOT, stdin=theirs.fileno(), stdout=theirs.fileno()) as process:
            theirs.close()
            reader, writer = await asyncio.open_connection(sock=ours)
            for message in (initialize(), call(Era.LEGACY, 1, "surrogate")):
                writer.write(compact(message).encode() + b"\n")
                async with asyncio.timeout(20):
                    assert b'"result"' in await reader.readline()
            writer.close()
            assert await process.exit_code() == 0


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
async def test_a_closed_stream_ends_the_server_quietly(stream: str) -> None:
    number = 0 if stream == "stdin" else 1
    command = ["/bin/sh", "-c", f'exec "$@" {number}>&-', "sh", *_COMMAND]
    async with spawn(command, cwd=_ROOT) as process:
        if stream == "stdout":
            await process.send_raw(b"garbage\n")
        await process.end_input()
        assert await process.exit_code() == 0
        assert not [line for line in process.errors if "Traceback" in line]


async def test_a_client_that_is_gone_ends_the_server_quietly() -> None:
    read_fd, write_fd = os.pipe()
    async with spawn(_COMMAND, cwd=_ROOT, stdout=write_fd) as process:
        os.close(write_fd)
        await process.send(initialize())
        await _has_bytes(read_fd)
        os.close(read_fd)  # standard input stays open
        assert await process.exit_code() == 0
        assert process.errors == []


async def test_sigterm_ends_it_in_the_middle_of_calls_also_when_nobody_reads() -> None:
    async with _unread() as (process, _):
        await process.send(*(call(Era.MODERN, number, "huge", chars=100_000) for number in range(1, 101)))
        await process.send(call(Era.MODERN, "s", "sleep"))
        await process.said("sleeping")
        process.process.send_signal(signal.SIGTERM)
        await process.said("woken")
        assert await process.exit_code() == 0


async def test_a_client_that_sends_on_and_on_and_never_reads_stops_being_read() -> None:
    async with _unread() as (process, answers):
        writer = process.process.stdin
        assert writer is not None
        for number in range(1, 5001):
            writer.write(compact(call(Era.MODERN, number, "huge", chars=20_000)).encode() + b"\n")
        writer.write(compact(call(Era.MODERN, "last", "sleep")).encode() + b"\n")
        await _has_bytes(answers)
        process.process.send_signal(signal.SIGTERM)
        assert await process.exit_code() == 0
        assert process.errors == []  # the last call never began


async def test_a_client_that_sends_garbage_and_never_reads_can_leave() -> None:
    async with _unread() as (process, answers):
        writer = process.process.stdin
        assert writer is not None
        writer.write(b"garbage\n" * 40_000)
        await _has_bytes(answers)
        writer.transport.abort()  # closing would wait for the server to read what is left
        assert await process.exit_code() == 0


async def test_a_file_is_read_to_its_end_and_one_gets_every_answer(tmp_path: Path) -> None:
    lines = [initialize(), notification("notifications/initialized")]
    lines += [call(Era.LEGACY, number, "huge", chars=100_000) for number in range(1, 51)]
    (tmp_path / "in").write_text("\n".join(map(compact, lines)))  # its last line has no end
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        async with spawn(_COMMAND, cwd=_ROOT, stdin=stdin.fileno(), stdout=stdout.fileno()) as process:
            assert await process.exit_code() == 0
    assert len((tmp_path / "out").read_bytes().splitlines()) == 51


def _peak_rss_mib(process: Process) -> float:
    status = Path(f"/proc/{process.process.pid}/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024
