"""Models are data: what each known model and endpoint takes, gives and costs.

Figures of Moonshot's models: its pricing and model pages as of November 2026, and the price tables of third parties
where those name none. Every field can be overridden by the user.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from kimi_lsp.model.hosts import host_of, is_private, is_within
from kimi_lsp.model.overrides import apply
from kimi_lsp.model.request import Thinking
from kimi_lsp.usage import Prices


class Dialect(StrEnum):
    """Whose variant of the chat completions API an endpoint speaks."""

    MOONSHOT = "moonshot"
    VLLM = "vllm"
    SGLANG = "sglang"
    OPENROUTER = "openrouter"
    LLAMA_CPP = "llama_cpp"
    OPENAI_COMPATIBLE = "openai_compatible"


class ThinkingControl(StrEnum):
    """How thinking is switched."""

    TYPE_FIELD = "type_field"  # `thinking: {type: enabled|disabled, keep}`
    EFFORT = "effort"  # `reasoning_effort`; it cannot be switched off
    ALWAYS = "always"  # it thinks; nothing is sent
    CHAT_TEMPLATE = "chat_template"  # `chat_template_kwargs: {thinking: bool}`
    REASONING_OBJECT = "reasoning_object"  # `reasoning: {enabled}` or `{effort}`
    NONE = "none"  # nothing is known, nothing is sent


class JsonMode(StrEnum):
    """How an endpoint is told to answer in JSON. Where it is not, the prompt alone says so."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model at an endpoint can do. Token counts; prices in US dollars for a million tokens.

    `max_output_tokens` bounds reasoning and answer together. `efforts` are the values that the effort field takes,
    least first. `echo_field` is where an assistant message's earlier reasoning goes back, if anywhere.
    """

    id: str
    title: str
    dialect: Dialect
    context_window: int
    max_output_tokens: int
    prices: Prices
    thinking: ThinkingControl = ThinkingControl.NONE
    efforts: tuple[str, ...] = ()
    allows_required_tools: bool = False
    allows_required_tools_thinking: bool = False
    json_mode: JsonMode = JsonMode.NONE
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning_details", "reasoning")
    echo_field: str = ""
    must_echo: bool = False  # a tool call without its reasoning is refused while thinking
    may_tag_thinking: bool = True  # `<think>` may stand in the content
    sends_cache_key: bool = False
    max_tokens_field: str = "max_tokens"
    normalises_schemas: bool = False

    def is_thinking(self, thinking: Thinking) -> bool:
        """Whether the model thinks at this setting."""
        match self.thinking:
            case ThinkingControl.EFFORT | ThinkingControl.ALWAYS:
                return True
            case ThinkingControl.NONE:
                return False
            case _:
                return thinking is not Thinking.OFF


def usd(cached_input: str, fresh_input: str, output: str, cache_write: str = "0") -> Prices:
    """Prices for a million tokens."""
    return Prices(Decimal(fresh_input), Decimal(cached_input), Decimal(output), Decimal(cache_write))


FREE = usd("0", "0", "0")
_WINDOW_K2, _WINDOW_K3 = 262_144, 1_048_576


def _k2(model: str, title: str, prices: Prices, thinking: ThinkingControl) -> Profile:
    return Profile(
        id=model,
        title=title,
        dialect=Dialect.MOONSHOT,
        context_window=_WINDOW_K2,
        max_output_tokens=131_072,
        prices=prices,
        thinking=thinking,
        allows_required_tools=True,
        json_mode=JsonMode.JSON_SCHEMA,
        echo_field="reasoning_content",
        must_echo=True,
        may_tag_thinking=False,
        sends_cache_key=True,
        max_tokens_field="max_completion_tokens",
        normalises_schemas=True,
    )


def _k3(model: str, title: str, prices: Prices) -> Profile:
    return replace(
        _k2(model, title, prices, ThinkingControl.EFFORT),
        context_window=_WINDOW_K3,
        efforts=("low", "high", "max"),
        allows_required_tools_thinking=True,
    )


KNOWN: Mapping[str, Profile] = {
    profile.id: profile
    for profile in (
        _k2("kimi-k2.6", "Kimi K2.6", usd("0.16", "0.95", "4.00"), ThinkingControl.TYPE_FIELD),
        _k2("kimi-k2.7-code", "Kimi K2.7 Code", usd("0.19", "0.95", "4.00"), ThinkingControl.ALWAYS),
        _k3("kimi-k3", "Kimi K3", usd("0.30", "3", "15", "3")),
        _k3("kimi-k3.1-pro", "Kimi K3.1 Pro", usd("0.20", "2", "10", "2")),
        _k3("kimi-k3.1-pro-highspeed", "Kimi K3.1 Pro, high speed", usd("0.20", "4", "20", "4")),
    )
}

_DEAREST = Prices(
    input=max(profile.prices.input for profile in KNOWN.values()),
    cached_input=max(profile.prices.cached_input for profile in KNOWN.values()),
    output=max(profile.prices.output for profile in KNOWN.values()),
    cache_write=Decimal(8),  # the one-hour price of the dearest
    is_assumed=True,
)
_UNKNOWN = Profile(
    id="",
    title="",
    dialect=Dialect.OPENAI_COMPATIBLE,
    context_window=32_768,
    max_output_tokens=16_384,
    prices=_DEAREST,
)


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a dialect brings along, whatever the model."""

    thinking: ThinkingControl
    json_mode: JsonMode
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning_details", "reasoning")
    echo_field: str = ""
    max_tokens_field: str = "max_tokens"
    efforts: tuple[str, ...] = ()
    may_tag_thinking: bool = True
    owners: tuple[str, ...] = field(default=())  # what `owned_by` says in this dialect's list of models


