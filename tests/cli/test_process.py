"""The command as a process of its own: it streams, it ends on a signal, it survives a reader that goes away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from tests.cli.harness import KEY, TRAVERSAL, Cli, answer, finding
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate

PATIENCE_S = 30.0
SECOND = finding("weak-cryptography", 2, "import sqlite3", "A second finding that comes later.")


class Process:
    """A running command whose standard output is read line by line with a deadline."""

    def __init__(self, arguments: Sequence[str], cwd: Path) -> None:
        environment = {**os.environ, "MOONSHOT_API_KEY": KEY}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "kimi_lsp", *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._lines: Queue[str | None] = Queue()
        self.seen: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, text: str) -> str:
        """Read until a line holds the text."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"{text!r} never came; seen: {''.join(self.seen)}") from None
            assert line is not None, f"the output ended before {text!r}: {''.join(self.seen)}"
            self.seen.append(line)
            if text in line:
                return line

    def close(self) -> None:
        """Wait for the reading thread, which ends with the process, and close the pipe."""
        self._reader.join(PATIENCE_S)
        assert self.popen.stdout is not None
        self.popen.stdout.close()

    def finish(self) -> int:
        """Wait for the end, read the rest, and return the exit code."""
        code = self.popen.wait(PATIENCE_S)
        while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
            self.seen.append(line)
        return code


@contextmanager
def started(arguments: Sequence[str], cwd: Path) -> Generator[Process]:
    process = Process(arguments, cwd)
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait(PATIENCE_S)
        process.close()


@pytest.fixture
def held(kimi: FakeKimi) -> Gate:
    """An answer of two findings that is held back event by event."""
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, SECOND, reasoning="Hm.", chunk_chars=8, gate=gate))
    return gate


def test_a_finding_is_printed_before_the_answer_ends(cli: Cli, kimi: FakeKimi, held: Gate) -> None:
    with started(["audit", ".", "--depth", "screen", "--base-url", kimi.base_url], cli.root) as process:
        process.until("shell-injection")
        held.release(60)
        process.until("path-traversal")
        assert process.popen.poll() is None
        assert not any("weak-cryptography" in line for line in process.seen)
        held.open()
        process.until("weak-cryptography")
        assert process.finish() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_partial_report_and_a_closed_socket(
    cli: Cli, kimi: FakeKimi, held: Gate, number: signal.Signals
) -> None:
    with started(["audit", ".", "--depth", "screen", "--base-url", kimi.base_url], cli.root) as process:
        held.release(60)
        process.until("path-traversal")
        process.popen.send_signal(number)
        assert process.finish() == 3
        kimi.wait_for(lambda fake: fake.chats[0].closed_by_client_at is not None)
    assert any("interrupted" in line for line in process.seen)
    assert "shell-injection" in "".join(process.seen)
    listed = cli("trail", "list").out
    assert "model-call" in listed, "what was reasoned until then is recorded"
    assert cli("trail", "verify").code == 0
    assert "unsettled" not in cli("budget", "show").out


def test_a_reader_that_goes_away_is_no_traceback(cli: Cli) -> None:
    cli.write({f"m{n}.py": (cli.root / "app.py").read_text() for n in range(200)})
    command = f"{sys.executable} -m kimi_lsp audit . | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=cli.root, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
