"""The client against the fake Kimi: every dialect, every fault, every rule of the request."""

import itertools
from dataclasses import replace

import anyio
import pytest

from kimi_lsp.errors import (
    AuthError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    KimiError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    UnknownModelError,
)
from kimi_lsp.model import (
    NO_RETRY,
    AnswerSchema,
    ChatRequest,
    Dialect,
    Endpoint,
    Finish,
    KimiClient,
    Message,
    Role,
    Thinking,
    Timeouts,
    ToolChoice,
    ToolSpec,
    profile_for,
)
from kimi_lsp.model import ToolCall as Call
from mcp_tools.redaction import Redacted
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.record import HONEST_HEADERS
from tests.fakes.script import Gate, Script, ToolCall
from tests.model.servers import BOUND_S, Waits, ask, failure, outcome
from tests.model.sse import merged, said

DIALECTS = {
    "moonshot-k2.6": None,
    "moonshot-k2.7-code": None,
    "moonshot-k3": None,
    "moonshot-k3.1-pro": None,
    "vllm-new": Dialect.VLLM,
    "vllm-old": Dialect.VLLM,
    "sglang": Dialect.SGLANG,
    "openrouter": Dialect.OPENROUTER,
    "no-parser": Dialect.VLLM,
    "no-parser-unopened": Dialect.VLLM,
    "llama.cpp": Dialect.LLAMA_CPP,
}
SCHEMA = AnswerSchema("findings", {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}})
THOUGHT, ANSWER = 'Is it "safe"?\nÜber 数据 😀 \\ no.', '{"findings":[{"quote":"a\\"b </think> \u2028"}]}'


def asker(
    kimi: FakeKimi, dialect: Dialect | None = None, *, key: str | None = KEY, timeouts: Timeouts | None = None
) -> KimiClient:
    model = kimi.profile.models[0].id
    overrides = {"dialect": dialect.value} if dialect else {}
    endpoint = Endpoint(kimi.base_url, model, profile_for(model, kimi.base_url, overrides), key)
    return KimiClient(endpoint, guard=lambda body: (), retry=NO_RETRY, timeouts=timeouts)


SHAPES = (
    Script(reasoning=THOUGHT, content=ANSWER, chunk_chars=1),
    Script(reasoning=THOUGHT, content=ANSWER, chunk_chars=7, segment_bytes=3, newline="\r\n"),
    Script(reasoning=THOUGHT, content=ANSWER, chunk_chars=500, segment_bytes=1, newline="\r"),
)


@pytest.mark.parametrize("name", DIALECTS)
async def test_every_dialect_gives_the_same_reasoning_and_answer(name: str) -> None:
    with FakeKimi(name, allowed_headers=HONEST_HEADERS) as kimi:
        kimi.enqueue(*SHAPES)
        async with asker(kimi, DIALECTS[name]) as client:
            for _ in SHAPES:
                async with client.stream(ask()) as exchange:
                    events = [event async for event in exchange]
                assert said(merged(events)) == f"think {THOUGHT!r} | say {ANSWER!r}"
                assert exchange.completion.is_whole
                assert not exchange.completion.usage.is_estimated
                assert exchange.completion.usage.completion_tokens > 0


@pytest.mark.parametrize("name", DIALECTS)
async def test_every_kind_of_request_is_taken_as_the_endpoint_wants_it(name: str) -> None:
    messages = (Message(Role.SYSTEM, Redacted("Rules.")), Message(Role.USER, Redacted("Audit.")))
    tools = (ToolSpec("dep_scan", "Scan.", SCHEMA.schema),)
    with FakeKimi(name, allowed_headers=HONEST_HEADERS) as kimi:
        kimi.respond(lambda request: Script(content="{}"))
        async with asker(kimi, DIALECTS[name]) as client:
            for thinking, choice in itertools.product(Thinking, (None, ToolChoice.AUTO, ToolChoice.REQUIRED)):
                request = ChatRequest(messages, 16_000, thinking, SCHEMA, cache_key="s1")
                if choice is not None:
                    request = replace(request, schema=None, tools=tools, tool_choice=choice)
                async with client.stream(request) as exchange:
                    assert said([event async for event in exchange]) == "say '{}'"
        assert [request.status for request in kimi.chats] == [200] * 15


