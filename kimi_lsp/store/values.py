"""What goes into the store and what comes out: frozen values, free of SQL and cheap to import."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Literal

from kimi_lsp.store.chain import JsonValue
from kimi_lsp.usage import NANO_USD, Usage

MAX_COUNT = 2**53  # tokens, or billionths of a dollar, of one call: a thousand such calls still add up in 64 bits

Period = Literal["day", "week", "all"]


def nano_of(amount_usd: Decimal, *, is_limit: bool = False) -> int:
    """Whole billionths of a dollar; a cost is rounded up and a limit down, so that rounding never buys anything.

    Raises ValueError for an amount that is negative, not finite, or too large to count.
    """
    if not amount_usd.is_finite() or amount_usd < 0:
        raise ValueError(f"an amount of money must be zero or more, not {amount_usd}")
    if amount_usd > MAX_COUNT // NANO_USD and not is_limit:
        raise ValueError(f"{amount_usd} US dollars are more than the ledger can count")
    nano = (amount_usd * NANO_USD).to_integral_value(ROUND_FLOOR if is_limit else ROUND_CEILING)
    return int(nano)


def usd_of(nano: int) -> Decimal:
    """US dollars, exact to the billionth."""
    return Decimal(nano).scaleb(-9)


def dollars(nano: int) -> str:
    """`$4.98`, or `$0.000123` where two digits would hide something. Exact."""
    whole, _, fraction = f"{usd_of(nano):.9f}".partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def count_of(tokens: int) -> int:
    """The tokens, checked: ValueError when they are negative or too many to count."""
    if not 0 <= tokens <= MAX_COUNT:
        raise ValueError(f"a token count must be between 0 and {MAX_COUNT}, not {tokens}")
    return tokens


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What may be spent at the most; None = no ceiling. Zero allows only calls that cost nothing."""

    run_tokens: int | None = None
    run_usd: Decimal | None = None
    day_tokens: int | None = None
    day_usd: Decimal | None = None
    week_tokens: int | None = None
    week_usd: Decimal | None = None

    def __post_init__(self) -> None:
        for tokens in (self.run_tokens, self.day_tokens, self.week_tokens):
            if tokens is not None and tokens < 0:
                raise ValueError(f"a ceiling must be zero or more, not {tokens}")
        for amount_usd in (self.run_usd, self.day_usd, self.week_usd):
            if amount_usd is not None:
                nano_of(amount_usd, is_limit=True)


@dataclass(frozen=True, slots=True)
class Spending:
    """A sum over calls. `tokens`, `cost_usd` and `calls` are settled; what is reserved and not yet settled is apart."""

    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    calls: int = 0
    reserved_tokens: int = 0
    reserved_usd: Decimal = Decimal(0)
    unsettled_calls: int = 0
    estimated_calls: int = 0  # settled with a usage that the endpoint did not report in full


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in the budget for one call. It counts until it is settled or released, whatever became of its process."""

    id: int
    run_id: str
    model: str
    endpoint: str
    label: str
    tokens: int
    cost_usd: Decimal
    reserved_at: str  # UTC; its day and week are the ones the call counts for


class CallState(StrEnum):
    """Where a call stands."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `usage`, `cost_usd` and `settled_at` are None until the call is settled."""

    reservation: Reservation
    state: CallState
    usage: Usage | None
    cost_usd: Decimal | None
    settled_at: str | None


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody agreed that this project's text goes to this endpoint."""

    project: str
    endpoint: str
    given_at: str


class Decision(StrEnum):
    """A human's word on a finding."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on the finding with this fingerprint, with its reason and its author."""

    fingerprint: str
    decision: Decision
    reason: str
    who: str
    given_at: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation beside what was said in it. Stamps are UTC; `updated_at` is its last change."""

    id: str
    cwd: str
    roots: tuple[str, ...]  # the folders that it may see besides `cwd`
    title: str
    values: Mapping[str, str]  # the chosen options
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class History:
    """What was said in a conversation, oldest first, and how many entries are not in it.

    `dropped` entries came before the first one here and went to make room; `damaged` ones, anywhere, cannot be read.
    """

    entries: tuple[JsonValue, ...]
    dropped: int = 0
    damaged: int = 0