_TRAITS = {
    Dialect.MOONSHOT: _Traits(
        ThinkingControl.NONE,
        JsonMode.JSON_OBJECT,
        echo_field="reasoning_content",
        max_tokens_field="max_completion_tokens",
        owners=("moonshot",),
    ),
    Dialect.VLLM: _Traits(
        ThinkingControl.CHAT_TEMPLATE,
        JsonMode.JSON_SCHEMA,
        reasoning_fields=("reasoning", "reasoning_content"),
        echo_field="reasoning",
        max_tokens_field="max_completion_tokens",
        owners=("vllm",),
    ),
    Dialect.SGLANG: _Traits(
        ThinkingControl.CHAT_TEMPLATE,
        JsonMode.JSON_SCHEMA,
        echo_field="reasoning_content",
        max_tokens_field="max_completion_tokens",
        owners=("sglang",),
    ),
    Dialect.OPENROUTER: _Traits(
        ThinkingControl.REASONING_OBJECT,
        JsonMode.JSON_SCHEMA,
        reasoning_fields=("reasoning", "reasoning_content", "reasoning_details"),
        echo_field="reasoning",
        efforts=("low", "high"),
        may_tag_thinking=False,
    ),
    Dialect.LLAMA_CPP: _Traits(ThinkingControl.NONE, JsonMode.JSON_SCHEMA, owners=("llamacpp", "llama.cpp")),
    Dialect.OPENAI_COMPATIBLE: _Traits(ThinkingControl.NONE, JsonMode.NONE),
}


def profile_for(model: str, base_url: str, overrides: Mapping[str, object] | None = None) -> Profile:
    """The profile of a model at an endpoint.

    A hosted id (`kimi-k2.6`) keeps its model's rules and prices wherever it is asked for: a gateway bills it as well.
    Other ids, such as `moonshotai/Kimi-K2.6` on a server of one's own, get the rules of the endpoint's dialect, which
    the host or the override `dialect` names; they are free on a private host and as dear as the dearest elsewhere.

    Args:
        model: the id as the endpoint knows it.
        base_url: where the endpoint is. What is no URL names no host; `Endpoint` refuses it.
        overrides: the user's word on any field, and on `input_usd`, `cached_input_usd`, `output_usd`,
            `cache_write_usd` (dollars for a million tokens). What follows from `dialect` is set before the others.

    Raises:
        ConfigError: an unknown field (the message names the nearest) or a value of another type.
    """
    host = host_of(base_url)
    given = dict(overrides or {})
    dialect = apply(
        _Choice(_dialect_of(model, host)), {"dialect": given["dialect"]} if "dialect" in given else {}
    ).dialect
    known = KNOWN.get(model)
    if known is not None and dialect is Dialect.MOONSHOT:
        profile = known
    else:
        profile = _by_dialect(model, dialect, is_free=is_private(host) and known is None)
    given.pop("dialect", None)
    return apply(profile, given)


def dialect_by_owner(owned_by: str) -> Dialect | None:
    """The dialect that a list of models gives away by its `owned_by`."""
    return next((dialect for dialect, traits in _TRAITS.items() if owned_by.lower() in traits.owners), None)


@dataclass(frozen=True, slots=True)
class _Choice:
    dialect: Dialect


def _dialect_of(model: str, host: str) -> Dialect:
    if is_within(host, "openrouter.ai"):
        return Dialect.OPENROUTER
    is_moonshot = any(is_within(host, domain) for domain in ("moonshot.ai", "moonshot.cn", "kimi.com"))
    return Dialect.MOONSHOT if is_moonshot or model in KNOWN else Dialect.OPENAI_COMPATIBLE


def _by_dialect(model: str, dialect: Dialect, *, is_free: bool) -> Profile:
    traits = _TRAITS[dialect]
    kin = KNOWN.get(model.rpartition("/")[2].lower())  # moonshotai/Kimi-K2.6 -> kimi-k2.6
    return replace(
        _UNKNOWN,
        id=model,
        title=kin.title if kin else model,
        dialect=dialect,
        context_window=kin.context_window if kin else _UNKNOWN.context_window,
        max_output_tokens=kin.max_output_tokens if kin else _UNKNOWN.max_output_tokens,
        prices=FREE if is_free else _DEAREST,
        thinking=traits.thinking if kin or dialect is not Dialect.OPENROUTER else ThinkingControl.NONE,
        efforts=traits.efforts,
        json_mode=traits.json_mode,
        reasoning_fields=traits.reasoning_fields,
        echo_field=traits.echo_field,
        may_tag_thinking=traits.may_tag_thinking,
        sends_cache_key=dialect is Dialect.MOONSHOT,
        max_tokens_field=traits.max_tokens_field,
        normalises_schemas=dialect is Dialect.MOONSHOT,
    )
