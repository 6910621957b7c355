"""The judge of frames takes a right conversation and refuses each way to be wrong."""

import json
import re

import pytest

from tests.acp.frames import FrameCheck
from tests.fakes.json_value import Json, JsonObject

TEXT: JsonObject = {"type": "text", "text": "Hello."}
CALL: JsonObject = {"sessionUpdate": "tool_call", "toolCallId": "t1", "title": "Read"}


@pytest.fixture
def check() -> FrameCheck:
    """A connection with nothing on it yet."""
    return FrameCheck()


@pytest.fixture
def opened(check: FrameCheck) -> FrameCheck:
    """A connection with a session `s1`; the client offers to read files."""
    check.client(request(0, "initialize", protocolVersion=1, clientCapabilities={"fs": {"readTextFile": True}}))
    check.agent(answer(0, {"protocolVersion": 1, "agentCapabilities": {}, "authMethods": [{"id": "a", "name": "A"}]}))
    check.client(request(1, "session/new", cwd="/p", mcpServers=[]))
    check.agent(answer(1, {"sessionId": "s1"}))
    return check


@pytest.fixture
def turning(opened: FrameCheck) -> FrameCheck:
    """The same within a turn, whose request is number 2."""
    opened.client(request(2, "session/prompt", sessionId="s1", prompt=[TEXT]))
    return opened


def line(**message: Json) -> str:
    return json.dumps({"jsonrpc": "2.0", **message})


def request(number: Json, method: str, **params: Json) -> str:
    return line(id=number, method=method, params=params)


def answer(number: Json, result: Json) -> str:
    return line(id=number, result=result)


def update(session: str, **fields: Json) -> str:
    return line(method="session/update", params={"sessionId": session, "update": fields})


def said(text: Json = "Hello.", **more: Json) -> str:
    return update("s1", sessionUpdate="agent_message_chunk", content={"type": "text", "text": text}, **more)


def test_a_whole_turn_is_right(turning: FrameCheck) -> None:
    turning.agent(said(messageId="m1"))
    turning.agent(update("s1", **CALL, rawInput={"any": {"thing": 1}}, _meta={"mine": 1}))
    turning.agent(request(1, "fs/read_text_file", sessionId="s1", path="/p/a.py"))
    turning.client(answer(1, {"content": "x = 1\n"}))
    turning.agent(update("s1", sessionUpdate="tool_call_update", toolCallId="t1", status="completed"))
    turning.agent(answer(2, {"stopReason": "end_turn", "_meta": {"kimi-lsp/usage": {}}}))

    assert turning.unanswered == []
    assert [frame.method for frame in turning.frames if frame.sender == "agent" and frame.method] == [
        "session/update",
        "session/update",
        "fs/read_text_file",
        "session/update",
    ]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("[]", "no object"),
        ("{", "not JSON"),
        ('{"jsonrpc": "2.0", "id": 2, "id": 2, "result": {}}', "twice"),
        ('{"jsonrpc": "2.0", "id": 2, "result": {"stopReason": NaN}}', "NaN"),
        ('{"jsonrpc": "2.0", "id": 2, "result": {"stopReason": 1e999}}', "too large"),
        (b'{"jsonrpc": "2.0", "method": "\xff"}', "UTF-8"),
        (said() + "\n" + said(), "more than one line"),
        ('{"id": 2, "result": {"stopReason": "end_turn"}}', "jsonrpc"),
        (line(id=2), "neither a call nor an answer"),
        (line(id=2, result={}, error={"code": 1, "message": "x"}), "neither a call nor an answer"),
        (line(id=2, result={"stopReason": "end_turn"}, more=1), "more"),
        (answer("2", {"stopReason": "end_turn"}), "no request of that id"),
        (answer(2, {"stopReason": "done"}), "stopReason"),
        (answer(2, {}), "stopReason"),
        (answer(2, {"stopReason": "end_turn", "usage": {}}), "'usage' was unexpected"),
        (answer(1, {"sessionId": "s1"}), "no request of that id"),
        (line(id=None, error={"code": -32700, "message": "x"}), "answers no request"),
        (line(id=2, error={"code": "x", "message": "x"}), "Error.code"),
        (said(2), "update.content.text"),
        (said(nonsense=1), "'nonsense' was unexpected"),
        (update("s1", sessionUpdate="said", content=TEXT), "sessionUpdate"),
        (update("s1", sessionUpdate="plan", entries=[{"content": "a", "priority": "high", "status": "failed"}]), "ies"),
        (update("s2", sessionUpdate="agent_message_chunk", content=TEXT), "no such session"),
        (update("s1", sessionUpdate="tool_call_update", toolCallId="t9"), "has not been told"),
        (
            request(1, "session/request_permission", sessionId="s1", toolCall={"toolCallId": "t9"}, options=[]),
            "has not been told",
        ),
        (request(1, "fs/write_text_file", sessionId="s1", path="/p", content=""), "has not offered"),
        (request(1, "terminal/create", sessionId="s1", command="ls"), "has not offered"),
        (request(1, "fs/read_text_file", sessionId="s1"), "'path' is a required"),
        (request(1, "fs/read_text_file", sessionId="s2", path="/p/a"), "no such session"),
        (request(None, "fs/read_text_file", sessionId="s1", path="/p/a"), "its id"),
        (request(1, "session/prompt", sessionId="s1", prompt=[]), "no request of that name"),
        (line(method="fs/read_text_file", params={"sessionId": "s1", "path": "/p/a"}), "no notification of that name"),
    ],
)
def test_a_wrong_line_of_the_agent_is_refused(turning: FrameCheck, wrong: str | bytes, problem: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(problem)):
        turning.agent(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        request(3, "session/prompt", sessionId="s1", prompt="Hello."),
        request(2, "session/list"),
        request(3, "session/update", sessionId="s1"),
        line(method="session/cancel", params={}),
        answer(1, {"content": "x"}),
    ],
)
def test_a_wrong_line_of_the_client_is_refused(turning: FrameCheck, wrong: str) -> None:
    with pytest.raises(AssertionError):
        turning.client(wrong)


