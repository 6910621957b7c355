"""The key of this installation: 32 random bytes in the state directory, from which keys for one purpose are derived."""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from kimi_lsp.errors import StoreError
from kimi_lsp.store.files import private_folder, unusable

FILE_NAME: Final = "install.key"
KEY_BYTES: Final = 32
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def install_key(state_directory: Path, purpose: str) -> bytes:
    """32 bytes for one purpose (HMAC-SHA256 of the purpose under this installation's key): the same on every call.

    The first call makes the key file, with mode 0600; of several processes that do so at once all get the same key.

    Raises StoreError when the file cannot be made or read, or does not hold a key.
    """
    path = state_directory / FILE_NAME
    key = _read(path)
    if key is None:
        private_folder(state_directory)
        _publish(path)
        key = _read(path)
    if key is None or len(key) != KEY_BYTES:
        raise StoreError(
            f"{path} does not hold a key.", hint="Move it away; a new key is made, and what the old one named is lost."
        )
    return hmac.new(key, purpose.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unusable(path, error) from error
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise StoreError(f"{path} is no file.")
        if os.name == "posix" and mode & 0o077:
            os.fchmod(descriptor, 0o600)
        return file.read(KEY_BYTES + 1)


def _publish(path: Path) -> None:
    """Write a key aside and link it into place: it appears whole, and only for the first who comes."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            with open(os.open(aside, _WRITE, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(aside)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(path, error) from error
