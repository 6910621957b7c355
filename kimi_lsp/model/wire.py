"""A request in an endpoint's own words: ChatRequest and Profile in, JSON out. Pure.

Sampling parameters are never sent: Moonshot fixes them, and refuses any other value.
"""

import hashlib
import json
import re

from kimi_lsp.model.profiles import Dialect, JsonMode, Profile, ThinkingControl
from kimi_lsp.model.request import AnswerSchema, ChatRequest, Json, JsonObject, Message, Role, Thinking, ToolChoice
from kimi_lsp.model.schema import normalise

_OWN_SERVERS = frozenset({Dialect.VLLM, Dialect.SGLANG, Dialect.LLAMA_CPP})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FOREIGN_IN_ID = re.compile(r"[^A-Za-z0-9_-]")


def chat_body(request: ChatRequest, profile: Profile, model: str, *, echo_field: str | None = None) -> JsonObject:
    """The body of `POST /chat/completions`, streaming, usage included.

    `echo_field` is the field in which this endpoint was seen to send reasoning; it wins over the profile's.
    """
    is_thinking = profile.is_thinking(request.thinking)
    messages = [_message(each, profile, echo_field or profile.echo_field, is_thinking) for each in request.messages]
    body: JsonObject = {
        "model": model,
        "messages": [message for message in messages if message is not None],
        "stream": True,
        "stream_options": {"include_usage": True},
        profile.max_tokens_field: min(request.max_tokens, profile.max_output_tokens),
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": _schema(tool.parameters, profile),
                },
            }
            for tool in sorted(request.tools, key=lambda tool: tool.name)  # the order is part of the cached prefix
        ]
        body["tool_choice"] = _tool_choice(request.tool_choice, profile, is_thinking=is_thinking)
    body.update(_thinking(request, profile))
    if request.schema is not None:
        body.update(_answer_format(request.schema, profile))
    if request.cache_key and profile.sends_cache_key:
        body["prompt_cache_key"] = request.cache_key
    return body


def encode(body: JsonObject) -> bytes:
    """The exact bytes to send: compact UTF-8. A lone surrogate becomes "?": no server takes one."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _message(message: Message, profile: Profile, echo_field: str, is_thinking: bool) -> JsonObject | None:
    """One message, or None where it would be empty, which is refused."""
    said: JsonObject = {"role": message.role.value}
    if message.role is Role.TOOL:
        call_id = _call_id(message.tool_call_id or "", profile)
        return {**said, "tool_call_id": call_id, "content": message.content or "(no output)"}
    if message.content.strip():
        said["content"] = message.content
    elif not message.tool_calls:
        return None
    if message.tool_calls:
        said["tool_calls"] = [
            {
                "id": _call_id(call.id, profile),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.role is Role.ASSISTANT and is_thinking and echo_field:
        reasoning = message.reasoning or (" " if profile.must_echo and message.tool_calls else "")
        if reasoning:
            said[echo_field] = reasoning
    return said


def _call_id(call_id: str, profile: Profile) -> str:
    """A call's id as it may be echoed; a server of one's own gets its own back (K2's template reads it)."""
    if profile.dialect in _OWN_SERVERS or _ID.fullmatch(call_id):
        return call_id
    digest = hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{_FOREIGN_IN_ID.sub('_', call_id)[:55]}_{digest}"  # the digest keeps two ids apart


def _tool_choice(choice: ToolChoice, profile: Profile, *, is_thinking: bool) -> str:
    is_allowed = profile.allows_required_tools_thinking if is_thinking else profile.allows_required_tools
    return (choice if is_allowed or choice is not ToolChoice.REQUIRED else ToolChoice.AUTO).value


def _thinking(request: ChatRequest, profile: Profile) -> JsonObject:
    """The fields that switch thinking."""
    level, is_off = request.thinking, request.thinking is Thinking.OFF
    match profile.thinking:
        case ThinkingControl.TYPE_FIELD:
            if is_off:
                return {"thinking": {"type": "disabled"}}
            if any(message.role is Role.ASSISTANT and message.reasoning for message in request.messages):
                return {"thinking": {"type": "enabled", "keep": "all"}}
            return {} if level is Thinking.AUTO else {"thinking": {"type": "enabled"}}
        case ThinkingControl.EFFORT if level is not Thinking.AUTO and profile.efforts:
            return {"reasoning_effort": _effort(level, profile.efforts)}
        case ThinkingControl.CHAT_TEMPLATE if level is not Thinking.AUTO:
            return {"chat_template_kwargs": {"thinking": not is_off}}
        case ThinkingControl.REASONING_OBJECT if level is not Thinking.AUTO:
            if is_off or not profile.efforts:
                return {"reasoning": {"enabled": not is_off}}
            return {"reasoning": {"effort": _effort(level, profile.efforts)}}
        case _:
            return {}


def _effort(level: Thinking, efforts: tuple[str, ...]) -> str:
    """The nearest effort: the level's own name if it is one, else the least or the most."""
    if level.value in efforts:
        return level.value
    return efforts[0] if level in {Thinking.OFF, Thinking.LOW} else efforts[-1]


def _answer_format(schema: AnswerSchema, profile: Profile) -> JsonObject:
    match profile.json_mode:
        case JsonMode.JSON_SCHEMA:
            named: JsonObject = {"name": schema.name, "strict": True, "schema": _schema(schema.schema, profile)}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case JsonMode.JSON_OBJECT:
            return {"response_format": {"type": "json_object"}}
        case JsonMode.NONE:
            return {}


def _schema(schema: JsonObject, profile: Profile) -> Json:
    return normalise(schema) if profile.normalises_schemas else schema
