"""Workers whose server is gone: killed with no time for goodbyes."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcp_tools.catalog.values import setup_json
from mcp_tools.workers.frames import Call, Kind, call_payload, frame_bytes, json_bytes
from mcp_tools.workers.launch import command
from tests.workers.pools import SCRIPTED, SETUP, WAIT_S, Gate, ended, posix

SERVER = """
import asyncio, sys
from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.workers import Pool

async def serve():
    async with Pool(Setup((RootSetup("/x"),)), command=sys.argv[2:]) as pool:
        await pool.call("echo", {}, deadline_s=60)
        print(*pool.pids, flush=True)
        await pool.call("spin", {"fifo": sys.argv[1]}, deadline_s=3600)

asyncio.run(serve())
"""


@contextmanager
def serving(gate: Gate) -> Generator[int]:
    """The process id of a worker, whose server is killed at the end of the block."""
    with subprocess.Popen([sys.executable, "-c", SERVER, gate.path, *SCRIPTED], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends a process with its parent")
async def test_a_worker_that_holds_the_interpreter_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with serving(gate) as worker:
        await gate.reached()
        gate.open()
        os.kill(worker, 0)  # it lives
    await ended(worker)


def said_to_a_worker(*frames: bytes) -> int:
    """The exit status of a worker that is told this and then never anything more, nor killed."""
    with subprocess.Popen(command(SCRIPTED, None), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdin is not None
            worker.stdin.write(b"".join(frames))
            worker.stdin.flush()
            return worker.wait(timeout=WAIT_S)
        finally:
            worker.kill()


HELLO = frame_bytes(Kind.SETUP, json_bytes(setup_json(SETUP)))


@posix
def test_a_worker_that_nobody_kills_is_ended_by_its_own_alarm() -> None:
    spin = frame_bytes(Kind.CALL, call_payload(Call("spin", {}, 0.01)))
    assert said_to_a_worker(HELLO, spin) == -signal.SIGALRM


@pytest.mark.parametrize(
    "frames",
    [
        [b"\xff\xff\xff\xff\x01"],
        [HELLO, HELLO],
        [HELLO, frame_bytes(Kind.CALL, b"[]")],
        [frame_bytes(Kind.CALL, call_payload(Call("echo", {}, 1.0)))],
        [frame_bytes(Kind.SETUP, b"{}")],
    ],
    ids=["too large", "set up twice", "no call", "no set-up", "a wrong set-up"],
)
def test_a_worker_that_is_told_nonsense_ends(frames: list[bytes]) -> None:
    assert said_to_a_worker(*frames) == 0


@posix
def test_a_worker_of_another_server_ends_at_once() -> None:
    words = command(SCRIPTED, None)
    assert words[-2] == str(os.getpid())
    done = subprocess.run([*words[:-2], "1", words[-1]], input=HELLO, check=False, capture_output=True, timeout=WAIT_S)
    assert (done.returncode, done.stdout) == (1, b"")
