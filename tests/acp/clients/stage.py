"""A project, a fake model and a tapped agent for clients of others; afterwards every frame that passed is judged."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from tests.acp.frames import Frame, FrameCheck
from tests.acp.world import World
from tests.fakes.json_value import Json, JsonObject, get, strings
from tests.fakes.kimi import FakeKimi
from tests.mcp.clients.world import Done

AGENT = (sys.executable, "-P", "-m", "kimi_lsp", "acp")
TAP = Path(__file__).with_name("tap.py")
FILE_SECRET = "AK" + "IA" + "Q4J7XKPL2WZMN5RD"
PROMPT_SECRET = "gh" + "p_" + "z8Kq3VtY1mWc7RbN5xLd9HfJ2sPgT6uA4eQo"
KEY_SECRET = "sk-" + "Tq7Lw2Zr9Xc4Vb6Nm1Kj8Hg5Fd3Sa0Po"
SECRETS = (FILE_SECRET, PROMPT_SECRET, KEY_SECRET)
OUTGOING = frozenset({"session/update", "session/request_permission", "fs/read_text_file", "elicitation/create"})
CONFIG_FILE = (
    f'"""Settings."""\n\nAWS_KEY = "{FILE_SECRET}"\n\n\ndef run(name: str) -> object:\n    return eval(name)\n'
)
_LINK = re.compile(r"\[`?([^`\]]+)`?\]\(<?file://([^#>)]+)#L(\d+)[^>)]*>?\)")
_PAUSE_S = 0.05
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class Recording:
    """What passed during one start of the agent, in order: who sent it (or `stderr`), and the line."""

    lines: Sequence[tuple[str, str]]
    code: int | None  # None: it was not seen to end

    @property
    def from_agent(self) -> list[str]:
        """What the agent has said, on either stream."""
        return [line for sender, line in self.lines if sender != "client"]

    def judge(self) -> FrameCheck:
        """Hold every frame against the protocol, both ways. AssertionError at the first that is wrong."""
        check = FrameCheck()
        for sender, line in self.lines:
            if sender == "client":
                check.client(line.encode("utf-8", "surrogateescape"))
            elif sender == "agent":
                check.agent(line.encode("utf-8", "surrogateescape"))
        return check


@dataclass(frozen=True, slots=True)
class Stage:
    """The folders of one test, the model, and the command by which a client starts the agent."""

    world: World
    kimi: FakeKimi
    folder: Path

    @property
    def root(self) -> Path:
        """The project."""
        return self.world.root

    @property
    def command(self) -> tuple[str, ...]:
        """Starts the tapped agent. No word of it has a space."""
        return (sys.executable, str(TAP), str(self.folder / "tap.json"))

    @property
    def environment(self) -> dict[str, str]:
        """For clients: nothing of the user's. What would leave the machine through a proxy meets a closed port."""
        return {
            "HOME": str(self.world.home),
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def prepare(self, *, agent: Sequence[str] = AGENT, **settings: str) -> None:
        """Say what the next agent sees of the machine: an empty home, and settings by the end of their variable."""
        env = {"PATH": os.defpath, "TERM": "dumb", **self.world.env(self.kimi, API_KEY=KEY_SECRET, **settings)}
        env = {name: text for name, text in env.items() if text}
        told = {"command": agent, "env": env, "folder": str(self.folder)}
        (self.folder / "tap.json").write_text(json.dumps(told), "utf-8")

    def run(self, *command: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None) -> Done:
        """Run a client to its end. What it left in its group stays: a client may keep its agent alive."""
        done = subprocess.run(
            command,
            env={**self.environment, **(env or {})},
            cwd=self.root,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def recordings(self) -> list[Recording]:
        """What has passed so far, a start of the agent each, the oldest first."""
        return [_recording(path) for path in sorted(self.folder.glob("*.jsonl"))]

    def frames(self, sender: str, method: str | None = None) -> list[JsonObject]:
        """The messages of one side so far, perhaps those of one method. They are judged on the way."""
        found = [frame for recording in self.recordings() for frame in recording.judge().frames]
        return [frame.message for frame in found if frame.sender == sender and method in (None, frame.method)]

    def updates(self, kind: str) -> list[Json]:
        """The updates of one kind that the agent has sent so far."""
        updates = [get(message, "params", "update") for message in self.frames("agent", "session/update")]
        return [update for update in updates if get(update, "sessionUpdate") == kind]

    def linked(self, text: str) -> set[str]:
        """The places of the project that Markdown links to, such as `app.py:14`. Label and target must agree."""
        found: set[str] = set()
        for label, target, line in _LINK.findall(text):
            path = Path(unquote(target)).relative_to(self.root)
            assert label == f"{path}:{line}", f"{label} leads to {path}:{line}"
            found.add(label)
        return found

    def finish(self) -> list[Frame]:
        """End the scene: nothing lives on, every frame was right, nothing secret left the agent, the books are closed.

        Returns all frames.
        """
        self.wait_until_gone()
        frames: list[Frame] = []
        for recording in self.recordings():
            frames += recording.judge().frames
            for line in recording.from_agent:
                assert_no_secret(line)
        calls = {frame.method for frame in frames if frame.sender == "agent" and frame.method is not None}
        assert calls <= OUTGOING, f"the agent called {sorted(calls - OUTGOING)}"
        if self.kimi.requests:
            self.kimi.assert_no_secret([FILE_SECRET, PROMPT_SECRET])
        if self.world.state.exists():
            self.world.assert_settled()
        return frames

    def wait_until_gone(self, timeout_s: float = _END_S) -> None:
        """Wait until no process of this scene is alive; after `timeout_s` AssertionError, and they are ended."""
        deadline = time.monotonic() + timeout_s
        while alive := list(self._alive()):
            if time.monotonic() > deadline:
                for pid in alive:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"still alive after {timeout_s:g} s: {alive}")
            time.sleep(_PAUSE_S)

    def _alive(self) -> Iterator[int]:
        """The processes of this scene that are alive, clients too: whatever has its home, which all of them inherit."""
        mark = f"HOME={self.world.home}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is somebody else's
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def assert_no_secret(line: str) -> None:
    """A line has none of the secrets, neither as it is nor in its texts."""
    texts = [line]
    with suppress(ValueError):
        texts += strings(cast("Json", json.loads(line)))
    for secret in SECRETS:
        assert not any(secret in text for text in texts), f"a secret left the agent: {line:.400}"


def make(folder: Path, kimi: FakeKimi) -> Stage:
    """A small project with a secret in it, and an empty home beside it."""
    taps = folder / "taps"
    taps.mkdir()
    world = World.make(folder)
    world.write({"settings.py": CONFIG_FILE})
    stage = Stage(world, kimi, taps)
    stage.prepare()
    return stage


def _recording(path: Path) -> Recording:
    lines: list[tuple[str, str]] = []
    code: int | None = None
    for text in path.read_text("ascii").splitlines():
        entry = cast("dict[str, str | int]", json.loads(text))
        ((name, value),) = entry.items()
        if isinstance(value, str):
            lines.append((name, value))
        elif name == "exit":
            code = value
    return Recording(lines, code)
