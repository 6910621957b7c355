"""Random messages, some sound, some nearly so, some anything, on one process of bounded memory: it lives on."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acp.raw import FULL, RawAgent, Refusal
from tests.acp.world import World, reply
from tests.cli.harness import APP
from tests.fakes.json_value import Json, compact, get
from tests.fakes.kimi import FakeKimi
from tests.mcp.fuzz.nonsense import ANYTHING, HOSTILE

EXAMPLES = 300
MEMORY_BYTES = 1 << 30
SECRET = "AK" + "IA" + "W2Z5M7N4K6Q3R8TJ"
FILES = {"app.py": APP, "config.py": f'aws_key = "{SECRET}"\n', "requirements.txt": "requests\n"}
COMMANDS = ("/security app.py", "/security config.py", "/report", "/budget", "/explain x", "/audit nowhere", "hello")
IDS = st.integers(1_000_000, 1_000_100)  # beyond those of the driver, and often in use
OPTIONS = ("depth", "model", "thinking", "budget", "scope", "other")
VALUES = ("local", "screen", "auto", "off", "0.05", "configured", "project", "changes", "")
NONSENSE = (b"[]", b"7", b"null", b"{", b'"x"', b"\xff\xfe", b"[" * 5000, b"{}", b'{"jsonrpc":"2.0"}', b"\0", b" ")


def messages(root: Path, sessions: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Lines for an agent. `sessions`: ids that it knows; the first is deleted sooner or later."""
    text = _one_of(*COMMANDS, *HOSTILE) | st.text(max_size=30)
    session = _one_of(*sessions) | _one_of(*sessions, "nobody", "")
    cwd = st.just(str(root)) | _one_of(str(root), str(root.parent), "", ".", f"{root}/..", f"{root}/app.py", "/\0")
    block = (
        _object(type=st.just("text"), text=_one_of(*COMMANDS))
        | _object(type=st.just("text"), text=text)
        | _object(type=st.just("resource_link"), name=text, uri=text)
        | _object(type=st.just("resource"), resource=_object(uri=text, text=text))
        | ANYTHING
    )
    server = _object(name=text, command=text, args=_list(text), env=_list(_object(name=text, value=text)))
    servers = st.just([]) | _list(server) | _list(ANYTHING)
    reopened = {"sessionId": session, "cwd": cwd, "mcpServers": servers}
    prompt: dict[str, st.SearchStrategy[Json]] = {
        "sessionId": session,
        "prompt": st.lists(block, min_size=1, max_size=2),
    }
    calls = {
        "initialize": {"protocolVersion": _one_of(0, 1, 2, 65_535), "clientCapabilities": ANYTHING},
        "authenticate": {"methodId": _one_of("configured", "doctor", "")},
        "logout": {"_meta": ANYTHING},
        "session/new": {"cwd": cwd, "mcpServers": servers, "additionalDirectories": _list(cwd)},
        "session/load": reopened,
        "session/resume": reopened,
        "session/list": {"cwd": cwd, "cursor": ANYTHING},
        "session/delete": {"sessionId": _one_of(sessions[0], "nobody", "")},
        "session/close": {"sessionId": session},
        "session/set_mode": {"sessionId": session, "modeId": _one_of("local", "screen", "dual", "")},
        "session/set_config_option": {"sessionId": session, "configId": _one_of(*OPTIONS), "value": _one_of(*VALUES)},
        "session/prompt": prompt,
        "session/cancel": {"sessionId": session},
        "$/cancel_request": {"requestId": IDS},
        "fs/write_text_file": {"sessionId": session, "path": cwd, "content": text},
    }
    turn = _calls("session/prompt", prompt)
    line = turn | turn | turn | turn | st.one_of(*(_calls(method, fields) for method, fields in calls.items()))
    answer = _object(jsonrpc=st.just("2.0"), id=st.integers(0, 60), result=ANYTHING)
    odd = _object(jsonrpc=st.just("2.0"), id=ANYTHING, method=ANYTHING, params=ANYTHING)
    other = st.builds(_line, answer | odd | ANYTHING) | st.sampled_from(NONSENSE)
    return line | line | line | other | st.builds(_torn, line, st.integers(0, 200))


