"""Drop the right to write anywhere but in a few folders, for good: Linux's Landlock, where the kernel has it.

Numbers and structures: the kernel's own header, `linux/landlock.h`, and its page `userspace-api/landlock`.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET: Final = 444  # the same on every architecture
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1
_NO_NEW_PRIVS: Final = 38

_WRITE_FILE: Final = 1 << 1
# remove a folder, a file; make a character device, folder, file, socket, FIFO, block device, symbolic link
_SINCE_1: Final = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_REFER: Final = 1 << 13  # link or rename into another folder, since ABI 2
_TRUNCATE: Final = 1 << 14  # since ABI 3


def landlock_abi() -> int:
    """The version of Landlock that this kernel speaks; 0 when there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(_syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG), 0)


def confine_writes(folders: Iterable[Path]) -> bool:
    """Let this thread, those that it starts, and their children write only below these folders, and to `/dev/null`.

    Call it before other threads exist: they would keep their rights. There is no way back. Files that are open already
    stay as they are.

    Returns:
        False when the kernel cannot do it; nothing has changed then.
    """
    abi = landlock_abi()
    if abi < 1:
        return False
    handled = _SINCE_1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    attributes = ctypes.create_string_buffer(struct.pack("=Q", handled))
    ruleset = _syscall(_CREATE_RULESET, attributes, 8, 0)
    if ruleset < 0:
        return False
    try:
        allowed = [(folder, handled) for folder in folders]
        allowed.append((Path(os.devnull), handled & (_WRITE_FILE | _TRUNCATE)))
        if not all(_allow(ruleset, path, rights) for path, rights in allowed):
            return False
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return _syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> bool:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, handle))
        return _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) == 0
    finally:
        os.close(handle)


def _syscall(number: int, *arguments: object) -> int:
    values = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *values)
