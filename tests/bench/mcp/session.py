"""A client over pipes that costs next to nothing: it counts, asks and reads lines."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.json_value import Json, JsonObject, compact

MINIMAL = (sys.executable, "-m", "tests.bench.mcp.minimal")
PEER = "SDK minimal"
_TIMEOUT_S = 60.0
_HANDSHAKE: JsonObject = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


def ours(root: Path) -> tuple[str, ...]:
    """Our server for a project."""
    return (sys.executable, "-m", "mcp_tools", "--root", str(root))


@dataclass(slots=True)
class Session:
    """A running server that has been shaken hands with. `answer_ms`: from its spawn to its answer to `initialize`."""

    process: subprocess.Popen[bytes]
    answer_ms: float = 0.0
    _number: int = 0
    _line: bytes = field(default=b"")

    @property
    def pid(self) -> int:
        """Of the server."""
        return self.process.pid

    def ask(self, method: str, params: JsonObject) -> Json:
        """The result of a request. AssertionError for anything else."""
        line = self.ask_raw(method, params)
        answer: JsonObject = json.loads(line)
        assert answer.get("id") == self._number, line[:300]
        assert "result" in answer, line[:300]
        return answer["result"]

    def ask_raw(self, method: str, params: JsonObject) -> bytes:
        """The line that answers a request."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _TIMEOUT_S)
        assert ready, f"no answer to {method} within {_TIMEOUT_S:g} s"
        line = self.process.stdout.readline()  # nothing but answers comes, one a request: the buffer is empty before
        assert line.endswith(b"\n"), f"the server ended: {line[:300]!r}"
        return line

    def send(self, message: JsonObject) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(compact(message).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def session(command: Sequence[str]) -> Generator[Session]:
    """Start a server and shake hands; it is ended after."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=-1
    )
    with process:
        try:
            running = Session(process)
            running.ask("initialize", _HANDSHAKE)
            running.answer_ms = (time.perf_counter() - began) * 1000
            running.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
            yield running
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_TIMEOUT_S)
        finally:
            process.kill()
