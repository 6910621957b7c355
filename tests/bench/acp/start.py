"""From the start of the process to the answer to `initialize`, and to that of the first `session/new`."""

import statistics
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from tests.acp.clients.agents import PYTHON
from tests.acp.raw import AGENT, RawAgent
from tests.acp.world import World
from tests.bench.figure import Figure, at_most, reported
from tests.mcp.clients import agents

_LOOP = str(Path(__file__).parent / "peers" / "stdlib_loop.py")
_FLOOR = "a bare loop"
_OURS = "ours"


async def start(world: World, rounds: int) -> AsyncGenerator[Figure]:
    """Interleaved starts; medians. The loop that imports an SDK first runs on that SDK's own environment."""
    commands: dict[str, Sequence[str]] = {_OURS: AGENT, _FLOOR: (sys.executable, "-P", _LOOP)}
    for name in PYTHON:
        python = agents.folder() / name / "bin" / "python"
        if python.is_file():
            commands[name] = (str(python), "-P", _LOOP, "acp")
            commands[f"{name}, without it"] = (str(python), "-P", _LOOP)
    took: dict[str, list[float]] = defaultdict(list)
    sessions: list[float] = []
    order = list(commands)
    for number in range(rounds):
        turned = order[number % len(order) :] + order[: number % len(order)]
        for name in turned:
            async with RawAgent.start(commands[name], env=world.env(), cwd=world.home) as agent:
                await agent.initialize()
                took[name].append((agent.frames[0].at - agent.spawned_at) * 1000)
                if name == _OURS:
                    await agent.new_session(world.root)
                    answer = next(frame for frame in agent.frames if frame.is_response_to(2))
                    sessions.append((answer.at - agent.spawned_at) * 1000)
    medians = {name: statistics.median(times) for name, times in took.items()}
    name = "acp: spawn to the answer to initialize"
    yield at_most(name, medians[_OURS], "ms", 2, peer=medians[_FLOOR], peer_name=_FLOOR)
    for sdk in PYTHON:
        if sdk in medians:
            yield reported(name, medians[_OURS], "ms", peer=medians[sdk], peer_name=f"the loop after importing {sdk}")
            without = medians[f"{sdk}, without it"]
            yield reported(f"acp: what importing {sdk} alone costs", medians[sdk] - without, "ms")
    yield reported("acp: spawn to the answer to the first session/new", statistics.median(sessions), "ms")
