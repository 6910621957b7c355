import json
import re

import pytest
from inline_snapshot import snapshot

from kimi_lsp.model import (
    AnswerSchema,
    ChatRequest,
    Json,
    JsonObject,
    Message,
    Role,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolSpec,
    estimate_prompt,
    profile_for,
)
from kimi_lsp.model.wire import chat_body, encode
from mcp_tools.redaction import Redacted

HOSTED, LOCAL = "https://api.moonshot.ai/v1", "http://127.0.0.1:8000/v1"
OPEN = "moonshotai/Kimi-K2.6"
ENDPOINTS: dict[str, tuple[str, str, dict[str, object]]] = {
    "k2.6": ("kimi-k2.6", HOSTED, {}),
    "k2.7": ("kimi-k2.7-code", HOSTED, {}),
    "k3": ("kimi-k3", HOSTED, {}),
    "vllm": (OPEN, LOCAL, {"dialect": "vllm"}),
    "sglang": (OPEN, LOCAL, {"dialect": "sglang"}),
    "openrouter": ("moonshotai/kimi-k2.6", "https://openrouter.ai/api/v1", {}),
    "llama.cpp": ("tiny", LOCAL, {"dialect": "llama_cpp"}),
    "unknown": ("gpt-oss", "https://gateway.example/v1", {}),
}
SCHEMA = AnswerSchema("findings", {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}})


def user(text: str) -> Message:
    return Message(Role.USER, Redacted(text))


def body(endpoint: str, request: ChatRequest, **more: str) -> JsonObject:
    model, base_url, overrides = ENDPOINTS[endpoint]
    return chat_body(request, profile_for(model, base_url, overrides), model, **more)


def test_the_whole_body_for_kimi_k2_6() -> None:
    request = ChatRequest(
        (Message(Role.SYSTEM, Redacted("Rules.")), user("Audit.")),
        max_tokens=16_000,
        thinking=Thinking.HIGH,
        schema=SCHEMA,
        tools=(
            ToolSpec("zoom_in", "Look.", {}),
            ToolSpec("dep_scan", "Scan.", {"properties": {"p": {"type": "string"}}}),
        ),
        cache_key="s1",
    )
    assert body("k2.6", request) == snapshot(
        {
            "model": "kimi-k2.6",
            "messages": [{"role": "system", "content": "Rules."}, {"role": "user", "content": "Audit."}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens": 16000,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "dep_scan",
                        "description": "Scan.",
                        "parameters": {"type": "object", "properties": {"p": {"type": "string"}}},
                    },
                },
                {
                    "type": "function",
                    "function": {
                        "name": "zoom_in",
                        "description": "Look.",
                        "parameters": {"type": "object", "properties": {}},
                    },
                },
            ],
            "tool_choice": "auto",
            "thinking": {"type": "enabled"},
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "findings",
                    "strict": True,
                    "schema": {
                        "type": "object",
                        "properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                    },
                },
            },
            "prompt_cache_key": "s1",
        }
    )


def differing(endpoint: str) -> dict[str, Json]:
    """What an endpoint is sent for each level of thinking, and how it is told to answer in JSON."""
    common = {"model", "messages", "stream", "stream_options"}
    levels: dict[str, Json] = {}
    for level in Thinking:
        sent = body(endpoint, ChatRequest((user("x"),), 100, level))
        levels[level] = {key: value for key, value in sent.items() if key not in common and "max" not in key}
    sent = body(endpoint, ChatRequest((user("x"),), 10**9, schema=SCHEMA, cache_key="s"))
    form = sent.get("response_format")
    kind = form["type"] if isinstance(form, dict) else None
    limits: dict[str, Json] = {key: value for key, value in sent.items() if "max" in key}
    return {**levels, "json": kind, **limits, "has_cache_key": "prompt_cache_key" in sent}


