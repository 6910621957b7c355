"""Moonshot's request rules, one function a row, in the order of the table in the project's API reference (section 3).

Each rule takes a Chat and returns the message of the 400 answer, or None. The wording is Moonshot's where it is known.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fakes.faults import Problem
from tests.fakes.json_value import Json, JsonObject, compact, get, items
from tests.fakes.models import Family, Model
from tests.fakes.schema import violation
from tests.fakes.tokens import count, prompt_of

FUNCTION_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9\-_]{2,63}")
ROLES = ("system", "user", "assistant", "tool")
EFFORTS = ("low", "high", "max")
FIXED: dict[str, float] = {"top_p": 0.95, "n": 1, "presence_penalty": 0, "frequency_penalty": 0}
MAX_TOOLS, MAX_STOPS, MAX_STOP_BYTES = 128, 5, 32


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat completion request whose model is known."""

    body: JsonObject
    model: Model

    @property
    def messages(self) -> list[Json]:
        """The messages as sent."""
        return items(self.body.get("messages"))

    @property
    def is_k2(self) -> bool:
        """Whether the rules of the K2 series hold."""
        return self.model.family in (Family.K26, Family.K27)

    @property
    def is_thinking(self) -> bool:
        """Whether the model will think: by default, or because it always does."""
        return self.model.family is not Family.K26 or get(self.body, "thinking", "type") != "disabled"

    @property
    def prompt_tokens(self) -> int:
        """The size of the prompt."""
        return count(prompt_of(self.body))

    @property
    def max_tokens(self) -> int:
        """The answer's limit: max_completion_tokens wins over the older max_tokens; else the model's default."""
        for key in ("max_completion_tokens", "max_tokens"):
            value = self.body.get(key)
            if isinstance(value, int):
                return value
        return self.model.default_max_tokens

    @property
    def wants_stream(self) -> bool:
        """Whether the answer is to be streamed."""
        return self.body.get("stream") is True

    @property
    def wants_usage_chunk(self) -> bool:
        """Whether stream_options asks for a usage chunk at the end."""
        return get(self.body, "stream_options", "include_usage") is True


def check(chat: Chat) -> Problem | None:
    """The first rule that a request breaks, as the answer it gets; None when it may pass."""
    for rule in RULES:
        message = rule(chat)
        if message is not None:
            return Problem(400, "invalid_request_error", message)
    return None


def messages_exist(chat: Chat) -> str | None:
    if not chat.messages:
        return "messages must not be empty"
    if any(not isinstance(message, dict) for message in chat.messages):
        return "every message must be an object"
    return None


def tools_are_functions(chat: Chat) -> str | None:
    tools = chat.body.get("tools")
    if tools is not None and not isinstance(tools, list):
        return "tools must be an array"
    if len(items(tools)) > MAX_TOOLS:
        return f"too many tools: at most {MAX_TOOLS} are allowed"
    names = [get(tool, "function", "name") for tool in items(tools)]
    for tool, name in zip(items(tools), names, strict=True):
        message = _tool(tool, name)
        if message is not None:
            return message
    if len(set(map(str, names))) != len(names):
        return "function name is duplicated"
    return None


def stops_are_few_and_short(chat: Chat) -> str | None:
    stop = chat.body.get("stop")
    if stop is None or isinstance(stop, str):
        stops: list[Json] = [] if stop is None else [stop]
    elif isinstance(stop, list):
        stops = stop
    else:
        return "stop must be a string or an array of strings"
    if len(stops) > MAX_STOPS:
        return f"too many stop sequences: at most {MAX_STOPS} are allowed"
    if any(not isinstance(one, str) or len(one.encode()) > MAX_STOP_BYTES for one in stops):
        return f"a stop sequence must be a string of at most {MAX_STOP_BYTES} bytes"
    return None


def messages_say_something(chat: Chat) -> str | None:
    for position, message in enumerate(chat.messages):
        role, content = get(message, "role"), get(message, "content")
        if role not in ROLES:
            return f"the role of the message at position {position} is invalid: {role}"
        if any(get(part, "type") == "text" and not get(part, "text") for part in items(content)):
            return "text content is empty"
        has_more = items(get(message, "tool_calls")) or (role == "system" and "tools" in _object(message))
        if not content and not has_more:
            return f"the message at position {position} with role '{role}' must not be empty"
    return None


def tool_results_follow_their_calls(chat: Chat) -> str | None:
    known: set[str] = set()
    for message in chat.messages:
        role = get(message, "role")
        if role == "assistant":
            calls = items(get(message, "tool_calls"))
            known = {name for call in calls if isinstance(name := get(call, "id"), str)}
        elif role == "tool":
            wanted = get(message, "tool_call_id")
            if not isinstance(wanted, str) or wanted not in known:
                return "tool_call_id  is not found"
        else:
            known = set()
    return None


def reasoning_is_returned(chat: Chat) -> str | None:
    if not chat.is_thinking:
        return None
    for index, message in enumerate(chat.messages):
        is_call = get(message, "role") == "assistant" and items(get(message, "tool_calls"))
        if is_call and not isinstance(get(message, "reasoning_content"), str):
            return (
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {index}"
            )
    return None


def thinking_is_switched_one_way(chat: Chat) -> str | None:
    thinking = chat.body.get("thinking")
    if thinking is None:
        return None
    if chat.model.family is Family.K26 and chat.body.get("reasoning_effort") is not None:
        return "cannot specify both 'thinking' and 'reasoning_effort'"
    if chat.model.family is Family.K3:
        return f"thinking is not supported by {chat.model.id}, use reasoning_effort"
    kinds = ("enabled",) if chat.model.family is Family.K27 else ("enabled", "disabled")
    if get(thinking, "type") not in kinds:
        return f"invalid thinking: type must be one of {', '.join(kinds)}"
    keeps = ("all",) if chat.model.family is Family.K27 else ("all", None)
    if get(thinking, "keep") not in keeps:
        return "invalid thinking: keep must be 'all'"
    return None


