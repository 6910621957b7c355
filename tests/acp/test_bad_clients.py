"""Clients that go silent, answer nonsense or die: nothing waits for them for long, and the books are closed."""

import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acp.raw import AGENT, BOUND_S, FULL, NoAnswer, RawAgent, Refusal, choosing
from tests.acp.stage import QUESTION, Stage
from tests.acp.world import Held, World, frame_check, held, reply
from tests.fakes.json_value import Json, get, items
from tests.fakes.kimi import FakeKimi

SOON_S = 1.0  # the contract for an end; what the exit needs on a busy machine is on top of it
SLACK_S = 4.0
NO_TEXT: list[Json] = [
    None,
    7,
    {},
    {"content": None},
    {"content": 7},
    {"content": ["x"]},
    {"contents": "x"},
    [{"content": "x"}],
]
NO_PERMISSION: list[Json] = [
    None,
    7,
    {},
    {"outcome": None},
    {"outcome": "selected"},
    {"outcome": {"outcome": "selected"}},
    {"outcome": {"outcome": "selected", "optionId": "yes, all of it"}},
    {"outcome": {"outcome": "granted", "optionId": "once"}},
    {"outcome": {"outcome": "cancelled"}},
]
UNSAVED = "import os\n\n\ndef go(a):\n    os.system(a)\n"


# What the client does not do


@pytest_asyncio.fixture
async def asking(kimi: FakeKimi, tmp_path: Path) -> AsyncGenerator[Stage]:
    """An agent that asks before every call to the model."""
    world = World.make(tmp_path)
    kimi.respond(reply())
    async with RawAgent.start(env=world.env(kimi, ASK_ABOVE_USD="0.000001"), check=frame_check()) as agent:
        yield Stage(agent, world, kimi, await agent.initialize())


@pytest_asyncio.fixture
async def reading(kimi: FakeKimi, tmp_path: Path) -> AsyncGenerator[Stage]:
    """An agent without a model, whose client can be asked for files."""
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(), check=frame_check()) as agent:
        yield Stage(agent, world, kimi, await agent.initialize(FULL))


async def test_a_read_that_is_never_answered_falls_back_to_the_disk(reading: Stage) -> None:
    agent = reading.agent
    agent.answers["fs/read_text_file"] = silent
    session = await agent.new_session(reading.root)
    result = await agent.turn(session, "/security app.py", timeout_s=5 + BOUND_S)
    assert result["stopReason"] == "end_turn"
    assert "app.py" in agent.told(session)
    reads = [frame for frame in agent.frames if frame.method == "fs/read_text_file"]
    assert reads
    agent.answer(reads[0], {"content": UNSAVED})  # too late
    await agent.assert_alive()


async def test_a_read_that_is_answered_with_nonsense_falls_back_to_the_disk(reading: Stage) -> None:
    agent = reading.agent
    session = await agent.new_session(reading.root)
    for result in NO_TEXT:
        agent.answers["fs/read_text_file"] = lambda params, result=result: result
        since = agent.mark
        assert (await agent.turn(session, "/security app.py"))["stopReason"] == "end_turn"
        assert "fs/read_text_file" in {frame.method for frame in agent.frames[since:]}
        assert "app.py" in agent.told(session, since=since)


async def test_a_read_that_is_refused_falls_back_to_the_disk_and_one_that_works_is_used(reading: Stage) -> None:
    agent = reading.agent
    agent.answers["fs/read_text_file"] = refused
    session = await agent.new_session(reading.root)
    await agent.turn(session, "/security app.py")
    assert "app.py" in agent.told(session)
    agent.answers["fs/read_text_file"] = lambda params: {"content": UNSAVED}
    since = agent.mark
    await agent.turn(session, "/security app.py")
    told = b"".join(frame.line for frame in agent.updates(session, since=since)).decode()
    assert "unsaved" in told
    assert "shell=True" not in told


async def test_a_pending_read_does_not_hold_a_cancellation_up(reading: Stage) -> None:
    agent = reading.agent
    agent.answers["fs/read_text_file"] = silent
    session = await agent.new_session(reading.root)
    request = agent.prompt(session, "/security app.py")
    await agent.asked("fs/read_text_file")
    agent.cancel(session)
    answer = await agent.response(request, 4)  # sooner than the read's own bound
    assert answer.get("result", "stopReason") == "cancelled"


async def test_a_permission_that_is_answered_with_nonsense_is_none(asking: Stage) -> None:
    agent = asking.agent
    for result in NO_PERMISSION:
        agent.answers["session/request_permission"] = lambda params, result=result: result
        since, session = agent.mark, await agent.new_session(asking.root)
        assert (await agent.turn(session, "/audit"))["stopReason"] in ("end_turn", "cancelled")
        assert "session/request_permission" in {frame.method for frame in agent.frames[since:]}
        assert asking.kimi.chats == []


async def test_a_permission_that_is_refused_leaves_what_the_tools_found(asking: Stage) -> None:
    agent = asking.agent
    agent.answers["session/request_permission"] = choosing("reject_once", "reject_always")
    session = await agent.new_session(asking.root)
    assert (await agent.turn(session, "/audit"))["stopReason"] == "end_turn"
    assert asking.kimi.chats == []
    assert "app.py" in agent.told(session)


async def test_a_permission_that_is_given_is_used_and_its_cancellation_stops_the_turn(asking: Stage) -> None:
    agent = asking.agent
    session = await agent.new_session(asking.root)
    agent.answers["session/request_permission"] = silent
    request = agent.prompt(session, "/audit")
    permission = await agent.asked("session/request_permission")
    agent.cancel(session)
    agent.answer(permission, {"outcome": {"outcome": "cancelled"}})
    assert (await agent.response(request)).get("result", "stopReason") == "cancelled"
    assert asking.kimi.chats == []
    agent.answers["session/request_permission"] = choosing("allow_once")
    assert (await agent.turn(session, "/audit"))["stopReason"] == "end_turn"
    assert asking.kimi.chats != []


