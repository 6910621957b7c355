"""How each kind of endpoint words the same answer: Moonshot, vLLM, SGLang, OpenRouter, llama.cpp, no parser."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.faults import Problem
from tests.fakes.json_value import Json, JsonObject
from tests.fakes.models import CREATED, K3, K26, K27, K31, Model, self_hosted
from tests.fakes.script import Script, ToolCall, UsagePlace
from tests.fakes.tokens import Counts


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its JSON, and the text it carries."""

    body: JsonObject
    answer: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One dialect, as data."""

    name: str
    models: Sequence[Model]
    is_moonshot: bool = False  # Moonshot's request rules, routes and usage shape
    reasoning: Literal["reasoning_content", "reasoning", "details", "think", "think-unopened"] = "reasoning_content"
    usage_place: UsagePlace = "top"
    id_prefix: str = "chatcmpl-"
    tool_id: Callable[[ToolCall, int], str] = lambda call, index: f"call_{index:024x}"
    first_content: str | None = ""
    has_null_usage: bool = False  # chunks before the last say "usage": null
    comment: str | None = None  # sent before the first event
    chunk_fields: JsonObject = field(default_factory=dict[str, Json])
    delta_fields: JsonObject = field(default_factory=dict[str, Json])  # beside each piece of reasoning
    end_fields: JsonObject = field(default_factory=dict[str, Json])  # beside the finish reason
    has_native_finish: bool = False  # the finish reason once more, as the provider behind the gateway worded it
    has_timings: bool = False
    error: Literal["moonshot", "coded", "flat"] = "moonshot"
    has_bare_401: bool = False  # a refused key is {"error":"Unauthorized"}
    takes_any_model: bool = False  # the model of a request is not looked at

    def error_body(self, problem: Problem) -> JsonObject:
        """The body of an error answer."""
        kind = problem.kind if self.is_moonshot else _OPEN_KINDS.get(problem.status, problem.kind)
        if self.has_bare_401 and problem.status == 401:
            return {"error": "Unauthorized"}
        if self.error == "flat":
            return {"object": "error", "message": problem.message, "type": kind, "param": None, "code": problem.status}
        inner: JsonObject = {"message": problem.message}
        if kind is not None:
            inner["type"] = kind
        if self.error == "coded":
            inner["code"] = problem.status
        return {"error": inner}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about to be worded. `number` makes its id."""

    profile: Profile
    model: str
    script: Script
    counts: Counts
    number: int
    wants_usage_chunk: bool = False

    @property
    def id(self) -> str:
        """The completion's id, the same in every chunk."""
        return f"{self.profile.id_prefix}{self.number:024x}"

    @property
    def usage_place(self) -> UsagePlace:
        """Where the stream says its usage."""
        return self.script.usage_place or self.profile.usage_place

    @property
    def usage(self) -> JsonObject:
        """The usage object in this dialect."""
        counts = self.counts
        usage: JsonObject = {
            "prompt_tokens": counts.prompt,
            "completion_tokens": counts.completion,
            "total_tokens": counts.prompt + counts.completion,
        }
        if self.profile.is_moonshot:
            usage["cached_tokens"] = counts.cached
            if counts.cache_write:
                usage["prompt_tokens_details"] = {"cache_write_tokens": counts.cache_write}
        else:
            usage["prompt_tokens_details"] = {"cached_tokens": counts.cached}
        if self.profile.reasoning == "details" or self.script.reasoning_tokens is not None:
            usage["completion_tokens_details"] = {"reasoning_tokens": counts.reasoning}
        return usage

    @property
    def has_parser(self) -> bool:
        """Whether the server takes reasoning and tool calls out of the model's text."""
        return self.profile.reasoning not in ("think", "think-unopened")

    @property
    def finish_reason(self) -> str:
        """The finish reason as this server would name it."""
        if not self.has_parser and self.script.finish_reason is None:
            return "stop"
        return self.script.ending

    def tool_id(self, index: int) -> str:
        """The id of a tool call."""
        call = self.script.tool_calls[index]
        return call.id or self.profile.tool_id(call, index)

    def events(self, deltas: Iterator[JsonObject]) -> Iterator[Event]:
        """The whole stream, from the role to the usage, without [DONE]. `deltas` are those of the tool calls."""
        yield self._chunk({"role": "assistant", "content": self.profile.first_content})
        for piece in pieces(self.script.reasoning, self.script.chunk_chars if self.has_parser else 0):
            yield self._chunk(self._reasoning(piece), reasoning=piece)
        for piece in pieces(self.content, self.script.chunk_chars):
            yield self._chunk({"content": piece}, answer=piece)
        if self.has_parser:
            for delta in deltas:
                yield self._chunk({"tool_calls": [delta]})
        yield self._end()
        if self.wants_usage_chunk and self.usage_place in ("top", "both"):
            yield Event({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage, **self._timings()})

    @property
    def content(self) -> str:
        """The text of the answer; without a parser, all that the model wrote."""
        script = self.script
        if self.has_parser:
            return script.content
        opening = "<think>" if self.profile.reasoning == "think" else ""
        thought = f"{opening}{script.reasoning}</think>" if script.reasoning else ""
        return thought + script.content + _raw_calls(script.tool_calls)

    def whole(self) -> JsonObject:
        """The answer in one piece."""
        script = self.script
        reasoning = self._reasoning(script.reasoning) if self.has_parser and script.reasoning else {}
        message: JsonObject = {**reasoning, "role": "assistant", "content": self.content}
        if self.has_parser and script.tool_calls:
            message["tool_calls"] = [
                {"id": self.tool_id(index), "type": "function", "function": _function(call)}
                for index, call in enumerate(script.tool_calls)
            ]
        choice: JsonObject = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        choice |= self._end_fields
        body: JsonObject = {**self._head("chat.completion"), "choices": [choice]}
        if self.usage_place != "none":
            body["usage"] = self.usage
        return body | self._timings()

    def null_choices(self) -> Event:
        """An event some gateways send: choices is null."""
        return Event(self._head("chat.completion.chunk") | {"choices": None})

    @property
    def _end_fields(self) -> JsonObject:
        native: JsonObject = {"native_finish_reason": self.finish_reason} if self.profile.has_native_finish else {}
        return native | self.profile.end_fields

    def _head(self, kind: str) -> JsonObject:
        head: JsonObject = {"id": self.id, "object": kind, "created": CREATED, "model": self.model}
        return head | self.profile.chunk_fields

    def _chunk(self, delta: JsonObject, *, answer: str = "", reasoning: str = "") -> Event:
        choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": None}
        body: JsonObject = {**self._head("chat.completion.chunk"), "choices": [choice]}
        if self.profile.has_null_usage and self.wants_usage_chunk:
            body["usage"] = None
        return Event(body, answer, reasoning)

    def _end(self) -> Event:
        choice: JsonObject = {"index": 0, "delta": {}, "finish_reason": self.finish_reason}
        choice |= self._end_fields
        if self.usage_place in ("choice", "both"):
            choice["usage"] = self.usage
        return Event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _reasoning(self, text: str) -> JsonObject:
        if self.profile.reasoning == "details":
            part: JsonObject = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
            return {"content": "", "reasoning": text, "reasoning_details": [part]}
        return {self.profile.reasoning: text} | self.profile.delta_fields

    def _timings(self) -> JsonObject:
        if not self.profile.has_timings:
            return {}
        counts = self.counts
        return {"timings": {"cache_n": counts.cached, "prompt_n": counts.prompt, "predicted_n": counts.completion}}


