"""What can be chosen for a session."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from kimi_lsp.acp.options import Menu, depth_of, flags, kept, menu, run_usd
from kimi_lsp.config import Depth, Resolved, load
from kimi_lsp.errors import UsageError

KEYED = {"KIMI_LSP_API_KEY": "k" * 8}
MODELS = ("kimi-k2.6", "kimi-k3")


def resolved(environ: dict[str, str], values: dict[str, str] | None = None) -> Resolved:
    return load(environ=environ, flags=flags(values or {}), rules=())


def shown(found: Menu) -> dict[str, str]:
    return {option.id: option.current_value for option in found.options}


def choices(found: Menu, option: str) -> list[str]:
    return [choice.value for one in found.options if one.id == option for choice in one.options]


def test_without_a_key_it_is_local_and_with_one_the_model_is_asked() -> None:
    assert shown(menu(resolved({}), {}, MODELS))["depth"] == "local"
    found = menu(resolved(KEYED), {}, MODELS)
    assert shown(found) == {
        "depth": "screen",
        "model": "kimi-k2.6",
        "thinking": "auto",
        "budget": "configured",
        "scope": "project",
    }
    assert (found.modes.current_mode_id, [mode.id for mode in found.modes.available_modes]) == (
        "screen",
        ["local", "screen"],
    )


def test_who_signed_out_asks_no_model_whatever_was_chosen() -> None:
    one = resolved(KEYED, {"depth": "screen"})
    assert depth_of(one) is Depth.SCREEN
    assert depth_of(one, may_ask=False) is Depth.LOCAL
    assert menu(one, {"depth": "screen"}, (), may_ask=False).modes.current_mode_id == "local"


def test_what_was_chosen_holds_unless_the_project_is_tighter() -> None:
    values = {"depth": "screen", "model": "kimi-k3", "thinking": "high"}
    one = resolved(KEYED, values)
    assert (one.settings.depth, one.settings.model, one.settings.thinking.value) == (Depth.SCREEN, "kimi-k3", "high")
    tightened = load(environ=KEYED, flags=flags(values), project_files={"kimi.toml": 'depth = "local"'}, rules=())
    assert shown(menu(tightened, values, MODELS))["depth"] == "local"


def test_a_budget_can_only_be_lowered() -> None:
    found = menu(resolved({**KEYED, "KIMI_LSP_RUN_USD": "0.30"}), {"budget": "0.10"}, ())
    assert choices(found, "budget") == ["configured", "0.05", "0.10", "0.25"]
    assert run_usd({"budget": "0.10"}) == Decimal("0.10")
    assert run_usd({"budget": "configured"}) is run_usd({}) is None


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("no-such", "x", "there is no such option Options: depth, model, thinking, budget, scope."),
        ("depth", "dual", "depth has no such value Values: local, screen."),
        ("budget", "1000", "budget has no such value Values: configured, 0.05, 0.10, 0.25, 0.50."),
        ("model", "evil\x1b[31m", "model has no such value Values: kimi-k2.6, kimi-k3."),
    ],
)
def test_what_is_not_on_the_menu_is_refused_without_quoting_it(option: str, value: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        menu(resolved(KEYED), {}, MODELS).check(option, value)
    assert caught.value.line == said


def test_earlier_choices_that_a_tighter_configuration_has_taken_away_are_dropped() -> None:
    earlier = {"budget": "0.50", "model": "gone", "scope": "changes", "depth": "screen"}
    tight = resolved({**KEYED, "KIMI_LSP_RUN_USD": "0.20"})
    assert kept(earlier, menu(tight, {}, MODELS)) == {"scope": "changes", "depth": "screen"}


def test_an_endpoint_of_ones_own_needs_no_key(tmp_path: Path) -> None:
    one = resolved({"KIMI_LSP_BASE_URL": "http://127.0.0.1:1/v1"})
    assert depth_of(one) is Depth.SCREEN
    assert depth_of(replace(one, settings=replace(one.settings, base_url="https://far.example/v1"))) is Depth.LOCAL
