"""The money of one run: reserved under its ceilings before each call to a model, settled after it."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import anyio
from anyio import to_thread

from kimi_lsp.audit.events import Spent
from kimi_lsp.errors import BudgetError
from kimi_lsp.model import ChatRequest, Endpoint, estimate_prompt
from kimi_lsp.store import Ceilings, Reservation, Store
from kimi_lsp.usage import Usage
from mcp_tools.redaction import Redacted

_ESTIMATE_MARGIN = 1.25  # an estimate lies within a third of the truth; a reserve has to be on the safe side
_ESTIMATE_MORE = 64


@dataclass(frozen=True, slots=True)
class Paid:
    """A call that may be made. `number` counts the calls of the run from 1: the trail knows it as `RUN/NUMBER`."""

    number: int
    reservation: Reservation


def prompt_tokens(request: ChatRequest) -> int:
    """Tokens of a request's prompt, rather too many than too few."""
    return int(estimate_prompt(request) * _ESTIMATE_MARGIN) + _ESTIMATE_MORE


class Till:
    """Pays for the calls of one run to one model. Any number of tasks of one event loop may share it."""

    def __init__(self, store: Store, run_id: str, endpoint: Endpoint, host: str, ceilings: Ceilings) -> None:
        """Set up; `host` is how the ledger names the endpoint."""
        self._ledger = store.ledger
        self._run_id = run_id
        self._model, self._prices = endpoint.model, endpoint.profile.prices
        self._host = host
        self._ceilings = ceilings
        self._settled = anyio.Event()
        self._open = 0
        self._calls = 0
        self._is_shut = False
        self.spent = Spent()

    async def reserve(self, request: ChatRequest, label: Redacted) -> Paid:
        """Reserve the most that a call can cost; while other calls of this run are open, wait for them to settle.

        Raises:
            BudgetError: it does not fit under a ceiling, and nothing is open that might leave room.
            StoreError: the ledger cannot be written.
        """
        most = Usage(prompt_tokens=prompt_tokens(request), completion_tokens=request.max_tokens)
        reserve = partial(
            self._ledger.reserve,
            self._run_id,
            model=self._model,
            endpoint=self._host,
            tokens=most.total_tokens,
            cost_usd=self._prices.cost_usd(most),
            ceilings=self._ceilings,
            label=label,
        )
        while True:
            settled = self._settled
            try:
                reservation = await to_thread.run_sync(reserve)
            except BudgetError:
                if self._open == 0 or self._is_shut:
                    raise
                await settled.wait()
                continue
            self._open += 1
            self._calls += 1
            return Paid(self._calls, reservation)

    def cost_usd(self, usage: Usage) -> Decimal:
        """What a usage costs."""
        return self._prices.cost_usd(usage)

    async def settle(self, paid: Paid, usage: Usage | None) -> None:
        """Put what a call used in its reserve's place; None: nothing was answered, so nothing is charged.

        Raises StoreError. Shield it from cancellation: what was spent must not be lost.
        """
        try:
            if usage is None:
                await to_thread.run_sync(self._ledger.release, paid.reservation)
                return
            cost_usd = self.cost_usd(usage)
            await to_thread.run_sync(partial(self._ledger.settle, paid.reservation, usage, cost_usd))
            self.spent = Spent(self.spent.usage + usage, self.spent.cost_usd + cost_usd, self.spent.calls + 1)
        finally:
            self._open -= 1
            self._settled.set()
            self._settled = anyio.Event()

    def shut(self) -> None:
        """Let nobody wait for a budget that will not be used."""
        self._is_shut = True
        self._settled.set()
