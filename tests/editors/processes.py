"""Every process that a test started, however far it went: editors give their servers groups and sessions of their own.

A word in the environment is inherited by all of them. Linux only, as the editors are.
"""

import os
import signal
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_PAUSE_S = 0.01


class Family:
    """The processes with this family's word in their environment."""

    def __init__(self) -> None:
        self._word = uuid.uuid4().hex
        self.environment: Mapping[str, str] = {"KIMI_TEST_FAMILY": self._word}

    def alive(self) -> dict[int, str]:
        """Command lines by process id. A process that has ended and waits to be collected is not alive."""
        mark = f"KIMI_TEST_FAMILY={self._word}".encode()
        alive: dict[int, str] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile, or is not ours to look at
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                    alive[int(folder.name)] = b" ".join(words).decode(errors="replace")
        return alive

    def servers(self) -> list[int]:
        """The language servers among them."""
        return [pid for pid, command in self.alive().items() if "kimi_lsp lsp" in command]

    def wait_until_gone(self, timeout_s: float) -> None:
        """Wait until none is alive. AssertionError with their command lines after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while alive := self.alive():
            assert time.monotonic() < deadline, f"still alive: {alive}"
            time.sleep(_PAUSE_S)

    def kill(self, timeout_s: float = 5.0) -> None:
        """End all of them, and those that they start while being ended."""
        deadline = time.monotonic() + timeout_s
        while alive := self.alive():
            for pid in alive:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert time.monotonic() < deadline, f"would not end: {alive}"
            time.sleep(_PAUSE_S)