def pieces(text: str, size: int) -> Iterator[str]:
    """A text in pieces of so many characters; size 0: none."""
    if size:
        for start in range(0, len(text), size):
            yield text[start : start + size]


def call_deltas(answer: Answer) -> list[list[JsonObject]]:
    """The deltas of each tool call: the first carries id and name, the rest the arguments."""
    calls: list[list[JsonObject]] = []
    for index, call in enumerate(answer.script.tool_calls):
        first: JsonObject = {
            "index": index,
            "id": answer.tool_id(index),
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        rest: list[JsonObject] = [
            {"index": index, "function": {"arguments": piece}}
            for piece in pieces(call.arguments, answer.script.chunk_chars)
        ]
        calls.append([first, *rest])
    return calls


def name_last(deltas: list[JsonObject]) -> list[JsonObject]:
    """The same call with its arguments first, and id and name in its last delta."""
    first, *rest = deltas
    return [*rest, first]


def without_index(delta: JsonObject) -> JsonObject:
    """A delta of a gateway that leaves the index out."""
    return {key: value for key, value in delta.items() if key != "index"}


def _function(call: ToolCall) -> JsonObject:
    return {"name": call.name, "arguments": call.arguments}


def _raw_calls(calls: Sequence[ToolCall]) -> str:
    """Tool calls as Kimi's template spells them when nobody parses them (K2 model card, tool call guidance)."""
    if not calls:
        return ""
    inner = "".join(
        f"<|tool_call_begin|>functions.{call.name}:{index}<|tool_call_argument_begin|>{call.arguments}<|tool_call_end|>"
        for index, call in enumerate(calls)
    )
    return f"<|tool_calls_section_begin|>{inner}<|tool_calls_section_end|>"


def _moonshot(name: str, *models: Model, has_null_usage: bool = False) -> Profile:
    return Profile(
        name,
        models,
        is_moonshot=True,
        usage_place="both",
        tool_id=lambda call, index: f"{call.name}:{index}",
        has_null_usage=has_null_usage,
        chunk_fields={"system_fingerprint": "fpv0_" + "c26222aa"},
    )


def _kimi_id(call: ToolCall, index: int) -> str:
    return f"functions.{call.name}:{index}"


_OPEN_KINDS = {400: "BadRequestError", 401: "authentication_error", 404: "NotFoundError"}
OPEN_MODEL = self_hosted("moonshotai/Kimi-K2.6")
PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        _moonshot("moonshot-k2.6", K26),
        _moonshot("moonshot-k2.7-code", K27),
        _moonshot("moonshot-k3", K3),
        _moonshot("moonshot-k3.1-pro", K31, has_null_usage=True),
        Profile(
            "vllm-new",
            (OPEN_MODEL,),
            reasoning="reasoning",
            tool_id=_kimi_id,
            delta_fields={"reasoning_content": None},
            end_fields={"stop_reason": None},
            error="coded",
            has_bare_401=True,
        ),
        Profile(
            "vllm-old",
            (OPEN_MODEL,),
            tool_id=_kimi_id,
            end_fields={"logprobs": None, "stop_reason": None},
            error="flat",
        ),
        Profile(
            "sglang",
            (OPEN_MODEL,),
            tool_id=_kimi_id,
            has_null_usage=True,
            end_fields={"matched_stop": None},
            error="flat",
        ),
        Profile(
            "openrouter",
            (self_hosted("moonshotai/kimi-k2.6"),),
            reasoning="details",
            id_prefix="gen-",
            comment="OPENROUTER PROCESSING",
            chunk_fields={"provider": "Moonshot AI"},
            has_native_finish=True,
            error="coded",
        ),
        Profile("no-parser", (OPEN_MODEL,), reasoning="think", error="coded"),
        Profile("no-parser-unopened", (OPEN_MODEL,), reasoning="think-unopened", error="coded"),
        Profile(
            "llama.cpp",
            (self_hosted("tiny-random", 8192),),
            first_content=None,
            has_timings=True,
            takes_any_model=True,
            chunk_fields={"system_fingerprint": "b11669-fake"},
            error="coded",
        ),
    )
}


def models_body(profile: Profile, models: Sequence[Model]) -> JsonObject:
    """The answer to GET /v1/models."""
    rows: list[Json] = []
    for model in models:
        if profile.is_moonshot:
            rows.append(model.moonshot_row)
        else:
            key = "context_length" if profile.name == "openrouter" else "max_model_len"
            row: JsonObject = {"id": model.id, "object": "model", "created": CREATED, key: model.context_length}
            if profile.has_timings:
                row = {"id": model.id, "object": "model", "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192}}
            rows.append(row)
    return {"object": "list", "data": rows}
