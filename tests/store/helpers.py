"""A clock that is set by hand, calls to spend on, and workers: other processes that share a store."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kimi_lsp.store import Ceilings, Reservation, Store
from kimi_lsp.usage import Usage

ROOT = Path(__file__).parent.parent.parent
NO_CEILING = Ceilings()
WAIT_S = 60  # for another process; only a hang is ever this long


@dataclass(slots=True)
class Ticker:
    """Answers the moment it was set to: a Wednesday at noon."""

    now: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: int) -> None:
        self.now += timedelta(**step)


def reserve(
    store: Store, cost: str = "0.01", ceilings: Ceilings = NO_CEILING, *, run: str = "run-1", tokens: int = 100
) -> Reservation:
    return store.ledger.reserve(
        run, model="kimi-k2.6", endpoint="api.example", tokens=tokens, cost_usd=Decimal(cost), ceilings=ceilings
    )


def spend(store: Store, cost: str = "0.01", *, run: str = "run-1", tokens: int = 100) -> None:
    store.ledger.settle(reserve(store, cost, run=run, tokens=tokens), Usage(prompt_tokens=tokens), Decimal(cost))


@contextmanager
def worker(command: str, state: Path | str, *args: str) -> Generator[subprocess.Popen[str]]:
    """A process that runs a command of `tests.store.worker`; it is killed if the test leaves it running."""
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "tests.store.worker", command, str(state), *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that the worker prints; every command prints one or dies."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=WAIT_S)[1]
    return line.strip()


def together(command: str, state: Path | str, count: int, *args: str) -> list[list[str]]:
    """The words that each of several workers prints, after all were let go at the same moment."""
    with ExitStack() as stack:
        processes = [stack.enter_context(worker(command, state, str(number), *args)) for number in range(count)]
        for process in processes:
            assert line_of(process) == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers: list[list[str]] = []
        for process in processes:
            out, problem = process.communicate(timeout=WAIT_S)
            assert process.returncode == 0, problem
            answers.append(out.split())
        return answers
