"""The raw client against small servers: what it measures with must itself be right."""

import re
import signal
import sys
import textwrap
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.json_value import Json, get
from tests.lsp.raw import CAPABILITIES, NoAnswer, RawClient, ResponseError, edit, frame
from tests.lsp.raw_wire import Frames

LOOP = (sys.executable, str(Path(__file__).parents[1] / "bench/lsp/peers/stdlib_loop.py"))
URI = "file:///sample.py"

# A server that says what it is told: the params of `say` are text for its output.
PARROT = """
    import json, os, signal, subprocess, sys, time
    def read():
        length = 0
        while row := sys.stdin.buffer.readline():
            if row == b"\\r\\n":
                return json.loads(sys.stdin.buffer.read(length))
            length = int(row[15:])
    def write(text):
        sys.stdout.write(text)
        sys.stdout.flush()
    def send(body):
        text = json.dumps({"jsonrpc": "2.0", **body})
        write(f"Content-Length: {len(text)}\\r\\n\\r\\n{text}")
    while message := read():
        method, params = message.get("method"), message.get("params")
        if method == "say":
            write(params)
        elif method == "ask":
            send({"id": "q", **params})
        elif method is None:
            send({"method": "heard", "params": {key: message[key] for key in message if key != "jsonrpc"}})
        elif method == "do":
            exec(params)
"""


@asynccontextmanager
async def parrot(**options: Json) -> AsyncGenerator[RawClient]:
    async with RawClient.start((sys.executable, "-c", textwrap.dedent(PARROT)), settings=options) as client:
        yield client


async def test_a_session_with_a_bare_server_runs_from_greeting_to_exit() -> None:
    async with RawClient.start(LOOP) as client:
        result = await client.initialize(root="/somewhere", encodings=["utf-8"])
        assert get(result, "capabilities", "textDocumentSync") == 2
        client.open(URI, "one\n")
        assert client.change(URI, edit((0, 3), (0, 3), "  # BENCH")) == 2
        published = await client.published(URI, lambda found: len(found) == 1, version=2)
        assert client.diagnostics(URI) == published.diagnostics
        assert [get(one.params, "version") for one in client.publishes(URI)] == [1, 2]
        assert client.spawned_at < client.messages[0].at <= published.at
        client.close(URI)
        assert URI not in client.versions
        assert await client.shutdown() == 0
        await client.assert_nothing_left()


async def test_edits_of_a_bare_server_are_in_utf_16_units_and_keep_the_last_line() -> None:
    async with RawClient.start(LOOP) as client:
        await client.initialize()
        client.open(URI, "a\n😀 b\n")
        client.change(URI, edit((1, 2), (1, 4), " BEN"), edit((1, 6), (2, 0), "CH\nx"))
        found = (await client.published(URI, version=2)).diagnostics
        assert [get(one, "range", "start", "line") for one in found] == [1]
        client.change(URI, edit((0, 0), (2, 1), ""))
        client.change(URI, edit((0, 0), (0, 0), "BENCH"))
        assert len((await client.published(URI, version=4)).diagnostics) == 1


async def test_a_message_arrives_whole_however_the_bytes_are_cut() -> None:
    bodies: list[Json] = [{"id": 1, "result": "ä😀"}, {"method": "m", "params": []}]
    data = b"".join(map(frame, bodies))
    for size in range(1, len(data)):
        frames = Frames()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        found = [body for piece in pieces for body in frames.feed(piece)]
        assert [frame(body) for body in found] == list(map(frame, bodies))
        assert not frames.rest


async def test_what_is_no_frame_fails_the_wait_and_every_wait_after_it() -> None:
    async with parrot() as client:
        client.notify("say", "Traceback: oh dear\r\n\r\n")
        for _ in range(2):
            with pytest.raises(AssertionError, match="no message"):
                await client.notification("never")


async def test_a_server_that_dies_fails_the_wait_with_its_last_words() -> None:
    async with parrot() as client:
        client.notify("do", "sys.exit('it was the butler')")
        with pytest.raises(AssertionError, match="output ended"):
            await client.response(1)
        assert await client.exited() == 1
        await client.output_ended()
        assert client.stderr == "it was the butler\n"


async def test_a_wait_that_is_over_says_what_came_instead() -> None:
    async with parrot() as client:
        client.notify("ask", {"method": "something/else"})
        await client.notification("something/else")
        with pytest.raises(AssertionError, match=r"within 0\.01 s; seen: something/else"):
            await client.notification("never", 0.01)


