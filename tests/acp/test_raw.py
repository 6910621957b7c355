"""The driver itself: what is no sound message is seen, and a check that refuses a frame is heard once."""

import sys
from pathlib import Path

import pytest

from tests.acp.raw import ErrorAnswer, RawAgent
from tests.acp.raw_wire import read_line
from tests.acp.world import World

LOOP = str(Path(__file__).parents[1] / "bench" / "acp" / "peers" / "stdlib_loop.py")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"hello",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"1.0","id":1,"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
        b'{"jsonrpc":"2.0","id":null,"result":{}}',
        b'{"jsonrpc":"2.0","id":true,"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":true,"message":"x"}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}',
        b'{"jsonrpc":"2.0","id":1,"result":NaN}',
        b'{"jsonrpc":"2.0","id":1,"id":1,"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"method":"a","result":{}}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"a"}',
        b'{"jsonrpc":"2.0","id":1,"result":"\xff"}',
    ],
)
def test_a_line_that_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises((AssertionError, ValueError)):
        read_line(line)


async def test_an_agent_that_talks_beside_the_protocol_is_found_out(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    command = (sys.executable, "-c", "print('Welcome!', flush=True); input()")
    async with RawAgent.start(command, env=world.env()) as agent:
        with pytest.raises(AssertionError, match="no message"):
            await agent.wait_for(lambda frame: True)
        agent.assert_sound()  # it has been told


async def test_an_agent_that_ends_or_says_half_a_line_leaves_nobody_waiting(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    for code, why in (("", "output ended"), ("print('{', end='')", "within a line")):
        async with RawAgent.start((sys.executable, "-c", code), env=world.env()) as agent:
            with pytest.raises(AssertionError, match=why):
                await agent.wait_for(lambda frame: True)


async def test_the_bare_loop_of_the_benchmark_answers_and_frames_are_kept(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    async with RawAgent.start((sys.executable, LOOP), env=world.env()) as agent:
        assert (await agent.initialize())["protocolVersion"] == 1
        assert [frame.is_response_to(1) for frame in agent.frames] == [True]
        assert not agent.frames[0].is_response_to("1")
        assert not agent.frames[0].is_response_to(True)
        assert b'"initialize"' in agent.sent[0]


async def test_a_check_that_refuses_a_frame_fails_the_call_that_waits(tmp_path: Path) -> None:
    world = World.make(tmp_path)

    class Never:
        def client(self, line: bytes, /) -> object:
            return line

        def bad_input(self, line: bytes, /) -> None:
            return None

        def agent(self, line: bytes, /) -> object:
            raise AssertionError("it does not fit")

    async with RawAgent.start((sys.executable, LOOP), env=world.env(), check=Never()) as agent:
        with pytest.raises(AssertionError, match="does not fit"):
            await agent.initialize()


def test_an_error_where_a_result_was_meant_carries_its_code() -> None:
    assert ErrorAnswer("a", {"code": -32602, "message": "no"}).code == -32602
