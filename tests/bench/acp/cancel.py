"""From `session/cancel` to the turn's answer and to the end of the model's stream, while the model reasons."""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator

from tests.acp.raw import RawAgent
from tests.acp.world import World
from tests.bench.figure import Figure, at_most, percentile, reported
from tests.bench.lsp.endpoint import Endpoint, model

_GOAL_MS = 100
_TURNS = {"an audit": "/audit app.py", "a question": "What is wrong here?"}


async def cancels(world: World, rounds: int) -> AsyncGenerator[Figure]:
    """An audit and a question in turn, each answered `cancelled`; the connection's end is the fake's own time."""
    answered: dict[str, list[float]] = defaultdict(list)
    ended: dict[str, list[float]] = defaultdict(list)
    async with Endpoint.start() as endpoint:
        await endpoint.answer_endlessly(0.01)
        env = {**world.env(), **model(endpoint), "KIMI_LSP_ASK_ABOVE_USD": "100000"}
        async with RawAgent.start(env=env) as agent:
            await agent.initialize()
            session = await agent.new_session(world.root)
            for number in range(rounds + 1):  # the first one loads what a turn needs
                for what, text in _TURNS.items():
                    requests = await endpoint.requests()
                    request = agent.prompt(session, text)
                    await endpoint.streaming(1, since=requests)
                    began = time.perf_counter()
                    agent.cancel(session)
                    answer = await agent.response(request)
                    closed = await endpoint.closed(since=requests)
                    assert answer.get("result", "stopReason") == "cancelled", answer.body
                    if number:
                        answered[what].append((answer.at - began) * 1000)
                        ended[what] += [(at - began) * 1000 for at in closed]
    for what in _TURNS:
        name = f"acp: cancel of {what} to its answer"
        yield reported(f"{name}, p50", percentile(answered[what], 0.50), "ms")
        yield at_most(f"{name}, p95", percentile(answered[what], 0.95), "ms", _GOAL_MS)
        name = f"acp: cancel of {what} to the end of the model's connection"
        yield at_most(f"{name}, p95", percentile(ended[what], 0.95), "ms", _GOAL_MS)
