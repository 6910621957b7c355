"""The stage sees what it is there to see: the tap passes every byte on, and a wrong agent does not get through."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acp.clients import stage as stages
from tests.acp.clients.stage import FILE_SECRET, KEY_SECRET, Stage
from tests.fakes.kimi import FakeKimi

TIMEOUT_S = 20.0
ECHO = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.buffer.flush()\n"
HELLO = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}}\n'
WELCOME = '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":1,"authMethods":[{"id":"a","name":"%s"}]}}'


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    """A stage that is not finished by itself."""
    with FakeKimi(key=KEY_SECRET) as kimi:
        yield stages.make(tmp_path, kimi)


def passed(stage: Stage, code: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a program in place of the agent behind the tap."""
    stage.prepare(agent=(sys.executable, "-c", code))
    return subprocess.run(
        stage.command, env=stage.environment, input=text, timeout=TIMEOUT_S, check=False, capture_output=True
    )


def says(*lines: str) -> str:
    """A program that waits for a line and says these."""
    return f"import sys\nsys.stdin.readline()\nprint({chr(10).join(lines)!r})\n"


def test_every_byte_is_passed_on_and_kept(bare: Stage) -> None:
    text = b"plain\n\xff\xfe\r\n" + "größe\u2028\n".encode() + b"x" * 300_000 + b"\nno end"

    done = passed(bare, ECHO, text)

    assert (done.returncode, done.stdout, done.stderr) == (0, text, b"")
    (recording,) = bare.recordings()
    kept = [line.encode("utf-8", "surrogateescape") for sender, line in recording.lines if sender == "agent"]
    assert kept == text.split(b"\n")
    assert recording.code == 0


def test_the_end_is_passed_on(bare: Stage) -> None:
    done = passed(bare, "import sys; print('bye', file=sys.stderr); sys.exit(7)")
    assert (done.returncode, done.stderr) == (7, b"bye\n")
    assert bare.recordings()[-1].code == 7


def test_a_signal_is_passed_on_and_an_agent_that_dies_is_not_waited_for(bare: Stage) -> None:
    bare.prepare(agent=(sys.executable, "-c", f"print('up', flush=True)\n{ECHO}"))
    tap = subprocess.Popen(bare.command, env=bare.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert tap.stdin is not None
    assert tap.stdout is not None
    try:
        assert tap.stdout.readline() == b"up\n"
        os.kill(tap.pid, signal.SIGTERM)
        assert tap.wait(TIMEOUT_S) == 128 + signal.SIGTERM  # its own input is still open
    finally:
        tap.kill()
        tap.wait(TIMEOUT_S)
        tap.stdin.close()
        tap.stdout.close()
    bare.wait_until_gone()


def test_a_right_agent_passes(bare: Stage) -> None:
    passed(bare, says(WELCOME % "A"), HELLO)
    assert [frame.sender for frame in bare.finish()] == ["client", "agent"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([WELCOME % FILE_SECRET], "a secret left"),
        ([WELCOME % "".join(rf"\u{ord(sign):04x}" for sign in KEY_SECRET)], "a secret left"),
        ([WELCOME % "A", WELCOME % "A"], "no request of that id"),
        ([WELCOME % "A", "Loading the model..."], "not JSON"),
        ([WELCOME % "A", json.dumps({"jsonrpc": "2.0", "method": "_kimi/telemetry"})], "_kimi/telemetry"),
    ],
)
def test_a_wrong_agent_does_not(bare: Stage, lines: list[str], problem: str) -> None:
    passed(bare, says(*lines), HELLO)
    with pytest.raises(AssertionError, match=problem):
        bare.finish()


def test_a_secret_on_standard_error_is_a_leak_too(bare: Stage) -> None:
    passed(bare, f"import sys; print({FILE_SECRET!r}, file=sys.stderr)")
    with pytest.raises(AssertionError, match="a secret left"):
        bare.finish()


def test_an_agent_that_stays_is_found_and_ended(bare: Stage) -> None:
    bare.prepare(agent=(sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(600)"))
    tap = subprocess.Popen(bare.command, env=bare.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert tap.stdout is not None
    try:
        assert tap.stdout.readline() == b"up\n"
        tap.kill()  # not even its tap is left
        tap.wait(TIMEOUT_S)
        with pytest.raises(AssertionError, match="still alive"):
            bare.wait_until_gone(0.0)
        bare.wait_until_gone()
    finally:
        tap.kill()
        tap.wait(TIMEOUT_S)
        tap.stdout.close()
