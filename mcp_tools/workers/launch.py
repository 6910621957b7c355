"""How a worker process is started and ended: its command, its environment, and everything it has started."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

MODULE: Final = "mcp_tools.workers.child"

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT")
_MAX_DESCENDANTS: Final = 1000


def interpreter() -> tuple[str, ...]:
    """This Python, deaf to the environment, with no current folder on its search path, leaving no `__pycache__`."""
    no_user_site = ("-s",) if sys.flags.no_user_site else ()
    return (sys.executable, "-E", "-P", "-B", *no_user_site, "-X", "utf8")


def command(program: Sequence[str] | None, memory_bytes: int | None) -> tuple[str, ...]:
    """The command line of a worker; `program` stands for all but the two arguments."""
    return (*(program or (*interpreter(), "-m", MODULE)), str(os.getpid()), str(memory_bytes or 0))


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker is told of the server's environment: where programs are, and the language; no secret, no home."""
    kept = {name: value for name in _KEPT if (value := environ.get(name)) is not None}
    return kept | {"MALLOC_ARENA_MAX": "2"}  # glibc reserves 64 MiB of address space for each arena


def neutral_folder() -> str:
    """A folder that belongs to no project."""
    return Path(sys.executable).anchor or os.sep


def kill_all(pid: int) -> None:
    """End a worker that lives or has just died, its process group, and what it started in groups of their own.

    Those are found where Linux lists a process's children, while it lives; one that is being started in this very
    moment may be missed. On Windows the worker alone is ended.
    """
    if sys.platform == "win32":
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)  # TerminateProcess
        return
    strays = list(_descendants(pid))
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    for stray in strays:
        with suppress(OSError):
            os.kill(stray, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208 - names alone, on the way of a kill
                with suppress(OSError):
                    found += map(int, Path(f"/proc/{parent}/task/{thread}/children").read_bytes().split())
        if len(found) > _MAX_DESCENDANTS:
            break
    yield from found[1:]