def test_a_client_may_send_fields_that_the_schema_has_not(turning: FrameCheck) -> None:
    turning.client(line(method="session/cancel", params={"sessionId": "s1", "reason": "none"}))


def test_extensions_are_nobodys_business(turning: FrameCheck) -> None:
    turning.client(request("x", "_mine/ping", anything=1))
    turning.agent(line(id="x", error={"code": -32601, "message": "unknown method"}))
    turning.agent(line(method="_mine/note", params={"a": 1}))


def test_an_update_before_the_session_is_answered_is_refused(check: FrameCheck) -> None:
    check.client(request(1, "session/new", cwd="/p", mcpServers=[]))
    with pytest.raises(AssertionError, match="has not been answered"):
        check.agent(said())


@pytest.mark.parametrize("ended", ["session/close", "session/delete"])
def test_an_update_of_a_session_that_has_ended_is_refused(opened: FrameCheck, ended: str) -> None:
    opened.client(request(2, ended, sessionId="s1"))
    opened.agent(answer(2, {}))
    with pytest.raises(AssertionError, match="no such session"):
        opened.agent(update("s1", sessionUpdate="session_info_update", title="x"))


def test_what_belongs_to_a_turn_is_refused_when_the_turn_is_over(turning: FrameCheck) -> None:
    turning.agent(answer(2, {"stopReason": "end_turn"}))
    turning.agent(update("s1", sessionUpdate="session_info_update", title="x"))
    with pytest.raises(AssertionError, match="no turn"):
        turning.agent(said())


def test_a_tool_call_is_told_once_until_the_session_is_loaded(turning: FrameCheck) -> None:
    turning.agent(update("s1", **CALL))
    with pytest.raises(AssertionError, match="told before"):
        turning.agent(update("s1", **CALL))
    turning.agent(answer(2, {"stopReason": "end_turn"}))
    turning.client(request(3, "session/load", sessionId="s1", cwd="/p", mcpServers=[]))
    turning.agent(update("s1", **CALL))
    turning.agent(answer(3, {}))
    with pytest.raises(AssertionError, match="no turn"):
        turning.agent(update("s1", sessionUpdate="tool_call_update", toolCallId="t1"))


def test_a_session_that_could_not_be_loaded_is_none(check: FrameCheck) -> None:
    check.client(request(1, "session/load", sessionId="s1", cwd="/p", mcpServers=[]))
    check.agent(line(id=1, error={"code": -32002, "message": "no such session"}))
    with pytest.raises(AssertionError, match="no such session"):
        check.agent(said())


def test_bad_input_may_be_answered_without_an_id_once_each(check: FrameCheck) -> None:
    refusal = line(id=None, error={"code": -32700, "message": "no JSON"})
    check.bad_input(b"\xff{")
    check.agent(refusal)
    with pytest.raises(AssertionError, match="answers no request"):
        check.agent(refusal)


def test_a_doubled_id_is_answered_twice_and_an_unknown_method_not_with_a_result(opened: FrameCheck) -> None:
    for _ in range(2):
        opened.bad_input(request(7, "session/list"))
    for _ in range(2):
        opened.agent(answer(7, {"sessions": []}))
    opened.bad_input(request(8, "session/explode"))
    with pytest.raises(AssertionError, match="got a result"):
        opened.agent(answer(8, {}))