def test_each_endpoint_is_told_in_its_own_words() -> None:
    assert {name: differing(name) for name in ENDPOINTS} == snapshot(
        {
            "k2.6": {
                Thinking.AUTO: {},
                Thinking.OFF: {"thinking": {"type": "disabled"}},
                Thinking.LOW: {"thinking": {"type": "enabled"}},
                Thinking.HIGH: {"thinking": {"type": "enabled"}},
                Thinking.MAX: {"thinking": {"type": "enabled"}},
                "json": "json_schema",
                "max_completion_tokens": 131072,
                "has_cache_key": True,
            },
            "k2.7": {
                Thinking.AUTO: {},
                Thinking.OFF: {},
                Thinking.LOW: {},
                Thinking.HIGH: {},
                Thinking.MAX: {},
                "json": "json_schema",
                "max_completion_tokens": 131072,
                "has_cache_key": True,
            },
            "k3": {
                Thinking.AUTO: {},
                Thinking.OFF: {"reasoning_effort": "low"},
                Thinking.LOW: {"reasoning_effort": "low"},
                Thinking.HIGH: {"reasoning_effort": "high"},
                Thinking.MAX: {"reasoning_effort": "max"},
                "json": "json_schema",
                "max_completion_tokens": 131072,
                "has_cache_key": True,
            },
            "vllm": {
                Thinking.AUTO: {},
                Thinking.OFF: {"chat_template_kwargs": {"thinking": False}},
                Thinking.LOW: {"chat_template_kwargs": {"thinking": True}},
                Thinking.HIGH: {"chat_template_kwargs": {"thinking": True}},
                Thinking.MAX: {"chat_template_kwargs": {"thinking": True}},
                "json": "json_schema",
                "max_completion_tokens": 131072,
                "has_cache_key": False,
            },
            "sglang": {
                Thinking.AUTO: {},
                Thinking.OFF: {"chat_template_kwargs": {"thinking": False}},
                Thinking.LOW: {"chat_template_kwargs": {"thinking": True}},
                Thinking.HIGH: {"chat_template_kwargs": {"thinking": True}},
                Thinking.MAX: {"chat_template_kwargs": {"thinking": True}},
                "json": "json_schema",
                "max_completion_tokens": 131072,
                "has_cache_key": False,
            },
            "openrouter": {
                Thinking.AUTO: {},
                Thinking.OFF: {"reasoning": {"enabled": False}},
                Thinking.LOW: {"reasoning": {"effort": "low"}},
                Thinking.HIGH: {"reasoning": {"effort": "high"}},
                Thinking.MAX: {"reasoning": {"effort": "high"}},
                "json": "json_schema",
                "max_tokens": 131072,
                "has_cache_key": False,
            },
            "llama.cpp": {
                Thinking.AUTO: {},
                Thinking.OFF: {},
                Thinking.LOW: {},
                Thinking.HIGH: {},
                Thinking.MAX: {},
                "json": "json_schema",
                "max_tokens": 16384,
                "has_cache_key": False,
            },
            "unknown": {
                Thinking.AUTO: {},
                Thinking.OFF: {},
                Thinking.LOW: {},
                Thinking.HIGH: {},
                Thinking.MAX: {},
                "json": None,
                "max_tokens": 16384,
                "has_cache_key": False,
            },
        }
    )


def test_no_sampling_parameter_is_ever_sent() -> None:
    banned = {"temperature", "top_p", "n", "presence_penalty", "frequency_penalty", "seed", "user", "store"}
    for name in ENDPOINTS:
        assert not banned & body(name, ChatRequest((user("x"),), 100, Thinking.MAX)).keys()


@pytest.mark.parametrize(
    ("endpoint", "thinking", "choice"),
    [
        ("k2.6", Thinking.AUTO, "auto"),
        ("k2.6", Thinking.OFF, "required"),
        ("k2.7", Thinking.OFF, "auto"),
        ("k3", Thinking.LOW, "required"),
        ("llama.cpp", Thinking.AUTO, "auto"),
    ],
)
def test_a_tool_is_demanded_only_where_that_is_allowed(endpoint: str, thinking: Thinking, choice: str) -> None:
    request = ChatRequest(
        (user("x"),), 100, thinking, tools=(ToolSpec("scan", "", {}),), tool_choice=ToolChoice.REQUIRED
    )
    assert body(endpoint, request)["tool_choice"] == choice


LOOP = ChatRequest(
    (
        user("x"),
        Message(
            Role.ASSISTANT,
            Redacted(""),
            reasoning=Redacted("hm"),
            tool_calls=(ToolCall("functions.scan:0", "scan", "{}"), ToolCall("ok_1", "scan", "{}")),
        ),
        Message(Role.TOOL, Redacted("none"), tool_call_id="functions.scan:0"),
        Message(Role.TOOL, Redacted(""), tool_call_id="ok_1"),
    ),
    100,
)


def messages(endpoint: str, request: ChatRequest, **more: str) -> list[Json]:
    sent = body(endpoint, request, **more)["messages"]
    assert isinstance(sent, list)
    return sent


