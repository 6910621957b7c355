"""The HTTP transport, by real sockets: both eras, who is let in, what a body may be, and how it ends."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h11
import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from mcp_tools.server.door import Door, Head, HttpOptions
from mcp_tools.server.http import serve_http
from mcp_tools.server.token import new_token
from tests.fakes.json_value import Json, get
from tests.mcp.wire_child import build
from tests.mcp.wire_client import Era, Http, call, notification, request, spawn, text_of

_ROOT = Path(__file__).parents[2]
_TOKEN = new_token()
_ERAS = pytest.mark.parametrize("era", list(Era))
_one_loop = pytest.mark.asyncio(loop_scope="module")


@contextlib.asynccontextmanager
async def _serving(**changes: Any) -> AsyncGenerator[Http]:
    """Serve in this process until the block ends, which must not take a second."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    options = HttpOptions(token=_TOKEN, **changes)
    serving = asyncio.create_task(serve_http(build(), options, on_start=started.set_result))
    try:
        async with asyncio.timeout(20):
            url = await started
        yield Http(int(url.split(":")[-1].removesuffix("/mcp")), _TOKEN)
    finally:
        serving.cancel()
        await asyncio.wait({serving}, timeout=20)
        assert serving.cancelled()


@dataclass(frozen=True, slots=True)
class Served:
    era: Era
    http: Http

    async def is_alive(self) -> bool:
        return text_of(await self.http.ask(self.era, call(self.era, "alive", "echo", text="here"))) == "here"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(Era))
async def served(request: pytest.FixtureRequest) -> AsyncGenerator[Served]:
    """A server in the middle of a conversation of an era."""
    async with _serving() as http:
        await http.open(request.param)
        yield Served(request.param, http)


@_one_loop
async def test_a_conversation_of_either_era(served: Served) -> None:
    tools = await served.http.ask(served.era, request(served.era, 1, "tools/list"))
    assert get(tools, "result", "tools", 0, "name") == "echo"
    answer = await served.http.send(call(served.era, 2, "echo", text="ü\u2028\n"), served.era)
    assert text_of(answer.message) == "ü\u2028\n"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert answer.fields["cache-control"].startswith("no-store")
    assert "server" not in answer.fields


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdks_own_client_is_served(mode: Literal["auto", "legacy"]) -> None:
    async with _serving() as http:
        fields = {"Authorization": f"Bearer {_TOKEN}"}
        url = f"http://127.0.0.1:{http.port}/mcp"
        async with (
            asyncio.timeout(20),
            httpx2.AsyncClient(headers=fields, trust_env=False) as connection,
            Client(streamable_http_client(url, http_client=connection), mode=mode) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools][:1] == ["echo"]
            result = await client.call_tool("surrogate", {})
            assert isinstance(result.content[0], TextContent)
            assert result.content[0].text == "bad\\xff.py \\u{d800} \\udc80"


