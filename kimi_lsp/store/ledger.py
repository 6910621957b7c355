"""Every dollar and token: reserved under the ceilings before a call, settled after it."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, RowMapping

from kimi_lsp.errors import BudgetError, StoreError, TokenBudgetError
from kimi_lsp.store.clock import Clock, day_of, next_day, next_week, stamp, week_of
from kimi_lsp.store.database import Database
from kimi_lsp.store.sums import Sums, add, of_calls, of_days
from kimi_lsp.store.tables import calls
from kimi_lsp.store.values import (
    CallState,
    Ceilings,
    Entry,
    Period,
    Reservation,
    Spending,
    count_of,
    dollars,
    nano_of,
    usd_of,
)
from kimi_lsp.usage import Usage

_HEAD: Final = "ledger"


class Ledger:
    """What was spent and is reserved, exact to a billionth of a dollar, across every process that shares the store.

    A call counts for the UTC day and the ISO week (Monday to Sunday) in which it was *reserved*, also when it is
    settled later. A reservation whose process died goes on counting, since its money may be spent;
    `open_reservations` lists it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def reserve(
        self,
        run_id: str,
        *,
        model: str,
        endpoint: str,
        tokens: int,
        cost_usd: Decimal,
        ceilings: Ceilings,
        label: str = "",
    ) -> Reservation:
        """Set the estimate of one call aside, or refuse it, in one transaction.

        Args:
            run_id: the audit this call belongs to; the run ceilings sum over it.
            model: the model's id.
            endpoint: the endpoint's host.
            tokens: the most that the call can use, prompt and completion together.
            cost_usd: the most that the call can cost; a fraction of a billionth is rounded up.
            ceilings: what may be spent at the most; reaching one exactly is allowed.
            label: what the call is for, as a person reads it in the ledger.

        Raises:
            BudgetError: a ceiling would be passed; the message names it with what is spent, reserved and needed.
            ValueError: an amount that is negative, not finite or too large.
        """
        now = self._clock()
        asked = (count_of(tokens), nano_of(cost_usd))
        row: dict[str, str | int] = {
            "run_id": run_id,
            "day": day_of(now),
            "model": model,
            "endpoint": endpoint,
            "label": label,
            "state": CallState.RESERVED,
            "reserved_at": stamp(now),
            "reserved_tokens": asked[0],
            "reserved_nano": asked[1],
        }
        with self._database.write(_HEAD) as connection:
            _refuse_above(connection, ceilings, run_id, now, asked)
            result = connection.execute(calls.insert().values(row).returning(calls.c.id))
            number = int(result.scalar_one())
            add(connection, day_of(now), Sums(held_tokens=asked[0], held_nano=asked[1], held_calls=1))
        return Reservation(number, run_id, model, endpoint, label, tokens, usd_of(asked[1]), stamp(now))

    def settle(self, reservation: Reservation, usage: Usage, cost_usd: Decimal) -> None:
        """Put what the call really used in the reservation's place, exactly once; the same words again change nothing.

        More than was reserved is recorded as it is: the ledger tells the truth, and the next reserve is refused.

        Raises:
            StoreError: no such reservation, already released, or already settled with other values.
            ValueError: an amount that is negative, not finite or too large.
        """
        values: dict[str, int | bool] = {
            "prompt_tokens": count_of(usage.prompt_tokens),
            "cached_tokens": count_of(usage.cached_tokens),
            "completion_tokens": count_of(usage.completion_tokens),
            "reasoning_tokens": count_of(usage.reasoning_tokens),
            "cache_write_tokens": count_of(usage.cache_write_tokens),
            "is_estimated": usage.is_estimated,
            "cost_nano": nano_of(cost_usd),
        }
        spent = Sums(count_of(usage.total_tokens), nano_of(cost_usd), calls=1, estimated=int(usage.is_estimated))
        self._close(reservation, CallState.SETTLED, values, spent)

    def release(self, reservation: Reservation) -> None:
        """Give the reservation back: nothing was sent, or the endpoint did not charge (429). Again changes nothing.

        Raises StoreError: no such reservation, or already settled.
        """
        self._close(reservation, CallState.RELEASED, {}, Sums())

    def spending(self, run_id: str | None = None, since: Period = "all") -> Spending:
        """The sum of one run or of all, over today, this week or all time."""
        which = _days(since, self._clock())
        with self._database.read() as connection:
            sums = of_days(connection, which) if run_id is None else of_calls(connection, run_id, which)
        return sums.spending

    def entries(self, limit: int = 100, *, run_id: str | None = None) -> list[Entry]:
        """The newest calls first."""
        query = calls.select().order_by(calls.c.id.desc()).limit(limit)
        if run_id is not None:
            query = query.where(calls.c.run_id == run_id)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query).mappings()]

    def open_reservations(self) -> list[Reservation]:
        """What is neither settled nor released, oldest first: under way now, or left by a process that died."""
        query = calls.select().where(calls.c.state == CallState.RESERVED).order_by(calls.c.id)
        with self._database.read() as connection:
            return [_reservation(row) for row in connection.execute(query).mappings()]

    def _close(self, reservation: Reservation, state: CallState, values: dict[str, int | bool], spent: Sums) -> None:
        this = (calls.c.id == reservation.id, calls.c.run_id == reservation.run_id)
        now = stamp(self._clock())
        with self._database.write(_HEAD) as connection:
            row = connection.execute(calls.select().where(*this)).mappings().one_or_none()
            if row is None:
                raise StoreError(f"The ledger has no reservation {reservation.id} of run {reservation.run_id}.")
            if row["state"] == CallState.RESERVED:
                connection.execute(calls.update().where(*this).values(state=state, settled_at=now, **values))
                held = Sums(held_tokens=row["reserved_tokens"], held_nano=row["reserved_nano"], held_calls=1)
                add(connection, row["day"], spent + -held)
            elif row["state"] != state:
                raise StoreError(
                    f"Reservation {reservation.id} is already {row['state']}; it cannot be {state} as well."
                )
            elif any(row[name] != value for name, value in values.items()):
                raise StoreError(f"Reservation {reservation.id} is already settled with other values.")


