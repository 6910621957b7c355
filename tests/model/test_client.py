import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
from decimal import Decimal

import anyio
import pytest

from kimi_lsp.errors import (
    AuthError,
    EndpointError,
    LeakError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    UnknownModelError,
)
from kimi_lsp.model import Balance, ChatRequest, Finish, Limits, Message, ModelInfo, RetryPolicy, Role, Ticker, Timeouts
from kimi_lsp.usage import Usage
from mcp_tools.redaction import Redacted
from tests.model.servers import (
    BOUND_S,
    KEY,
    SSE_HEAD,
    Peer,
    Waits,
    ask,
    client,
    failure,
    hanging,
    outcome,
    refusing,
    saying,
    serving,
    streaming,
)
from tests.model.sse import DONE, data, delta, said, stream

GOOD = streaming(stream(delta(content="{"), delta(content="}"), delta("stop")))
ALLOWED = "accept accept-encoding authorization connection content-length content-type host user-agent".split()


async def test_a_call_gives_events_and_a_completion_and_says_what_was_sent() -> None:
    head = SSE_HEAD.replace(b"\r\n\r\n", b"\r\nx-request-id: r1\r\nx-trace-id: t1\r\n\r\n")
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    body = stream(delta(reasoning_content="hm"), delta(content="{}"), delta("stop", usage))
    async with serving(saying(head, body)) as server, client(server.base_url) as asker:
        expected = asker.body(ask())
        async with asker.stream(ask()) as exchange:
            events = [event async for event in exchange]
    assert said(events) == "think 'hm' | say '{}'"
    assert exchange.completion.usage == Usage(1, 0, 2, 1)
    assert exchange.completion.is_whole
    assert server.peers[0].body == expected
    assert (exchange.sent.sent_bytes, exchange.sent.attempts) == (len(expected), 1)
    assert (exchange.sent.request_id, exchange.sent.trace_id) == ("r1", "t1")


async def test_exactly_the_listed_headers_leave() -> None:
    async with serving(GOOD) as server:
        await outcome(client(server.base_url, extra_headers={"X-Team": "audit"}))
    headers = server.peers[0].headers
    assert sorted(headers) == sorted([*ALLOWED, "x-team"])
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"].startswith("kimi-lsp/")
    assert headers["accept-encoding"] == "identity"


async def test_variables_of_the_sdk_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(GOOD) as server:
        await outcome(client(server.base_url))
        for name, value in {
            "OPENAI_API_KEY": "ambient-key",
            "OPENAI_ADMIN_KEY": "ambient-admin",
            "OPENAI_ORG_ID": "ambient-org",
            "OPENAI_PROJECT_ID": "ambient-project",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/ambient",
            "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer ambient\nX-Ambient: 1\nHost: ambient\nbroken",
            "OPENAI_LOG": "debug",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "ALL_PROXY": "http://127.0.0.1:9",
        }.items():
            monkeypatch.setenv(name, value)
        handlers, level = list(logging.getLogger().handlers), logging.getLogger("openai").level
        await outcome(client(server.base_url))
    plain, ambient = (peer.raw for peer in server.peers)
    assert ambient == plain
    assert (logging.getLogger().handlers, logging.getLogger("openai").level) == (handlers, level)


