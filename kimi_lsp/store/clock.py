"""Time as the store writes it: UTC, fixed width, so that stamps sort as text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]  # answers an aware datetime


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """`2026-11-22T10:11:12.123456Z`. Raises ValueError when the moment has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("a clock must answer aware datetimes")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day_of(moment: datetime) -> str:
    """The UTC calendar day: `2026-11-22`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def week_of(moment: datetime) -> tuple[str, ...]:
    """The seven UTC days, Monday to Sunday, of the moment's ISO 8601 week."""
    monday = moment.astimezone(UTC) - timedelta(days=moment.astimezone(UTC).weekday())
    return tuple(day_of(monday + timedelta(days=number)) for number in range(7))


def next_day(moment: datetime) -> datetime:
    """The next midnight in UTC."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def next_week(moment: datetime) -> datetime:
    """The next Monday, 00:00 UTC."""
    return next_day(moment) + timedelta(days=7 - moment.astimezone(UTC).isoweekday())
