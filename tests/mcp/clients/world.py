"""A project to ask about, a private environment for a client, and processes that end with the test. Linux only."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TOKEN = "token-of-the-tests-" + "0123456789"
SERVER = (sys.executable, "-m", "mcp_tools")
COMMAND = (sys.executable, "-m", "kimi_lsp", "mcp")
SECRET = "AK" + "IA" + "Q4J7XKPL2WZMN5RD"
FILES = {
    "app.py": f'"""Small."""\n\nTOKEN = "{SECRET}"\n\n\ndef run(name: str) -> object:\n    return eval("o." + name)\n',
    "pkg/read.py": "def read(root: str, name: str) -> str:\n    return open(root + name).read()\n",
    "requirements.txt": "requests\nflask==3.0.0\n",
    "README.md": "# Small\n\nRun `app.py`.\n",
}
_PAUSE_S = 0.01
_START_S = _END_S = 20.0


@dataclass(frozen=True, slots=True)
class Done:
    """A program that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens on loopback."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class World:
    """Folders of one test and what the programs in it see of the machine: nothing of its user, no network address."""

    root: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """For clients. What would leave the machine through a proxy meets a closed port."""
        return {
            "HOME": str(self.home),
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
            **{f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")},
        }

    @property
    def server(self) -> tuple[str, ...]:
        """The command of a server over standard input and output."""
        return (*SERVER, "--root", str(self.root))

    @property
    def command(self) -> tuple[str, ...]:
        """The same by the way of the product's own command, which reads the user's configuration."""
        return (*COMMAND, "--root", str(self.root))

    @property
    def token_file(self) -> Path:
        """The token of a server over HTTP."""
        path = self.home / "token"
        if not path.exists():
            path.touch(0o600)
            path.write_text(TOKEN, "ascii")
        return path

    def run(
        self, *command: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Done:
        """Run a client to its end. Whatever it started and left behind in its group is ended too."""
        process = subprocess.Popen(
            command,
            env={**self.environment, **(env or {})},
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=timeout_s)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_END_S)
        return Done(process.returncode, out, err)

    @contextmanager
    def serving(self) -> Generator[Served]:
        """The server over HTTP, as its user starts it. It must end on SIGTERM and have said nothing but its address."""
        command = (*SERVER, "--root", str(self.root), "--http", "--port", "0", "--token-file", str(self.token_file))
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            line = _line(process, _START_S)
            yield Served(line.split()[-1], process.pid)
            process.terminate()
            _, rest = process.communicate(timeout=_END_S)
            assert process.returncode == 128 + signal.SIGTERM
            assert rest == b""
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_END_S)
            assert process.stderr is not None
            process.stderr.close()

    def servers(self) -> dict[int, str]:
        """The processes that serve this project: their command lines by process id."""
        found: dict[int, str] = {}
        mark = str(self.root).encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if mark in words and (b"mcp_tools" in words or b"kimi_lsp" in words):
                    found[int(folder.name)] = b" ".join(words).decode(errors="replace")
        return found

    def wait_until_gone(self, timeout_s: float = 5.0) -> None:
        """Wait until no server of this project is alive; after `timeout_s` AssertionError, and they are ended."""
        deadline = time.monotonic() + timeout_s
        while alive := self.servers():
            if time.monotonic() > deadline:
                for pid in alive:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"still alive: {alive}")
            time.sleep(_PAUSE_S)


def make(folder: Path, files: Mapping[str, str] = FILES) -> World:
    """Write a project and make an empty home beside it."""
    root, home = folder / "project", folder / "home"
    home.mkdir()
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return World(root, home)


def words(done: Done) -> str:
    """What a program said, for a failure's message."""
    return f"exit code {done.code}\n{done.out}\n{done.err}"


def _line(process: subprocess.Popen[bytes], timeout_s: float) -> str:
    """The first line on standard error."""
    assert process.stderr is not None
    line, fd, deadline = b"", process.stderr.fileno(), time.monotonic() + timeout_s
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], max(deadline - time.monotonic(), 0))
        piece = os.read(fd, 1) if ready else b""
        assert piece, f"no address within {timeout_s:g} s: {line!r}"
        line += piece
    return line.decode()


def command_json(command: Sequence[str]) -> dict[str, object]:
    """A server's command as the configuration files of agents say it."""
    return {"command": command[0], "args": list(command[1:])}
