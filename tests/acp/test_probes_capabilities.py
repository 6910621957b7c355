"""The protocol's demands on an agent, by the ids of the public TCK: those of the tier CAPABILITY.

As `test_probes`. This agent has all of these capabilities but pictures and sounds; what it has not, it must refuse.
"""

from pathlib import Path

import pytest

from tests.acp.raw import RawAgent
from tests.acp.raw_wire import texts
from tests.acp.stage import QUESTION, Stage, bare
from tests.acp.world import World, frame_check, held, reply
from tests.fakes.json_value import Json, JsonObject, get, items
from tests.fakes.kimi import FakeKimi

__all__ = ["bare"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

HISTORY = {"user_message_chunk", "agent_message_chunk", "agent_thought_chunk"}
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="


# Sessions


async def test_load_001(bare: Stage) -> None:
    """`session/load` of a session succeeds with an object."""
    assert bare.capability("loadSession") is True
    session = await bare.used_session()
    params: Json = {"sessionId": session, "cwd": str(bare.root), "mcpServers": []}
    assert isinstance(await bare.agent.call("session/load", params), dict)


async def test_load_002(bare: Stage) -> None:
    """What was said is told again before the answer to `session/load`, and nothing of the session after it."""
    agent, session = bare.agent, await bare.used_session()
    said, since = agent.said(session), agent.mark
    request = agent.request("session/load", {"sessionId": session, "cwd": str(bare.root), "mcpServers": []})
    answer = await agent.response(request)
    await agent.turn(await bare.session(), "/budget")  # a while in which something could still come
    assert agent.updates(session, since=answer.number) == []
    kinds = [frame.kind for frame in agent.updates(session, since=since)]
    assert kinds.count("user_message_chunk") == 1
    assert agent.said(session, since=since) == said


async def test_resume_001_and_002(bare: Stage) -> None:
    """`session/resume` without servers succeeds with an object, and tells nothing of the past."""
    agent, session = bare.agent, await bare.used_session()
    since = agent.mark
    assert isinstance(await agent.call("session/resume", {"sessionId": session, "cwd": str(bare.root)}), dict)
    assert [frame.kind for frame in agent.updates(session, since=since) if frame.kind in HISTORY] == []
    assert (await agent.turn(session, "/report"))["stopReason"] == "end_turn"


async def test_list_001(bare: Stage) -> None:
    """`session/list` without a filter gives an array, and the session is in it with its folder."""
    session = await bare.used_session()
    listed = items((await bare.agent.call("session/list", {}))["sessions"])
    assert {"sessionId": session, "cwd": str(bare.root)}.items() <= _only(listed, session).items()


async def test_list_002(bare: Stage, tmp_path: Path) -> None:
    """For a folder that has none it gives an empty array; for the session's folder the session."""
    session = await bare.used_session()
    empty = await bare.agent.call("session/list", {"cwd": str(tmp_path)})
    assert empty["sessions"] == []
    listed = items((await bare.agent.call("session/list", {"cwd": str(bare.root)}))["sessions"])
    assert _only(listed, session)


async def test_delete_001(bare: Stage) -> None:
    """`session/delete` succeeds with an object, once more too, and the session is listed no longer."""
    session = await bare.used_session()
    for identifier in (session, session, "never-there"):
        assert await bare.agent.call("session/delete", {"sessionId": identifier}) == {}
    listed = items((await bare.agent.call("session/list", {}))["sessions"])
    assert session not in texts(listed, "sessionId")


async def test_close_001(bare: Stage) -> None:
    """`session/close` of a session where nothing runs succeeds with an object; it can be resumed."""
    session = await bare.used_session()
    assert await bare.agent.call("session/close", {"sessionId": session}) == {}
    await bare.agent.call("session/resume", {"sessionId": session, "cwd": str(bare.root)})


async def test_close_002(bare: Stage) -> None:
    """Closing a session ends its turn as a cancellation does."""
    agent, session = bare.agent, await bare.session()
    stream = held(bare.kimi)
    request = agent.prompt(session, QUESTION)
    await stream.streams()
    assert await agent.call("session/close", {"sessionId": session}) == {}
    assert (await agent.response(request)).get("result", "stopReason") == "cancelled"
    await stream.is_hung_up()
    stream.gate.open()


async def test_adddirs_001(bare: Stage, tmp_path: Path) -> None:
    """A session takes more folders by absolute paths, and a relative one is refused."""
    (tmp_path / "more.py").write_text("eval(input())\n")
    assert await bare.agent.new_session(bare.root, additionalDirectories=[str(tmp_path)])
    params: Json = {"cwd": str(bare.root), "mcpServers": [], "additionalDirectories": ["more"]}
    assert (await bare.agent.ask("session/new", params)).error_code == -32602


# Modes, options, prompts, authentication


async def test_modes_001_and_002(bare: Stage) -> None:
    """The current mode is one of those there are, and each of them can be chosen."""
    result = await bare.agent.call("session/new", {"cwd": str(bare.root), "mcpServers": []})
    session, modes = result["sessionId"], get(result, "modes")
    known = texts(get(modes, "availableModes"), "id")
    assert get(modes, "currentModeId") in known
    assert {"local", "screen"} <= set(known)
    for mode in known:
        assert await bare.agent.call("session/set_mode", {"sessionId": session, "modeId": mode}) == {}
    refused = await bare.agent.ask("session/set_mode", {"sessionId": session, "modeId": "writing"})
    assert refused.error_code == -32602


async def test_config_001(bare: Stage) -> None:
    """The value of every option is one of its own."""
    result = await bare.agent.call("session/new", {"cwd": str(bare.root), "mcpServers": []})
    options = items(result["configOptions"])
    assert {"depth", "model", "thinking", "budget", "scope"} <= set(texts(options, "id"))
    for option in options:
        assert get(option, "currentValue") in [get(one, "value") for one in items(get(option, "options"))]


async def test_config_002(bare: Stage) -> None:
    """Every value of every option can be chosen; the answer has all options, and the new value."""
    result = await bare.agent.call("session/new", {"cwd": str(bare.root), "mcpServers": []})
    session, options = result["sessionId"], items(result["configOptions"])
    for option in options:
        for value in (get(one, "value") for one in items(get(option, "options"))):
            params: Json = {"sessionId": session, "configId": get(option, "id"), "value": value}
            now = items((await bare.agent.call("session/set_config_option", params))["configOptions"])
            assert texts(now, "id") == texts(options, "id")
            [changed] = [one for one in now if get(one, "id") == get(option, "id")]
            assert get(changed, "currentValue") == value
    for wrong in ({"configId": "depth", "value": "deepest"}, {"configId": "writes", "value": "on"}):
        assert (await bare.agent.ask("session/set_config_option", {"sessionId": session, **wrong})).error_code == -32602


@pytest.mark.parametrize("kind", ["image", "audio"])
async def test_promptcap_001_and_002(bare: Stage, kind: str) -> None:
    """Pictures and sounds are not offered; one that comes all the same is answered, and the next prompt works."""
    assert bare.capability("promptCapabilities", kind) is not True
    session = await bare.session()
    block: Json = {"type": kind, "data": RED_DOT, "mimeType": "image/png" if kind == "image" else "audio/wav"}
    params: Json = {"sessionId": session, "prompt": [{"type": "text", "text": QUESTION}, block]}
    assert (await bare.agent.ask("session/prompt", params)).error_code == -32602
    assert (await bare.agent.turn(session, QUESTION))["stopReason"] == "end_turn"


async def test_promptcap_003(bare: Stage) -> None:
    """A text, a blob and a link in a prompt are taken; links are so of every agent."""
    assert bare.capability("promptCapabilities", "embeddedContext") is True
    session = await bare.session()
    blocks: list[Json] = [
        {"type": "resource", "resource": {"uri": (bare.root / "app.py").as_uri(), "text": "eval(input())\n"}},
        {"type": "resource", "resource": {"uri": "zed:///agent/selection", "text": "some words"}},
        {"type": "resource", "resource": {"uri": "file:///a.png", "blob": RED_DOT, "mimeType": "image/png"}},
        {"type": "resource_link", "name": "app.py", "uri": (bare.root / "app.py").as_uri() + "#L3:5"},
        {"type": "resource_link", "name": "a thread", "uri": "zed:///agent/thread/1"},
    ]
    for block in blocks:
        assert (await bare.agent.turn(session, QUESTION, block))["stopReason"] == "end_turn"
    assert "some words" in bare.kimi.chats[-4].prompt


async def test_auth_003(bare: Stage) -> None:
    """After each method that is no terminal's `session/new` asks for no more; an unknown method is an error."""
    methods = [get(method, "id") for method in items(bare.greeting["authMethods"]) if get(method, "type") != "terminal"]
    assert methods
    for method in methods:
        assert isinstance(await bare.agent.call("authenticate", {"methodId": method}), dict)
        assert await bare.agent.new_session(bare.root)
    assert (await bare.agent.ask("authenticate", {"methodId": "nothing"})).error_code == -32602


async def test_auth_004(tmp_path: Path) -> None:
    """`logout` succeeds with an object; what needs no model still works, and `authenticate` brings the rest back."""
    world = World.make(tmp_path)
    with FakeKimi() as kimi:
        kimi.respond(reply())
        async with RawAgent.start(env=world.env(kimi), check=frame_check()) as agent:
            greeting = await agent.initialize()
            assert isinstance(get(greeting, "agentCapabilities", "auth", "logout"), dict)
            assert await agent.call("logout", {}) == {}
            session = await agent.new_session(world.root)
            await agent.turn(session, "/security")
            assert "app.py" in agent.told(session)
            assert kimi.chats == []
            await agent.call("authenticate", {"methodId": get(greeting, "authMethods", 0, "id")})
            await agent.turn(session, QUESTION)
            assert len(kimi.chats) == 1


def _only(listed: list[Json], session: str) -> JsonObject:
    [found] = [one for one in listed if get(one, "sessionId") == session]
    assert isinstance(found, dict)
    return found
