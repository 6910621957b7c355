"""A child process in a group of its own, its pipes as bytes, and the proof that nothing of it is left. Linux only."""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, cast

BOUND_S = 20.0
_MARK = "RAW_CLIENT_MARK"


class Child(asyncio.SubprocessProtocol):
    """One process. `stderr` is what it wrote there; a subclass takes its output (`_said`, `_ended`)."""

    def __init__(self) -> None:
        self.stderr = ""
        self.spawned_at = 0.0  # perf_counter seconds just before the process was started
        self._mark = secrets.token_hex(8)
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._open_pipes = {1, 2}
        self._all_ended = asyncio.Event()
        self._listening: list[tuple[str, asyncio.Future[None]]] = []
        self._transport: asyncio.SubprocessTransport

    async def _spawn(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        memory_bytes: int | None = None,
    ) -> Self:
        """Start a command in a session and process group of its own.

        env is added to this process's environment. memory_bytes is the most address space it may have (RLIMIT_AS).
        """
        if memory_bytes is not None:
            command = ("sh", "-c", f'ulimit -v {memory_bytes // 1024} && exec "$@"', "sh", *command)
        environment = {**os.environ, **(env or {}), _MARK: self._mark}
        self.spawned_at = time.perf_counter()
        await asyncio.get_running_loop().subprocess_exec(
            lambda: self, *command, env=environment, cwd=cwd, start_new_session=True
        )
        return self

    @property
    def pid(self) -> int:
        """The process id of the server, which is its process group too."""
        return self._transport.get_pid()

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._exit.result() if self._exit.done() else None

    async def exited(self, timeout_s: float = BOUND_S) -> int:
        """Wait for the end of the process and give its exit code."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._exit), timeout_s)
        except TimeoutError:
            raise AssertionError(f"still running after {timeout_s:g} s{self._last_words}") from None

    async def output_ended(self, timeout_s: float = BOUND_S) -> None:
        """Wait until nothing more can come: all of `stderr` is there."""
        await asyncio.wait_for(self._all_ended.wait(), timeout_s)

    async def wrote(self, text: str, timeout_s: float = BOUND_S) -> None:
        """Wait until `stderr` holds a text."""
        if text in self.stderr:
            return
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listening.append((text, heard))
        try:
            await asyncio.wait_for(heard, timeout_s)
        except TimeoutError:
            raise AssertionError(f"{text!r} was not written within {timeout_s:g} s{self._last_words}") from None
        finally:
            self._listening.remove((text, heard))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self._transport.send_signal(number)

    async def kill(self) -> None:
        """Kill the group and whatever else the process started, and wait until all of it is gone."""
        if self.exit_code is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        for pid in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.exited()
        await self.assert_nothing_left()
        self._transport.close()

    def left(self) -> list[int]:
        """The processes that come from this one (itself too) and still run, even those that left its group."""
        needle = f"{_MARK}={self._mark}".encode()
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if needle in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    async def assert_nothing_left(self, within_s: float = 5.0) -> None:
        """AssertionError when a process of it still runs after that time."""
        deadline = time.perf_counter() + within_s
        while left := self.left():
            assert time.perf_counter() < deadline, f"still running: {left}"
            await asyncio.sleep(0.005)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._stdin.write(data)

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the process's input pipe has not taken yet."""
        return self._stdin.get_write_buffer_size()

    def close_stdin(self) -> None:
        """The end of its input, after what was sent."""
        self._stdin.close()

    def pause_reading(self) -> None:
        """Read nothing of its output until `resume_reading`."""
        self._stdout.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._stdout.resume_reading()

    def _said(self, at: float, data: bytes) -> None:
        """Output has come."""

    def _ended(self) -> None:
        """The output has ended."""

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process has started."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Bytes have come."""
        now = time.perf_counter()
        if fd == 2:
            self.stderr += data.decode("utf-8", "replace")
            for text, heard in self._listening:
                if text in self.stderr and not heard.done():
                    heard.set_result(None)
        else:
            self._said(now, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """A pipe has ended."""
        if fd == 1:
            self._ended()
        self._open_pipes.discard(fd)
        if not self._open_pipes:
            self._all_ended.set()

    def process_exited(self) -> None:
        """The process has ended."""
        code = self._transport.get_returncode()
        if code is not None and not self._exit.done():
            self._exit.set_result(code)

    @property
    def _stdin(self) -> asyncio.WriteTransport:
        return cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    @property
    def _stdout(self) -> asyncio.ReadTransport:
        return cast("asyncio.ReadTransport", self._transport.get_pipe_transport(1))

    @property
    def _last_words(self) -> str:
        code = "" if self.exit_code is None else f" (exit code {self.exit_code})"
        return code + (f"; stderr: …{self.stderr[-800:]}" if self.stderr else "")
