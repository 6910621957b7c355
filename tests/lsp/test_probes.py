"""The rude probes of `lspmonkey` (25 of them), against the real process: the specification's answers and no pop-up.

`PROBES` are those after which the server must still serve; they share one process. The others end it, or need their
own. Where the specification leaves the answer open, a probe asks for a live server.
"""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.fakes.json_value import Json
from tests.lsp.raw import SERVER, RawClient
from tests.lsp.raw_wire import edit, frame

Probe = Callable[[RawClient, str], Awaitable[None]]  # the string is the URI of a file that nobody has open
UNKNOWN = "file:///probe/never-opened.py"
POP_UPS = ("window/showMessage", "window/showMessageRequest")
SOON_S = 1.0  # the contract for an end; what the exit needs on a busy machine is on top of it
SLACK_S = 4.0

PROBES: dict[str, Probe] = {}


def probe(function: Probe) -> Probe:
    """Make a function one of PROBES."""
    PROBES[getattr(function, "__name__", "")] = function
    return function


def at(uri: str, line: int = 0, character: int = 0) -> Json:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


async def assert_alive(client: RawClient) -> None:
    assert await client.call("textDocument/hover", at(UNKNOWN)) is None


async def error_of(client: RawClient, method: str, params: Json) -> Json:
    return (await client.response(client.request(method, params))).error_code


async def answer_to(client: RawClient, data: bytes, request_id: Json) -> Json:
    """Send bytes; the code of the error that comes back for this id (None: the message could not be read)."""
    since = client.mark
    client.send_bytes(data)
    return (await client.wait_for(lambda message: message.is_response_to(request_id), since=since)).error_code


# The server answers and goes on


@probe
async def second_init(client: RawClient, _: str) -> None:
    assert await error_of(client, "initialize", {"capabilities": {}}) == -32600


@probe
async def unknown_method(client: RawClient, _: str) -> None:
    assert await error_of(client, "textDocument/noSuchThing", {}) == -32601
    assert await error_of(client, "$/noSuchThing", {}) == -32601


@probe
async def unknown_dollar_notification(client: RawClient, _: str) -> None:
    client.notify("$/noSuchThing", {"a": 1})


@probe
async def bad_params(client: RawClient, _: str) -> None:
    assert await error_of(client, "textDocument/hover", {"textDocument": {}, "position": {}}) == -32602


@probe
async def bad_params_type(client: RawClient, uri: str) -> None:
    wrong: list[Json] = [7, "x", [1], {"textDocument": uri, "position": [0, 0]}, at(uri, -1), at(uri, 0, 2**40)]
    for params in wrong:
        assert await error_of(client, "textDocument/hover", params) == -32602


@probe
async def invalid_json(client: RawClient, _: str) -> None:
    assert await answer_to(client, frame(b'{"jsonrpc":"2.0","id":1,"method"'), None) == -32700


@probe
async def invalid_utf8(client: RawClient, _: str) -> None:
    body = b'{"jsonrpc":"2.0","id":"bytes","method":"textDocument/hover","params":{"x":"\xff\xfe"}}'
    assert await answer_to(client, frame(body), None) == -32700


@probe
async def batch_array(client: RawClient, _: str) -> None:
    body = b'[{"jsonrpc":"2.0","id":1,"method":"shutdown"},{"jsonrpc":"2.0","method":"exit"}]'
    assert await answer_to(client, frame(body), None) == -32600


@probe
async def lowercase_header(client: RawClient, _: str) -> None:
    body = b'{"jsonrpc":"2.0","id":"lower","method":"no"}'
    assert await answer_to(client, b"content-length:%d\n\n%b" % (len(body), body), "lower") == -32601


@probe
async def content_type_utf8_first(client: RawClient, _: str) -> None:
    body = b'{"jsonrpc":"2.0","id":"typed","method":"no"}'
    header = b"Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert await answer_to(client, header + body, "typed") == -32601


@probe
async def byte_at_a_time(client: RawClient, _: str) -> None:
    for byte in frame(b'{"jsonrpc":"2.0","id":"bytes","method":"no"}'):
        client.send_bytes(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.response("bytes")).error_code == -32601