async def test_server_requests_are_answered_from_the_table() -> None:
    async with parrot(kimi={"debounceMs": 5}, other="x") as client:
        client.action = "Yes"
        sections: list[Json] = [{"section": one} for one in ("kimi", "kimi.debounceMs", "kimi.none", "other")]
        titles: Json = [{"title": "No"}, {"title": "Yes"}]
        asked: list[tuple[str, Json, Json]] = [
            ("workspace/configuration", {"items": sections}, [{"debounceMs": 5}, 5, None, "x"]),
            ("workspace/configuration", {"items": [{}]}, [{"kimi": {"debounceMs": 5}, "other": "x"}]),
            ("window/showMessageRequest", {"actions": titles}, {"title": "Yes"}),
            ("client/registerCapability", {"registrations": []}, None),
            ("window/workDoneProgress/create", {"token": 1}, None),
        ]
        for method, params, result in asked:
            since = client.mark
            client.notify("ask", {"method": method, "params": params})
            heard = await client.notification("heard", since=since)
            assert heard.params == {"id": "q", "result": result}


async def test_a_request_that_nobody_knows_gets_an_error_and_one_that_is_held_is_answered_by_hand() -> None:
    def hold(params: Json) -> Json:
        raise NoAnswer

    async with parrot() as client:
        client.notify("ask", {"method": "made/up"})
        assert get((await client.notification("heard")).params, "error", "code") == -32601
        client.answers["held"] = hold
        since = client.mark
        client.notify("ask", {"method": "held"})
        request = await client.notification("held", since=since)
        client.notify("ask", {"method": "made/up"})  # whose answer would come after one to the held request
        assert get((await client.notification("heard", since=since)).params, "error", "code") == -32601
        since = client.mark
        client.answer(request, 7)
        assert get((await client.notification("heard", since=since)).params, "result") == 7


async def test_an_error_answer_is_raised_with_its_code() -> None:
    async with parrot() as client:
        text = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'
        client.answers["unused"] = lambda params: None
        client.notify("say", frame(text.encode()).decode())
        with pytest.raises(ResponseError, match="no") as raised:
            await client.call("nothing", timeout_s=5)
        assert raised.value.code == -32602


async def test_children_that_leave_the_process_group_are_found_and_killed() -> None:
    start = "subprocess.Popen(['sleep', '60'], start_new_session=True); sys.exit(0)"
    async with parrot() as client:
        client.notify("do", start)
        await client.exited()
        assert len(client.left()) == 1
        with pytest.raises(AssertionError, match=re.escape(f"still running: {client.left()}")):
            await client.assert_nothing_left(within_s=0)
    assert client.left() == []


async def test_signals_and_the_end_of_input_reach_the_server() -> None:
    async with parrot() as client:
        client.close_stdin()
        assert await client.exited() == 0
    async with parrot() as client:
        client.signal(signal.SIGTERM)
        assert await client.exited() == -signal.SIGTERM
        assert client.exit_code == -signal.SIGTERM


async def test_a_memory_limit_holds_for_the_server() -> None:
    wants = "x = bytearray(300 << 20); send({'method': 'got'})"
    async with RawClient.start((sys.executable, "-c", textwrap.dedent(PARROT)), memory_bytes=200 << 20) as client:
        client.notify("do", wants)
        with pytest.raises(AssertionError, match="output ended"):
            await client.notification("got")
        await client.output_ended()
        assert "MemoryError" in client.stderr
    async with parrot() as client:
        client.notify("do", wants)
        await client.notification("got")


async def test_a_client_that_does_not_read_gets_all_of_it_later() -> None:
    says = "send({'method': 'small'}); os.write(2, b'begun'); send({'method': 'big', 'params': 'x' * (1 << 20)})"
    async with parrot() as client:
        client.pause_reading()
        client.notify("do", says)
        await client.wrote("begun")
        assert client.messages == []
        client.resume_reading()
        assert (await client.notification("big")).params == "x" * (1 << 20)
        assert [message.method for message in client.messages] == ["small", "big"]


async def test_what_the_server_does_not_read_is_counted() -> None:
    async with parrot() as client:
        client.notify("do", "signal.pause()")
        client.send_bytes(b"x" * (1 << 20))
        assert client.unsent_bytes > 0


async def test_the_capabilities_that_are_told_are_not_changed_by_a_session() -> None:
    before = frame(CAPABILITIES)
    async with RawClient.start(LOOP) as client:
        await client.initialize(encodings=["utf-32"], capabilities={"general": {"markdown": {"parser": "x"}}})
        await client.call("shutdown")
    assert frame(CAPABILITIES) == before
