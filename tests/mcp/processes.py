"""What Linux tells of other processes. There is nothing to wait for but to look again."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path


async def until(holds: Callable[[], bool], deadline_s: float) -> None:
    """Wait for something about other processes, of which nobody tells us."""
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


def children(pid: int) -> list[int]:
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found.append(int(folder.name))
    return found


def is_busy(pid: int) -> bool:
    """Whether a process has used the processor for longer than any start takes: it is in the expression."""
    return ticks(pid) > os.sysconf("SC_CLK_TCK")


def ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
