from decimal import Decimal

import pytest

from kimi_lsp.errors import ConfigError
from kimi_lsp.model import KNOWN, Dialect, JsonMode, Thinking, ThinkingControl, dialect_by_owner, profile_for
from kimi_lsp.usage import Usage

HOSTED, LOCAL, PUBLIC = "https://api.moonshot.ai/v1", "http://127.0.0.1:8000/v1", "https://gateway.example/v1"
OPEN = "moonshotai/Kimi-K2.6"


@pytest.mark.parametrize(
    ("model", "window", "cost_usd", "thinking"),
    [
        ("kimi-k2.6", 262_144, "4.95", ThinkingControl.TYPE_FIELD),
        ("kimi-k2.7-code", 262_144, "4.95", ThinkingControl.ALWAYS),
        ("kimi-k3", 1_048_576, "18", ThinkingControl.EFFORT),
        ("kimi-k3.1-pro", 1_048_576, "12", ThinkingControl.EFFORT),
    ],
)
def test_moonshots_models_are_known(model: str, window: int, cost_usd: str, thinking: ThinkingControl) -> None:
    profile = profile_for(model, HOSTED)
    assert (profile.context_window, profile.thinking, profile.dialect) == (window, thinking, Dialect.MOONSHOT)
    assert profile.prices.cost_usd(Usage(prompt_tokens=10**6, completion_tokens=10**6)) == Decimal(cost_usd)
    assert not profile.prices.is_assumed


def test_a_cached_token_costs_its_own_price() -> None:
    prices = profile_for("kimi-k3.1-pro", HOSTED).prices
    assert prices.cost_usd(Usage(prompt_tokens=10**6, cached_tokens=10**6)) == Decimal("0.20")


def test_a_hosted_id_keeps_its_price_behind_a_local_gateway() -> None:
    assert profile_for("kimi-k2.6", LOCAL) == profile_for("kimi-k2.6", HOSTED) == KNOWN["kimi-k2.6"]


@pytest.mark.parametrize(
    ("model", "base_url", "overrides", "dialect"),
    [
        ("kimi-k9", HOSTED, {}, Dialect.MOONSHOT),
        ("kimi-k9", "https://api.kimi.com/coding/v1", {}, Dialect.MOONSHOT),
        ("moonshotai/kimi-k2.6", "https://openrouter.ai/api/v1", {}, Dialect.OPENROUTER),
        ("moonshotai/kimi-k2.6", "https://notopenrouter.ai/api/v1", {}, Dialect.OPENAI_COMPATIBLE),
        (OPEN, LOCAL, {}, Dialect.OPENAI_COMPATIBLE),
        (OPEN, LOCAL, {"dialect": "vllm"}, Dialect.VLLM),
        ("kimi-k2.6", LOCAL, {"dialect": "vllm"}, Dialect.VLLM),
        ("tiny", LOCAL, {"dialect": "llama_cpp"}, Dialect.LLAMA_CPP),
    ],
)
def test_the_dialect_follows_host_model_and_override(
    model: str, base_url: str, overrides: dict[str, object], dialect: Dialect
) -> None:
    assert profile_for(model, base_url, overrides).dialect is dialect


def test_an_open_model_on_a_server_of_ones_own_keeps_its_window_and_is_free() -> None:
    profile = profile_for(OPEN, LOCAL, {"dialect": "sglang"})
    assert (profile.title, profile.context_window) == ("Kimi K2.6", 262_144)
    assert profile.prices.cost_usd(Usage(10**6, 0, 10**6)) == 0
    assert profile.is_thinking(Thinking.AUTO)
    assert not profile.is_thinking(Thinking.OFF)


def test_an_unknown_model_elsewhere_is_taken_for_the_dearest() -> None:
    profile = profile_for("what", PUBLIC)
    assert profile.prices.is_assumed
    for known in KNOWN.values():
        usage = Usage(300_000, 100_000, 100_000, 0, 100_000)
        assert profile.prices.cost_usd(usage) >= known.prices.cost_usd(usage)
    assert (profile.thinking, profile.json_mode) == (ThinkingControl.NONE, JsonMode.NONE)


def test_every_field_can_be_overridden() -> None:
    profile = profile_for(
        "what",
        PUBLIC,
        {
            "context_window": 8192,
            "thinking": "effort",
            "efforts": ["low", "high"],
            "must_echo": True,
            "echo_field": "reasoning",
            "input_usd": 0.5,
            "output_usd": "1.25",
            "cached_input_usd": 0,
        },
    )
    assert (profile.context_window, profile.thinking, profile.efforts) == (
        8192,
        ThinkingControl.EFFORT,
        ("low", "high"),
    )
    assert (profile.must_echo, profile.echo_field) == (True, "reasoning")
    prices = profile.prices
    assert (prices.input, prices.output, prices.cached_input) == (Decimal("0.5"), Decimal("1.25"), Decimal(0))
    assert not prices.is_assumed


def test_half_a_price_list_is_still_assumed() -> None:
    assert profile_for("what", PUBLIC, {"input_usd": 1}).prices.is_assumed


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("context_windw", 1, "Unknown model profile key 'context_windw'. Did you mean 'context_window'?"),
        ("prices", {}, "Unknown model profile key 'prices'."),
        ("context_window", "big", "Model profile key 'context_window' must be a whole number above 0, not 'big'."),
        ("context_window", True, "must be a whole number above 0, not True."),
        ("context_window", 0, "must be a whole number above 0, not 0."),
        ("must_echo", 1, "must be true or false, not 1."),
        (
            "dialect",
            "klingon",
            "openrouter, llama_cpp, openai_compatible, not 'klingon'.",
        ),
        ("dialect", 3, "must be one of moonshot"),
        ("efforts", "low", "must be a list of strings, not 'low'."),
        ("efforts", [1], "must be a list of strings, not [1]."),
        ("echo_field", 1, "must be a string, not 1."),
        ("input_usd", -1, "must be dollars for a million tokens, 0 or more, not -1."),
        ("input_usd", "free", "must be dollars for a million tokens"),
        ("input_usd", float("nan"), "must be dollars for a million tokens"),
        ("input_usd", True, "must be dollars for a million tokens"),
    ],
)
def test_an_override_that_says_nothing_sensible_is_an_error(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        profile_for("what", PUBLIC, {key: value})
    assert message in caught.value.line


def test_a_list_of_models_gives_its_dialect_away() -> None:
    assert [dialect_by_owner(owner) for owner in ("vllm", "sglang", "llamacpp", "moonshot", "acme")] == [
        Dialect.VLLM,
        Dialect.SGLANG,
        Dialect.LLAMA_CPP,
        Dialect.MOONSHOT,
        None,
    ]
