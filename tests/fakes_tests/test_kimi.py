"""The fake as an instrument: what it records, how it is paced, what it notices, and real clients that talk to it."""

import asyncio
import base64
import gzip
import json
import socket
import threading
import urllib.parse
from contextlib import ExitStack

import httpx2
import openai
import pytest

from tests.fakes.faults import Fault, FaultKind
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Gate, Script, ToolCall
from tests.fakes_tests.client import ask, client, data_lines, error_of, headers, hello, raw, request_bytes

SECRET = 'canary+/7f3a?9"é'


def streaming(kimi: FakeKimi) -> httpx2.Request:
    body = {"model": "kimi-k2.6", "stream": True, **hello()}
    return httpx2.Request("POST", f"{kimi.base_url}/chat/completions", json=body, headers=headers(kimi))


def test_scripts_are_used_in_order_then_the_responder_then_none(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="1"), Script(content="2"))
    kimi.respond(lambda request: Script(content=request.prompt.upper()))
    answers = [ask(kimi, hello(text)).json()["choices"][0]["message"]["content"] for text in ("a", "b", "c")]
    assert answers == ["1", "2", "C"]


def test_a_request_without_a_script_is_a_500_that_says_so(kimi: FakeKimi) -> None:
    status, kind, message = error_of(ask(kimi))
    assert (status, kind) == (500, "missing_script")
    assert "no script for request #1" in message


def test_a_request_is_recorded_byte_by_byte(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="fine"))
    sent = request_bytes(kimi)
    with socket.create_connection(("127.0.0.1", kimi.port), 5) as link:
        for start in range(0, len(sent), 7):
            link.sendall(sent[start : start + 7])
        link.settimeout(5)
        while link.recv(65536):
            pass
    [request] = kimi.requests
    assert request.raw == sent
    assert request.body == sent.partition(b"\r\n\r\n")[2]
    assert (request.method, request.path, request.status) == ("POST", "/v1/chat/completions", 200)
    assert request.header("Authorization") == f"Bearer {kimi.key}"
    assert request.header_names == {"host", "authorization", "connection", "content-length"}
    assert request.prompt == "hello"
    assert request.is_over


def test_requests_share_a_connection_and_come_one_after_the_other(kimi: FakeKimi) -> None:
    kimi.respond(lambda _: Script(content="fine"))
    with client() as http:
        for _ in range(3):
            http.send(streaming(kimi))
    assert [(one.number, one.connection) for one in kimi.requests] == [(1, 1), (2, 1), (3, 1)]


def test_pipelined_requests_are_answered_in_order(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="one"), Script(content="two"))
    first = request_bytes(kimi).replace(b"Connection: close\r\n", b"")
    with socket.create_connection(("127.0.0.1", kimi.port), 5) as link:
        link.sendall(first + request_bytes(kimi))
        link.settimeout(5)
        received = b""
        while data := link.recv(65536):
            received += data
    assert received.index(b'"one"') < received.index(b'"two"')
    assert [one.raw for one in kimi.requests] == [first, request_bytes(kimi)]


def test_a_gate_sends_an_answer_step_by_step(kimi: FakeKimi) -> None:
    gate = Gate()
    kimi.enqueue(Script(content="abcdef", chunk_chars=2, gate=gate))
    with client() as http:
        response = http.send(streaming(kimi), stream=True)  # the head comes before the first permit
        lines = (line for line in response.iter_lines() if line)
        for number, text in enumerate(("", "ab", "cd"), start=1):
            gate.release()
            assert json.loads(next(lines).removeprefix("data: "))["choices"][0]["delta"]["content"] == text
            assert kimi.requests[0].events_sent == number
        gate.open()
        assert list(lines)[-1] == "data: [DONE]"
        response.close()


def test_a_gate_counts_events_however_their_bytes_are_cut(kimi: FakeKimi) -> None:
    gate = Gate()
    kimi.enqueue(Script(content="abc", gate=gate, segment_bytes=3))
    gate.release(2)
    with client() as http:
        response = http.send(streaming(kimi), stream=True)
        lines = (line for line in response.iter_lines() if line)
        assert "assistant" in next(lines)
        assert "abc" in next(lines)
        kimi.wait_for(lambda k: k.requests[0].events_sent == 2)
        response.close()


def test_the_time_at_which_each_part_of_the_answer_left_is_known(kimi: FakeKimi) -> None:
    gate = Gate()
    kimi.enqueue(Script(reasoning="hm", content='[{"a":1},{"b":2}]', chunk_chars=3, gate=gate))
    with client() as http:
        response = http.send(streaming(kimi), stream=True)
        gate.release(5)  # role, reasoning, and nine characters of the answer
        kimi.wait_for(lambda k: k.requests[0].events_sent == 5)
        [request] = kimi.requests
        first = request.answer_sent_at('{"a":1}')
        with pytest.raises(LookupError, match="has not been sent"):
            request.answer_sent_at('{"b":2}')
        gate.open()
        response.read()
    kimi.wait_for(lambda _: request.is_over)
    assert request.first_byte_at is not None
    assert request.last_byte_at is not None
    assert request.arrived_at <= request.first_byte_at <= first <= request.answer_sent_at('{"b":2}')
    assert request.answer_sent_at("]") <= request.last_byte_at
    assert request.sent_bytes == sum(write.size for write in request.sent) > len(response.content)


