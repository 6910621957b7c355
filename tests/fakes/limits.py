"""The account's limits: requests at once, requests and tokens a minute, tokens a day. Sliding windows, no waiting."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.faults import Account, Problem

MINUTE_S, DAY_S = 60.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """One account's ceilings; None: no such ceiling."""

    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None


TIERS: dict[int, Limits] = {  # platform documentation, pricing/limits
    0: Limits(1, 3, 500_000, 1_500_000),
    1: Limits(50, 200, 2_000_000),
    2: Limits(100, 500, 3_000_000),
    3: Limits(200, 5000, 3_000_000),
    4: Limits(400, 5000, 4_000_000),
    5: Limits(1000, 10_000, 5_000_000),
}


class Limiter:
    """Admits requests. A refused one is not charged."""

    def __init__(self, limits: Limits, clock: Callable[[], float], account: Account) -> None:
        self.limits = limits
        self._clock = clock
        self._account = account
        self._running = 0
        self._admitted: deque[tuple[float, int]] = deque()

    def admit(self, tokens: int) -> Problem | None:
        """Charge prompt + max_completion_tokens, or say which limit that hits. When admitted, `leave` must follow."""
        now = self._clock()
        while self._admitted and now - self._admitted[0][0] >= DAY_S:
            self._admitted.popleft()
        minute = [entry for entry in self._admitted if now - entry[0] < MINUTE_S]
        limits = self.limits
        if limits.concurrency is not None and self._running >= limits.concurrency:
            return self._refusal("max organization concurrency", self._running + 1, limits.concurrency, 1.0)
        windows = (
            ("RPM", [(at, 1) for at, _ in minute], 1, limits.requests_per_minute, MINUTE_S),
            ("TPM", minute, tokens, limits.tokens_per_minute, MINUTE_S),
            ("TPD", list(self._admitted), tokens, limits.tokens_per_day, DAY_S),
        )
        for name, used, amount, limit, window_s in windows:
            current = sum(spent for _, spent in used) + amount
            if limit is not None and current > limit:
                return self._refusal(
                    f"{name} rate limit", current, limit, _free_in(used, current - limit, window_s, now)
                )
        self._running += 1
        self._admitted.append((now, tokens))
        return None

    def leave(self) -> None:
        """A request is over, however it ended."""
        self._running -= 1

    @property
    def running(self) -> int:
        """Requests being answered."""
        return self._running

    def headers(self) -> list[tuple[str, str]]:
        """The X-RateLimit-* headers: requests in the current minute. None without such a limit."""
        limit = self.limits.requests_per_minute
        if limit is None:
            return []
        now = self._clock()
        minute = [at for at, _ in self._admitted if now - at < MINUTE_S]
        reset_s = math.ceil(MINUTE_S - (now - minute[0])) if minute else 0
        return [
            ("x-ratelimit-limit", str(limit)),
            ("x-ratelimit-remaining", str(max(limit - len(minute), 0))),
            ("x-ratelimit-reset", str(reset_s)),
        ]

    def _refusal(self, what: str, current: int, limit: int, free_in_s: float) -> Problem:
        who = f"{self._account.uid}<{self._account.access_key}>"
        message = f"Your account {who} request reached {what}, current:{current}, limit:{limit}"
        return Problem(429, "rate_limit_reached_error", message, max(math.ceil(free_in_s), 1))


def _free_in(used: list[tuple[float, int]], excess: int, window_s: float, now: float) -> float:
    """Seconds until enough of the window has passed for the excess to be gone."""
    for at, amount in used:
        excess -= amount
        if excess <= 0:
            return at + window_s - now
    return window_s