# Clients that die


async def _in_a_turn(agent: RawAgent, world: World, kimi: FakeKimi) -> Held:
    await agent.initialize(FULL)
    session = await agent.new_session(world.root)
    stream = held(kimi)
    agent.prompt(session, "/audit app.py")
    await agent.updated(session, "agent_thought_chunk")  # it has heard the beginning: that was paid for
    return stream


@pytest.mark.parametrize("end", ["eof", "closed output", "sigterm", "sigint"])
async def test_a_client_that_dies_in_a_turn_takes_the_agent_with_it_and_the_books_are_closed(
    kimi: FakeKimi, tmp_path: Path, end: str
) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(kimi)) as agent:
        stream = await _in_a_turn(agent, world, kimi)
        match end:
            case "eof":
                agent.close_stdin()
            case "closed output":
                agent.close_stdout()
                stream.gate.open()  # so that there is something to write
            case _:
                agent.signal(signal.SIGTERM if end == "sigterm" else signal.SIGINT)
        code = await agent.exited(SOON_S + SLACK_S)
        await agent.assert_nothing_left(SOON_S)
        assert code == {"sigterm": 143, "sigint": 130}.get(end, 0)
        assert "Traceback" not in agent.stderr
    _assert_accounted(world)


async def test_an_agent_whose_client_is_killed_ends_and_what_it_spent_is_on_record(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(kimi)) as agent:
        await _in_a_turn(agent, world, kimi)
        agent.close_stdin()
        agent.close_stdout()
        assert await agent.exited(SOON_S + SLACK_S) == 0
        await agent.assert_nothing_left(SOON_S)
    _assert_accounted(world)


async def test_a_killed_agent_leaves_a_store_that_the_next_one_can_use(kimi: FakeKimi, tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env(kimi)) as agent:
        stream = await _in_a_turn(agent, world, kimi)
        agent.signal(signal.SIGKILL)
        await agent.exited()
        await agent.assert_nothing_left(SOON_S)
    stream.gate.open()
    kimi.respond(reply())
    async with RawAgent.start(env=world.env(kimi), check=frame_check()) as agent:
        await agent.initialize()
        listed = items((await agent.call("session/list", {"cwd": str(world.root)}))["sessions"])
        session = get(listed[0], "sessionId")
        await agent.call("session/load", {"sessionId": session, "cwd": str(world.root), "mcpServers": []})
        assert isinstance(session, str)
        assert (await agent.turn(session, "/audit"))["stopReason"] == "end_turn"
    with world.store() as store:
        assert store.trail.verify().is_ok


async def test_a_client_that_does_not_read_holds_nothing_up_but_its_own_session(kimi: FakeKimi, tmp_path: Path) -> None:
    world = World.make(tmp_path)
    kimi.respond(reply("word " * 40_000))
    async with RawAgent.start(env=world.env(kimi), check=frame_check()) as agent:
        await agent.initialize()
        session = await agent.new_session(world.root)
        agent.pause_reading()
        requests = [agent.prompt(session, QUESTION)]
        await kimi.until(lambda fake: bool(fake.chats) and fake.chats[0].is_over, 30)
        agent.resume_reading()
        assert (await agent.response(requests[0])).get("result", "stopReason") == "end_turn"
        assert agent.said(session).count("word") == 40_000


async def test_a_client_that_closes_the_log_does_not_stop_the_agent(reading: Stage) -> None:
    agent = reading.agent
    agent.close_stderr()
    agent.notify("session/cancel", {"sessionId": 7}, is_checked=False)
    await agent.assert_alive()
    session = await agent.new_session(reading.root)
    assert (await agent.turn(session, "/security app.py"))["stopReason"] == "end_turn"


async def test_an_agent_that_is_started_without_a_log_works(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    command = ("sh", "-c", 'exec "$@" 2>&-', "sh", *AGENT)
    async with RawAgent.start(command, env=world.env(), check=frame_check()) as agent:
        await agent.initialize()
        agent.notify("session/cancel", {"sessionId": 7}, is_checked=False)
        session = await agent.new_session(world.root)
        assert (await agent.turn(session, "/security app.py"))["stopReason"] == "end_turn"


async def test_a_client_that_does_not_read_the_log_does_not_stop_the_agent(reading: Stage) -> None:
    agent = reading.agent
    agent.pause_stderr()
    for _ in range(4_000):  # more than a pipe holds, if each were told
        agent.notify("session/cancel", {"sessionId": 7}, is_checked=False)
    await agent.assert_alive()
    session = await agent.new_session(reading.root)
    assert (await agent.turn(session, "/security app.py"))["stopReason"] == "end_turn"


@pytest.mark.parametrize("is_greeted", [False, True])
async def test_the_end_of_the_input_is_the_end(is_greeted: bool, tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start(env=world.env()) as agent:
        if is_greeted:
            await agent.initialize()
            await agent.new_session(world.root)
        agent.close_stdin()
        assert await agent.exited(SOON_S + SLACK_S) == 0
        await agent.output_ended()
        assert [row for row in agent.stderr.splitlines() if "writes are" not in row] == []
        await agent.assert_nothing_left()


def _assert_accounted(world: World) -> None:
    world.assert_settled()
    with world.store() as store:
        assert store.ledger.spending().calls == 1
        kinds = [record.kind for record in store.trail.records()]
        assert "model-call" in kinds


def silent(params: Json) -> Json:
    """An Answer that never comes."""
    raise NoAnswer


def refused(params: Json) -> Json:
    """An Answer that is an error."""
    raise Refusal(-32603)
