"""How many model calls run at once: halved when the endpoint says it is too much, raised slowly while it does not."""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio


class AdaptiveLimit:
    """A limit on concurrent work that adapts (additive increase, multiplicative decrease), between 1 and `most`.

    A slow-down counts once for all that was under way when it came: answers to calls that started before it say nothing
    new.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("at least one call at once")
        self._most = most
        self._limit = float(most)
        self._running = 0
        self._epoch = 0
        self._waiting: deque[anyio.Event] = deque()

    @property
    def limit(self) -> int:
        """How many may run at once now."""
        return int(self._limit)

    @property
    def running(self) -> int:
        """How many run now."""
        return self._running

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator["Slot"]:
        """Wait for a place, first come first served, and hold it."""
        if self._running >= self.limit or self._waiting:
            turn = anyio.Event()
            self._waiting.append(turn)
            try:
                await turn.wait()
            except BaseException:
                if turn.is_set():  # the place was given to a task that is being cancelled
                    self._running -= 1
                else:
                    self._waiting.remove(turn)
                self._wake()
                raise
        else:
            self._running += 1
        try:
            yield Slot(self, self._epoch)
        finally:
            self._running -= 1
            self._wake()

    def _wake(self) -> None:
        while self._waiting and self._running < self.limit:
            self._running += 1
            self._waiting.popleft().set()

    def succeeded(self) -> None:
        """A call ended well: room for one more after as many successes as the limit."""
        self._limit = min(self._limit + 1 / max(self._limit, 1), float(self._most))
        self._wake()

    def refused(self, epoch: int) -> None:
        """A call that started in an epoch was refused for load: halve, unless this epoch was judged already."""
        if epoch == self._epoch:
            self._epoch += 1
            self._limit = max(self._limit / 2, 1.0)


class Slot:
    """A held place. Say how the call ended."""

    def __init__(self, owner: AdaptiveLimit, epoch: int) -> None:
        self._owner = owner
        self._epoch = epoch

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._owner.succeeded()

    def refused(self) -> None:
        """The endpoint said that it is too much."""
        self._owner.refused(self._epoch)
