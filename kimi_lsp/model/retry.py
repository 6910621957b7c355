"""Whether and when to ask again. Pure: an error and an attempt in, a delay or "give up" out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kimi_lsp.errors import ModelError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds of asking again. All times in seconds.

    `retry_after_cap_s`: who is told to wait longer gives up. `give_up_after_s`: no attempt starts later than this
    after the first one.
    """

    max_attempts: int = 4
    base_s: float = 0.5
    cap_s: float = 8.0
    retry_after_cap_s: float = 120.0
    give_up_after_s: float = 180.0

    def delay_s(self, error: ModelError, *, attempt: int, elapsed_s: float, jitter: float) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Args:
            error: why the last attempt failed.
            attempt: how many attempts were made.
            elapsed_s: seconds since the first one began.
            jitter: 0 (inclusive) to 1; takes up to a quarter off the delay, or adds as much to one that was asked for.
        """
        if not error.retryable or attempt >= self.max_attempts:
            return None
        asked = error.retry_after_s
        if asked is not None and asked > self.retry_after_cap_s:
            return None
        if asked:
            delay = asked * (1 + 0.25 * jitter)  # never earlier than asked, and not all clients at once
        else:
            delay = min(self.base_s * 2 ** min(attempt - 1, 32), self.cap_s) * (1 - 0.25 * jitter)
        return delay if elapsed_s + delay <= self.give_up_after_s else None


NO_RETRY = RetryPolicy(max_attempts=1)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds asked for by `retry-after-ms` or `retry-after` (seconds or an HTTP date); None where nothing sensible is.

    A date in the past is 0. `headers` are looked up in lower case.
    """
    in_ms = _seconds(headers.get("retry-after-ms", ""))
    if in_ms is not None:
        return in_ms / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