def _refuse_above(
    connection: Connection, ceilings: Ceilings, run_id: str, now: datetime, asked: tuple[int, int]
) -> None:
    """Raise BudgetError for the first ceiling, narrowest first, that the call would pass."""
    asked_tokens, asked_nano = asked
    for name, max_tokens, max_usd, hint in (
        ("run", ceilings.run_tokens, ceilings.run_usd, "The next run starts from zero."),
        ("daily", ceilings.day_tokens, ceilings.day_usd, _restart(next_day(now))),
        ("weekly", ceilings.week_tokens, ceilings.week_usd, _restart(next_week(now))),
    ):
        if max_tokens is None and max_usd is None:
            continue
        if name == "run":
            sums = of_calls(connection, run_id)
        else:
            sums = of_days(connection, _days("day" if name == "daily" else "week", now))
        if max_usd is not None:
            max_nano = nano_of(max_usd, is_limit=True)
            if sums.nano + sums.held_nano + asked_nano > max_nano:
                raise BudgetError(
                    f"The {name} ceiling of {dollars(max_nano)} would be passed: {dollars(sums.nano)} spent, "
                    f"{dollars(sums.held_nano)} reserved, {dollars(asked_nano)} needed.",
                    hint=hint,
                )
        if max_tokens is not None and sums.tokens + sums.held_tokens + asked_tokens > max_tokens:
            raise TokenBudgetError(
                f"The {name} ceiling of {max_tokens:,} tokens would be passed: {sums.tokens:,} spent, "
                f"{sums.held_tokens:,} reserved, {asked_tokens:,} needed.",
                hint=hint,
            )


def _restart(moment: datetime) -> str:
    return f"It starts anew on {moment:%A %Y-%m-%d at %H:%M} UTC."


def _days(since: Period, now: datetime) -> tuple[str, ...] | None:
    if since == "all":
        return None
    return (day_of(now),) if since == "day" else week_of(now)


def _reservation(row: RowMapping) -> Reservation:
    return Reservation(
        id=row["id"],
        run_id=row["run_id"],
        model=row["model"],
        endpoint=row["endpoint"],
        label=row["label"],
        tokens=row["reserved_tokens"],
        cost_usd=usd_of(row["reserved_nano"]),
        reserved_at=row["reserved_at"],
    )


def _entry(row: RowMapping) -> Entry:
    state = CallState(row["state"])
    if state is not CallState.SETTLED:
        return Entry(_reservation(row), state, usage=None, cost_usd=None, settled_at=None)
    usage = Usage(
        prompt_tokens=row["prompt_tokens"],
        cached_tokens=row["cached_tokens"],
        completion_tokens=row["completion_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        cache_write_tokens=row["cache_write_tokens"],
        is_estimated=row["is_estimated"],
    )
    return Entry(_reservation(row), state, usage, usd_of(row["cost_nano"]), row["settled_at"])
