"""The figures of the MCP server beside the SDK's own minimal low-level server, over pipes, in the handshake era."""

import json
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, at_most, reported
from tests.bench.mcp.session import MINIMAL, PEER, Session, ours, session
from tests.bench.mcp.tree import family_cpu_ms, family_high_mib
from tests.fakes.json_value import JsonObject, get, items

_LINES = 200
_WARM_UP = 20
_CALLS = 150  # with the warm-up fewer than a server takes at once before it limits their rate
_SOURCE = "def add_{0}(left: int, right: int) -> int:  # the sum of two numbers, number {0}\n"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call to measure."""

    title: str
    name: str
    arguments: JsonObject

    @property
    def params(self) -> JsonObject:
        """As the request says it."""
        return {"name": self.name, "arguments": self.arguments}


CALLS = (
    Call("explain_rule", "explain_rule", {"rule": "code-injection"}),
    Call(f"read_file of {_LINES} lines", "read_file", {"path": "sample.py", "max_lines": _LINES}),
)


def run(quick: bool) -> Iterator[Figure]:
    """All figures; the servers take turns. Full: about a minute."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "project"
        root.mkdir()
        (root / "sample.py").write_text("".join(map(_SOURCE.format, range(2 * _LINES))), "utf-8")
        yield from _start(root, 1 if quick else 21)
        yield from _list(root)
        for call in CALLS:
            yield from _calls(root, folder, call, 1 if quick else 5)


def _start(root: Path, rounds: int) -> Iterator[Figure]:
    """From the spawn to the answer to `initialize`; medians of interleaved starts."""
    mine: list[float] = []
    peer: list[float] = []
    for _ in range(rounds):
        for command, times in ((MINIMAL, peer), (ours(root), mine)):
            with session(command) as running:
                times.append(running.answer_ms)
    name = "mcp: spawn to the answer to initialize"
    yield at_most(name, statistics.median(mine), "ms", 1.3, peer=statistics.median(peer), peer_name=PEER)


def _list(root: Path) -> Iterator[Figure]:
    """The bytes of the tools, and whether two runs say the same."""
    seen: list[bytes] = []
    for _ in range(2):
        with session(ours(root)) as running:
            seen.append(running.ask_raw("tools/list", {}))
    yield at_most("mcp: tools/list", len(seen[0]) / 1000, "kB", 10)
    yield at_most("mcp: runs whose tools/list is not that of the first", float(seen[0] != seen[1]), "runs", 0)


def _calls(root: Path, folder: Path, call: Call, rounds: int) -> Iterator[Figure]:
    """CPU of a server and its workers for one call, beside a server that answers the same result; medians."""
    result = folder / "result.json"
    mine: list[float] = []
    peer: list[float] = []
    high: list[float] = []
    size = 0
    for _ in range(rounds):
        with session(ours(root)) as running:
            answer = running.ask("tools/call", call.params)
            assert get(answer, "isError") is False, answer
            result.write_text(json.dumps(answer), "utf-8")
            size = sum(len(str(get(block, "text"))) for block in items(get(answer, "content")))
            mine.append(_cpu_ms(running, call.params))
            high.append(family_high_mib(running.pid))
        with session((*MINIMAL, str(result))) as running:
            peer.append(_cpu_ms(running, {"name": "say", "arguments": call.arguments}))
    name = f"mcp: CPU of one call, {call.title} ({size:,} characters)"
    yield at_most(name, statistics.median(mine), "ms", 1.5, peer=statistics.median(peer), peer_name=PEER)
    yield reported(f"mcp: CPU of one call beyond that of {PEER}, {call.title}", _beyond(mine, peer), "ms")
    yield at_most(f"mcp: peak memory with workers, {_CALLS} calls of {call.name}", max(high), "MiB", 200)


def _cpu_ms(running: Session, params: JsonObject) -> float:
    for _ in range(_WARM_UP):
        running.ask_raw("tools/call", params)
    before = family_cpu_ms(running.pid)
    lines = [running.ask_raw("tools/call", params) for _ in range(_CALLS)]
    used_ms = family_cpu_ms(running.pid) - before
    assert not [line for line in lines if b'"isError":true' in line], lines[-1][:300]
    return used_ms / _CALLS


def _beyond(mine: list[float], peer: list[float]) -> float:
    return statistics.median(mine) - statistics.median(peer)