@pytest.mark.parametrize("name", [name for name in DIALECTS if "parser" not in name])
async def test_a_tool_loop_goes_round(name: str) -> None:
    with FakeKimi(name) as kimi:
        kimi.enqueue(
            Script(reasoning="hm", tool_calls=[ToolCall("dep_scan", '{"p": 1}'), ToolCall("doc_drift")], chunk_chars=3),
            Script(reasoning="so", content="{}"),
        )
        tools = (ToolSpec("dep_scan", "", {}), ToolSpec("doc_drift", "", {}))
        user = Message(Role.USER, Redacted("Audit."))
        async with asker(kimi, DIALECTS[name]) as client:
            async with client.stream(ChatRequest((user,), 16_000, tools=tools)) as first:
                events = [event async for event in first]
            calls = tuple(event for event in events if isinstance(event, Call))
            assert [(call.name, call.arguments) for call in calls] == [("dep_scan", '{"p": 1}'), ("doc_drift", "{}")]
            assert first.completion.finish is Finish.TOOL_CALLS
            history = (
                user,
                Message(Role.ASSISTANT, Redacted(""), Redacted("hm"), calls),
                *(Message(Role.TOOL, Redacted("none"), tool_call_id=call.id) for call in calls),
            )
            async with client.stream(ChatRequest(history, 16_000, tools=tools)) as second:
                assert said(merged([event async for event in second])) == "think 'so' | say '{}'"


REFUSALS: dict[FaultKind, type[KimiError]] = {
    FaultKind.UNAUTHORISED: AuthError,
    FaultKind.FORBIDDEN: AuthError,
    FaultKind.AGENTS_ONLY: AuthError,
    FaultKind.WEEKLY_LIMIT: QuotaError,
    FaultKind.UNKNOWN_MODEL: UnknownModelError,
    FaultKind.TOO_LARGE: BadRequestError,
    FaultKind.HIGH_RISK: ContentFilterError,
    FaultKind.RATE_LIMITED: RateLimitedError,
    FaultKind.OVERLOADED: OverloadedError,
    FaultKind.QUOTA: QuotaError,
    FaultKind.SUSPENDED: QuotaError,
    FaultKind.SERVER_ERROR: OverloadedError,
    FaultKind.BAD_GATEWAY: OverloadedError,
    FaultKind.UNAVAILABLE: OverloadedError,
    FaultKind.GATEWAY_TIMEOUT: OverloadedError,
    FaultKind.NIL_TYPE: OverloadedError,
    FaultKind.HTML: EndpointError,
    FaultKind.PLAIN_JSON: EndpointError,
    FaultKind.EMPTY_STREAM: EndpointError,
    FaultKind.REDIRECT: EndpointError,
    FaultKind.SILENCE: EndpointError,
}
CUTS = {
    FaultKind.RESET,
    FaultKind.HANG_UP,
    FaultKind.TORN_EVENT,
    FaultKind.STALL,
    FaultKind.ERROR_OBJECT,
    FaultKind.ERROR_TEXT,
}
ENDINGS = {
    FaultKind.EMPTY_LENGTH: Finish.LENGTH,
    FaultKind.UNKNOWN_FINISH: Finish.OTHER,
    FaultKind.FILTERED_FINISH: Finish.CONTENT_FILTER,
}
HARMLESS = {
    FaultKind.NO_DONE,
    FaultKind.MALFORMED_JSON,
    FaultKind.EMPTY_DATA,
    FaultKind.NULL_CHOICES,
    FaultKind.COMMENTS,
    FaultKind.SPLIT_CHARACTER,
    FaultKind.SPLIT_NEWLINE,
}
TOOL_SHAPES = {FaultKind.TOOLS_INTERLEAVED, FaultKind.TOOLS_NAME_LAST, FaultKind.TOOLS_NO_INDEX}
QUICK = Timeouts(read_gap_s=0.2)


def test_no_fault_is_forgotten() -> None:
    assert REFUSALS.keys() | CUTS | ENDINGS.keys() | HARMLESS | TOOL_SHAPES | {FaultKind.INVALID_UTF8} == set(FaultKind)


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refusal_is_its_own_error_and_names_no_account(kind: FaultKind, kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="{}", fault=Fault(kind)))
    error = await failure(asker(kimi, timeouts=QUICK))
    assert type(error) is REFUSALS[kind]
    assert kimi.account.uid not in error.line
    assert kimi.account.access_key not in error.line
    assert "\n" not in error.line
    assert kimi.elsewhere_connections == 0
    assert len(kimi.chats) == 1


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("name", ["moonshot-k2.6", "llama.cpp"])
async def test_a_stream_that_breaks_keeps_what_came_and_is_never_whole(kind: FaultKind, name: str) -> None:
    with FakeKimi(name) as kimi:
        kimi.enqueue(Script(reasoning="because", content="x" * 400, chunk_chars=8, fault=Fault(kind, at=12)))
        events, completion = await outcome(asker(kimi, DIALECTS[name], timeouts=QUICK))
    assert completion.finish is Finish.CUT
    assert not completion.is_whole
    assert completion.usage.is_estimated
    assert completion.usage.completion_tokens > 0
    assert said(merged(events)).startswith("think 'because' | say 'xxxx")
    assert 0 < completion.answer_chars < 400
    assert (completion.error is None) == (kind is FaultKind.TORN_EVENT)


