"""What an agent holds after many turns, and what it does when nobody asks. Linux only."""

import asyncio
from collections.abc import AsyncGenerator

from tests.acp.raw import RawAgent
from tests.acp.world import World, reply
from tests.bench.figure import Figure, at_most, reported
from tests.bench.lsp.process import cpu_ms, rss_mib
from tests.fakes.kimi import FakeKimi

_MB_A_MIB = 1.048576
_GOAL_MB = 120
_REST_MS = 1.0
_TEXTS = ("/audit", "/security app.py", "What is the worst of it?", "/report", "/health")


async def turns(world: World, count: int) -> AsyncGenerator[Figure]:
    """So many turns of one session, audits with the model and questions among them; then the agent alone."""
    with FakeKimi() as kimi:
        kimi.respond(reply())
        env = world.env(kimi, ASK_ABOVE_USD="100000", RUN_USD="100000", DAILY_USD="100000", WEEKLY_USD="100000")
        async with RawAgent.start(env=env) as agent:
            await agent.initialize()
            session = await agent.new_session(world.root)
            early = 0.0
            for number in range(count):
                world.write({"app.py": f"value = eval(input())\nnumber = {number}\n"})  # so that nothing is remembered
                result = await agent.turn(session, _TEXTS[number % len(_TEXTS)], timeout_s=60)
                assert result["stopReason"] == "end_turn"
                early = early or rss_mib([agent.pid]) * _MB_A_MIB
            held = rss_mib(agent.left()) * _MB_A_MIB
            own = rss_mib([agent.pid]) * _MB_A_MIB
            assert len(kimi.chats) >= count * 2 // 5, "the model was not asked"
            seconds = 1.0 if count < 50 else 5.0
            await asyncio.sleep(seconds)  # for what is still under way
            cpu = cpu_ms(agent.pid)
            await asyncio.sleep(seconds)
            rest = cpu_ms(agent.pid) - cpu
    yield reported("acp: memory after the first turn", early, "MB")
    yield at_most(f"acp: memory after {count} turns", own, "MB", _GOAL_MB)
    yield reported(f"acp: memory after {count} turns, with what it started", held, "MB")
    yield at_most(f"acp: CPU in {seconds:g} s at rest", rest, "ms", _REST_MS)