@probe
async def change_unopened(client: RawClient, _: str) -> None:
    document: Json = {"uri": UNKNOWN, "version": 2}
    changes: list[Json] = [edit((0, 0), (0, 0), "x"), {"text": "whole"}]
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
    client.notify("textDocument/didSave", {"textDocument": {"uri": UNKNOWN}})


@probe
async def change_out_of_range(client: RawClient, uri: str) -> None:
    client.open(uri, "a = 1\n")
    client.change(uri, edit((99, 99), (999, 999), "\nb = eval(input())"))
    client.change(uri, edit((2, 5), (1, 0), "#"))
    client.close(uri)


@probe
async def double_open(client: RawClient, uri: str) -> None:
    client.open(uri, "a = 1\n")
    client.open(uri, "eval(input())\n", version=2)
    await client.published(uri, lambda diagnostics: len(diagnostics) == 1)
    client.close(uri)


@probe
async def close_unopened(client: RawClient, _: str) -> None:
    client.close(UNKNOWN)


@probe
async def odd_uris(client: RawClient, _: str) -> None:
    uris = [
        *(
            "",
            ":",
            "%",
            "file:",
            "file://",
            "file:///%00",
            "file:///%zz",
            "file://host/share/a.py",
            "untitled:Untitled-1",
        ),
        *("git:/a.py?%7B%22path%22%3A1%7D", "file:///c%3A/Users/ä.py", "file:///C:/a b.py", "jar:file:///a!/b.py"),
        *(
            "http://[::1/x",
            "vscode-notebook-cell:/a.ipynb#W0",
            "x" * 5000,
            "file:///../../etc/passwd",
            "file:///\ud83d",
        ),
    ]
    for odd in uris:
        body = json.dumps({"uri": odd}).encode()
        item = body[:-1] + b',"languageId":"python","version":1,"text":"eval(input())\\n"}'
        client.send_bytes(
            frame(b'{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":%b}}' % item)
        )
        client.send_bytes(
            frame(b'{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":%b}}' % body)
        )


@probe
async def cancel_unknown(client: RawClient, _: str) -> None:
    unknown: list[Json] = [{"id": 424242}, {"id": "none"}, {"id": None}, {}, [], None]
    for params in unknown:
        client.notify("$/cancelRequest", params)


@probe
async def jsonrpc_key_in_params(client: RawClient, _: str) -> None:
    nested: Json = {"jsonrpc": "2.0", "id": 1, "method": "exit", "result": {"jsonrpc": "2.0"}}
    params = at(UNKNOWN)
    assert isinstance(params, dict)
    assert await client.call("textDocument/hover", {**params, "jsonrpc": "2.0", "x": nested}) is None


@probe
async def huge_message(client: RawClient, uri: str) -> None:
    client.open(uri, "x = 1  # some text\n" * 500_000)  # 9.5 MB
    await assert_alive(client)
    client.close(uri)


async def test_the_probes_that_leave_the_server_alive_are_answered_right(tmp_path: Path) -> None:
    wrong: dict[str, str] = {}
    uri = (tmp_path / "known.py").as_uri()
    async with RawClient.start() as client:
        await client.initialize()
        for name, function in PROBES.items():
            try:
                await function(client, uri)
                await assert_alive(client)
            except AssertionError as error:
                wrong[name] = str(error)
        pop_ups = [message.body for message in client.messages if message.method in POP_UPS]
        assert (wrong, pop_ups, client.stderr) == ({}, [], "")
        assert await client.shutdown() == 0
    assert len(PROBES) == 19


# The server ends, or is at another stage


async def test_before_init() -> None:
    async with RawClient.start() as client:
        assert await error_of(client, "textDocument/hover", at(UNKNOWN)) == -32002
        await client.initialize()
        await assert_alive(client)


async def test_after_shutdown() -> None:
    async with RawClient.start() as client:
        await client.initialize()
        assert await client.call("shutdown") is None
        assert await error_of(client, "textDocument/hover", at(UNKNOWN)) == -32600
        assert await error_of(client, "shutdown", None) == -32600
        client.open(UNKNOWN, "eval(input())\n")  # dropped
        client.notify("exit")
        assert await client.exited() == 0
        assert client.publishes(UNKNOWN) == []


async def test_exit_without_shutdown() -> None:
    async with RawClient.start() as client:
        await client.initialize()
        await assert_alive(client)
        client.notify("exit")
        assert await client.exited(SOON_S + SLACK_S) == 1
        await client.assert_nothing_left()