@pytest.mark.parametrize(
    "script",
    [
        Script(content="x" * 1000, chunk_chars=1, gate=Gate()),
        Script(content="x", fault=Fault(FaultKind.STALL, at=1)),
        Script(content="x", fault=Fault(FaultKind.SILENCE)),
        Script(content="x", first_delay_s=60),
        Script(content="xx", chunk_chars=1, delay_s=60),
    ],
    ids=["gate", "stall", "silence", "first delay", "delay"],
)
def test_a_client_that_leaves_is_noticed_while_the_answer_waits(kimi: FakeKimi, script: Script) -> None:
    kimi.enqueue(script)
    with socket.create_connection(("127.0.0.1", kimi.port), 5) as link:
        link.sendall(request_bytes(kimi))
        kimi.wait_for(lambda k: len(k.requests) == 1)
        assert not kimi.requests[0].is_over
    kimi.wait_for(lambda k: k.requests[0].closed_by_client_at is not None)
    assert kimi.requests[0].finished_at is None
    kimi.wait_for(lambda k: k.running == 0)


def test_a_client_that_leaves_is_noticed_in_the_middle_of_a_flood(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x" * 2_000_000, chunk_chars=20))
    with socket.create_connection(("127.0.0.1", kimi.port), 5) as link:
        link.sendall(request_bytes(kimi))
        assert link.recv(1000)
    kimi.wait_for(lambda k: k.requests[0].is_over)
    assert kimi.requests[0].closed_by_client_at is not None


def test_a_client_that_closes_after_the_answer_has_not_left(kimi: FakeKimi) -> None:
    kimi.respond(lambda _: Script(content="fine"))
    for stream in (True, False):
        assert raw(kimi, stream=stream).ending == "end"
    kimi.wait_for(lambda k: all(request.is_over for request in k.requests))
    assert [request.closed_by_client_at for request in kimi.requests] == [None, None]


async def test_a_cancelled_client_is_noticed_on_the_same_event_loop(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x", gate=Gate()))
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
        task = asyncio.ensure_future(http.send(streaming(kimi)))
        await kimi.until(lambda k: len(k.requests) == 1)
        task.cancel()
        await kimi.until(lambda k: k.requests[0].closed_by_client_at is not None)
        with pytest.raises(asyncio.CancelledError):
            await task


def test_waiting_in_vain_says_what_was_seen(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x"))
    ask(kimi)
    with pytest.raises(AssertionError, match=r"within 0\.01 s; seen: #1 POST /v1/chat/completions -> 200"):
        kimi.wait_for(lambda k: len(k.requests) == 2, timeout_s=0.01)


def test_a_crashed_responder_fails_the_test_and_not_the_server() -> None:
    def crash(request: Recorded) -> Script:
        raise RuntimeError(f"no idea what to say to {request.prompt}")

    with ExitStack() as stack:
        kimi = stack.enter_context(FakeKimi())
        kimi.respond(crash)
        with pytest.raises(httpx2.TransportError):
            ask(kimi)
        kimi.enqueue(Script(content="fine"))
        assert ask(kimi).status_code == 200
        kimi.wait_for(lambda k: k.running == 0)
        with pytest.raises(AssertionError, match="no idea what to say to hello"):
            stack.pop_all().close()


def test_a_gate_nobody_opens_ends_the_answer_and_fails_the_test() -> None:
    with ExitStack() as stack:
        kimi = stack.enter_context(FakeKimi(patience_s=0.05))
        kimi.enqueue(Script(content="x", gate=Gate()))
        assert raw(kimi).ending in ("end", "reset")
        with pytest.raises(AssertionError, match="stayed shut"):
            stack.pop_all().close()


def test_bytes_that_are_not_http_are_refused_and_fail_the_test() -> None:
    with ExitStack() as stack:
        kimi = stack.enter_context(FakeKimi())
        with socket.create_connection(("127.0.0.1", kimi.port), 5) as link:
            link.sendall(b"\x16\x03\x01 hello\r\n\r\n")
            link.settimeout(5)
            assert link.recv(1000).startswith(b"HTTP/1.1 400 ")
        with pytest.raises(AssertionError, match="was not HTTP"):
            stack.pop_all().close()


def test_nothing_stays_when_the_fake_stops() -> None:
    before = set(threading.enumerate())
    with FakeKimi() as kimi:
        kimi.enqueue(Script(content="x", gate=Gate()))
        link = socket.create_connection(("127.0.0.1", kimi.port), 5)
        link.sendall(request_bytes(kimi))
        kimi.wait_for(lambda k: len(k.requests) == 1)
        ports = (kimi.port, int(kimi.elsewhere_url.rpartition(":")[2]))
    link.close()
    for closed in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", closed), 5)
    assert set(threading.enumerate()) <= before
    assert kimi.requests[0].closed_by_client_at is None
    kimi.stop()


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps({"path": SECRET}),
        urllib.parse.quote(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode() + b"yz").decode(),
        base64.urlsafe_b64encode(b"xy" + SECRET.encode()).decode(),
        SECRET.encode().hex(),
        base64.encodebytes(b"some longer text before it, so that the lines break " + SECRET.encode() * 2).decode(),
    ],
    ids=["as is", "JSON", "JSON in JSON", "URL", "base64", "base64 +1", "base64 +2", "hex", "base64 lines"],
)
def test_a_secret_is_found_in_whatever_dress(kimi: FakeKimi, text: str) -> None:
    kimi.enqueue(Script(content="x"))
    ask(kimi, hello(f"before {text} after"))
    with pytest.raises(AssertionError, match="canary"):
        kimi.assert_no_secret(["something else", SECRET])
    kimi.assert_no_secret(["something else", SECRET.replace("7", "8")])


def test_a_secret_is_found_in_headers_and_targets(kimi: FakeKimi) -> None:
    with client() as http:
        http.get(f"{kimi.base_url}/models?q={urllib.parse.quote(SECRET)}", headers={"x-note": "hidden-word"})
    for value in (SECRET, "hidden-word"):
        with pytest.raises(AssertionError):
            kimi.assert_no_secret([value])


def test_a_secret_sent_elsewhere_is_found_too(kimi: FakeKimi) -> None:
    with client() as http:
        http.post(kimi.elsewhere_url, content=SECRET.encode())
    with pytest.raises(AssertionError, match="canary"):
        kimi.assert_no_secret([SECRET])


def test_looking_for_nothing_or_in_nothing_is_a_mistake(kimi: FakeKimi) -> None:
    with pytest.raises(AssertionError, match="nothing was checked"):
        kimi.assert_no_secret([SECRET])
    ask(kimi)
    for values in ([], ["abc"]):
        with pytest.raises(ValueError, match="four characters"):
            kimi.assert_no_secret(values)


def test_a_compressed_body_cannot_hide_from_the_search(kimi: FakeKimi) -> None:
    packed = gzip.compress(json.dumps({"model": "kimi-k2.6", **hello(SECRET)}).encode())
    with client() as http:
        sent = {**headers(kimi), "content-encoding": "gzip"}
        response = http.post(f"{kimi.base_url}/chat/completions", content=packed, headers=sent)
    assert response.status_code == 415


async def test_the_openai_client_streams_reasoning_content_and_usage(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(reasoning="Let me look.", content='{"findings":[]}', chunk_chars=5))
    async with openai.AsyncOpenAI(
        base_url=kimi.base_url, api_key=kimi.key, http_client=openai.DefaultAsyncHttpxClient(trust_env=False)
    ) as api:
        stream = await api.chat.completions.create(
            model="kimi-k2.6",
            messages=[{"role": "user", "content": "Audit."}],
            stream=True,
            stream_options={"include_usage": True},
            max_completion_tokens=1000,
        )
        events = [event async for event in stream]
    deltas = [event.choices[0].delta for event in events if event.choices]
    assert "".join(delta.content or "" for delta in deltas) == '{"findings":[]}'
    assert "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas) == "Let me look."
    assert events[-1].usage is not None
    assert events[-1].usage.total_tokens == events[-1].usage.prompt_tokens + events[-1].usage.completion_tokens


def test_the_openai_client_reads_tools_models_and_errors(kimi: FakeKimi) -> None:
    call = ToolCall("dep_scan", '{"path":"a"}')
    kimi.enqueue(Script(reasoning="Hm.", tool_calls=[call]), Script(fault=Fault(FaultKind.QUOTA)))
    with openai.OpenAI(
        base_url=kimi.base_url,
        api_key=kimi.key,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as api:
        assert [model.id for model in api.models.list()] == ["kimi-k2.6"]
        answer = api.chat.completions.create(model="kimi-k2.6", messages=[{"role": "user", "content": "Audit."}])
        with pytest.raises(openai.RateLimitError) as caught:
            api.chat.completions.create(model="kimi-k2.6", messages=[{"role": "user", "content": "Again."}])
    [made] = answer.choices[0].message.tool_calls or []
    assert made.type == "function"
    assert (made.id, made.function.name, made.function.arguments) == ("dep_scan:0", "dep_scan", '{"path":"a"}')
    assert caught.value.type == "exceeded_current_quota_error"
    assert caught.value.request_id == "req-00000003"


def test_headers_of_a_script_are_sent(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="x", headers={"x-should-retry": "false"}))
    response = ask(kimi, stream=True)
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["x-trace-id"]
    assert data_lines(response.text)[-1] == "[DONE]"
