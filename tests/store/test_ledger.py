"""The ledger: what is reserved, settled and released, and which ceiling refuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kimi_lsp.errors import BudgetError, StoreError
from kimi_lsp.store import CallState, Ceilings, Entry, Period, Reservation, Spending, Store
from kimi_lsp.store.clock import week_of
from kimi_lsp.store.values import dollars, nano_of, usd_of
from kimi_lsp.usage import Usage
from tests.store.helpers import Ticker, reserve, spend


def refusal(store: Store, cost: str, ceilings: Ceilings, *, run: str = "run-1", tokens: int = 100) -> str:
    with pytest.raises(BudgetError) as caught:
        reserve(store, cost, ceilings, run=run, tokens=tokens)
    return caught.value.line


def test_a_call_is_reserved_then_settled_with_what_it_used(store: Store, clock: Ticker) -> None:
    held = store.ledger.reserve(
        "run-1",
        model="kimi-k2.6",
        endpoint="api.example",
        tokens=5000,
        cost_usd=Decimal("0.0123"),
        ceilings=Ceilings(),
        label="security app.py",
    )
    assert held == Reservation(
        held.id,
        "run-1",
        "kimi-k2.6",
        "api.example",
        "security app.py",
        5000,
        Decimal("0.0123"),
        "2026-11-25T12:00:00.000000Z",
    )
    assert store.ledger.open_reservations() == [held]
    assert store.ledger.spending() == Spending(reserved_tokens=5000, reserved_usd=Decimal("0.0123"), unsettled_calls=1)

    clock.advance(seconds=9)
    usage = Usage(4000, 3000, 200, 150, 20, is_estimated=True)
    store.ledger.settle(held, usage, Decimal("0.0011"))

    assert store.ledger.open_reservations() == []
    assert store.ledger.spending() == Spending(tokens=4200, cost_usd=Decimal("0.0011"), calls=1, estimated_calls=1)
    assert store.ledger.entries() == [
        Entry(held, CallState.SETTLED, usage, Decimal("0.0011"), "2026-11-25T12:00:09.000000Z")
    ]


def test_a_released_reservation_counts_no_more(store: Store) -> None:
    store.ledger.release(reserve(store, "1"))
    assert store.ledger.spending() == Spending()
    reserve(store, "1", Ceilings(run_usd=Decimal(1)))


@pytest.mark.parametrize(
    ("cost", "tokens", "ceilings", "message", "hint"),
    [
        (
            "0.02",
            0,
            Ceilings(run_usd=Decimal(5)),
            "The run ceiling of $5.00 would be passed: $4.98 spent, $0.01 reserved, $0.02 needed.",
            "The next run starts from zero.",
        ),
        (
            "0.12",
            0,
            Ceilings(day_usd=Decimal(5)),
            "The daily ceiling of $5.00 would be passed: $4.98 spent, $0.01 reserved, $0.12 needed.",
            "It starts anew on Thursday 2026-11-26 at 00:00 UTC.",
        ),
        (
            "0.000000001",
            0,
            Ceilings(week_usd=Decimal("4.99")),
            "The weekly ceiling of $4.99 would be passed: $4.98 spent, $0.01 reserved, $0.000000001 needed.",
            "It starts anew on Monday 2026-11-30 at 00:00 UTC.",
        ),
        (
            "0",
            11,
            Ceilings(run_tokens=1000),
            "The run ceiling of 1,000 tokens would be passed: 900 spent, 90 reserved, 11 needed.",
            "The next run starts from zero.",
        ),
        (
            "0",
            11,
            Ceilings(day_tokens=1000),
            "The daily ceiling of 1,000 tokens would be passed: 900 spent, 90 reserved, 11 needed.",
            "It starts anew on Thursday 2026-11-26 at 00:00 UTC.",
        ),
        (
            "0",
            20_000,
            Ceilings(week_tokens=1000),
            "The weekly ceiling of 1,000 tokens would be passed: 900 spent, 90 reserved, 20,000 needed.",
            "It starts anew on Monday 2026-11-30 at 00:00 UTC.",
        ),
    ],
)
def test_every_ceiling_names_itself(cost: str, tokens: int, ceilings: Ceilings, message: str, hint: str) -> None:
    with Store.open("sqlite://", clock=Ticker()) as store:
        spend(store, "4.98", tokens=900)
        reserve(store, "0.01", tokens=90)
        with pytest.raises(BudgetError) as caught:
            reserve(store, cost, ceilings, tokens=tokens)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_the_narrowest_ceiling_is_named_when_several_are_passed(store: Store) -> None:
    everything = Ceilings(run_usd=Decimal(1), day_usd=Decimal(1), week_usd=Decimal(1))
    assert refusal(store, "2", everything).startswith("The run ceiling")


def test_a_refused_call_leaves_no_trace(store: Store) -> None:
    refusal(store, "2", Ceilings(day_usd=Decimal(1)))
    assert store.ledger.entries() == []
    assert store.ledger.spending() == Spending()


def test_a_ceiling_may_be_reached_but_not_passed(store: Store) -> None:
    exact = Ceilings(run_usd=Decimal("0.02"), run_tokens=200)
    reserve(store, "0.01", exact)
    reserve(store, "0.01", exact)
    assert "$0.02 reserved" in refusal(store, "0.000000001", exact, tokens=0)
    assert "200 reserved" in refusal(store, "0", exact, tokens=1)
    reserve(store, "0", exact, tokens=0)


def test_a_ceiling_of_zero_allows_only_what_is_free(store: Store) -> None:
    reserve(store, "0", Ceilings(day_usd=Decimal(0)), tokens=1_000_000)
    refusal(store, "0.01", Ceilings(day_usd=Decimal(0)))


def test_another_run_has_its_own_ceiling_and_shares_the_day(store: Store) -> None:
    spend(store, "0.90", run="run-1")
    reserve(store, "0.90", Ceilings(run_usd=Decimal(1)), run="run-2")
    refusal(store, "0.90", Ceilings(day_usd=Decimal(2)), run="run-3")


def test_the_day_ends_at_midnight_utc_and_the_week_on_sunday(store: Store, clock: Ticker) -> None:
    clock.now = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)  # a Sunday
    spend(store, "1")
    assert (store.ledger.spending(since="day").calls, store.ledger.spending(since="week").calls) == (1, 1)
    clock.advance(seconds=1)
    assert (store.ledger.spending(since="day").calls, store.ledger.spending(since="week").calls) == (0, 0)
    reserve(store, "1", Ceilings(day_usd=Decimal(1), week_usd=Decimal(1)))
    assert store.ledger.spending().calls == 1


def test_a_clock_in_another_time_zone_counts_for_the_utc_day(store: Store, clock: Ticker) -> None:
    clock.now = datetime(2026, 11, 26, 1, tzinfo=timezone(timedelta(hours=5)))
    spend(store)
    clock.now = datetime(2026, 11, 25, 20, tzinfo=UTC)
    assert store.ledger.spending(since="day").calls == 1


@pytest.mark.parametrize("moment", [datetime(2027, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)])
def test_an_iso_week_may_span_two_years(moment: datetime) -> None:
    days = week_of(moment)
    assert [datetime.fromisoformat(day).isocalendar()[:2] for day in days] == [moment.isocalendar()[:2]] * 7
    assert [datetime.fromisoformat(day).isoweekday() for day in days] == [1, 2, 3, 4, 5, 6, 7]


def test_a_call_settled_after_midnight_counts_for_the_day_it_was_reserved(store: Store, clock: Ticker) -> None:
    held = reserve(store, "1")
    clock.advance(days=1)
    store.ledger.settle(held, Usage(10), Decimal("0.50"))
    assert store.ledger.spending(since="day") == Spending()
    assert store.ledger.spending(since="week").cost_usd == Decimal("0.50")
    clock.advance(days=-1)
    assert store.ledger.spending(since="day").cost_usd == Decimal("0.50")


@pytest.mark.parametrize(("since", "calls"), [("day", 1), ("week", 2), ("all", 3)])
def test_a_run_can_be_summed_over_a_period(store: Store, clock: Ticker, since: Period, calls: int) -> None:
    for days in (0, 6, 1):  # Wednesday; Tuesday and Wednesday of the next week
        clock.advance(days=days)
        spend(store, run="run-1")
        spend(store, run="other")
    assert store.ledger.spending("run-1", since).calls == calls
    assert store.ledger.spending(None, since).calls == calls * 2


def test_settling_twice_with_the_same_values_counts_once(store: Store) -> None:
    held = reserve(store)
    for _ in range(2):
        store.ledger.settle(held, Usage(10, 0, 5), Decimal("0.02"))
    assert store.ledger.spending() == Spending(tokens=15, cost_usd=Decimal("0.02"), calls=1)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(11, 0, 5), "0.02"),
        (Usage(10, 1, 5), "0.02"),
        (Usage(10, 0, 6), "0.02"),
        (Usage(10, 0, 5, 1), "0.02"),
        (Usage(10, 0, 5, 0, 1), "0.02"),
        (Usage(10, 0, 5, is_estimated=True), "0.02"),
        (Usage(10, 0, 5), "0.020000001"),
    ],
)
def test_settling_again_with_any_other_value_is_refused(usage: Usage, cost: str) -> None:
    with Store.open("sqlite://") as store:
        held = reserve(store)
        store.ledger.settle(held, Usage(10, 0, 5), Decimal("0.02"))
        with pytest.raises(StoreError, match="already settled with other values"):
            store.ledger.settle(held, usage, Decimal(cost))
        assert store.ledger.spending() == Spending(tokens=15, cost_usd=Decimal("0.02"), calls=1)


def test_what_is_settled_cannot_be_released_nor_the_other_way_round(store: Store) -> None:
    settled, released = reserve(store), reserve(store)
    store.ledger.settle(settled, Usage(10), Decimal("0.02"))
    store.ledger.release(released)
    store.ledger.release(released)
    with pytest.raises(StoreError, match="already settled; it cannot be released"):
        store.ledger.release(settled)
    with pytest.raises(StoreError, match="already released; it cannot be settled"):
        store.ledger.settle(released, Usage(10), Decimal("0.02"))
    assert store.ledger.spending() == Spending(tokens=10, cost_usd=Decimal("0.02"), calls=1)


def test_a_reservation_of_another_ledger_is_unknown(store: Store) -> None:
    held = reserve(store)
    for stranger in (replace(held, id=held.id + 1000), replace(held, run_id="other")):
        with pytest.raises(StoreError, match="has no reservation"):
            store.ledger.settle(stranger, Usage(10), Decimal("0.02"))
    assert store.ledger.open_reservations() == [held]


def test_a_call_that_cost_more_than_was_reserved_is_told_as_it_is(store: Store) -> None:
    held = reserve(store, "0.01", Ceilings(day_usd=Decimal("0.01")))
    store.ledger.settle(held, Usage(10_000), Decimal("0.50"))
    assert store.ledger.spending("run-1").cost_usd == Decimal("0.50")
    assert "$0.50 spent" in refusal(store, "0", Ceilings(day_usd=Decimal("0.01")))


def test_entries_are_the_newest_first_and_can_be_of_one_run(store: Store) -> None:
    held = [reserve(store, run=f"run-{number % 2}") for number in range(4)]
    assert [entry.reservation.id for entry in store.ledger.entries(3)] == [one.id for one in held[:0:-1]]
    assert {entry.reservation.run_id for entry in store.ledger.entries(run_id="run-1")} == {"run-1"}


@pytest.mark.parametrize("cost", ["-0.01", "NaN", "Infinity", "-Infinity", "1e30"])
def test_an_amount_that_is_no_amount_is_refused_before_anything_is_written(store: Store, cost: str) -> None:
    with pytest.raises(ValueError, match=r"amount|count"):
        reserve(store, cost)
    held = reserve(store)
    with pytest.raises(ValueError, match=r"amount|count"):
        store.ledger.settle(held, Usage(1), Decimal(cost))
    assert store.ledger.open_reservations() == [held]


@pytest.mark.parametrize("tokens", [-1, 2**53 + 1, 2**80])
def test_a_token_count_that_is_none_is_refused(store: Store, tokens: int) -> None:
    with pytest.raises(ValueError, match="token count"):
        reserve(store, tokens=tokens)
    held = reserve(store)
    for usage in (Usage(tokens), Usage(0, tokens), Usage(0, 0, tokens), Usage(2**52, 0, 2**53 - 1)):
        with pytest.raises(ValueError, match="token count"):
            store.ledger.settle(held, usage, Decimal(0))


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity"])
def test_a_ceiling_is_zero_or_more(wrong: str) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        Ceilings(week_usd=Decimal(wrong))
    with pytest.raises(ValueError, match="zero or more"):
        Ceilings(day_tokens=-1)


def test_a_ceiling_may_be_beyond_all_counting(store: Store) -> None:
    reserve(store, "9000000", Ceilings(day_usd=Decimal("1e20"), day_tokens=10**30))


def test_rounding_never_buys_anything() -> None:
    assert nano_of(Decimal("0.0000000001")) == 1
    assert nano_of(Decimal("0.0000000019"), is_limit=True) == 1
    assert usd_of(nano_of(Decimal("1234.567891234"))) == Decimal("1234.567891234")


@pytest.mark.parametrize(
    ("nano", "shown"),
    [(0, "$0.00"), (1, "$0.000000001"), (5_000_000_000, "$5.00"), (4_980_000_000, "$4.98"), (123_456_000, "$0.123456")],
)
def test_money_is_shown_exactly(nano: int, shown: str) -> None:
    assert dollars(nano) == shown


def test_many_small_costs_add_up_exactly(store: Store) -> None:
    for _ in range(30):
        spend(store, "0.100000001")
    assert store.ledger.spending().cost_usd == Decimal("3.00000003")


def test_names_may_hold_what_a_database_cannot(store: Store) -> None:
    run = "a\0b \udce9 \x01c 審"
    spend(store, run=run)
    assert store.ledger.spending(run).calls == 1
    assert store.ledger.entries()[0].reservation.run_id == run
    assert store.ledger.spending("a\\x00b").calls == 0