@pytest.mark.parametrize("is_initialized", [False, True])
async def test_stdin_eof(is_initialized: bool) -> None:
    async with RawClient.start() as client:
        if is_initialized:
            await client.initialize()
            await assert_alive(client)
        client.close_stdin()
        assert await client.exited(SOON_S + SLACK_S) == 1
        assert client.stderr == ""
        await client.assert_nothing_left()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_sigterm(number: signal.Signals, code: int) -> None:
    async with RawClient.start() as client:
        await client.initialize()
        await assert_alive(client)
        client.signal(number)
        assert await client.exited(SOON_S + SLACK_S) == code
        assert client.stderr == ""
        await client.assert_nothing_left()


async def test_stdout_not_read() -> None:
    async with RawClient.start() as client:
        await client.initialize()
        await assert_alive(client)
        client.pause_reading()
        asked = [client.request("textDocument/" + "x" * 500, {}) for _ in range(2000)]  # 1.5 MB of answers
        client.resume_reading()
        assert [(await client.response(number)).error_code for number in asked] == [-32601] * 2000
        await assert_alive(client)


# Other ways in


async def test_a_client_that_listens_on_tcp_or_a_unix_socket_is_served(tmp_path: Path) -> None:
    for way in ("--tcp", "--pipe"):
        path = str(tmp_path / "s")
        if way == "--pipe":
            server = socket.socket(socket.AF_UNIX)
            server.bind(path)
            server.listen()
        else:
            server = socket.create_server(("127.0.0.1", 0))
            path = "127.0.0.1:" + str(server.getsockname()[1])
        with server:
            await _serve_over(server, way, path)


async def _serve_over(server: socket.socket, way: str, place: str) -> None:
    server.settimeout(20)
    process = await asyncio.create_subprocess_exec(*SERVER, way, place, stdin=asyncio.subprocess.DEVNULL)
    try:
        peer, _ = await asyncio.to_thread(server.accept)
        reader, writer = await asyncio.open_connection(sock=peer)
        params: Json = {"capabilities": {}}
        writer.write(frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))
        assert b"kimi-lsp" in await asyncio.wait_for(reader.readuntil(b"serverInfo"), 20) + await reader.read(1000)
        writer.write(frame({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}))
        writer.write(frame({"jsonrpc": "2.0", "method": "exit"}))
        assert await asyncio.wait_for(process.wait(), 20) == 0
        assert b'"id":2,"result":null' in await reader.read()
        writer.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# The end of a server that cannot end by itself

_STUCK = """
import sys, threading, time
import anyio
from msgspec import Struct
from kimi_lsp.lsp.connection import Connection, Route
from kimi_lsp.lsp import start
from kimi_lsp.faces.signals import stopping

class Params(Struct):
    how: str

def work(params):
    print("stuck", file=sys.stderr, flush=True)
    if params.how == "loop":
        while True:
            pass
    return anyio.to_thread.run_sync(time.sleep, 60)

async def serve(handshake):
    connection = Connection(handshake)
    connection.route("work", Route(Params, work))
    connection.route("ping", Route(None, lambda: "pong"))
    with stopping(connection.stop):
        return await connection.serve()

class Server:
    @staticmethod
    def run(handshake):
        return anyio.run(serve, handshake)

sys.modules["kimi_lsp.lsp.server"] = Server
sys.exit(start.main([]))
"""


@pytest.mark.parametrize(
    ("how", "end", "code"),
    [("loop", "eof", 1), ("loop", "sigterm", 143), ("thread", "exit", 0), ("thread", "sigint", 130)],
)
async def test_a_server_that_is_stuck_ends_all_the_same(how: str, end: str, code: int) -> None:
    async with RawClient.start((sys.executable, "-c", _STUCK)) as client:
        await client.initialize()
        await client.call("ping")
        client.request("work", {"how": how})
        await client.wrote("stuck")
        if end == "eof":
            client.close_stdin()
        elif end == "exit":
            await client.call("shutdown")
            client.notify("exit")
        else:
            client.signal(signal.SIGTERM if end == "sigterm" else signal.SIGINT)
        assert await client.exited(SOON_S + SLACK_S) == code
        await client.assert_nothing_left()
