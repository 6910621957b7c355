"""What a person can choose for a session: depth, model, thinking, budget, scope; never beyond the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kimi_lsp.acp.protocol import Choice, ConfigOption, Mode, Modes
from kimi_lsp.config import Depth, Options, Resolved, Settings, Thinking, flag_options
from kimi_lsp.errors import UsageError

DEPTH, MODEL, THINKING, BUDGET, SCOPE = "depth", "model", "thinking", "budget", "scope"
CONFIGURED = "configured"
PROJECT, CHANGES = "project", "changes"

_DEPTHS = {
    Depth.LOCAL: ("Local", "Deterministic tools alone: no model, nothing is sent, nothing is spent."),
    Depth.SCREEN: ("Screen", "Kimi reviews what the tools have looked at."),
}
_THINKING = {
    Thinking.AUTO: "As the model does by itself",
    Thinking.OFF: "Off",
    Thinking.LOW: "Low",
    Thinking.HIGH: "High",
    Thinking.MAX: "As hard as it can",
}
_LOWER_USD = tuple(map(Decimal, ("0.05", "0.10", "0.25", "0.50", "1.00", "2.00", "5.00")))


@dataclass(frozen=True, slots=True)
class Menu:
    """The options of a session as a client shows them, and its modes, which mirror the depth."""

    options: tuple[ConfigOption, ...]
    modes: Modes

    def check(self, option: str, value: str) -> None:
        """Raise UsageError for an option or a value that is not on the menu. The text quotes neither."""
        known = next((one for one in self.options if one.id == option), None)
        if known is None:
            raise UsageError("there is no such option", hint=f"Options: {', '.join(one.id for one in self.options)}.")
        if value not in {choice.value for choice in known.options}:
            values = ", ".join(choice.value for choice in known.options)
            raise UsageError(f"{known.id} has no such value", hint=f"Values: {values}.")


def flags(values: Mapping[str, str]) -> Options:
    """What was chosen, as a command line says it. The budget is not among it: see `run_usd`."""
    return flag_options({key: values.get(key) for key in (DEPTH, MODEL, THINKING)})


def run_usd(values: Mapping[str, str]) -> Decimal | None:
    """The ceiling of one turn where one was chosen. Whoever uses it takes the lower of this and the settings'."""
    chosen = values.get(BUDGET, CONFIGURED)
    return None if chosen == CONFIGURED else Decimal(chosen)


def depth_of(resolved: Resolved, *, may_ask: bool = True) -> Depth:
    """How far a turn goes: as chosen or configured, else with the model where one can be asked.

    `may_ask` is False for somebody who has signed out.
    """
    settings = resolved.settings
    if not may_ask:
        return Depth.LOCAL
    if resolved.origins["depth"] != "default" or settings.depth is not Depth.LOCAL:
        return settings.depth
    return Depth.SCREEN if can_ask(settings) else Depth.LOCAL


def can_ask(settings: Settings) -> bool:
    """Say whether there is a model to ask: a key, or an endpoint on this machine."""
    return settings.api_key is not None or settings.is_loopback


def menu(resolved: Resolved, values: Mapping[str, str], models: Sequence[str], *, may_ask: bool = True) -> Menu:
    """The menu of a session.

    Args:
        resolved: the settings with what was chosen laid over them.
        values: what was chosen.
        models: ids that can be chosen beside the one that holds.
        may_ask: as in `depth_of`.
    """
    settings = resolved.settings
    depth = depth_of(resolved, may_ask=may_ask)
    shown = depth if depth in _DEPTHS else Depth.SCREEN
    ceiling = settings.budget.run_usd
    lower = [usd for usd in _LOWER_USD if usd < ceiling]
    options = (
        ConfigOption(
            DEPTH,
            "Depth",
            shown.value,
            tuple(Choice(one.value, *_DEPTHS[one]) for one in _DEPTHS),
            "How far an audit goes.",
            "mode",
        ),
        ConfigOption(
            MODEL,
            "Model",
            settings.model,
            tuple(Choice(one, one) for one in dict.fromkeys((settings.model, *models))),
            "The model that reviews and answers.",
            "model",
        ),
        ConfigOption(
            THINKING,
            "Thinking",
            settings.thinking.value,
            tuple(Choice(one.value, name) for one, name in _THINKING.items()),
            "How hard the model thinks before it answers.",
            "thought_level",
        ),
        ConfigOption(
            BUDGET,
            "Budget of a turn",
            values.get(BUDGET, CONFIGURED),
            (
                Choice(CONFIGURED, f"${ceiling:.2f}, as configured"),
                *(Choice(str(usd), f"${usd:.2f}") for usd in lower),
            ),
            "What one turn may cost at the most. Only the configuration can raise it.",
            "model_config",
        ),
        ConfigOption(
            SCOPE,
            "Scope",
            values.get(SCOPE, PROJECT),
            (
                Choice(PROJECT, "Project", "An audit without paths looks at every file."),
                Choice(CHANGES, "Changes", "An audit without paths looks at what differs from the last commit."),
            ),
            "What an audit looks at when no path is named.",
        ),
    )
    modes = Modes(shown.value, tuple(Mode(one.value, *_DEPTHS[one]) for one in _DEPTHS))
    return Menu(options, modes)


def kept(values: Mapping[str, str], current: Menu) -> dict[str, str]:
    """Those of earlier choices that are still on the menu: a configuration may have become tighter since."""
    on_menu = {(option.id, choice.value) for option in current.options for choice in option.options}
    return {option: value for option, value in values.items() if (option, value) in on_menu}
