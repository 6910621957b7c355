"""The ledger against a model of it that fits on a page: any order of calls, any day."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from kimi_lsp.errors import BudgetError, StoreError
from kimi_lsp.store import Ceilings, Period, Reservation, Store
from kimi_lsp.store.sums import of_calls, of_days
from kimi_lsp.usage import NANO_USD, Usage
from tests.store.helpers import Ticker, reserve

RUNS = ("run-1", "run-2")
SCOPES: tuple[tuple[str | None, Period], ...] = ((None, "day"), (None, "week"), (None, "all"), ("run-1", "week"))
NANO = st.integers(0, 40)
TOKENS = st.integers(0, 40)
LIMITS = st.none() | st.integers(0, 100)


def usd(nano: int) -> Decimal:
    return Decimal(nano) / NANO_USD


class LedgerModel(RuleBasedStateMachine):
    """Calls as (run, moment, tokens, nano, whether settled); a released one is gone."""

    held = Bundle("held")
    settled = Bundle("settled")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Ticker()
        self.store = Store.open("sqlite://", clock=self.clock)
        self.calls: dict[int, tuple[str, datetime, int, int, bool]] = {}

    def teardown(self) -> None:
        self.store.close()

    def sums(self, run: str | None, since: str) -> tuple[int, int, int, int, int, int]:
        """Settled tokens, nano and calls; reserved tokens, nano and calls."""
        total = [0] * 6
        for call_run, moment, tokens, nano, is_settled in self.calls.values():
            same_day = moment.date() == self.clock.now.date()
            same_week = moment.isocalendar()[:2] == self.clock.now.isocalendar()[:2]
            if (run in {None, call_run}) and {"day": same_day, "week": same_week, "all": True}[since]:
                for index, amount in enumerate((tokens, nano, 1)):
                    total[index + (0 if is_settled else 3)] += amount
        return total[0], total[1], total[2], total[3], total[4], total[5]

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule(target=held, run=st.sampled_from(RUNS), tokens=TOKENS, nano=NANO, limits=st.tuples(*[LIMITS] * 6))
    def a_call_is_reserved_or_refused(
        self, run: str, tokens: int, nano: int, limits: tuple[int | None, ...]
    ) -> Reservation | None:
        run_nano, day_nano, week_nano, run_tokens, day_tokens, week_tokens = limits
        ceilings = Ceilings(
            run_tokens,
            None if run_nano is None else usd(run_nano),
            day_tokens,
            None if day_nano is None else usd(day_nano),
            week_tokens,
            None if week_nano is None else usd(week_nano),
        )
        is_over = False
        for scope, since, max_tokens, max_nano in (
            (run, "all", run_tokens, run_nano),
            (None, "day", day_tokens, day_nano),
            (None, "week", week_tokens, week_nano),
        ):
            spent_tokens, spent_nano, _, held_tokens, held_nano, _ = self.sums(scope, since)
            is_over |= max_tokens is not None and spent_tokens + held_tokens + tokens > max_tokens
            is_over |= max_nano is not None and spent_nano + held_nano + nano > max_nano
        if is_over:
            with pytest.raises(BudgetError):
                reserve(self.store, f"{usd(nano):f}", ceilings, run=run, tokens=tokens)
            return None
        reservation = reserve(self.store, f"{usd(nano):f}", ceilings, run=run, tokens=tokens)
        assert reservation.id not in self.calls
        self.calls[reservation.id] = (run, self.clock.now, tokens, nano, False)
        return reservation

    @rule(target=settled, reservation=consumes(held), prompt=TOKENS, completion=TOKENS, nano=NANO)
    def a_call_is_settled(
        self, reservation: Reservation | None, prompt: int, completion: int, nano: int
    ) -> tuple[Reservation, Usage, int] | None:
        if reservation is None:
            return None
        usage = Usage(prompt, 0, completion)
        self.store.ledger.settle(reservation, usage, usd(nano))
        run, moment, *_ = self.calls[reservation.id]
        self.calls[reservation.id] = (run, moment, prompt + completion, nano, True)
        return reservation, usage, nano

    @rule(reservation=consumes(held))
    def a_call_is_released(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            self.store.ledger.release(reservation)
            self.store.ledger.release(reservation)
            del self.calls[reservation.id]

    @rule(known=settled, more=st.integers(0, 1))
    def a_settled_call_is_settled_again(self, known: tuple[Reservation, Usage, int] | None, more: int) -> None:
        if known is None:
            return
        reservation, usage, nano = known
        if more:
            with pytest.raises(StoreError):
                self.store.ledger.settle(reservation, usage, usd(nano + more))
            with pytest.raises(StoreError):
                self.store.ledger.release(reservation)
        else:
            self.store.ledger.settle(reservation, usage, usd(nano))

    @invariant()
    def the_sums_are_those_of_the_model(self) -> None:
        for run, since in SCOPES:
            spending = self.store.ledger.spending(run, since)
            assert (
                spending.tokens,
                spending.cost_usd * NANO_USD,
                spending.calls,
                spending.reserved_tokens,
                spending.reserved_usd * NANO_USD,
                spending.unsettled_calls,
            ) == self.sums(run, since)

    @invariant()
    def the_running_totals_are_the_sums_of_the_calls(self) -> None:
        with self.store.database.read() as connection:
            assert of_days(connection, None) == of_calls(connection, None)


LedgerModel.TestCase.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
TestLedgerModel = LedgerModel.TestCase
