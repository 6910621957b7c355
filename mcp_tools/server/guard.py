"""Stands round every call: how many at once and how often, how long, how much in and out, and what may be said."""

import logging
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from mcp_tools.catalog.values import Answer, Json, JsonObject
from mcp_tools.output import printable

_log = logging.getLogger(__name__)


class Caller(Protocol):
    """Runs a tool of the table somewhere else: see `mcp_tools.workers.Pool`."""

    async def call(self, name: str, arguments: JsonObject, *, deadline_s: float) -> Answer:
        """Run it, and stop it at the deadline or when cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes on. Calls that wait count as waiting, not as running."""

    deadline_s: float = 60.0
    running: int = 4
    waiting: int = 100
    burst: int = 200  # calls that may come at once after a rest
    per_second: float = 50.0  # calls a second in the long run
    argument_chars: int = 200_000
    answer_chars: int = 60_000


class BusyError(Exception):
    """There is no room for another call now. The message is safe to show."""


@dataclass(slots=True)
class Rate:
    """A token bucket."""

    burst: int
    per_second: float
    clock: Callable[[], float] = time.monotonic
    _level: float = field(default=-1.0, init=False)
    _at: float = field(default=0.0, init=False)

    def take(self) -> float:
        """Take a token: 0.0, or the seconds after which there will be one."""
        now = self.clock()
        if self._level < 0:
            self._level, self._at = float(self.burst), now
        self._level = min(self.burst, self._level + (now - self._at) * self.per_second)
        self._at = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self.per_second


class Guard:
    """The guard of one server process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._rate = Rate(limits.burst, limits.per_second)
        self._room = anyio.CapacityLimiter(limits.running)
        self._waiting = 0

    async def call(
        self,
        name: str,
        arguments: JsonObject,
        run: Callable[[], Awaitable[Answer]],
        *,
        answer_chars: int | None = None,
    ) -> Answer:
        """Run a call under the limits. Whatever goes wrong is an answer; only cancellation passes.

        Args:
            name: what is called, for messages.
            arguments: what it is given.
            run: does it.
            answer_chars: another limit of the answer than that of tools.
        """
        try:
            if _is_longer(arguments, self.limits.argument_chars):
                return refusal(f"{name}: the arguments are too long")
            with self._queued():
                async with self._room:
                    return self._checked(name, await run(), answer_chars or self.limits.answer_chars)
        except BusyError as error:
            return refusal(f"{name}: {error}")
        except TimeoutError:
            return refusal(f"{name}: stopped after {self.limits.deadline_s:g} s; ask for less, such as fewer paths")
        except SystemExit:
            _log.error("%s: the tool asked the process to exit", name)
        except Exception as error:  # noqa: BLE001 - a tool that crashes is an error for that call and for nothing else
            _log.error("%s: failed (%s)", name, type(error).__name__)
        return refusal(f"{name}: failed; the server goes on")

    @contextmanager
    def _queued(self) -> Generator[None]:
        wait_s = self._rate.take()
        if wait_s > 0:
            raise BusyError(f"rate limited, retry after {max(wait_s, 0.1):.1f} s")
        if self._waiting >= self.limits.waiting + self.limits.running:
            raise BusyError("rate limited: too many calls are waiting, retry after 1 s")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _checked(self, name: str, answer: Answer, most: int) -> Answer:
        clean = scrubbed(answer)
        if _is_longer([clean.text, clean.data], most):
            return refusal(f"{name}: the answer is too long; ask for less, such as a lower limit")
        return clean


def refusal(text: str) -> Answer:
    """An error that a model can read and act on."""
    return Answer(printable(text, keep="\n"), {}, is_error=True)


def scrubbed(answer: Answer) -> Answer:
    """The answer with nothing in it that cannot be encoded, moves a cursor or hides from an eye."""
    data = scrub(answer.data)
    return Answer(scrub_text(answer.text), data if isinstance(data, dict) else {}, answer.is_error)


def scrub_text(text: str) -> str:
    """Text with only tabs and line ends beside what can be seen."""
    return printable(text, keep="\n\t")


def scrub(node: Json) -> Json:
    """A JSON value with every text in it scrubbed, keys too. Numbers that JSON has no word for become null."""
    match node:
        case str():
            return scrub_text(node)
        case dict():
            return {scrub_text(key): scrub(value) for key, value in node.items()}
        case list():
            return [scrub(item) for item in node]
        case float():
            return node if node == node and abs(node) != float("inf") else None  # noqa: PLR0124 - NaN is the point
        case _:
            return node


def _is_longer(node: Json, limit: int) -> bool:
    """Whether a value has more characters than allowed; stops counting there."""
    left = limit
    todo: list[Json] = [node]
    while todo and left >= 0:
        match todo.pop():
            case str() as text:
                left -= len(text)
            case dict() as items:
                left -= sum(map(len, items)) + len(items)
                todo.extend(items.values())
            case list() as items:
                left -= len(items)
                todo.extend(items)
            case _:
                left -= 8
    return left < 0
