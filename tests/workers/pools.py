"""Pools whose workers do what a test says, and waiting with a bound."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from mcp_tools.catalog.values import Answer, Json, RootSetup, Setup
from mcp_tools.workers import Pool
from mcp_tools.workers.launch import interpreter

SETUP = Setup((RootSetup("/some/project"),))
SCRIPTED = (*interpreter(), str(Path(__file__).with_name("scripted.py")))
WAIT_S = 30.0

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX alone has it")


@asynccontextmanager
async def scripted(
    size: int = 1,
    *,
    setup: Setup = SETUP,
    memory_bytes: int | None = 1 << 30,
    command: Sequence[str] = SCRIPTED,
    idle_s: float | None = None,
) -> AsyncGenerator[Pool]:
    """A pool of scripted workers; the whole block is bounded."""
    with anyio.fail_after(WAIT_S):
        async with Pool(setup, size=size, memory_bytes=memory_bytes, command=command, idle_s=idle_s) as pool:
            yield pool


async def ask(pool: Pool, name: str, **arguments: Json) -> Answer:
    """Call with a deadline that is never reached."""
    return await pool.call(name, arguments, deadline_s=WAIT_S)


async def told(pool: Pool, name: str, **arguments: Json) -> Json:
    """What the scripted tool gave back."""
    return (await ask(pool, name, **arguments)).data["is"]


async def pid_of(pool: Pool) -> int:
    """The process that answers."""
    pid = (await ask(pool, "echo")).data["pid"]
    assert isinstance(pid, int)
    return pid


async def ended(pid: int) -> None:
    """Wait until a process that is no child of ours has ended, were it as a zombie."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with anyio.fail_after(WAIT_S):
            await anyio.wait_readable(handle)
    finally:
        os.close(handle)


def is_gone(pid: int) -> bool:
    """Nothing is left of a process, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class Gate:
    """A FIFO on which a worker's call waits, so that a test knows that it has begun."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._handle = -1

    async def reached(self) -> None:
        """Wait until a call waits here."""
        with anyio.fail_after(WAIT_S):
            self._handle = await anyio.to_thread.run_sync(os.open, self.path, os.O_WRONLY, abandon_on_cancel=True)

    def open(self) -> None:
        """Let the call go on."""
        os.close(self._handle)