@_one_loop
@pytest.mark.parametrize("tool", ["crash", "leave", "unknown"])
async def test_a_tool_that_fails_fails_its_call_alone_and_tells_nothing(
    served: Served, tool: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await served.http.ask(served.era, call(served.era, 1, tool))
    assert get(answer, "error", "code") == -32603
    assert get(answer, "error", "message") == "Internal error"
    assert await served.is_alive()
    assert "secret" not in caplog.text


@_one_loop
async def test_lone_surrogates_in_answers_are_made_visible(served: Served) -> None:
    answer = await served.http.ask(served.era, call(served.era, 1, "surrogate"))
    assert text_of(answer) == "bad\\xff.py \\u{d800} \\udc80"


@_one_loop
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:80@evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": None}, 400),
        ({"Host": "127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT"}, 400),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:PORT"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": "http://localhost:PORT.evil.example"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://localhost:PORT\r\nOrigin: http://localhost:PORT"}, 403),
        ({"Authorization": None}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer wrong-but-long-enough"}, 401),
        ({"Authorization": "Basic TOKEN"}, 401),
        ({"Authorization": "Bearer TOKENx"}, 401),
        ({"Authorization": "Bearer \xff"}, 401),
        ({"Authorization": "Bearer TOKEN\r\nAuthorization: Bearer TOKEN"}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/jsonx"}, 415),
        ({"Content-Type": "application/x, application/json"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Length": "5000000"}, 413),
        ({"Content-Length": "999999999999999"}, 413),
        ({"Transfer-Encoding": "gzip, chunked"}, 400),
        ({"Accept": "text/html"}, 406),
    ],
)
async def test_a_request_with_something_wrong_runs_no_tool(
    served: Served, change: dict[str, str | None], status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    filled = {
        name: value and value.replace("PORT", str(served.http.port)).replace("TOKEN", _TOKEN)
        for name, value in change.items()
    }
    answer = await served.http.send(call(served.era, 1, "sleep"), served.era, change=filled)
    assert answer.status == status
    assert "set-cookie" not in answer.fields
    assert (answer.fields.get("www-authenticate") == "Bearer") == (status == 401)
    said = answer.body.decode() + "".join(capfd.readouterr())
    assert _TOKEN not in said
    assert "evil" not in said
    assert "sleeping" not in said
    assert await served.is_alive()


@_one_loop
@pytest.mark.parametrize(
    "change",
    [
        {"Host": "localhost:PORT"},
        {"Host": "LOCALHOST:PORT"},
        {"Host": "[::1]:PORT"},
        {"Origin": "http://localhost:PORT", "Host": "localhost:PORT"},
        {"Origin": "http://127.0.0.1:PORT"},
        {"Origin": "http://[::1]:PORT"},
        {"Authorization": "bearer TOKEN"},
        {"Content-Type": "Application/JSON; charset=utf-8"},
    ],
)
async def test_the_servers_own_names_are_let_in(served: Served, change: dict[str, str]) -> None:
    filled: dict[str, str | None] = {
        name: value.replace("PORT", str(served.http.port)).replace("TOKEN", _TOKEN) for name, value in change.items()
    }
    answer = await served.http.send(call(served.era, 1, "echo", text="x"), served.era, change=filled)
    assert (answer.status, text_of(answer.message)) == (200, "x")


@_one_loop
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/mcp/",
        "//mcp",
        "/MCP",
        "/%6dcp",
        "/mcp/../mcp",
        "/.well-known/oauth-protected-resource",
        "http://evil.example/mcp",
    ],
)
async def test_there_is_no_other_path(served: Served, path: str) -> None:
    answer = await served.http.send(call(served.era, 1, "sleep"), served.era, path=path)
    assert answer.status == 404
    assert b"evil" not in answer.body


@_one_loop
async def test_a_token_in_the_query_is_ignored(served: Served) -> None:
    path = f"/mcp?access_token={_TOKEN}&token={_TOKEN}"
    answer = await served.http.send(call(served.era, 1, "sleep"), served.era, path=path, change={"Authorization": None})
    assert answer.status == 401
    assert (await served.http.send(call(served.era, 1, "echo"), served.era, path=path)).status == 200


@_one_loop
@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "HEAD", "PATCH", "TRACE"])
async def test_other_methods_are_refused(served: Served, method: str) -> None:
    answer = await served.http.send(None, served.era, method=method)
    assert answer.status == 405
    assert "access-control-allow-origin" not in answer.fields
    unknown = await served.http.send(None, served.era, method=method, change={"Authorization": None})
    assert unknown.status == 401


