"""The sums behind the ceilings: of a run from its calls, of days from a running total. Used by the ledger alone."""

from dataclasses import asdict, dataclass, fields

from sqlalchemy import ColumnElement, Connection, case, func, select

from kimi_lsp.store.tables import calls, days
from kimi_lsp.store.values import CallState, Spending, usd_of


@dataclass(frozen=True, slots=True)
class Sums:
    """Whole tokens, billionths of a dollar and calls: settled, and held by reservations. The columns of `days`."""

    tokens: int = 0
    nano: int = 0
    calls: int = 0
    held_tokens: int = 0
    held_nano: int = 0
    held_calls: int = 0
    estimated: int = 0

    def __neg__(self) -> "Sums":
        return Sums(*(-getattr(self, name) for name in _NAMES))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def spending(self) -> Spending:
        """The same in US dollars."""
        return Spending(
            tokens=self.tokens,
            cost_usd=usd_of(self.nano),
            calls=self.calls,
            reserved_tokens=self.held_tokens,
            reserved_usd=usd_of(self.held_nano),
            unsettled_calls=self.held_calls,
            estimated_calls=self.estimated,
        )


_NAMES = tuple(field.name for field in fields(Sums))


def add(connection: Connection, day: str, more: Sums) -> None:
    """Add to a day's total. The caller holds the ledger's head."""
    values = {name: days.c[name] + value for name, value in asdict(more).items() if value}
    if connection.execute(days.update().where(days.c.day == day).values(values)).rowcount == 0:
        connection.execute(days.insert().values(day=day, **asdict(more)))


def of_days(connection: Connection, which: tuple[str, ...] | None) -> Sums:
    """The total of these days; of all with None."""
    query = select(*(func.coalesce(func.sum(days.c[name]), 0) for name in _NAMES))
    if which is not None:
        query = query.where(days.c.day.in_(which))
    return Sums(*connection.execute(query).one())


def of_calls(connection: Connection, run_id: str | None, which: tuple[str, ...] | None = None) -> Sums:
    """The sum of a run's calls (of all calls with None), in these days; in all with None."""
    is_settled = calls.c.state == CallState.SETTLED
    is_open = calls.c.state == CallState.RESERVED
    query = select(
        _total(is_settled, calls.c.prompt_tokens + calls.c.completion_tokens),
        _total(is_settled, calls.c.cost_nano),
        _total(is_settled, 1),
        _total(is_open, calls.c.reserved_tokens),
        _total(is_open, calls.c.reserved_nano),
        _total(is_open, 1),
        _total(is_settled & calls.c.is_estimated, 1),
    )
    if run_id is not None:
        query = query.where(calls.c.run_id == run_id)
    if which is not None:
        query = query.where(calls.c.day.in_(which))
    return Sums(*connection.execute(query).one())


def _total(when: ColumnElement[bool], value: ColumnElement[int] | int) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((when, value), else_=0)), 0)
