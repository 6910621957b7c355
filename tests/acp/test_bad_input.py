"""What no client should send and some do: an error for that request, and on it goes."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.acp.raw import RawAgent
from tests.acp.stage import QUESTION, Stage, bare
from tests.acp.world import World, held
from tests.fakes.json_value import Json, compact
from tests.fakes.kimi import FakeKimi

__all__ = ["bare"]

MIB = 1024 * 1024
pytestmark = pytest.mark.asyncio(loop_scope="module")


# Lines


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"[]", -32600),
        (b"[1,2]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"session/list"}]', -32600),
        (b"7", -32600),
        (b"-0.5e3", -32600),
        (b'"text"', -32600),
        (b"null", -32600),
        (b"true", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"1.0","method":"session/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"session/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"session/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"session/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":{"a":1},"method":"session/list"}', -32600),
        (b"{", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method"', -32700),
        (b"Content-Length: 20", -32700),
        (b"{'jsonrpc':'2.0'}", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"session/list","params":{"a":NaN}}', -32700),
        (b'{"jsonrpc":"2.0","method":"a\xff\xfe"}', -32700),
        (b"\xef\xbb\xbf\xff", -32700),
        (b"\0", -32700),
        (b"[" * 100_000, -32700),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_line_that_is_no_message_is_an_error_without_an_id(bare: Stage, line: bytes, code: int) -> None:
    answer = await bare.agent.answer_to(line, None)
    assert answer.error_code == code
    await bare.agent.assert_alive()


async def test_the_id_of_what_is_otherwise_wrong_is_kept(bare: Stage) -> None:
    for number, body in enumerate((b'"method":7', b'"method":null', b'"a":1')):
        line = b'{"jsonrpc":"2.0","id":"wrong%d",%b}' % (number, body)
        assert (await bare.agent.answer_to_wrong(line, f"wrong{number}")).error_code == -32600


async def test_blank_lines_and_line_ends_of_windows_and_bytes_one_by_one_are_taken(bare: Stage) -> None:
    agent, since = bare.agent, bare.agent.mark
    agent.send_lines(b"\n\r\n  \n")
    answer = await agent.answer_to(b'{"jsonrpc":"2.0","id":"windows","method":"_a"}\r', "windows")
    assert answer.error_code == -32601
    line = b'{"jsonrpc":"2.0","id":"slow","method":"session/list","params":{}}\n'
    agent.expect(line)
    for byte in line:
        agent.send_bytes(bytes([byte]))
        await asyncio.sleep(0)
    assert "result" in (await agent.response("slow")).body
    assert [frame for frame in agent.frames[since:] if frame.get("id") is None and frame.method is None] == []


async def test_a_line_of_50_mb_is_refused_and_costs_no_memory_that_stays(bare: Stage) -> None:
    agent = bare.agent
    await agent.assert_alive()
    before = _rss_mib(agent.pid)
    session = await bare.session()
    params: Json = {"sessionId": session, "prompt": [{"type": "text", "text": "LONG"}]}
    line = compact({"jsonrpc": "2.0", "id": "huge", "method": "session/prompt", "params": params}).encode()
    line = line.replace(b"LONG", b"x" * (50 * MIB))
    since = agent.mark
    agent.expect(b"a line that nobody can read to its end")
    agent.send_bytes(line + b"\n")
    answer = await agent.response(None, 60, since=since)
    assert answer.error_code in (-32700, -32600)
    await agent.assert_alive()
    assert _rss_mib(agent.pid) - before < 60


async def test_lone_surrogates_are_taken_wherever_text_is(bare: Stage) -> None:
    agent, session = bare.agent, await bare.session()
    for number, text in enumerate(
        ("/budget \\ud83d", "\\udc00 what is this?", "/explain \\ud800\\ud800", "/security \\udfff")
    ):
        line = (
            f'{{"jsonrpc":"2.0","id":"lone{number}","method":"session/prompt","params":{{"sessionId":{json.dumps(session)},'
            f'"prompt":[{{"type":"text","text":"{text}"}}]}}}}'
        )
        answer = await agent.answer_to(line.encode(), f"lone{number}")
        assert answer.get("result", "stopReason") == "end_turn", answer.body
    line = b'{"jsonrpc":"2.0","id":"\\ud800","method":"session/list","params":{"cwd":"/\\ud800"}}'
    assert (await agent.answer_to_wrong(line, "\ufffd")).error_code in (-32602, None)  # no other id can be said
    load: Json = {"sessionId": session, "cwd": str(bare.root), "mcpServers": []}
    assert isinstance(await agent.call("session/load", load), dict)


async def test_odd_numbers_deep_params_and_many_members_kill_nothing(bare: Stage) -> None:
    agent, session = bare.agent, json.dumps(await bare.session())
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    odd = (
        b'{"sessionId":%b,"prompt":1e400}',
        b'{"sessionId":%b,"prompt":[' + b"{}," * 10_000 + b"{}]}",
        b'{"sessionId":%b,"prompt":[{"type":"text","text":"/budget"}],"_meta":' + deep + b"}",
        b'{"sessionId":%b,"modeId":' + b"9" * 5_000 + b"}",
    )
    for number, template in enumerate(odd):
        method = b"session/set_mode" if b"modeId" in template else b"session/prompt"
        params = template.replace(b"%b", session.encode())
        agent.expect(compact({"jsonrpc": "2.0", "id": f"odd{number}", "method": "_"}).encode())
        agent.expect(b"a line so deep that not even its id may be readable")
        since = agent.mark
        agent.send_bytes(b'{"jsonrpc":"2.0","id":"odd%d","method":"%b","params":%b}\n' % (number, method, params))
        answer = await agent.wait_for(lambda frame: frame.method is None, since=since)
        assert answer.get("id") in (None, f"odd{number}")
        await agent.assert_alive()
        assert len([frame for frame in agent.frames[since:] if frame.method is None]) == 2


# Ids, methods, sessions


async def test_an_id_that_is_in_use_is_refused_and_the_first_request_goes_on(kimi: FakeKimi, tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(kimi)) as agent:  # two requests of one id are more than a check can tell
        await agent.initialize()
        session = await agent.new_session(world.root)
        stream = held(kimi)
        request = agent.prompt(session, QUESTION)
        await stream.streams()
        since = agent.mark
        agent.request("session/list", {}, id_=request)
        refused = await agent.response(request, since=since)
        assert refused.error_code == -32600
        stream.gate.open()
        answer = await agent.response(request, since=refused.number + 1)
        assert answer.get("result", "stopReason") == "end_turn"


@pytest.mark.parametrize(
    "method", ["session/prompt", "session/set_mode", "session/set_config_option", "session/load", "session/resume"]
)
async def test_a_session_that_is_not_there_is_an_error(bare: Stage, method: str) -> None:
    params: Json = {
        "sessionId": "00000000-0000-0000-0000-000000000000",
        "prompt": [{"type": "text", "text": "/audit"}],
        "modeId": "local",
        "configId": "depth",
        "value": "local",
        "cwd": str(bare.root),
        "mcpServers": [],
    }
    since = bare.agent.mark
    answer = await bare.agent.ask(method, params)
    assert answer.error_code in (-32602, -32002)
    assert bare.agent.updates(since=since) == []


@pytest.mark.parametrize(
    "method",
    [
        "session/fork",
        "session/archive",
        "fs/write_text_file",
        "terminal/create",
        "session/update",
        "mcp/message",
        "shutdown",
        "",
    ],
)
async def test_a_method_that_is_not_offered_is_unknown(bare: Stage, method: str) -> None:
    session = await bare.session()
    params: Json = {"sessionId": session, "cwd": str(bare.root), "path": str(bare.root / "made"), "content": "x"}
    assert (await bare.agent.ask(method, params)).error_code == -32601
    assert not (bare.root / "made").exists()


async def test_a_second_prompt_of_a_session_is_refused_and_the_first_goes_on(bare: Stage) -> None:
    agent, session = bare.agent, await bare.session()
    stream = held(bare.kimi)
    first = agent.prompt(session, QUESTION)
    await stream.streams()
    second = await agent.ask("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": "/audit"}]})
    assert second.error_code in (-32600, -32602, -32603, -32803)
    assert len(bare.kimi.chats) == stream.before + 1
    stream.gate.open()
    assert (await agent.response(first)).get("result", "stopReason") == "end_turn"
    assert (await agent.turn(session, "/budget"))["stopReason"] == "end_turn"


async def test_answers_to_nothing_that_was_asked_are_passed_over(bare: Stage) -> None:
    bodies: list[Json] = [
        {"id": 99_999, "result": {}},
        {"id": "x", "error": {"code": 1, "message": "no"}},
        {"id": 1, "result": None},
    ]
    for body in bodies:
        assert isinstance(body, dict)
        bare.agent.send({"jsonrpc": "2.0", **body}, is_checked=False)
    await bare.agent.assert_alive()


# Folders


async def test_a_folder_that_is_none_is_refused(bare: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    for name in ("gone", "file", "file/below", "dangling", "n" * 300):
        answer = await bare.agent.ask("session/new", {"cwd": str(tmp_path / name), "mcpServers": []})
        assert answer.error_code == -32602, name
        more: Json = {"cwd": str(bare.root), "mcpServers": [], "additionalDirectories": [str(tmp_path / name)]}
        assert (await bare.agent.ask("session/new", more)).error_code == -32602, name


async def test_what_lies_outside_the_sessions_folders_is_not_read(bare: Stage, tmp_path: Path) -> None:
    words = "these words lie outside"
    outside = tmp_path / "outside.py"
    outside.write_text(f"eval(input())  # {words}\n")
    link = bare.root / "way-out.py"
    link.symlink_to(outside)
    try:
        agent, session = bare.agent, await bare.session()
        since, asked = agent.mark, len(bare.kimi.chats)
        for path in (str(outside), "way-out.py", "../../*/outside.py", f"app.py/../../{tmp_path.name}/outside.py"):
            await agent.turn(session, f"/security '{path}'")
        block: Json = {"type": "resource_link", "name": "outside.py", "uri": outside.as_uri()}
        await agent.turn(session, QUESTION, block)
        told = b"".join(frame.line for frame in agent.frames[since:]).decode()
        assert words not in told
        assert [chat for chat in bare.kimi.chats[asked:] if words in chat.prompt] == []
    finally:
        link.unlink()


def _rss_mib(pid: int) -> float:
    [row] = [row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS")]
    return int(row.split()[1]) / 1024
