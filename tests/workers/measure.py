"""What the way through a worker costs: `python -m tests.workers.measure [--catalog]`. Figures, no assertions.

With `--catalog` the workers are real ones; else they are scripted, which shows the pool and the pipe alone.
"""

import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import anyio

from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.workers import CallFailedError, DeadlineError, Pool
from tests.workers.pools import SCRIPTED

_CALLS = 2000
_ROUNDS = 10


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _timed_ms(what: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await what()
    return (time.perf_counter() - start) * 1000


async def _measure(*, is_catalog: bool) -> None:
    setup = Setup((RootSetup(str(Path.cwd())),))
    command = None if is_catalog else SCRIPTED

    async def call(pool: Pool, text: str = "x") -> None:
        if is_catalog:
            await pool.call("explain_rule", {"rule": "no-such-rule"}, deadline_s=30)
        else:
            await pool.call("echo", {"text": text}, deadline_s=30)

    async def stop(pool: Pool) -> None:
        with suppress(DeadlineError, CallFailedError):
            await pool.call("codebase_health" if is_catalog else "spin", {}, deadline_s=0.001)

    starts: list[float] = []
    for _ in range(_ROUNDS):
        async with Pool(setup, size=1, command=command) as pool:
            starts.append(await _timed_ms(lambda pool=pool: call(pool)))
    print(f"start to first answer: {statistics.median(starts):.0f} ms (median of {_ROUNDS})")

    async with Pool(setup, size=1, command=command) as pool:
        await call(pool)
        again: list[float] = []
        for _ in range(_ROUNDS):
            await stop(pool)
            again.append(await _timed_ms(lambda: call(pool)))
        print(f"kill to next answer: {statistics.median(again):.0f} ms (median of {_ROUNDS})")

        for label, text in (("trivial", "x"), ("40 kB", "x" * 40_000)):
            if is_catalog and text != "x":
                continue
            (pid,) = pool.pids
            child, parent, wall = _cpu_s(pid), time.process_time(), time.perf_counter()
            for _ in range(_CALLS):
                await call(pool, text)
            parent, wall = time.process_time() - parent, time.perf_counter() - wall
            child = _cpu_s(pid) - child
            each = " ".join(
                f"{name} {seconds / _CALLS * 1000:.3f}" for name, seconds in (("parent", parent), ("child", child))
            )
            print(f"{label} call: CPU ms: {each}; wall {wall / _CALLS * 1000:.3f} ms")


if __name__ == "__main__":
    anyio.run(lambda: _measure(is_catalog="--catalog" in sys.argv))
