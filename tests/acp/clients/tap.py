"""A program between a client and the agent: it passes every byte on at once, and keeps what passed. It judges nothing.

    python tap.py FILE

FILE is JSON: `command`, the agent's; `env`, the variables it gets and no others, whatever the client gave; `folder`,
where each start leaves a file of JSON lines, `{"client": line}`, `{"agent": line}` or `{"stderr": line}` in the order
of their passing. The first two have the process ids, `tap` and `pid` (the agent's), the last the agent's `exit` code. A
line is kept before it is passed on, so that no answer stands before its question. It ends as the agent ends.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Tap:
    """One start of the agent."""

    def __init__(self, command: list[str], env: dict[str, str], folder: Path) -> None:
        self._record = (folder / f"{time.time_ns()}-{os.getpid()}.jsonl").open("x", encoding="ascii")
        self._lock = threading.Lock()
        self._agent = subprocess.Popen(
            command, env=env, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._keep("tap", os.getpid())
        self._keep("pid", self._agent.pid)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # not before: the agent would inherit it

    def run(self) -> int:
        """Pass everything on until the agent has ended; its exit code, or 128 + the signal's number."""
        agent = self._agent
        assert agent.stdin is not None
        assert agent.stdout is not None
        assert agent.stderr is not None
        ways = (
            threading.Thread(target=self._pass, args=("client", 0, agent.stdin.fileno()), daemon=True),
            threading.Thread(target=self._pass, args=("agent", agent.stdout.fileno(), 1)),
            threading.Thread(target=self._pass, args=("stderr", agent.stderr.fileno(), 2)),
        )
        threading.Thread(target=self._pass_signals, daemon=True).start()
        for way in ways:
            way.start()
        for way in ways[1:]:
            way.join()
        code = agent.wait()
        self._keep("exit", code)
        return code if code >= 0 else 128 - code

    def _pass(self, name: str, source: int, goal: int) -> None:
        """Pass what comes on to the end, then end it too. When whoever takes it has gone, the rest is only kept."""
        has_gone, held = False, b""
        while data := os.read(source, 1 << 16):
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                self._keep(name, line)
            has_gone = has_gone or not _send(goal, data)
        if held:
            self._keep(name, held)
        os.close(goal)

    def _pass_signals(self) -> None:
        while True:
            self._agent.send_signal(signal.sigwait(SIGNALS))

    def _keep(self, name: str, value: bytes | int) -> None:
        entry = {name: value if isinstance(value, int) else value.decode("utf-8", "surrogateescape")}
        with self._lock:
            self._record.write(json.dumps(entry) + "\n")
            self._record.flush()


def _send(goal: int, data: bytes) -> bool:
    """Write all of it. False when nobody takes it any more."""
    try:
        while data:
            data = data[os.write(goal, data) :]
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def main() -> int:
    """Read the file and run."""
    told = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    return Tap(told["command"], told["env"], Path(told["folder"])).run()


if __name__ == "__main__":
    os._exit(main())  # the client may never close its side