def _calls(method: str, fields: Mapping[str, st.SearchStrategy[Json]]) -> st.SearchStrategy[bytes]:
    """Requests, and now and then notifications, whose params are good, have one odd field, or are anything."""
    good: st.SearchStrategy[Json] = st.fixed_dictionaries(dict(fields))
    odd: st.SearchStrategy[Json] = st.fixed_dictionaries({}, optional=dict.fromkeys((*fields, "_meta"), ANYTHING))
    params = good | good | st.builds(_both, good, odd) | odd | ANYTHING
    head: dict[str, st.SearchStrategy[Json]] = {
        "jsonrpc": st.just("2.0"),
        "method": st.just(method),
        "params": params,
    }
    ids = IDS | st.text(max_size=4)
    request: st.SearchStrategy[Json] = st.fixed_dictionaries({**head, "id": ids})
    notification: st.SearchStrategy[Json] = st.fixed_dictionaries(head)
    return st.builds(_line, request | request | request | notification)


def _both(whole: Json, part: Json) -> Json:
    assert isinstance(whole, dict)
    assert isinstance(part, dict)
    return {**whole, **part}


def test_whatever_is_sent_the_process_lives_answers_and_gives_nothing_away(tmp_path: Path) -> None:
    world = World.make(tmp_path, FILES)
    with FakeKimi() as kimi, asyncio.Runner() as runner:
        kimi.respond(reply(f"I guess {SECRET}."))
        started = RawAgent.start(env=world.env(kimi), memory_bytes=MEMORY_BYTES)
        agent = runner.run(started.__aenter__())
        try:
            runner.run(agent.initialize(FULL))
            agent.answers |= {"fs/read_text_file": _unwilling, "session/request_permission": _unwilling}
            sessions = [runner.run(agent.new_session(world.root)) for _ in range(6)]
            runner.run(agent.turn(sessions[0], "/security config.py"))

            strategy = messages(world.root, sessions)

            async def exchange(lines: list[bytes]) -> None:
                for line in lines:
                    agent.send_bytes(line + b"\n")
                await agent.assert_alive()

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            )
            @given(lines=st.lists(st.deferred(lambda: strategy), min_size=2, max_size=5))
            def fuzz(lines: list[bytes]) -> None:
                runner.run(exchange(lines))

            fuzz()
            session = runner.run(agent.new_session(world.root))
            assert runner.run(agent.turn(session, "/security app.py", timeout_s=60))["stopReason"] == "end_turn"
            _judge(agent)
        finally:
            runner.run(started.__aexit__(None, None, None))
    assert not [path for path in world.root.iterdir() if path.name not in FILES]


def _judge(agent: RawAgent) -> None:
    """What came in all this time."""
    answers = [frame.body for frame in agent.frames if frame.method is None]
    ends = Counter(str(get(body, "result", "stopReason") or get(body, "error", "code") or "done") for body in answers)
    assert set(ends) >= {"end_turn", "done", "-32600", "-32601", "-32602", "-32002", "-32700"}, "not much was tried"
    assert ends["end_turn"] >= 5, ends
    assert SECRET not in agent.stderr
    assert [frame.line[:500] for frame in agent.frames if SECRET.encode() in frame.line] == []
    assert ends["-32603"] == 0, agent.stderr[-2000:]
    told = [row for row in agent.stderr.splitlines() if "error" in row]
    assert told == []
    assert agent.methods <= {"session/update", "session/request_permission", "fs/read_text_file"}


def _one_of(*values: Json) -> st.SearchStrategy[Json]:
    return st.sampled_from(values)


def _list(elements: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(elements, max_size=3)


def _object(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(fields)


def _unwilling(params: Json) -> Json:
    raise Refusal(-32603)


def _line(value: Json) -> bytes:
    return compact(value).encode("utf-8", "surrogatepass")


def _torn(line: bytes, at: int) -> bytes:
    return line[:at]