@_one_loop
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_where_none_belongs_is_refused(served: Served, method: str) -> None:
    for change in ({"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}):
        assert (await served.http.send(None, served.era, method=method, change={**change})).status == 400


@_one_loop
@pytest.mark.parametrize(
    ("body", "code", "answered"),
    [
        (b"garbage", -32700, None),
        (b"", -32700, None),
        (b"[" * 5000, -32700, None),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a":"\\udcff"}}', -32700, None),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a":NaN}}', -32700, None),
        ('{"jsonrpc":"2.0","id":5,"method":"ping"}'.encode("utf-16"), -32700, None),
        (b'[{"jsonrpc":"2.0","id":5,"method":"ping"}]', -32600, None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":5,"method":7}', -32600, 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}', -32602, 5),
        (b'{"jsonrpc":"2.0","id":5,"result":7}', -32600, None),
    ],
)
async def test_what_is_no_message_is_answered_in_a_fixed_text(
    served: Served, body: bytes, code: int, answered: Json
) -> None:
    answer = await served.http.send(body, served.era)
    assert answer.status == 400
    assert (get(answer.message, "error", "code"), answer.message["id"]) == (code, answered)
    assert await served.is_alive()


@_one_loop
async def test_bytes_that_are_not_utf8_are_replaced(served: Served) -> None:
    message = served.http.request_bytes(call(served.era, 1, "echo", text="bad@.py"), served.era)
    async with served.http.raw(message.replace(b"@", b"\xff")) as exchange:
        assert text_of((await exchange.answer()).message) == "bad\ufffd.py"


@_one_loop
async def test_a_chunked_body_over_the_cap_is_refused_and_a_smaller_one_is_served(served: Served) -> None:
    change: dict[str, str | None] = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    head = served.http.request_bytes(call(served.era, 1, "echo", text="x"), served.era, change=change)
    head, _, body = head.partition(b"\r\n\r\n")
    small = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    async with served.http.raw(head + b"\r\n\r\n" + small) as exchange:
        assert text_of((await exchange.answer()).message) == "x"
    large = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    async with served.http.raw(head + b"\r\n\r\n" + large * 5) as exchange:  # it never ends
        assert await exchange.head() == 413
    assert await served.is_alive()


@_one_loop
async def test_a_large_body_within_the_cap_is_served(served: Served) -> None:
    text = "ü" * 1_500_000
    assert text_of(await served.http.ask(served.era, call(served.era, 1, "echo", text=text))) == text


@_one_loop
async def test_nothing_of_a_body_is_awaited_from_a_stranger(served: Served) -> None:
    fields: dict[str, str | None] = {"Authorization": None, "Content-Length": "1000"}
    async with served.http.raw(served.http.request_bytes(b"", served.era, change=fields)) as exchange:
        assert await exchange.head() == 401


@_one_loop
async def test_a_hundred_calls_at_once_are_all_answered(served: Served) -> None:
    calls = [served.http.ask(served.era, call(served.era, number, "echo", text=str(number))) for number in range(50)]
    assert [text_of(answer) for answer in await asyncio.gather(*calls)] == [str(number) for number in range(50)]


async def test_a_session_ends_with_delete() -> None:
    async with _serving() as http:
        await http.open(Era.LEGACY)
        assert (await http.send(None, Era.LEGACY, method="DELETE")).status == 200
        assert (await http.send(call(Era.LEGACY, 1, "echo"), Era.LEGACY)).status == 404


async def test_no_more_sessions_than_allowed_are_opened() -> None:
    async with _serving(max_sessions=1) as http:
        await http.open(Era.LEGACY)
        other = await Http(http.port, _TOKEN).send(call(Era.LEGACY, 1, "echo"), Era.LEGACY)
        assert other.status == 503


async def test_a_slow_body_is_given_up() -> None:
    async with _serving(body_timeout_s=0.05) as http:
        fields: dict[str, str | None] = {"Content-Length": "1000"}
        async with http.raw(http.request_bytes(b"{", Era.MODERN, change=fields)) as exchange:
            assert await exchange.head() == 408


@pytest.mark.parametrize("sent", [b"", b"POST /mcp HTTP/1.1\r\nHost: x", b"\r\n"])
async def test_a_connection_on_which_no_request_comes_is_dropped(sent: bytes) -> None:
    async with _serving(header_timeout_s=0.05) as http, http.raw(sent) as exchange:
        assert await exchange.is_closed()


async def test_a_second_request_that_never_ends_is_dropped_too() -> None:
    async with _serving(header_timeout_s=0.2) as http:
        message = http.request_bytes(request(Era.MODERN, 0, "server/discover"), Era.MODERN)
        async with http.raw(message) as exchange:
            assert (await exchange.answer()).status == 200
            exchange.writer.write(b"POST /mcp")
            assert await exchange.is_closed()


async def test_connections_beyond_the_bound_are_dropped_and_there_is_room_again_later() -> None:
    async with _serving(max_connections=3) as http:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                exchange = await stack.enter_async_context(http.raw(http.request_bytes(None, None, method="OPTIONS")))
                await exchange.head()
            async with http.raw(b"") as exchange:
                assert await exchange.is_closed()
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(h11.RemoteProtocolError, OSError):
                    await http.open(Era.MODERN)
                    break


async def test_overlong_header_fields_are_refused() -> None:
    async with _serving() as http:
        fields: dict[str, str | None] = {"X-Long": "x" * 70_000}
        async with http.raw(http.request_bytes(b"{}", Era.MODERN, change=fields)) as exchange:
            with contextlib.suppress(ConnectionResetError):
                assert await exchange.head() in (400, 431)


@_ERAS
async def test_it_ends_at_once_while_a_call_runs_and_a_stream_is_open(
    era: Era, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(20):
        async with _serving() as http:
            await http.open(era)
            running = await stack.enter_async_context(http.raw(http.request_bytes(call(era, 1, "sleep"), era)))
            listening = None
            if era is Era.LEGACY:
                stream = http.request_bytes(None, era, method="GET", change={"Accept": "text/event-stream"})
                listening = await stack.enter_async_context(http.raw(stream))
                assert await listening.head() == 200
            said = ""
            while "sleeping" not in said:
                await asyncio.sleep(0)
                said += capfd.readouterr().err
            ending = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - ending < 5
        assert "woken" in said + capfd.readouterr().err
        assert get((await running.answer()).message, "error", "message") == "The server is stopping"
        assert await running.is_closed()
        if listening is not None:
            assert await listening.is_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", http.port)
    assert _TOKEN not in caplog.text


async def test_a_client_that_leaves_ends_its_call_in_the_modern_era(capfd: pytest.CaptureFixture[str]) -> None:
    async with _serving() as http, asyncio.timeout(20):
        said = ""
        async with http.raw(http.request_bytes(call(Era.MODERN, 1, "sleep"), Era.MODERN)):
            while "sleeping" not in said:
                await asyncio.sleep(0)
                said += capfd.readouterr().err
        while "woken" not in said:
            await asyncio.sleep(0)
            said += capfd.readouterr().err


async def test_a_process_is_ended_by_sigterm_in_the_middle_of_a_call() -> None:
    async with spawn((sys.executable, "-m", "tests.mcp.wire_child", "http", _TOKEN), cwd=_ROOT) as process:
        said = await process.said(r"http://127\.0\.0\.1:(\d+)/mcp")
        http = Http(int(said[1]), _TOKEN)
        await http.open(Era.LEGACY)
        async with http.raw(http.request_bytes(call(Era.LEGACY, 1, "sleep"), Era.LEGACY)) as exchange:
            await process.said("sleeping")
            process.process.terminate()
            assert await exchange.is_closed()
        assert await process.exit_code(5) == 0
        assert not [line for line in process.errors if _TOKEN in line or "Traceback" in line]


async def test_an_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await serve_http(build(), HttpOptions(token=_TOKEN, port=taken.getsockname()[1]), on_start=print)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
async def test_the_ipv6_loopback_is_served() -> None:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    options = HttpOptions(token=_TOKEN, host="::1")
    serving = asyncio.create_task(serve_http(build(), options, on_start=started.set_result))
    async with asyncio.timeout(20):
        assert (await started).startswith("http://[::1]:")
    serving.cancel()
    await asyncio.wait({serving}, timeout=20)
    assert serving.cancelled()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": ""}, "a token is one line"),
        ({"token": "short"}, "a token is one line"),
        ({"host": "0.0.0.0", "token": ""}, "needs a token"),
        ({"host": "0.0.0.0"}, "needs the host names"),
        ({"host": "::"}, "needs the host names"),
        ({"host": "192.0.2.1", "hosts": ("*.example",)}, "without wildcards"),
        ({"hosts": ("a b",)}, "without wildcards"),
        ({"hosts": ("http://a",)}, "without wildcards"),
        ({"host": "audit.example"}, "an IP address or localhost"),
        ({"port": 65536}, "a port is"),
    ],
)
def test_options_that_are_not_safe_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        _options(changes)
    assert _TOKEN not in str(caught.value)