def test_the_sdks_own_log_variable_configures_nothing() -> None:
    code = """
import logging
import os
import subprocess
import sys
from kimi_lsp.model.transport import load_sdk
load_sdk()
print(logging.getLogger().handlers, logging.getLogger("openai").level)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OPENAI_LOG": "debug"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["[]", "0"]


async def test_a_leak_stops_the_request_before_a_byte_of_it_is_sent() -> None:
    secret = "AK" + "IA" + "Z" * 16
    connected = asyncio.Event()
    arrived: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        arrived.append(await reader.read())
        writer.close()

    listener = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with listener:
        base_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        seen: list[bytes] = []

        def guard(body: bytes) -> list[str]:
            seen.append(body)
            return ["aws-access-key", "aws-access-key"] if secret.encode() in body else []

        with pytest.raises(LeakError, match=r"still holds aws-access-key\.$") as caught:
            await outcome(client(base_url, guard=guard), ask(f"key = {secret}"))
    assert secret not in caught.value.line
    assert len(seen) == 1
    assert not connected.is_set() or arrived == [b""]


async def test_a_redirect_is_refused_and_nothing_is_posted_elsewhere() -> None:
    async with serving(GOOD) as elsewhere:
        location = f"{elsewhere.base_url}/chat/completions"
        async with serving(refusing(307, location=location)) as server:
            error = await failure(client(server.base_url, retry=RetryPolicy(), ticker=(waits := Waits()).ticker))
    assert isinstance(error, EndpointError)
    assert "redirect to 127.0.0.1 refused" in error.message
    assert elsewhere.peers == []
    assert waits.asked == []


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("text/html; charset=utf-8", b"<html><head><title>Sign in</title></head></html>", "an HTML page, 'Sign in'"),
        ("application/json", b'{"choices":[{"message":{"content":"{}"}}]}', "a whole completion, not a stream"),
        ("application/json", b"{}", "not an event stream: nothing"),
    ],
)
async def test_a_success_that_is_no_stream_is_an_error_and_not_asked_for_again(
    kind: str, body: bytes, expected: str
) -> None:
    async with serving(refusing(200, body, content_type=kind)) as server:
        error = await failure(client(server.base_url, retry=RetryPolicy(), ticker=Waits().ticker))
    assert isinstance(error, EndpointError)
    assert expected in error.message
    assert len(server.peers) == 1


async def test_a_refusal_dressed_as_a_success_is_read_for_what_it_is() -> None:
    body = {"error": {"code": 429, "message": "slow down"}}
    async with serving(refusing(200, body, content_type="application/json")) as server:
        assert isinstance(await failure(client(server.base_url)), RateLimitedError)


async def test_a_compressed_stream_is_refused() -> None:
    async with serving(refusing(200, b"", content_type="text/event-stream", content_encoding="gzip")) as server:
        assert "compressed the stream (gzip)" in (await failure(client(server.base_url))).message


async def test_what_fails_before_the_first_byte_is_tried_again() -> None:
    answers = [
        refusing(429, {"error": {"type": "rate_limit_reached_error", "message": "slow"}}, retry_after="3"),
        refusing(503),
        saying(b""),
        saying(SSE_HEAD),
        GOOD,
    ]
    waits = Waits()
    async with (
        serving(*answers) as server,
        client(server.base_url, retry=RetryPolicy(max_attempts=5), ticker=waits.ticker) as asker,
        asker.stream(ask()) as exchange,
    ):
        assert said([event async for event in exchange]) == "say '{' | say '}'"
    assert exchange.sent.attempts == 5
    assert waits.asked == [3.0, 1.0, 2.0, 4.0]
    assert len({peer.body for peer in server.peers}) == 1


async def test_an_exhausted_quota_is_asked_once() -> None:
    body = {"error": {"type": "exceeded_current_quota_error", "message": "You exceeded your current token quota"}}
    async with serving(refusing(429, body, retry_after="1")) as server:
        error = await failure(client(server.base_url, retry=RetryPolicy(), ticker=Waits().ticker))
    assert isinstance(error, QuotaError)
    assert len(server.peers) == 1


async def test_a_policy_that_gives_up_raises_the_last_error() -> None:
    waits = Waits()
    async with serving(refusing(500, {"error": {"message": "broken"}})) as server:
        error = await failure(
            client(server.base_url, retry=RetryPolicy(max_attempts=3), ticker=(waits := Waits()).ticker)
        )
    assert isinstance(error, OverloadedError)
    assert error.message == f"127.0.0.1:{server.port} answered 500: broken"
    assert waits.asked == [0.5, 1.0]


async def test_a_stream_that_breaks_after_its_first_byte_is_not_asked_for_again() -> None:
    async with serving(
        saying(SSE_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-length: 9999\r\n\r\n"), delta(content="{"))
    ) as server:
        events, completion = await outcome(client(server.base_url, retry=RetryPolicy(), ticker=Waits().ticker))
    assert said(events) == "say '{'"
    assert (completion.finish, completion.usage.is_estimated) == (Finish.CUT, True)
    assert completion.error is not None
    assert "broke off" in completion.error.message
    assert len(server.peers) == 1


async def test_a_clean_end_without_a_finish_reason_is_cut() -> None:
    async with serving(streaming(delta(content="{}"))) as server:
        _, completion = await outcome(client(server.base_url))
    assert (completion.finish, completion.error) == (Finish.CUT, None)


async def test_a_stall_is_cut_and_keeps_what_came() -> None:
    async def stall(peer: Peer) -> None:
        await peer.say(SSE_HEAD, delta(content="{"))
        await peer.wait_for_leaving()

    async with serving(stall) as server:
        events, completion = await outcome(client(server.base_url, timeouts=Timeouts(read_gap_s=0.05)))
        assert server.peers[0].left.is_set() or await _left(server.peers[0])
    assert said(events) == "say '{'"
    assert completion.error is not None
    assert "stalled" in completion.error.message


async def test_silence_before_the_first_byte_is_an_error() -> None:
    async with serving(hanging) as server:
        error = await failure(client(server.base_url, timeouts=Timeouts(read_gap_s=0.05)))
    assert isinstance(error, EndpointError)
    assert "No answer from" in error.message


async def test_nobody_listening_is_an_error() -> None:
    async with serving(GOOD) as server:
        base_url = server.base_url
    error = await failure(client(base_url))
    assert isinstance(error, EndpointError)
    assert "No connection to 127.0.0.1" in error.message


async def test_a_trickle_that_never_ends_is_cut_by_the_clock() -> None:
    now = [0.0]

    async def trickle(peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            await peer.say(SSE_HEAD)
            while True:
                now[0] += 1
                await peer.say(b": keepalive\n\n")
                await asyncio.sleep(0)

    async with serving(trickle) as server:
        asker = client(server.base_url, timeouts=Timeouts(total_s=50), ticker=Ticker(clock=lambda: now[0]))
        _, completion = await outcome(asker)
    assert completion.error is not None
    assert "longer than a call may" in completion.error.message


@pytest.mark.parametrize("piece", [b": " + b"x" * 1000 + b"\n\n", b"x" * 1000, delta(reasoning_content="y" * 900)])
async def test_a_stream_without_end_is_cut_at_the_cap(piece: bytes) -> None:
    async def flood(peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            await peer.say(SSE_HEAD)
            while True:
                await peer.say(piece)

    async with serving(flood) as server:
        limits = Limits(max_stream_bytes=200_000, max_line_bytes=150_000)
        _, completion = await outcome(client(server.base_url, limits=limits))
    assert completion.error is not None
    assert "exceeds" in completion.error.message
    assert completion.finish is Finish.CUT


async def test_an_endless_error_page_is_read_only_so_far() -> None:
    async def flood(peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            await peer.say(b"HTTP/1.1 502 X\r\ncontent-type: text/html\r\n\r\n<title>Bad Gateway</title>")
            while True:
                await peer.say(b"x" * 10_000)

    async with serving(flood) as server:
        error = await failure(client(server.base_url))
    assert error.message.endswith("answered 502: an HTML page, 'Bad Gateway'")


async def _left(peer: Peer) -> bool:
    with anyio.fail_after(BOUND_S):
        await peer.left.wait()
    return True


async def _endless(peer: Peer) -> None:
    """Say two events, then wait for the client to leave."""
    await peer.say(SSE_HEAD, delta(content="{"), delta(content="}"))
    await peer.wait_for_leaving()


async def test_cancelling_the_task_closes_the_socket() -> None:
    async with serving(_endless) as server, client(server.base_url) as asker:
        reached = anyio.Event()

        async def work() -> None:
            async with asker.stream(ask()) as exchange:
                async for _ in exchange:
                    reached.set()

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            with anyio.fail_after(BOUND_S):
                await reached.wait()
            group.cancel_scope.cancel()
        assert await _left(server.peers[0])


async def test_cancelling_while_nothing_has_come_closes_the_socket() -> None:
    arrived = anyio.Event()

    async def hang(peer: Peer) -> None:
        arrived.set()
        await peer.wait_for_leaving()

    async with serving(hang) as server, client(server.base_url) as asker:
        async with anyio.create_task_group() as group:
            group.start_soon(failure, asker)
            with anyio.fail_after(BOUND_S):
                await arrived.wait()
            group.cancel_scope.cancel()
        assert await _left(server.peers[0])


async def test_leaving_the_block_closes_the_socket() -> None:
    async with serving(_endless) as server, client(server.base_url) as asker:
        async with asker.stream(ask()):
            pass
        assert await _left(server.peers[0])


async def test_breaking_out_of_the_loop_closes_the_socket_and_leaves_an_estimate() -> None:
    async with serving(_endless) as server, client(server.base_url) as asker:
        async with asker.stream(ask()) as exchange:
            async for _ in exchange:
                break
        assert await _left(server.peers[0])
    assert exchange.completion.finish is Finish.CUT
    assert exchange.completion.usage.is_estimated


async def test_an_error_in_the_block_closes_the_socket_and_passes() -> None:
    async with serving(_endless) as server, client(server.base_url) as asker:

        async def work() -> None:
            async with asker.stream(ask()) as exchange:
                async for _ in exchange:
                    raise KeyError

        with pytest.raises(KeyError):
            await work()
        assert await _left(server.peers[0])


async def test_a_deadline_of_the_caller_cancels_cleanly() -> None:
    async with serving(_endless) as server, client(server.base_url) as asker:
        with anyio.move_on_after(0.05) as scope:
            async with asker.stream(ask()) as exchange:
                async for _ in exchange:
                    pass
        assert scope.cancelled_caught
        assert await _left(server.peers[0])


async def test_a_finished_stream_leaves_its_connection_for_the_next_call() -> None:
    body = stream(delta(content="{}"), delta("stop"))
    whole = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    whole += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    async def twice(peer: Peer) -> None:
        await peer.say(whole)
        await peer.read()
        await peer.say(whole)

    async with serving(twice) as server, client(server.base_url) as asker:
        for _ in range(2):
            async with asker.stream(ask()) as exchange:
                assert said([event async for event in exchange]) == "say '{}'"
    assert len(server.peers) == 1


async def test_calls_side_by_side_do_not_mix() -> None:
    async def echo(peer: Peer) -> None:
        content = json.loads(peer.body)["messages"][0]["content"]
        await peer.say(SSE_HEAD, stream(*(delta(content=content) for _ in range(50)), delta("stop")))

    answers: dict[str, str] = {}
    async with serving(echo) as server, client(server.base_url) as asker:

        async def work(name: str) -> None:
            async with asker.stream(ask(name)) as exchange:
                answers[name] = "".join([said([event]) for event in [e async for e in exchange]])

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(work, f"n{number}")
    assert answers == {name: f"say '{name}'" * 50 for name in (f"n{number}" for number in range(8))}


async def test_reasoning_goes_back_in_the_field_it_came_in() -> None:
    history = ChatRequest((Message(Role.ASSISTANT, Redacted("{}"), reasoning=Redacted("hm")),), 10)
    server_of_ones_own = streaming(stream(delta(reasoning="hm"), delta(content="{}"), delta("stop")))
    async with serving(server_of_ones_own) as server, client(server.base_url) as asker:
        async with asker.stream(ask()) as exchange:
            assert said([event async for event in exchange]) == "think 'hm' | say '{}'"
        assert json.loads(asker.body(history))["messages"] == [
            {"role": "assistant", "content": "{}", "reasoning": "hm"}
        ]


async def test_an_unknown_model_is_answered_with_what_there_is() -> None:
    missing = refusing(404, {"error": {"type": "resource_not_found_error", "message": "Not found the model kimi-k2.6"}})
    listing = refusing(200, {"data": [{"id": "kimi-k3"}, {"id": "kimi-k3.1-pro"}]}, content_type="application/json")
    async with serving(missing, listing) as server:
        error = await failure(client(server.base_url))
    assert isinstance(error, UnknownModelError)
    assert error.hint == "This key may use: kimi-k3, kimi-k3.1-pro."
    assert server.peers[1].request_line == "GET /v1/models HTTP/1.1"
    assert "content-type" not in server.peers[1].headers


async def test_an_unknown_model_without_any_list_is_still_an_unknown_model() -> None:
    async with serving(refusing(404, {"error": {"message": "no such model"}})) as server:
        error = await failure(client(server.base_url))
    assert isinstance(error, UnknownModelError)
    assert error.hint == ""


async def test_models_are_read_in_every_dialect() -> None:
    rows = [
        {"id": "kimi-k2.6", "owned_by": "moonshot", "context_length": 262144, "supports_reasoning": True},
        {"id": "own", "owned_by": "vllm", "max_model_len": 4096},
        {"id": ""},
        7,
    ]
    async with serving(refusing(200, {"data": rows})) as server, client(server.base_url) as asker:
        found = await asker.models()
    assert found == [
        ModelInfo("kimi-k2.6", "moonshot", 262144, True),
        ModelInfo("own", "vllm", 4096),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":7}', b"<html>"])
async def test_a_list_of_models_that_is_none_is_an_error(body: bytes) -> None:
    async with serving(refusing(200, body)) as server, client(server.base_url) as asker:
        with pytest.raises(EndpointError, match="no list of models"):
            await asker.models()


async def test_a_balance_is_exact() -> None:
    amounts = {"available_balance": 49.58894, "voucher_balance": 46.58893, "cash_balance": 3.00001}
    async with serving(refusing(200, {"code": 0, "data": amounts})) as server, client(server.base_url) as asker:
        balance = await asker.balance()
    assert balance == Balance(Decimal("49.58894"), Decimal("46.58893"), Decimal("3.00001"), "USD")


async def test_a_server_of_ones_own_has_no_balance() -> None:
    async with serving(refusing(404)) as server:
        async with client(server.base_url) as asker:
            assert await asker.balance() is None
        async with client(server.base_url, model="own") as asker:
            assert await asker.balance() is None
    assert len(server.peers) == 1


async def test_a_wrong_key_is_an_error_everywhere_and_is_not_repeated_in_it() -> None:
    body = {"error": {"type": "invalid_authentication_error", "message": f"Invalid key {KEY}"}}
    async with serving(refusing(401, body)) as server, client(server.base_url) as asker:
        for call in (asker.models(), asker.balance()):
            with pytest.raises(AuthError) as caught:
                await call
            assert KEY not in caught.value.line


async def test_a_server_of_ones_own_needs_no_key() -> None:
    async with serving(GOOD) as server:
        await outcome(client(server.base_url, key=None))
    assert server.peers[0].headers["authorization"] == "Bearer none"


async def test_lines_of_a_stream_end_where_the_protocol_says_so() -> None:
    text = "a\u2028b\x85c"
    body = stream(data({"choices": [{"delta": {"content": text}}]}, is_ascii=False), delta("stop"))
    async with serving(streaming(*(body[index : index + 1] for index in range(len(body))))) as server:
        events, _ = await outcome(client(server.base_url))
    assert said(events) == f"say {text!r}"


async def test_after_the_farewell_nothing_counts() -> None:
    async with serving(streaming(delta(content="{}"), delta("stop"), DONE, delta(content="more"))) as server:
        events, completion = await outcome(client(server.base_url))
    assert said(events) == "say '{}'"
    assert completion.is_whole


async def test_a_closed_client_may_be_used_again() -> None:
    async with serving(GOOD) as server:
        asker = client(server.base_url)
        for _ in range(2):
            assert said((await outcome(asker))[0]) == "say '{' | say '}'"
