"""What other agents and SDKs got wrong, asked of ours: overridden params, echoes, relative folders, order, versions."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.acp.raw import AGENT, FULL, RawAgent
from tests.acp.raw_wire import texts
from tests.acp.stage import QUESTION, Stage, bare
from tests.acp.world import World, frame_check, reply
from tests.fakes.json_value import Json, get, items

__all__ = ["bare"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "echo-" + "7Q2M4X6W8E1R3T5"
STARTED = "a server was started"
TOLD = ("Traceback", "Error(", "pydantic", "msgspec", "line 1", ".py")  # signs of an exception's own text

BAD_PARAMS: list[tuple[str, Json]] = [
    ("session/new", {"cwd": CANARY, "mcpServers": []}),
    ("session/new", {"cwd": f"/{CANARY}", "mcpServers": []}),
    ("session/new", {"cwd": [CANARY], "mcpServers": []}),
    ("session/new", {"cwd": "/", "mcpServers": [{"name": CANARY, "command": 7, "args": [], "env": []}]}),
    ("session/new", {"cwd": "/", "mcpServers": CANARY}),
    ("session/new", {"cwd": f"/\0{CANARY}", "mcpServers": []}),
    ("session/load", {"sessionId": CANARY, "cwd": "/", "mcpServers": []}),
    ("session/resume", {"sessionId": CANARY, "cwd": "/"}),
    ("session/list", {"cursor": CANARY}),
    ("session/prompt", {"sessionId": CANARY, "prompt": [{"type": "text", "text": CANARY}]}),
    ("session/prompt", {"sessionId": CANARY, "prompt": CANARY}),
    ("session/prompt", {"sessionId": CANARY, "prompt": [{"type": CANARY}]}),
    ("session/set_mode", {"sessionId": CANARY, "modeId": CANARY}),
    ("session/set_config_option", {"sessionId": CANARY, "configId": CANARY, "value": CANARY}),
    ("authenticate", {"methodId": CANARY}),
    ("initialize", {"protocolVersion": CANARY}),
]


# Params and what overrides them


async def test_meta_overrides_no_parameter(bare: Stage, tmp_path: Path) -> None:
    evil: Json = {"cwd": str(tmp_path), "sessionId": "evil", "session_id": "evil", "prompt": [], "mcp_servers": 7}
    params: Json = {"cwd": str(bare.root), "mcpServers": [], "_meta": {**evil, "mcpServers": 7}}
    result = await bare.agent.call("session/new", params)
    session = result["sessionId"]
    assert isinstance(session, str)
    assert session != "evil"
    listed = items((await bare.agent.call("session/list", {}))["sessions"])
    assert [get(one, "cwd") for one in listed if get(one, "sessionId") == session] == [str(bare.root)]
    since = bare.agent.mark
    block: Json = {"type": "text", "text": "/security app.py"}
    await bare.agent.call("session/prompt", {"sessionId": session, "prompt": [block], "_meta": evil})
    assert {frame.session for frame in bare.agent.updates(since=since)} == {session}
    assert "app.py" in bare.agent.told(session, since=since)
    await bare.agent.call("session/set_mode", {"sessionId": session, "modeId": "local", "_meta": {"modeId": "screen"}})
    reopened = await bare.agent.call("session/resume", {"sessionId": session, "cwd": str(bare.root), "_meta": evil})
    assert get(reopened, "modes", "currentModeId") == "local"


async def test_a_tracing_key_in_meta_is_taken(bare: Stage) -> None:
    session = await bare.session()
    block: Json = {"type": "text", "text": "/budget"}
    meta: Json = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "other": {"a": [1]}}
    result = await bare.agent.call("session/prompt", {"sessionId": session, "prompt": [block], "_meta": meta})
    assert result["stopReason"] == "end_turn"


async def test_names_in_snake_case_are_no_parameters(bare: Stage) -> None:
    answer = await bare.agent.ask("session/new", {"cwd": str(bare.root), "mcp_servers": []})
    assert answer.error_code == -32602


# What an error says


@pytest.mark.parametrize(("method", "params"), BAD_PARAMS)
async def test_an_error_says_nothing_of_what_was_sent_and_nothing_of_exceptions(
    bare: Stage, method: str, params: Json
) -> None:
    since = bare.agent.mark
    answer = await bare.agent.ask(method, params)
    assert answer.error_code in (-32602, -32002), answer.body
    told = b"".join(frame.line for frame in bare.agent.frames[since:]).decode() + bare.agent.stderr
    assert [sign for sign in (CANARY, *TOLD) if sign in told] == []
    assert get(answer.body, "error", "data") is None


async def test_what_is_wrong_with_a_session_of_ours_is_said_without_quoting(bare: Stage) -> None:
    session = await bare.session()
    wrong: list[tuple[str, Json]] = [
        ("session/prompt", {"sessionId": session, "prompt": []}),
        ("session/prompt", {"sessionId": session, "prompt": [{"type": CANARY, "text": CANARY}]}),
        ("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": {"a": CANARY}}]}),
        ("session/set_mode", {"sessionId": session, "modeId": CANARY}),
        ("session/set_config_option", {"sessionId": session, "configId": CANARY, "value": CANARY}),
        ("session/set_config_option", {"sessionId": session, "configId": "depth", "value": True}),
        ("session/set_config_option", {"sessionId": session, "configId": "model", "value": CANARY}),
        ("session/load", {"sessionId": session, "cwd": f"/{CANARY}", "mcpServers": []}),
    ]
    for method, params in wrong:
        answer = await bare.agent.ask(method, params)
        assert answer.error_code == -32602, (method, answer.body)
        assert CANARY not in answer.line.decode()


# Folders and servers


@pytest.mark.parametrize("cwd", ["", ".", "project", "../project", "~/project", "file:///tmp", "C:project"])
async def test_a_folder_that_is_not_absolute_is_refused(bare: Stage, cwd: str) -> None:
    for method, more in (("session/new", {}), ("session/load", {"sessionId": await bare.session()})):
        answer = await bare.agent.ask(method, {"cwd": cwd, "mcpServers": [], **more})
        assert answer.error_code == -32602, (method, answer.body)


@pytest.mark.parametrize(
    "entry",
    [
        7,
        "server",
        None,
        [],
        {},
        {"name": "a"},
        {"name": 7, "command": "/bin/true", "args": [], "env": []},
        {"name": "a", "command": "/bin/true", "args": "x", "env": []},
        {"name": "a", "command": "/bin/true", "args": [], "env": {"A": "b"}},
        {"name": "a", "command": "/bin/true", "args": [], "env": [{"name": "A"}]},
        {"name": "a", "command": "", "args": [], "env": []},
        {"name": "a", "command": "/bin/tr\0ue", "args": [], "env": []},
        {"type": "telepathy", "name": "a", "url": "https://mcp.example/"},
        {"type": "http", "name": "a"},
        {"type": "http", "name": "a", "url": "ftp://mcp.example/", "headers": []},
        {"type": "sse", "name": "a", "url": "https://mcp.example/", "headers": []},
    ],
)
async def test_a_server_entry_that_is_none_is_refused_by_its_number(bare: Stage, entry: Json) -> None:
    good: Json = {"name": "good", "command": "/bin/true", "args": [], "env": []}
    known = len(items((await bare.agent.call("session/list", {}))["sessions"]))
    answer = await bare.agent.ask("session/new", {"cwd": str(bare.root), "mcpServers": [good, entry]})
    assert answer.error_code == -32602, answer.body
    message = answer.get("error", "message")
    assert isinstance(message, str)
    assert "mcpServers[1]" in message
    assert len(items((await bare.agent.call("session/list", {}))["sessions"])) == known


async def test_good_servers_are_taken_and_not_started_unasked(bare: Stage, tmp_path: Path) -> None:
    made = tmp_path / "started"
    servers: list[Json] = [
        {"name": "one", "command": "/bin/sh", "args": ["-c", f"echo {STARTED} > {made}"], "env": []},
        {"type": "http", "name": "two", "url": "http://127.0.0.1:9/mcp", "headers": []},
    ]
    bare.kimi.respond(reply())
    session = await bare.agent.new_session(bare.root, servers=servers)
    assert (await bare.agent.turn(session, QUESTION))["stopReason"] == "end_turn"
    assert not made.exists()


# Order


async def test_nothing_is_said_of_a_session_before_its_answer_and_its_commands_come_after(bare: Stage) -> None:
    agent, since = bare.agent, bare.agent.mark
    params: Json = {"cwd": str(bare.root), "mcpServers": []}
    requests = [agent.request("session/new", params) for _ in range(20)]
    for request in requests:
        answer = await agent.response(request)
        session = answer.get("result", "sessionId")
        assert isinstance(session, str)
        commands = await agent.updated(session, "available_commands_update", since=since)
        first = agent.updates(session, since=since)[0]
        assert first.number > answer.number
        names = texts(commands.get("params", "update", "availableCommands"), "name")
        assert {"audit", "changes", "security", "health", "explain", "report", "budget"} <= set(names)


async def test_requests_behind_each_other_on_one_pipe_are_answered_in_one_conversation(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(), check=frame_check()) as agent:
        greeting: Json = {"protocolVersion": 1, "clientCapabilities": {}}
        first = agent.request("initialize", greeting)
        second = agent.request("session/new", {"cwd": str(world.root), "mcpServers": []})  # while the agent loads
        assert "result" in (await agent.response(first)).body
        assert "result" in (await agent.response(second)).body
        again = await agent.call("initialize", greeting)
        assert again["protocolVersion"] == 1
        await agent.assert_alive()


async def test_what_comes_before_initialize_is_refused_and_the_agent_waits_on(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(), check=frame_check()) as agent:
        params: Json = {"cwd": str(world.root), "mcpServers": []}
        assert (await agent.ask("session/new", params)).error_code in (-32600, -32002)
        assert (await agent.ask("session/nothing", {})).error_code == -32601
        assert (await agent.answer_to(b"{", None)).error_code == -32700
        versions: list[Json] = ["1", 65_536, -1, True, None]
        for wrong in versions:
            assert (await agent.ask("initialize", {"protocolVersion": wrong})).error_code == -32602
        agent.notify("session/cancel", {"sessionId": "nobody"})
        assert (await agent.initialize())["protocolVersion"] == 1
        await agent.assert_alive()


# Cancellation of a request


async def test_a_request_that_is_cancelled_is_answered_once(bare: Stage) -> None:
    agent, session = bare.agent, await bare.session()
    since = agent.mark
    request = agent.prompt(session, "/audit")
    agent.notify("$/cancel_request", {"requestId": request})
    answer = await agent.response(request)
    assert answer.error_code == -32800 or answer.get("result", "stopReason") in ("cancelled", "end_turn")
    await agent.assert_alive()
    assert len([frame for frame in agent.frames[since:] if frame.is_response_to(request)]) == 1
    assert (await agent.turn(session, "/budget"))["stopReason"] == "end_turn"


# Authentication


@pytest.mark.parametrize("capabilities", [{}, FULL, {"auth": {"terminal": False}}, {"auth": True}, {"auth": None}])
async def test_there_is_always_a_method_and_never_one_of_variables(
    capabilities: dict[str, Json], tmp_path: Path
) -> None:
    world = World.make(tmp_path)
    params: Json = {"protocolVersion": 1, "clientCapabilities": capabilities}
    bare_environment = {"TERM": "dumb", **world.env(DEPTH="")}
    async with RawAgent.start(env=bare_environment) as agent:
        methods = items((await agent.ask("initialize", params)).get("result", "authMethods"))
    assert methods
    kinds = [get(method, "type") for method in methods]
    assert "env_var" not in kinds
    assert [kind for kind in kinds if kind != "terminal"]
    assert ("terminal" in kinds) == (capabilities == FULL)
    assert len(set(texts(methods, "id"))) == len(methods)


async def test_what_a_terminal_method_says_to_run_runs(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env()) as agent:
        methods = items((await agent.initialize(FULL))["authMethods"])
    [terminal] = [method for method in methods if get(method, "type") == "terminal"]
    arguments = [str(argument) for argument in items(get(terminal, "args"))]
    done = await asyncio.create_subprocess_exec(
        *AGENT,
        *arguments,
        env={**os.environ, **world.env()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(done.communicate(), 60)
    assert b"depth" in out, out
    assert b"Usage" not in out
