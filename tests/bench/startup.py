"""How long the command takes to say its version, beside an empty interpreter."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.figure import Figure, at_most, reported


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def run(quick: bool) -> Iterator[Figure]:
    """Interleaved runs of both; medians."""
    script = str(Path(sys.executable).parent / "kimi-lsp")
    ours: list[float] = []
    help_page: list[float] = []
    floor: list[float] = []
    for _ in range(3 if quick else 40):
        floor.append(_seconds([sys.executable, "-c", "pass"]))
        ours.append(_seconds([script, "--version"]))
        help_page.append(_seconds([script, "audit", "--help"]))
    empty = statistics.median(floor) * 1000
    peer = "python -c pass"
    yield at_most("startup --version", statistics.median(ours) * 1000, "ms", 3, peer=empty, peer_name=peer)
    yield reported("startup audit --help", statistics.median(help_page) * 1000, "ms", peer=empty, peer_name=peer)
