"""An editor that a test steers over a socket: it does what it is asked for and tells what it shows."""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from tests.editors.programs import Program
from tests.editors.terminal import PATIENCE_S, Terminal
from tests.editors.workshop import SERVER, Workshop

_HERE = Path(__file__).parent
_T = TypeVar("_T")


class Shown(Struct, frozen=True, order=True):
    """A diagnostic as it stands in the editor: place in code points, 0-based, and the very text that is marked."""

    line: int
    column: int
    text: str
    code: str
    severity: str
    message: str
    source: str


class Done(Struct, frozen=True):
    """The result of a command."""

    state: str
    findings: int = 0
    message: str | None = None


class _Told(Struct, frozen=True):
    """What an editor says: an answer, or something that came by itself."""

    answer: int | None = None
    value: Raw = Raw(b"null")
    problem: str | None = None
    shown: list[Shown] | None = None
    done: Done | None = None
    popup: str | None = None


class Steered:
    """A running Neovim or Emacs. `seen`: every state of the diagnostics that it showed, the newest last."""

    def __init__(
        self,
        program: Program,
        workshop: Workshop,
        server: Sequence[str] = SERVER,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.seen: list[list[Shown]] = [[]]
        self.done: list[Done] = []
        self.popups: list[str] = []
        self._pending = b""
        self._number = 0
        self._log = workshop.log
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE_S)
            variables = {
                "KIMI_TEST_PORT": str(listener.getsockname()[1]),
                "KIMI_TEST_SETTINGS": msgspec.json.encode({"kimi": settings or {}}).decode(),
                "KIMI_TEST_SERVER": msgspec.json.encode(workshop.command(server)).decode(),
            }
            self.terminal = Terminal(_command(program), workshop.root, {**workshop.environment, **variables})
            try:
                self._socket, _ = listener.accept()
            except TimeoutError:
                workshop.family.kill()
                self.terminal.close()
                raise AssertionError(f"the editor did not start:\n{self.terminal.text}") from None

    @property
    def shown(self) -> list[Shown]:
        """The diagnostics on show, in order of place."""
        return self.seen[-1]

    def open(self, path: Path) -> None:
        """Open a file; the server starts with the first one."""
        self._ask("open", {"path": str(path)}, None)

    def edit(self, first: int, stop: int, *lines: str) -> None:
        """Replace the lines from `first` to before `stop`."""
        self._ask("edit", {"first": first, "stop": stop, "lines": lines}, None)

    def undo(self) -> None:
        """Take the last edit back."""
        self._ask("undo", {}, None)

    def hover(self, line: int, column: int, word: str) -> str:
        """What is displayed about a place; it holds the word."""
        text = self._ask("hover", {"line": line, "column": column, "word": word}, str)
        assert word in text
        return text

    def actions(self, line: int, column: int, *, choose: str | None = None) -> list[str]:
        """The titles of the code actions at a place; the one to choose is carried out."""
        return self._ask("actions", {"line": line, "column": column, "choose": choose}, list[str])

    def execute(self, command: str, *arguments: object) -> None:
        """Have the server run a command; its result comes later."""
        self._ask("execute", {"command": command, "arguments": arguments}, None)

    def until_shown(self, holds: Callable[[list[Shown]], bool]) -> list[Shown]:
        """Wait until the diagnostics are as wanted, and return them."""
        self._until(lambda: holds(self.shown))
        return self.shown

    def until_done(self) -> Done:
        """Wait until a command is done, and return its result."""
        self._until(lambda: bool(self.done))
        return self.done.pop(0)

    def quit(self) -> None:
        """Leave the editor as its user would, and wait until it has ended."""
        self._number += 1
        self._socket.sendall(msgspec.json.encode({"id": self._number, "do": "quit", "with": {}}) + b"\n")
        assert self.terminal.process.wait(PATIENCE_S) == 0

    def close(self) -> None:
        """Let go of an editor that has ended."""
        self._socket.close()
        self.terminal.close()

    def _ask(self, what: str, arguments: object, kind: type[_T] | None) -> _T:
        self._number += 1
        number = self._number
        self._socket.sendall(msgspec.json.encode({"id": number, "do": what, "with": arguments}) + b"\n")
        deadline = time.monotonic() + PATIENCE_S
        while (told := self._next(deadline)).answer != number:
            pass
        assert told.problem is None, told.problem
        return msgspec.json.decode(told.value, type=kind)

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            self._next(deadline)

    def _next(self, deadline: float) -> _Told:
        """Take one message in."""
        while b"\n" not in self._pending:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"it never came; {self._state()}") from None
            assert chunk, f"the editor ended; {self._state()}"
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        told = msgspec.json.decode(line, type=_Told)
        if told.shown is not None:
            self.seen.append(sorted(told.shown))
        if told.done is not None:
            self.done.append(told.done)
        if told.popup is not None:
            self.popups.append(told.popup)
        return told

    def _state(self) -> str:
        server = self._log.read_text("utf-8")
        parts = f"on show: {self.shown}", f"message boxes: {self.popups}", f"the server: {server}"
        return "; ".join([*parts, f"the terminal:\n{self.terminal.text}"])


def _command(program: Program) -> list[str]:
    match program.name:
        case "neovim":
            return [str(program.path), "--headless", "-u", str(_HERE / "driver.lua"), "-i", "NONE", "-n"]
        case "emacs":
            return [str(program.path), "-nw", "-Q", "--load", str(_HERE / "driver.el")]
        case other:
            raise ValueError(other)
