"""The units of a large audit that have no cards of their own, in the words of the one card that counts them. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from kimi_lsp.audit import Spent
from kimi_lsp.faces.markup import dollars
from mcp_tools.output.summary import count_of


@dataclass(slots=True)
class Rest:
    """What has become of them."""

    begun: int = 0
    done: int = 0
    short: int = 0  # of those done: not reviewed as a whole
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    @property
    def is_done(self) -> bool:
        """None of them is under way."""
        return self.done >= self.begun

    def end(self, used: Spent, *, is_whole: bool) -> None:
        """One of them is done."""
        self.done += 1
        self.short += not is_whole
        self.tokens += used.usage.total_tokens
        self.cost_usd += used.cost_usd

    def title(self, model: str, units: int) -> str:
        """What the card is called, for so many units in all that have no card."""
        count = count_of(max(units, self.begun), "more unit")
        if not self.done:
            return f"{model} reviews {count}"
        short = f", {self.short:,} of them not whole" if self.short else ""
        return f"{model} reviews {self.done:,} of {count}{short}: {self.tokens:,} tokens, {dollars(self.cost_usd)}"
