"""A client on the TypeScript SDK, which takes nothing that its schemas have not: all an editor does with the agent."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest

from tests.acp.clients.agents import TYPESCRIPT, start
from tests.acp.clients.driving import JAVASCRIPT, Driver, RefusedError, driving, texts
from tests.acp.clients.stage import FILE_SECRET, PROMPT_SECRET, Stage
from tests.acp.world import held
from tests.fakes.json_value import Json, get, items

OPTIONS = ["depth", "model", "thinking", "budget", "scope"]
COMMANDS = {"audit", "changes", "security", "health", "explain", "report", "budget"}
NOT_FOUND = -32002


class Drive(Protocol):
    """Starts a client with an agent of its own, and lets it say hello."""

    def __call__(self, **settings: str) -> AbstractAsyncContextManager[Driver]:
        """Settings of the agent by the end of their variable."""
        ...


@pytest.fixture
def drive(stage: Stage) -> Drive:
    """The client."""
    program = start(TYPESCRIPT)

    @asynccontextmanager
    async def driven(**settings: str) -> AsyncGenerator[Driver]:
        stage.prepare(**settings)
        async with driving(program, JAVASCRIPT, stage) as driver:
            info: Json = {"name": "driver", "version": "1"}
            can: Json = {"fs": {"readTextFile": True, "writeTextFile": True}, "terminal": True}
            hello = await driver.ask("initialize", protocolVersion=1, clientCapabilities=can, clientInfo=info)
            assert get(hello, "protocolVersion") == 1
            assert get(hello, "agentInfo", "name") == "kimi-auditor"
            yield driver

    return driven


async def opened(driver: Driver, stage: Stage) -> Json:
    """The result of `session/new`."""
    return await driver.ask("session/new", cwd=str(stage.root), mcpServers=[])


def values(options: Json) -> dict[Json, Json]:
    """What holds, by option."""
    return {get(option, "id"): get(option, "currentValue") for option in items(options)}


def ends(driver: Driver, session: Json) -> dict[str, str]:
    """What has become of each tool call."""
    told = [*driver.of(session, "tool_call"), *driver.of(session, "tool_call_update")]
    return {str(get(one, "toolCallId")): str(get(one, "status")) for one in told if get(one, "status") is not None}


async def test_a_session_has_options_modes_and_commands(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = await opened(driver, stage)

        assert list(values(get(session, "configOptions"))) == OPTIONS
        assert values(get(session, "configOptions"))["depth"] == "screen"
        assert get(session, "modes", "currentModeId") == "screen"
        await driver.until(lambda seen: bool(seen.of(get(session, "sessionId"), "available_commands_update")))
        (told,) = driver.of(get(session, "sessionId"), "available_commands_update")
        assert set(texts(get(told, "availableCommands"), "name")) >= COMMANDS


async def test_an_audit_shows_its_steps_its_reasoning_its_findings_and_its_cost(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")

        assert await driver.turn(session, "/audit app.py settings.py") == "end_turn"

        await driver.until(lambda seen: bool(seen.of(session, "session_info_update")))
        text = driver.text(session)
    assert stage.linked(text) == {"app.py:6", "app.py:10", "app.py:14", "settings.py:3", "settings.py:7"}
    assert "Outside text chooses the file that is read." in text
    assert driver.text(session, "agent_thought_chunk").count("Let me look at the file.") == 2
    plans = driver.of(session, "plan")
    assert set(texts(get(plans[-1], "entries"), "status")) == {"completed"}
    assert len(plans) > 2
    calls = driver.of(session, "tool_call")
    assert set(texts(calls, "kind")) >= {"read", "think"}
    assert set(ends(driver, session).values()) == {"completed"}
    spent = [get(usage, "cost", "amount") for usage in driver.of(session, "usage_update")]
    assert spent == sorted(map(float, map(str, spent)))
    assert float(str(spent[-1])) > 0
    assert {method for method, _ in driver.asked} == {"fs/read_text_file"}
    assert sorted(str(get(asked, "path")) for _, asked in driver.asked) == [
        str(stage.root / name) for name in ("app.py", "settings.py")
    ]


async def test_unsaved_text_is_audited_in_place_of_the_file(stage: Stage, drive: Drive) -> None:
    async with drive(DEPTH="local") as driver:
        session = get(await opened(driver, stage), "sessionId")
        unsaved = f"import pickle\n\nKEY = {FILE_SECRET!r}\n\n\ndef load(data):\n    return pickle.loads(data)\n"
        driver.behave(files={str(stage.root / "README.md"): "x", str(stage.root / "app.py"): unsaved})

        assert await driver.turn(session, "/audit app.py") == "end_turn"

    assert [method for method, _ in driver.asked] == ["fs/read_text_file"]
    assert "app.py:7" in stage.linked(driver.text(session))
    assert "unsaved" in str(driver.of(session, "tool_call")) + driver.text(session)
    assert stage.kimi.chats == []


async def test_a_question_brings_files_and_texts_along_and_secrets_stay(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")
        reason = await driver.turn(
            session,
            f"Is this token dangerous: {PROMPT_SECRET}?",
            {"type": "resource_link", "name": "app.py", "uri": (stage.root / "app.py").as_uri()},
            {
                "type": "resource",
                "resource": {"uri": "file:///elsewhere/notes.txt", "text": f"A peculiar note: {FILE_SECRET}."},
            },
        )

    assert reason == "end_turn"
    assert "It is the second one" in driver.text(session)
    (chat,) = stage.kimi.chats
    assert "A peculiar note" in chat.prompt
    assert "Is this token dangerous" in chat.prompt


@pytest.mark.parametrize("answer", ["allow", "reject", "none"])
async def test_money_above_the_threshold_is_spent_only_if_the_person_says_so(
    stage: Stage, drive: Drive, answer: str
) -> None:
    async with drive(ASK_ABOVE_USD="0.000001") as driver:
        session = get(await opened(driver, stage), "sessionId")
        driver.behave(permission=answer)

        assert await driver.turn(session, "/audit app.py") == "end_turn"

    (asked,) = [params for method, params in driver.asked if method == "session/request_permission"]
    assert "$" in str(get(asked, "toolCall", "title"))
    kinds = {str(get(option, "kind")).partition("_")[0] for option in items(get(asked, "options"))}
    assert kinds == {"allow", "reject"}
    assert len(stage.kimi.chats) == (answer == "allow")
    assert "app.py:6" in stage.linked(driver.text(session))  # the tools' own finding is told either way


async def test_a_turn_that_is_cancelled_ends_so_and_the_model_is_hung_up_on(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")
        holding = held(stage.kimi)
        turn = driver.begin("session/prompt", sessionId=session, prompt=[{"type": "text", "text": "/audit app.py"}])
        await holding.streams()
        with pytest.raises(RefusedError):  # one turn at a time
            await driver.turn(session, "And this?")

        driver.tell("session/cancel", sessionId=session)

        assert get(await turn, "stopReason") == "cancelled"
        await holding.is_hung_up()
        assert "in_progress" not in ends(driver, session).values()


async def test_options_and_modes_are_one_choice_and_hold(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")

        chosen = await driver.ask("session/set_config_option", sessionId=session, configId="depth", value="local")
        assert values(get(chosen, "configOptions"))["depth"] == "local"
        await driver.until(lambda seen: bool(seen.of(session, "current_mode_update")))
        assert get(driver.of(session, "current_mode_update")[-1], "currentModeId") == "local"
        assert await driver.turn(session, "/audit app.py") == "end_turn"
        assert stage.kimi.chats == []

        await driver.ask("session/set_mode", sessionId=session, modeId="screen")
        await driver.until(lambda seen: bool(seen.of(session, "config_option_update")))
        told = driver.of(session, "config_option_update")[-1]
        assert values(get(told, "configOptions"))["depth"] == "screen"

        with pytest.raises(RefusedError) as refused:
            await driver.ask("session/set_config_option", sessionId=session, configId="depth", value="abyss")
        assert refused.value.code == -32602


async def test_a_session_outlives_its_process_until_it_is_deleted(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")
        await driver.ask("session/set_config_option", sessionId=session, configId="scope", value="changes")
        await driver.turn(session, "/audit app.py")
        told = driver.text(session)

    async with drive() as driver:
        listed = items(get(await driver.ask("session/list", cwd=str(stage.root)), "sessions"))
        assert [get(one, "sessionId") for one in listed] == [session]
        assert str(get(listed[0], "title")).startswith("Audit app.py")
        with pytest.raises(RefusedError):  # it is not open here yet
            await driver.turn(session, "/budget")
        where: dict[str, Json] = {"sessionId": session, "cwd": str(stage.root), "mcpServers": []}

        loaded = await driver.ask("session/load", **where)
        assert values(get(loaded, "configOptions"))["scope"] == "changes"
        assert driver.text(session, "user_message_chunk") == "/audit app.py"
        assert driver.text(session) == told
        await driver.ask("session/close", sessionId=session)
        driver.updates.clear()

        await driver.ask("session/resume", **where)
        assert driver.text(session) == ""
        assert await driver.turn(session, "/report") == "end_turn"
        assert "Outside text chooses the file that is read." in driver.text(session)

        await driver.ask("session/delete", sessionId=session)
        await driver.ask("session/delete", sessionId=session)
        assert items(get(await driver.ask("session/list"), "sessions")) == []
        with pytest.raises(RefusedError) as refused:
            await driver.ask("session/load", **where)
        assert refused.value.code == NOT_FOUND


async def test_who_signs_out_is_asked_nothing_of_a_model_until_signing_in(stage: Stage, drive: Drive) -> None:
    async with drive() as driver:
        session = get(await opened(driver, stage), "sessionId")
        await driver.ask("logout")
        await driver.turn(session, "/audit app.py")
        assert stage.kimi.chats == []

        await driver.ask("authenticate", methodId="configured")
        await driver.turn(session, "/audit app.py")
        assert len(stage.kimi.chats) == 1
