"""What a running process uses: memory, CPU, wake-ups. Linux only."""

import time
from collections.abc import Iterable
from pathlib import Path


def rss_mib(pids: Iterable[int]) -> float:
    """The resident memory of processes, together."""
    return sum(_status(Path("/proc") / str(pid), "VmRSS") for pid in pids) / 1024


def cpu_ms(pid: int) -> float:
    """The CPU time of a process so far, all its threads, ended ones included.

    The clock's number is what clock_getcpuclockid(3) gives: the process in the high bits, the scheduler's clock below.
    """
    return time.clock_gettime((~pid << 3) | 2) * 1000


def wakeups(pid: int) -> int:
    """How often threads of a process that run now have gone to sleep so far."""
    tasks = (Path("/proc") / str(pid) / "task").iterdir()
    return sum(_status(task, "voluntary_ctxt_switches") for task in tasks)


def _status(folder: Path, name: str) -> int:
    for row in (folder / "status").read_text().splitlines():
        key, _, value = row.partition(":")
        if key == name:
            return int(value.split()[0])
    raise LookupError(name)
