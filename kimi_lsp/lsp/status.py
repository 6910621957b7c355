"""What a status bar shows, sent as `kimi/status` when it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from kimi_lsp.lsp.protocol import StatusParams

_METHOD = "kimi/status"


@dataclass(slots=True)
class Facts:
    """What is known of the model and its budget."""

    model: str | None = None
    endpoint: str | None = None
    depth: str | None = None
    spent_usd: Decimal | None = None  # today, over all runs
    ceiling_usd: Decimal | None = None


class Status:
    """Keeps what was told last."""

    def __init__(self, notify: Callable[[StatusParams], None]) -> None:
        self._notify = notify
        self._told: StatusParams | None = None
        self.facts = Facts()
        self.audits = 0
        self.attention: str | None = None  # one sentence: consent, budget, endpoint, configuration

    def tell(self) -> None:
        """Send what holds now, unless the client knows it."""
        facts = self.facts
        params = StatusParams(
            state=self._state(),
            model=facts.model,
            endpoint=facts.endpoint,
            depth=facts.depth,
            spent_usd=None if facts.spent_usd is None else float(facts.spent_usd),
            ceiling_usd=None if facts.ceiling_usd is None else float(facts.ceiling_usd),
            audits=self.audits,
            message=self.attention,
        )
        if params != self._told:
            self._told = params
            self._notify(params)

    def _state(self) -> str:
        if self.audits:
            return "auditing"
        if self.attention is not None:
            return "attention"
        return "off" if self.facts.depth == "local" else "idle"