def _options(changes: dict[str, Any]) -> HttpOptions:
    given: dict[str, Any] = {"token": _TOKEN, **changes}
    return HttpOptions(**given)


def test_the_token_is_not_shown_with_the_options() -> None:
    assert _TOKEN not in repr(HttpOptions(token=_TOKEN))


def _status(options: HttpOptions, port: int, **fields: str) -> int | None:
    given = {"authorization": f"Bearer {_TOKEN}", "content-type": "application/json", **fields}
    head = Head("POST", b"/mcp", tuple((name.encode(), value.encode()) for name, value in given.items()))
    refusal = Door(options, port).refusal(head)
    return refusal and refusal.status


def test_an_address_that_others_can_reach_answers_to_its_names_alone() -> None:
    options = HttpOptions(token=_TOKEN, host="0.0.0.0", hosts=("Audit.example:8443",))
    assert _status(options, 8443, host="audit.example:8443") is None
    assert _status(options, 8443, host="audit.example") == 421
    assert _status(options, 8443, host="127.0.0.1:8443") == 421
    assert _status(options, 8443, host="audit.example:8443", origin="http://localhost:8443") == 403
    assert _status(options, 8443, host="audit.example:8443", origin="https://audit.example:8443") == 403


def test_at_the_port_of_the_scheme_names_come_without_it() -> None:
    options = HttpOptions(token=_TOKEN)
    assert _status(options, 80, host="localhost", origin="http://localhost") is None
    assert _status(options, 8080, host="localhost") == 421


def test_a_further_loopback_address_answers_to_itself() -> None:
    assert _status(HttpOptions(token=_TOKEN, host="127.0.0.2"), 8080, host="127.0.0.2:8080") is None


@_one_loop
async def test_a_notification_is_taken(served: Served) -> None:
    message = notification("notifications/cancelled", {"requestId": 1})
    assert (await served.http.send(message, served.era)).status == 202
