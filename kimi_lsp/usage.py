"""What a model call used and what that costs. Pure values, shared by the model client, the store and the auditor."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

NANO_USD = 1_000_000_000  # the ledger counts in whole billionths of a dollar, so that sums are exact
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, or a sum of calls.

    `prompt_tokens` includes `cached_tokens` and `cache_write_tokens`; `completion_tokens` includes `reasoning_tokens`.
    `is_estimated` marks a sum of which a part was not reported by the endpoint.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    is_estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Usage") -> "Usage":
        """The sum of two usages; estimated when either is."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.is_estimated or other.is_estimated,
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens. `is_assumed`: nobody stated them, a dear model's stand in."""

    input: Decimal
    cached_input: Decimal
    output: Decimal
    cache_write: Decimal = Decimal(0)  # on top of nothing: a written token costs this instead of `input`; 0 = as input
    is_assumed: bool = False

    def cost_usd(self, usage: Usage) -> Decimal:
        """The cost of a usage, rounded up to a billionth of a dollar."""
        write_price = self.cache_write or self.input
        fresh = max(usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        total = (
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + usage.cache_write_tokens * write_price
            + usage.completion_tokens * self.output
        ) / _MILLION
        return total.quantize(Decimal(1) / NANO_USD, rounding=ROUND_CEILING)
