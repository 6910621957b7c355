"""What a worker gives up before it looks at a project. For the worker's own process; not for the server's.

Given up everywhere on POSIX: memory beyond a limit, core dumps. On Linux also: outliving the server, even while C code
holds the interpreter; with Landlock, writing (any file but `/dev/null`), dialling and listening over TCP (ABI 4), and
signalling processes outside (ABI 6). UDP and named Unix sockets stay open to it. Elsewhere an orphan ends when it next
reads its pipe, or at its alarm, whichever is first.

Numbers and structures: the kernel's headers `linux/landlock.h` and `linux/prctl.h`.
"""

import ctypes
import os
import signal
import struct
import sys
from typing import Final

from mcp_tools.project.landlock import confine_writes, landlock_abi

_CREATE_RULESET: Final = 444  # the same on every architecture
_RESTRICT_SELF: Final = 446
_NET_SINCE_ABI: Final = 4
_SCOPES_SINCE_ABI: Final = 6
_TCP: Final = 0b11  # bind, connect
_SCOPES: Final = 0b11  # abstract Unix sockets, signals
_PDEATHSIG: Final = 1
_ALARM_SLACK_S: Final = 1.0


def limit(memory_bytes: int | None) -> None:
    """Limit this process's address space, and that of what it starts; no core dumps."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - POSIX alone has it

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends. Ends at once when that has happened."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if sys.platform != "win32" and os.getppid() != parent:
        os._exit(1)


def confine() -> None:
    """Give up writing, TCP, and signals to others, as far as this system can; there is no way back."""
    confine_writes(())
    _confine_reach()


def _confine_reach() -> None:
    abi = landlock_abi()
    if abi < _NET_SINCE_ABI:
        return
    values = (0, _TCP, _SCOPES) if abi >= _SCOPES_SINCE_ABI else (0, _TCP)
    attributes = struct.pack(f"={len(values)}Q", *values)
    libc = ctypes.CDLL(None)
    ruleset = libc.syscall(
        ctypes.c_long(_CREATE_RULESET), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_long(0)
    )
    if ruleset < 0:
        return
    try:  # `confine_writes` has set what this needs: no new privileges
        libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_long(ruleset), ctypes.c_long(0))
    finally:
        os.close(ruleset)


def alarm(seconds: float | None) -> None:
    """Have the kernel end this process a little after so many seconds, whatever it does then; None: not any more.

    It is the last resort, for when nobody is left to kill it. No handler runs: a held interpreter does not matter.
    """
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0.0 if seconds is None else seconds + _ALARM_SLACK_S)
