"""A process with all that it has started: its CPU time and its peak memory, seen from outside. Linux only."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.bench.lsp.process import cpu_ms

_PROC = Path("/proc")


def family(roots: Iterable[int]) -> set[int]:
    """The processes that live of these and of all that descends from them."""
    parents: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(folder.name)] = int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
    found = more = set(roots) & set(parents)
    while more := {pid for pid, parent in parents.items() if parent in more} - found:
        found |= more
    return found


def high_mib(pid: int) -> float:
    """The most resident memory that a process has had (VmHWM); 0 for one that has ended."""
    with suppress(OSError):
        for row in (_PROC / str(pid) / "status").read_text("utf-8").splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) / 1024
    return 0.0


def family_cpu_ms(root: int) -> float:
    """The CPU time so far of a process and of all that lives of its descendants."""
    return sum(map(cpu_ms, family([root])))


def family_high_mib(root: int) -> float:
    """The peak memory of each of them, together."""
    return sum(map(high_mib, family([root])))
