"""Clients on two releases of the Python SDK: a conversation with the agent, and what is left of it afterwards."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.acp.clients.agents import PYTHON, start
from tests.acp.clients.driving import PYTHON as DRIVER
from tests.acp.clients.driving import Driver, RefusedError, driving, texts
from tests.acp.clients.stage import PROMPT_SECRET, Stage
from tests.acp.world import held
from tests.fakes.json_value import Json, get, items


@pytest.fixture(params=PYTHON)
def program(request: pytest.FixtureRequest) -> str:
    """Starts the Python of a release."""
    return start(request.param)


@asynccontextmanager
async def greeted(program: str, stage: Stage) -> AsyncGenerator[Driver]:
    """A client that has said hello."""
    async with driving(program, DRIVER, stage) as driver:
        hello = await driver.ask("initialize", protocolVersion=1, clientCapabilities={"fs": {"readTextFile": True}})
        assert get(hello, "agentCapabilities", "loadSession") is True
        yield driver


async def test_a_conversation(stage: Stage, program: str) -> None:
    stage.prepare(ASK_ABOVE_USD="0.000001")
    unsaved = "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n"
    async with greeted(program, stage) as driver:
        opened = await driver.ask("session/new", cwd=str(stage.root), mcpServers=[])
        session = get(opened, "sessionId")
        driver.behave(permission="allow", files={str(stage.root / "app.py"): unsaved})

        assert await driver.turn(session, "/audit app.py") == "end_turn"
        assert "app.py:5" in stage.linked(driver.text(session))
        assert {method for method, _ in driver.asked} == {"fs/read_text_file", "session/request_permission"}
        assert set(texts(get(driver.of(session, "plan")[-1], "entries"), "status")) == {"completed"}
        assert driver.text(session, "agent_thought_chunk") != ""
        assert float(str(get(driver.of(session, "usage_update")[-1], "cost", "amount"))) > 0

        link: Json = {"type": "resource_link", "name": "app.py", "uri": (stage.root / "app.py").as_uri()}
        assert isinstance(link, dict)
        assert await driver.turn(session, f"What of {PROMPT_SECRET}?", link) == "end_turn"
        assert "It is the second one" in driver.text(session)

        chosen = await driver.ask("session/set_config_option", sessionId=session, configId="depth", value="local")
        depth = [get(one, "currentValue") for one in items(get(chosen, "configOptions")) if get(one, "id") == "depth"]
        assert depth == ["local"]
        await driver.ask("session/set_mode", sessionId=session, modeId="screen")
        await driver.until(lambda seen: bool(seen.of(session, "config_option_update")))

        holding = held(stage.kimi)
        text: Json = [{"type": "text", "text": "/audit settings.py"}]
        turn = driver.begin("session/prompt", sessionId=session, prompt=text)
        await holding.streams()
        driver.tell("session/cancel", sessionId=session)
        assert get(await turn, "stopReason") == "cancelled"
        await holding.is_hung_up()


async def test_what_is_left_of_a_conversation(stage: Stage, program: str) -> None:
    stage.prepare(DEPTH="local")
    async with greeted(program, stage) as driver:
        session = get(await driver.ask("session/new", cwd=str(stage.root), mcpServers=[]), "sessionId")
        assert await driver.turn(session, "/audit app.py") == "end_turn"
        told = driver.text(session)
        assert "app.py:6" in stage.linked(told)

    async with greeted(program, stage) as driver:
        listed = await driver.ask("session/list", cwd=str(stage.root))
        assert [get(one, "sessionId") for one in items(get(listed, "sessions"))] == [session]
        where: dict[str, Json] = {"sessionId": session, "cwd": str(stage.root), "mcpServers": []}
        await driver.ask("session/load", **where)
        await driver.until(lambda seen: seen.text(session) == told)
        await driver.ask("session/close", sessionId=session)
        driver.updates.clear()
        await driver.ask("session/resume", **where)
        assert driver.text(session) == ""
        assert await driver.turn(session, "/report") == "end_turn"
        if "session/delete" in driver.methods:  # not in the older release
            await driver.ask("session/delete", sessionId=session)
            assert items(get(await driver.ask("session/list"), "sessions")) == []
            with pytest.raises(RefusedError):
                await driver.ask("session/load", **where)
