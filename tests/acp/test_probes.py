"""The protocol's demands on an agent, by the ids of the public TCK (EugeneTheDev/acp-tck), against the real process.

Those of the tier MANDATORY; `test_probes_capabilities` has the others. A test is named by the id; what it demands is
written here anew from the specification. Every frame of both sides is held against the schema on its way.
"""

from pathlib import Path

import pytest

from tests.acp.raw import RawAgent
from tests.acp.raw_wire import read_line, texts
from tests.acp.stage import QUESTION, Stage, bare, full
from tests.acp.world import World, frame_check, held, reply
from tests.fakes.json_value import Json, get, items

__all__ = ["bare", "full"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOP_REASONS = {"end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"}


# Mandatory: transport and JSON-RPC


async def test_transport_001(bare: Stage) -> None:
    """Each line on stdout is one JSON-RPC 2.0 message, also while turns with a model run."""
    session = await bare.session()
    await bare.agent.turn(session, "/audit")
    await bare.agent.turn(session, QUESTION)
    bare.agent.assert_sound()
    lines = [frame.line for frame in bare.agent.frames]
    assert len(lines) > 10
    assert [line for line in lines if read_line(line)["jsonrpc"] != "2.0" or b"\r" in line] == []


async def test_transport_002(bare: Stage) -> None:
    """What is on stdout is UTF-8; a name that is no ASCII comes through as it is."""
    session = await bare.session()
    since = bare.agent.mark
    await bare.agent.turn(session, "/security pkg")
    for frame in bare.agent.frames[since:]:
        frame.line.decode("utf-8", "strict")
    assert "größe.py" in bare.agent.told(session, since=since)


@pytest.mark.parametrize("id_", [0, 7_000_001, -3, 2**53, "a string", "7", "", "ünïcode"])
async def test_jsonrpc_001(bare: Stage, id_: Json) -> None:
    """The id of an answer is the request's, of the same type, be it a number or a string."""
    assert "result" in (await bare.agent.ask("session/list", {}, id_=id_)).body
    assert (await bare.agent.ask("session/nothing", {}, id_=f"{id_} again")).error_code == -32601


async def test_jsonrpc_002(bare: Stage) -> None:
    """An answer has one of result and error; an error has an integer code and a message of one line."""
    asked: list[tuple[str, Json]] = [
        ("session/list", {}),
        ("session/list", []),
        ("session/nothing", {}),
        ("session/new", {"cwd": "relative", "mcpServers": []}),
        ("session/new", {}),
        ("session/prompt", {"sessionId": "nobody", "prompt": []}),
        ("session/load", {"sessionId": "nobody", "cwd": str(bare.root), "mcpServers": []}),
        ("session/set_mode", {"sessionId": "nobody", "modeId": "none"}),
        ("authenticate", {"methodId": "none"}),
    ]
    answers = [await bare.agent.ask(method, params) for method, params in asked]
    assert [("result" in answer.body) + ("error" in answer.body) for answer in answers] == [1] * len(asked)
    errors = [answer.get("error") for answer in answers[1:]]
    assert [error for error in errors if type(get(error, "code")) is not int] == []
    messages = [get(error, "message") for error in errors]
    assert [text for text in messages if not (isinstance(text, str) and text.strip() and "\n" not in text)] == []


async def test_jsonrpc_003(bare: Stage) -> None:
    """A notification has no answer, known or not, good or bad: none comes before the answer to what is sent after."""
    agent, session = bare.agent, await bare.session()
    since = agent.mark
    agent.cancel(session)  # nothing runs
    agent.cancel("nobody")
    for method in ("session/cancel", "session/nothing", "_custom", "$/nothing", "session/prompt", "initialize"):
        agent.notify(method, {"sessionId": 7}, is_checked=False)
    agent.notify("$/cancel_request", {"requestId": "nothing"})
    await agent.assert_alive()
    answers = [frame.body for frame in agent.frames[since:] if "method" not in frame.body]
    assert len(answers) == 1


# Mandatory: initialize


async def test_init_001_and_002(bare: Stage) -> None:
    """`initialize` succeeds and answers version 1 with version 1, and says who answers."""
    assert bare.greeting["protocolVersion"] == 1
    assert isinstance(get(bare.greeting, "agentInfo", "name"), str)
    assert isinstance(get(bare.greeting, "agentInfo", "version"), str)


@pytest.mark.parametrize("version", [65_535, 2, 0])
async def test_init_003(version: int, tmp_path: Path) -> None:
    """A version that the agent does not speak is answered with its own, not with the client's, and all goes on."""
    world = World.make(tmp_path)
    info: Json = {"name": "future", "version": "9"}
    params: Json = {"protocolVersion": version, "clientCapabilities": {}, "clientInfo": info, "info": info}
    async with RawAgent.start(env=world.env(), check=frame_check()) as agent:
        assert (await agent.call("initialize", params))["protocolVersion"] == 1
        assert await agent.new_session(world.root)


async def test_schema_001(full: Stage) -> None:
    """Every message of a whole exchange fits the schema: what the check saw, it saw on the way."""
    session = await full.used_session()
    for text in ("/audit", "/changes", "/health", "/report", "/budget", "/explain nothing", QUESTION):
        result = await full.agent.turn(session, text)
        assert result["stopReason"] in STOP_REASONS
    full.agent.assert_sound()
    kinds = {frame.kind for frame in full.agent.updates(session)}
    assert kinds >= {
        "agent_message_chunk",
        "agent_thought_chunk",
        "tool_call",
        "tool_call_update",
        "plan",
        "available_commands_update",
        "usage_update",
    }


# Mandatory: sessions and turns


async def test_session_001_and_002(bare: Stage) -> None:
    """`session/new` gives an id that is not empty, and another one each time."""
    found = [await bare.agent.new_session(bare.root) for _ in range(3)]
    assert all(found)
    assert len(set(found)) == 3


async def test_prompt_001(bare: Stage) -> None:
    """A prompt of text ends with a reason to stop that the protocol knows."""
    session = await bare.session()
    assert (await bare.agent.turn(session, "hello"))["stopReason"] == "end_turn"
    assert bare.agent.said(session)


async def test_prompt_002(bare: Stage) -> None:
    """Every update of a turn is of the session that was asked, also with two turns at once."""
    one, other = await bare.session(), await bare.session()
    since = bare.agent.mark
    asked = [bare.agent.prompt(one, "/security app.py"), bare.agent.prompt(other, "/security pkg")]
    for request in asked:
        assert (await bare.agent.response(request)).get("result", "stopReason") == "end_turn"
    assert {frame.session for frame in bare.agent.updates(since=since)} <= {one, other}
    for session, (mine, others) in {one: ("app.py", "größe.py"), other: ("größe.py", "app.py")}.items():
        told = bare.agent.told(session, since=since)
        assert mine in told
        assert others not in told


@pytest.mark.parametrize("text", ["/audit", QUESTION])
async def test_cancel_001_and_002(bare: Stage, text: str) -> None:
    """A cancelled turn ends with `cancelled` and no error; every update comes before that, none after it."""
    agent, session = bare.agent, await bare.session()
    stream = held(bare.kimi)
    request = agent.prompt(session, text)
    await stream.streams()
    agent.cancel(session)
    answer = await agent.response(request)
    assert answer.get("result", "stopReason") == "cancelled"
    await stream.is_hung_up()
    stream.gate.open()
    bare.kimi.respond(reply())
    await agent.turn(await bare.session(), QUESTION)  # a while in which something could still come
    assert agent.updates(session, since=answer.number) == []
    assert (await agent.turn(session, "/budget"))["stopReason"] == "end_turn"


async def test_config_003(bare: Stage) -> None:
    """No option of type boolean for a client that did not say that it has those."""
    result = await bare.agent.call("session/new", {"cwd": str(bare.root), "mcpServers": []})
    options = items(result["configOptions"])
    assert options
    assert [option for option in options if get(option, "type") == "boolean"] == []


async def test_auth_002(bare: Stage, full: Stage) -> None:
    """A method of type terminal is offered to a client that can run one, and to no other."""
    kinds = [texts(one.greeting["authMethods"], "type") for one in (bare, full)]
    assert "terminal" not in kinds[0]
    assert "terminal" in kinds[1]


async def test_clientcap_001_to_003(bare: Stage) -> None:
    """Of a client that offers nothing no file, no terminal and no form is asked, whatever the turn."""
    session = await bare.session()
    for text in ("/audit", "/changes", QUESTION, "/report"):
        await bare.agent.turn(session, text)
    assert bare.agent.methods <= {"session/update", "session/request_permission"}


async def test_clientcap_of_a_client_that_can_do_everything(full: Stage) -> None:
    """Of one that offers all, files are read, and still nothing is written, run or filled in."""
    session = await full.session()
    full.agent.buffers[str(full.root / "app.py")] = "eval(input())  # not saved\n"
    await full.agent.turn(session, "/security app.py")
    assert "fs/read_text_file" in full.agent.methods
    assert full.agent.methods <= {"session/update", "session/request_permission", "fs/read_text_file"}


async def test_ext_001(bare: Stage) -> None:
    """A request of somebody's extension is answered."""
    answer = await bare.agent.ask("_example.com/anything", {"a": [1]})
    assert answer.error_code == -32601
