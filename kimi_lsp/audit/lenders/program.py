"""A lender's program: where it is found, what it is told of this machine, and how it and all its children end."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import anyio
import anyio.abc

_GRACE_S = 1.0  # to leave by itself once its input has ended, and again once it was told to
_POLL_S = 0.01
_INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER")
_INHERITED_ON_WINDOWS = (
    "APPDATA COMSPEC HOMEDRIVE HOMEPATH LOCALAPPDATA PATHEXT PROGRAMDATA PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP TMP "
    "USERNAME USERPROFILE WINDIR"
).split()


def program_path(program: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of a program, None where there is none. A relative entry of PATH counts as none.

    Such an entry would be looked up in the current folder, which may be the audited project.
    """
    if Path(program).is_absolute():
        return program if shutil.which(program) else None
    for folder in _folders(environ):
        if found := shutil.which(str(Path(folder) / program)):
            return found
    return None


def child_environment(environ: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
    """What a lender's program gets: what any program needs to run, and its own variables. No key of anyone else."""
    names = _INHERITED_ON_WINDOWS if sys.platform == "win32" else _INHERITED
    inherited = {name: environ[name] for name in names if name in environ}
    return MappingProxyType({**inherited, "PATH": os.pathsep.join(_folders(environ)), **own})


def _folders(environ: Mapping[str, str]) -> list[str]:
    return [one for one in environ.get("PATH", os.defpath).split(os.pathsep) if Path(one).is_absolute()]


async def started(path: str, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path) -> anyio.abc.Process:
    """Start a program in a process group of its own, its error output unread. Raises OSError."""
    return await anyio.open_process(
        [path, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    )


async def ended(process: anyio.abc.Process, *, politely: bool = True) -> None:
    """End a program and all that it started: its input first, then a request, then by force. It takes a few seconds.

    The group is ended although its leader may be gone: a child of it may have stayed. On Windows, which has no such
    groups, the program alone is ended.

    Args:
        process: as `started` gave it.
        politely: whether it gets the time to leave by itself.
    """
    with anyio.CancelScope(shield=True):
        if politely and process.stdin is not None:
            await _closed(process.stdin)
            if not await _is_gone_within(process, _GRACE_S):
                _signal(process, force=False)
                await _is_gone_within(process, _GRACE_S)
        _signal(process, force=True)
        await _is_gone_within(process, _GRACE_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                await _closed(pipe)


async def _closed(pipe: anyio.abc.ByteSendStream | anyio.abc.ByteReceiveStream) -> None:
    """Close our end. One that is read is closed by its end alone, which comes once nobody holds the other one."""
    try:
        with anyio.move_on_after(_GRACE_S):
            if isinstance(pipe, anyio.abc.ByteReceiveStream):
                async for _ in pipe:
                    pass
            await pipe.aclose()
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass


async def _is_gone_within(process: anyio.abc.Process, seconds: float) -> bool:
    """Say whether the program has ended. Polls: to wait for it would be to wait for its children's pipes as well."""
    with anyio.move_on_after(seconds):
        while process.returncode is None:  # noqa: ASYNC110 - there is no event that says only this
            await anyio.sleep(_POLL_S)
    return process.returncode is not None


def _signal(process: anyio.abc.Process, *, force: bool) -> None:
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        pass  # nobody is left, or nobody that is ours
