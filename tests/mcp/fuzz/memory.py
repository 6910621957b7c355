"""Watches the peak memory of a process with all that it starts, from outside. Linux only."""

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.mcp.tree import family, high_mib

_EVERY_S = 0.02


@dataclass(slots=True)
class Peak:
    """The highest sum seen of what the processes that lived at the same time had at most (VmHWM)."""

    mib: float = 0.0
    processes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def look(self, mark: bytes) -> None:
        """Look once at the processes that have a word in their command line, and at their descendants."""
        high = [high for pid in _family(mark) if (high := high_mib(pid)) > 0]
        self.mib = max(self.mib, sum(high))
        self.processes = max(self.processes, len(high))

    def watch(self, mark: bytes) -> None:
        """Look again and again."""
        while not self._stop.wait(_EVERY_S):
            self.look(mark)

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()


@contextmanager
def watched(mark: str) -> Generator[Peak]:
    """Watch processes whose command line has this word, such as the folder that they were told."""
    peak = Peak()
    thread = threading.Thread(target=peak.watch, args=(mark.encode(),), name="memory")
    thread.start()
    try:
        yield peak
    finally:
        peak.stop()
        thread.join()


def _family(mark: bytes) -> set[int]:
    """The servers that were told this word, and all that descends from them."""
    servers: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if mark in words and b"mcp_tools" in words:
                servers.add(int(folder.name))
    return family(servers)
