"""A terminal without a screen: a program that runs in it, the keys it gets and the text it draws."""

import errno
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from threading import Condition, Thread

import pyte

COLUMNS, LINES = 160, 44
PATIENCE_S = 20.0
_STOP_S = 5.0
# A session leader without a terminal gets the first one that it opens: the editors want one of their own.
_IN_TERMINAL = ("/bin/sh", "-c", 'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1', "sh")


class _Screen(pyte.Screen):
    """A screen that answers what pyte can answer; programs wait for that, and ask for more with private marks."""

    def __init__(self, keyboard: int) -> None:
        super().__init__(COLUMNS, LINES)
        self._keyboard = keyboard

    def report_device_status(self, mode: int, **kwargs: bool) -> None:
        """Answer a plain question."""
        if not kwargs.get("private"):
            super().report_device_status(mode)

    def write_process_input(self, data: str) -> None:
        """Send an answer as if it were typed."""
        os.write(self._keyboard, data.encode())


class Terminal:
    """One program in a pseudo-terminal and a session of its own. Close it."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._screen = _Screen(self._master)
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = Condition()
        self._is_over = False
        try:
            ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            self.process = subprocess.Popen(
                [*_IN_TERMINAL, os.ttyname(slave), *command],
                cwd=cwd,
                env={"TERM": "linux", **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._reader = Thread(target=self._read, name="terminal", daemon=True)
            self._reader.start()
            self._until_open()
        finally:
            os.close(slave)

    @property
    def text(self) -> str:
        """What is on the screen now, without trailing spaces and lines."""
        with self._drawn:
            return self._text()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def until(self, holds: Callable[[str], bool], timeout_s: float = PATIENCE_S) -> str:
        """Wait until the text is as wanted, and return it. AssertionError with the screen after `timeout_s`."""
        with self._drawn:
            came = self._drawn.wait_for(lambda: self._is_over or holds(self._text()), timeout_s)
            text = self._text()
        assert came, f"it never came; the screen:\n{text}"
        assert holds(text), f"the program ended; its last screen:\n{text}"
        return text

    def close(self) -> None:
        """Collect the program, which must have ended or been ended, and the thread."""
        self.process.wait(_STOP_S)
        self._reader.join(_STOP_S)
        assert not self._reader.is_alive(), "something still holds the terminal"
        os.close(self._master)

    def _text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def _until_open(self) -> None:
        """Wait until the program holds the terminal; were our end the last one, the terminal would be over."""
        deadline = time.monotonic() + _STOP_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if os.path.realpath(f"/proc/{self.process.pid}/fd/1").startswith("/dev/pts/"):
                return
            time.sleep(0.001)

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 65536)
            except OSError as error:
                if error.errno != errno.EIO:  # nobody holds the other end any more
                    raise
                chunk = b""
            with self._drawn:
                if chunk:
                    self._stream.feed(chunk)
                else:
                    self._is_over = True
                self._drawn.notify_all()
            if not chunk:
                return