def test_a_tool_loop_echoes_reasoning_and_ids_as_the_endpoint_takes_them() -> None:
    assert messages("k2.6", LOOP)[1:] == snapshot(
        [
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "functions_scan_0_b14f4fa3",
                        "type": "function",
                        "function": {"name": "scan", "arguments": "{}"},
                    },
                    {"id": "ok_1", "type": "function", "function": {"name": "scan", "arguments": "{}"}},
                ],
                "reasoning_content": "hm",
            },
            {"role": "tool", "tool_call_id": "functions_scan_0_b14f4fa3", "content": "none"},
            {"role": "tool", "tool_call_id": "ok_1", "content": "(no output)"},
        ]
    )
    assert body("k2.6", LOOP)["thinking"] == {"type": "enabled", "keep": "all"}


def test_a_server_of_ones_own_gets_its_own_ids_and_field_back() -> None:
    assert messages("vllm", LOOP)[1:] == snapshot(
        [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "functions.scan:0", "type": "function", "function": {"name": "scan", "arguments": "{}"}},
                    {"id": "ok_1", "type": "function", "function": {"name": "scan", "arguments": "{}"}},
                ],
                "reasoning": "hm",
            },
            {"role": "tool", "tool_call_id": "functions.scan:0", "content": "none"},
            {"role": "tool", "tool_call_id": "ok_1", "content": "(no output)"},
        ]
    )


def test_the_field_that_was_seen_wins() -> None:
    assert "reasoning_content" in str(messages("vllm", LOOP, echo_field="reasoning_content"))


def test_a_tool_call_without_its_reasoning_gets_a_blank_where_it_is_demanded() -> None:
    request = ChatRequest((Message(Role.ASSISTANT, Redacted(""), tool_calls=(ToolCall("a", "scan", "{}"),)),), 10)
    assert '"reasoning_content": " "' in json.dumps(messages("k3", request))
    assert "reasoning" not in json.dumps(messages("sglang", request))
    off = ChatRequest(request.messages, 10, Thinking.OFF)
    assert "reasoning" not in json.dumps(messages("k2.6", off))


def test_two_ids_never_become_one() -> None:
    ids = ["a.b", "a:b", "a b", "é" * 80, "é" * 81, "x" * 64, "x" * 65]
    calls = tuple(ToolCall(each, "scan", "{}") for each in ids)
    sent = json.dumps(messages("k2.6", ChatRequest((Message(Role.ASSISTANT, Redacted(""), tool_calls=calls),), 10)))
    found = re.findall(r'"id": "([^"]*)"', sent)
    assert len(set(found)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in found)


def test_a_message_that_would_be_empty_is_left_out() -> None:
    said = (user("x"), Message(Role.ASSISTANT, Redacted("")), Message(Role.SYSTEM, Redacted(" \n")))
    assert messages("k2.6", ChatRequest(said, 10)) == [{"role": "user", "content": "x"}]


def test_the_bytes_are_compact_and_the_same_each_time_and_survive_a_lone_surrogate() -> None:
    request = ChatRequest((user("é\u2028数\ud800"),), 10)
    raw = encode(body("k2.6", request))
    assert raw == encode(body("k2.6", request))
    assert '"content":"é\u2028数?"'.encode() in raw
    assert json.loads(raw)["model"] == "kimi-k2.6"


def test_two_calls_share_their_prefix() -> None:
    system = Message(Role.SYSTEM, Redacted("rules " * 500))
    first, second = (encode(body("k2.6", ChatRequest((system, user(text)), 10))) for text in ("one", "two"))
    shared = next(index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert shared > len(system.content)


@pytest.mark.parametrize("name", ["", "ab", "1scan", "has.dot", "x" * 65, "naïve"])
def test_a_tool_name_that_is_refused_is_refused_early(name: str) -> None:
    with pytest.raises(ValueError, match="not a tool name"):
        ToolSpec(name, "", {})


def test_a_cap_without_room_is_refused_early() -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        ChatRequest((), 0)


def test_a_prompt_is_estimated_with_all_that_goes_along() -> None:
    bare = ChatRequest((user("x" * 350),), 10)
    full = ChatRequest(bare.messages, 10, schema=SCHEMA, tools=(ToolSpec("scan", "y" * 350, {}),))
    assert estimate_prompt(bare) == 108
    assert estimate_prompt(full) > 208
    assert estimate_prompt(LOOP) > estimate_prompt(ChatRequest(LOOP.messages[:1], 10))
