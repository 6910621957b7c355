"""The audits that are running: each is cancelled by whatever makes it pointless, down to its socket. Pure registry."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio


class Spawn(Protocol):
    """Starts a coroutine function, with its arguments, as a task of the server."""

    def __call__(self, function: Callable[..., Awaitable[object]], *args: object) -> None:
        """Start it."""
        ...


@dataclass(slots=True, eq=False)
class Job:
    """One audit. `uris` are the documents it is about; none for a whole project."""

    number: int
    title: str
    project: str
    uris: frozenset[str]
    is_triggered: bool  # by a save or a pause, not by a user: an edit makes it pointless
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    token: int | str | None = None
    is_silent: bool = False  # it only looks up what is known, and nobody is told that it runs
    why: str = ""  # it was cancelled

    def is_about(self, uri: str) -> bool:
        """Say whether it looks at this document and no other."""
        return len(self.uris) == 1 and uri in self.uris

    def cancel(self, why: str) -> None:
        """Stop it."""
        self.why = self.why or why
        self.scope.cancel()


class Jobs:
    """All running jobs. Numbers grow: they are the generations of the findings."""

    def __init__(self) -> None:
        self._running: dict[int, Job] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._running.values()))

    @contextmanager
    def start(self, title: str, project: str, uris: Iterable[str], *, is_triggered: bool) -> Generator[Job]:
        """Register a job for the time of the block; an older one on the same document ends: the latest wins."""
        wanted = frozenset(uris)
        for other in self:
            if other.project == project and (other.uris == wanted or (other.uris and other.uris <= wanted)):
                other.cancel("a newer audit of the same text began")
        self._last += 1
        job = Job(self._last, title, project, wanted, is_triggered)
        self._running[job.number] = job
        try:
            yield job
        finally:
            del self._running[job.number]

    def cancel(
        self,
        why: str,
        *,
        uri: str | None = None,
        number: int | None = None,
        token: int | str | None = None,
        is_triggered: bool | None = None,
    ) -> int:
        """Cancel the jobs that fit all that is given; how many, without those that nobody knows of."""
        count = 0
        for job in self:
            if (
                (uri is None or job.is_about(uri))
                and (number is None or job.number == number)
                and (token is None or job.token == token)
                and (is_triggered is None or job.is_triggered is is_triggered)
            ):
                job.cancel(why)
                count += not job.is_silent
        return count
