"""A project for the agent, what an agent sees of the machine, a model that can be held, and what the store kept."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kimi_lsp.store import Store
from tests.acp.clients.agents import TYPESCRIPT
from tests.acp.frames import FrameCheck
from tests.cli.harness import APP, TRAVERSAL, answer
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Gate, Script
from tests.mcp.clients import agents

__all__ = ["APP", "KEY", "NAMES", "Held", "World", "frame_check", "held", "reply", "stream"]

NAMES = ("app.py", "pkg/größe.py", "requirements.txt", "README.md")
_FILES = {
    "app.py": APP,
    "pkg/größe.py": "import hashlib\n\n\ndef token(text):\n    return hashlib.md5(text).hexdigest()  # größer\n",
    "requirements.txt": "requests\nflask==3.0.0\n",
    "README.md": "# Small\n\nRun `app.py`.\n",
}
_MINE = ("KIMI_", "MOONSHOT_", "OPENAI_")
_THOUGHT = "The value comes from the caller.\nNothing on the way checks it.\n"


@dataclass(frozen=True, slots=True)
class World:
    """Folders of one test: a project, an empty home, and the state directory of every agent in it."""

    root: Path
    home: Path
    state: Path

    @classmethod
    def make(cls, folder: Path, files: Mapping[str, str | bytes] | None = None) -> "World":
        """Make it, with these files or a small project that has a few findings."""
        world = cls(folder / "project", folder / "home", folder / "state")
        world.root.mkdir()
        world.home.mkdir()
        world.write(_FILES if files is None else files)
        return world

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Put files into the project."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def env(self, kimi: FakeKimi | None = None, **settings: str) -> dict[str, str]:
        """An agent's environment: nothing of the user's own counts; settings by the end of their variable."""
        hidden = {name: "" for name in os.environ if name.startswith(_MINE)}
        homes = {f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
        mine = {"STATE_DIR": str(self.state), **settings}
        if kimi is not None:
            mine = {"DEPTH": "screen", "BASE_URL": kimi.base_url, "API_KEY": KEY, **mine}
        return {**hidden, **homes, "HOME": str(self.home), **{f"KIMI_LSP_{name}": text for name, text in mine.items()}}

    @contextmanager
    def store(self) -> Generator[Store]:
        """What the agents of this world have stored."""
        with Store.open(self.state) as opened:
            yield opened

    def assert_settled(self) -> None:
        """Every reservation was settled or released, and the trail's chain holds."""
        with self.store() as store:
            assert store.ledger.open_reservations() == []
            verification = store.trail.verify()
            assert verification.is_ok, verification

    def content(self) -> dict[str, tuple[int, int, bytes]]:
        """Every entry of the project: mode, time of change, bytes."""
        found: dict[str, tuple[int, int, bytes]] = {}
        for path in sorted(self.root.rglob("*")):
            status = path.lstat()
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (status.st_mode, status.st_mtime_ns, data)
        return found


def frame_check() -> FrameCheck | None:
    """The judge of a conversation's frames; None where the protocol's schema is not here and need not be."""
    is_here = (agents.folder() / TYPESCRIPT / "start").is_file()
    return FrameCheck() if is_here or os.environ.get("KIMI_TEST_REQUIRE_AGENTS") == "1" else None


def reply(
    text: str = "It is the second one: **app.py** builds a command.", **more: float
) -> Callable[[Recorded], Script]:
    """A responder: findings where a file is reviewed, else this text."""

    def respond(request: Recorded) -> Script:
        if "\nFile: " in "\n" + request.prompt:
            return answer(TRAVERSAL)
        return Script(reasoning=_THOUGHT, content=text)

    return respond


def stream(lines: int, *, delay_s: float) -> Script:
    """Reasoning of so many lines of 64 characters, an event each, then an empty report."""
    return Script(reasoning=("x" * 63 + "\n") * lines, content='{"findings": []}', chunk_chars=64, delay_s=delay_s)


@dataclass(slots=True)
class Held:
    """A model stream that has begun and goes on when it is let."""

    kimi: FakeKimi
    before: int
    gate: Gate = field(default_factory=Gate)

    async def streams(self, timeout_s: float = 20.0) -> None:
        """Wait until the model has sent the beginning."""
        await self.kimi.until(lambda kimi: any(one.events_sent >= 4 for one in kimi.chats[self.before :]), timeout_s)

    async def is_hung_up(self, timeout_s: float = 20.0) -> None:
        """Wait until the agent has closed the connection."""
        await self.kimi.until(
            lambda kimi: all(one.closed_by_client_at is not None for one in kimi.chats[self.before :]), timeout_s
        )


def held(kimi: FakeKimi) -> Held:
    """Have the model begin every answer from now on and go no further; `gate.open()` lets them all end."""
    made = Held(kimi, len(kimi.chats))
    made.gate.release(6)
    kimi.respond(lambda request: Script(reasoning=_THOUGHT * 40, content="Done.", gate=made.gate))
    return made