@pytest.mark.parametrize("kind", ENDINGS)
async def test_an_odd_ending_is_named_and_never_whole(kind: FaultKind, kimi: FakeKimi) -> None:
    kimi.enqueue(Script(reasoning="because", content="{}", fault=Fault(kind)))
    _, completion = await outcome(asker(kimi))
    assert completion.finish is ENDINGS[kind]
    assert not completion.is_whole


@pytest.mark.parametrize("kind", HARMLESS)
async def test_noise_in_the_stream_costs_nothing(kind: FaultKind, kimi: FakeKimi) -> None:
    at = None if kind is FaultKind.NO_DONE else 2
    kimi.enqueue(Script(reasoning="Über 数据", content='{"a": "é😀"}', chunk_chars=2, fault=Fault(kind, at=at)))
    events, completion = await outcome(asker(kimi))
    texts = [event for event in events if not said([event]).startswith("noise")]
    assert said(merged(texts)) == "think 'Über 数据' | say '{\"a\": \"é😀\"}'"
    assert completion.finish is Finish.STOP
    assert completion.error is None


async def test_bytes_that_are_no_text_are_marked_and_the_stream_goes_on(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="{}", chunk_chars=1, fault=Fault(FaultKind.INVALID_UTF8, at=2)))
    events, completion = await outcome(asker(kimi))
    answer = said(merged(events))
    assert "\ufffd" in answer
    assert answer.replace("\ufffd", "") == "say '{}'"
    assert completion.finish is Finish.STOP


@pytest.mark.parametrize("kind", TOOL_SHAPES)
@pytest.mark.parametrize("name", ["moonshot-k2.6", "vllm-new", "openrouter"])
async def test_tool_calls_of_any_shape_are_put_together(kind: FaultKind, name: str) -> None:
    calls = [ToolCall("dep_scan", '{"path": "a"}'), ToolCall("doc_drift", '{"path": "b"}')]
    calls = calls[:1] if kind is FaultKind.TOOLS_NAME_LAST else calls
    with FakeKimi(name) as kimi:
        kimi.enqueue(Script(reasoning="hm", tool_calls=calls, chunk_chars=3, fault=Fault(kind)))
        tools = (ToolSpec("dep_scan", "", {}), ToolSpec("doc_drift", "", {}))
        request = ChatRequest((Message(Role.USER, Redacted("Audit.")),), 16_000, tools=tools)
        events, _ = await outcome(asker(kimi, DIALECTS[name]), request)
    found = [(event.name, event.arguments) for event in events if isinstance(event, Call)]
    assert found == [(call.name, call.arguments) for call in calls]


async def test_leaving_stops_the_server_from_working(kimi: FakeKimi) -> None:
    gate = Gate()
    kimi.enqueue(Script(content="x" * 1000, chunk_chars=1, gate=gate))
    async with asker(kimi) as client:
        gate.release(4)
        async with client.stream(ask()) as exchange:
            async for _ in exchange:
                break
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None, BOUND_S)


async def test_the_second_call_finds_its_prefix_cached(kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="{}"), Script(content="{}"))
    system = Message(Role.SYSTEM, Redacted("rules " * 600))
    cached: list[int] = []
    async with asker(kimi) as client:
        for text in ("one", "two"):
            request = ChatRequest((system, Message(Role.USER, Redacted(text))), 16_000)
            async with client.stream(request) as exchange:
                async for _ in exchange:
                    pass
            cached.append(exchange.completion.usage.cached_tokens)
    assert cached[0] == 0
    assert cached[1] >= 256


async def test_the_endpoint_is_asked_for_models_and_balance(kimi: FakeKimi) -> None:
    async with asker(kimi) as client:
        assert [info.id for info in await client.models()] == ["kimi-k2.6"]
        balance = await client.balance()
    assert balance is not None
    assert balance.available == kimi.balance_usd


async def test_an_unknown_model_is_answered_with_the_list(kimi: FakeKimi) -> None:
    endpoint = Endpoint(kimi.base_url, "kimi-k2.5", profile_for("kimi-k2.5", kimi.base_url), KEY)
    error = await failure(KimiClient(endpoint, guard=lambda body: (), ticker=Waits().ticker))
    assert isinstance(error, UnknownModelError)
    assert error.hint == "This key may use: kimi-k2.6."


async def test_a_wrong_key_is_said_with_advice() -> None:
    with FakeKimi() as kimi, anyio.fail_after(BOUND_S):
        error = await failure(asker(kimi, key="wrong-key-0123456789"))
    assert isinstance(error, AuthError)
    assert error.hint == "Check the key for this endpoint."
