"""The bearer token of the HTTP transport: where it comes from, and how one is compared."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

MIN_CHARS = 16
MAX_CHARS = 512
_TOKEN = re.compile(rb"[\x21-\x7e]{%d,%d}" % (MIN_CHARS, MAX_CHARS))
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)


def new_token() -> str:
    """A token that nobody can guess: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def read_token(path: str | Path) -> str:
    """The token that a file holds, on one line.

    Raises:
        ValueError: it is no regular file, others may read it (POSIX), or it holds something else than one line of
            16 to 512 printable ASCII characters without a space. The message says nothing of what the file holds.
        OSError: it cannot be read.
    """
    fd = os.open(path, _OPEN_FLAGS)  # of a FIFO it must not wait for a writer
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("the token file is no regular file")
        if os.name == "posix":
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ValueError("others have access to the token file; make it yours alone: chmod 600")
            if status.st_uid not in (os.geteuid(), 0):
                raise ValueError("the token file belongs to somebody else")
        data = os.read(fd, MAX_CHARS + 3)
    finally:
        os.close(fd)
    line = data.removesuffix(b"\n").removesuffix(b"\r")
    if not _TOKEN.fullmatch(line):
        raise ValueError(_NOT_A_TOKEN)
    return line.decode("ascii")


def check_token(token: str) -> None:
    """Raise ValueError for what cannot be a token. The message does not repeat it."""
    if not _TOKEN.fullmatch(token.encode("ascii", "replace")) or not token.isascii():
        raise ValueError(_NOT_A_TOKEN)


def is_same_token(token: str, presented: bytes) -> bool:
    """Whether somebody presented that token. How long it takes tells neither its characters nor its length."""
    return hmac.compare_digest(_digest(token.encode("ascii")), _digest(presented))


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


_NOT_A_TOKEN = f"a token is one line of {MIN_CHARS} to {MAX_CHARS} printable ASCII characters without a space"
