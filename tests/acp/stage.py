"""An agent on stage: greeted, with a project and a model, shared by the probes of a module."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acp.raw import FULL, RawAgent
from tests.acp.world import World, frame_check, reply
from tests.fakes.json_value import Json, JsonObject, get
from tests.fakes.kimi import FakeKimi

QUESTION = "Which of the findings is the worst?"


@dataclass(frozen=True, slots=True)
class Stage:
    """An agent that has been greeted, its project, its model."""

    agent: RawAgent
    world: World
    kimi: FakeKimi
    greeting: JsonObject

    @property
    def root(self) -> Path:
        """The project."""
        return self.world.root

    async def session(self) -> str:
        """A new session, and a model that answers."""
        self.kimi.respond(reply())
        return await self.agent.new_session(self.root)

    async def used_session(self) -> str:
        """A session with a turn of local facts in it."""
        session = await self.session()
        await self.agent.turn(session, "/security app.py")
        return session

    def capability(self, *path: str) -> Json:
        """What the agent says of itself."""
        return get(self.greeting, "agentCapabilities", *path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bare(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    """An agent whose client has no capabilities, as in the TCK."""
    world = World.make(tmp_path_factory.mktemp("bare"))
    with FakeKimi() as kimi:
        kimi.respond(reply())
        async with RawAgent.start(env=world.env(kimi), check=frame_check()) as agent:
            yield Stage(agent, world, kimi, await agent.initialize())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    """An agent whose client can do everything."""
    world = World.make(tmp_path_factory.mktemp("full"))
    with FakeKimi() as kimi:
        kimi.respond(reply())
        async with RawAgent.start(env=world.env(kimi), check=frame_check()) as agent:
            yield Stage(agent, world, kimi, await agent.initialize(FULL))