def thinking_allows_the_tool_choice(chat: Chat) -> str | None:
    choice = chat.body.get("tool_choice")
    if chat.is_k2 and chat.is_thinking:
        if choice == "required":
            return "tool_choice 'required' is incompatible with thinking enabled"
        if isinstance(choice, dict):
            return "tool_choice 'specified' is incompatible with thinking enabled"
    return None


def tool_choice_is_known(chat: Chat) -> str | None:
    choice = chat.body.get("tool_choice")
    if choice == "required" and not items(chat.body.get("tools")):
        return "tool_choice 'required' needs tools"
    is_named = isinstance(choice, dict) and isinstance(get(choice, "function", "name"), str)
    if choice not in (None, "auto", "none", "required") and not is_named:
        return f"invalid tool_choice: {compact(choice)}"
    return None


def sampling_is_fixed(chat: Chat) -> str | None:
    temperature = 1 if chat.is_thinking else 0.6
    for name, fixed in ({"temperature": temperature} | FIXED).items():
        value = chat.body.get(name)
        if value is not None and value != fixed:
            return f"invalid {name}: only {fixed:g} is allowed for this model"
    return None


def effort_is_known(chat: Chat) -> str | None:
    effort = chat.body.get("reasoning_effort")
    if effort is None:
        return None
    if not isinstance(effort, str):
        return "the reasoning_effort field (expected type string) is illegal"
    if chat.model.family is Family.K3 and effort not in EFFORTS:
        return f"invalid reasoning_effort: {effort}"
    return None


def response_format_is_complete(chat: Chat) -> str | None:
    wanted = chat.body.get("response_format")
    if wanted is None:
        return None
    if get(wanted, "type") not in ("text", "json_object", "json_schema"):
        return f"invalid response_format type: {get(wanted, 'type')}"
    if get(wanted, "type") != "json_schema":
        return None
    name, schema = get(wanted, "json_schema", "name"), get(wanted, "json_schema", "schema")
    if not isinstance(name, str) or not name:
        return "invalid response_format: json_schema.name is required"
    if not isinstance(schema, dict):
        return "invalid response_format: json_schema.schema must be an object"
    strict = get(wanted, "json_schema", "strict")
    if strict is not None and not isinstance(strict, bool):
        return "invalid response_format: json_schema.strict must be a boolean"
    return _flavour("response_format.json_schema.schema", schema) if strict else None


def dynamic_tools_come_alone(chat: Chat) -> str | None:
    for position, message in enumerate(chat.messages):
        if "tools" not in _object(message):
            continue
        if chat.model.family is not Family.K3 or get(message, "role") != "system" or get(message, "content"):
            return f"tools are not allowed in the message at position {position}"
    return None


def the_prompt_fits(chat: Chat) -> str | None:
    if chat.prompt_tokens > chat.model.context_length:
        return "Input token length too long"
    for key in ("max_completion_tokens", "max_tokens"):
        value = chat.body.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            return f"invalid {key}: must be a positive integer"
    if chat.prompt_tokens + chat.max_tokens > chat.model.context_length:
        return f"Your request exceeded model token limit : {chat.model.context_length}"
    return None


def a_prefill_is_no_json_object(chat: Chat) -> str | None:
    positions = [index for index, message in enumerate(chat.messages) if get(message, "partial") is True]
    if not positions:
        return None
    if positions != [len(chat.messages) - 1] or get(chat.messages[-1], "role") != "assistant":
        return "partial is only allowed on a last message of role 'assistant'"
    if get(chat.body, "response_format", "type") == "json_object":
        return "partial mode is incompatible with response_format json_object"
    return None


def cache_lifetime_is_known(chat: Chat) -> str | None:
    options = chat.body.get("prompt_cache_options")
    if chat.model.family is Family.K3 and options is not None and get(options, "ttl") not in ("5m", "1h"):
        return "invalid prompt_cache_options: ttl must be 5m or 1h"
    return None


Rule = Callable[[Chat], str | None]
RULES: Sequence[Rule] = (
    messages_exist,
    tools_are_functions,
    stops_are_few_and_short,
    messages_say_something,
    tool_results_follow_their_calls,
    reasoning_is_returned,
    thinking_is_switched_one_way,
    thinking_allows_the_tool_choice,
    tool_choice_is_known,
    sampling_is_fixed,
    effort_is_known,
    response_format_is_complete,
    dynamic_tools_come_alone,
    the_prompt_fits,
    a_prefill_is_no_json_object,
    cache_lifetime_is_known,
)


def _tool(tool: Json, name: Json) -> str | None:
    kind = get(tool, "type")
    if kind == "builtin_function":
        return None if isinstance(name, str) and name.startswith("$") else f"unknown builtin function: {name}"
    if kind != "function":
        return f"invalid tool type: {kind}"
    if not isinstance(name, str) or not FUNCTION_NAME.fullmatch(name):
        return f"function name is invalid: {compact(name)} must match ^{FUNCTION_NAME.pattern}$"
    parameters = get(tool, "function", "parameters")
    if parameters is None:
        return None
    return _flavour("tools.function.parameters", parameters)


def _flavour(where: str, schema: Json) -> str | None:
    if get(schema, "type") != "object":
        return f'{where}.type is required and must be "object"'
    broken = violation(schema)
    return broken and f"{where} is not a valid moonshot flavored json schema, details: <{broken}>"


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
