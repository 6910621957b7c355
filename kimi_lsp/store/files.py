"""The state directory's files: made private, and told apart from what is no file."""

import os
import stat
from pathlib import Path
from typing import Final

from kimi_lsp.errors import StoreError

DATABASE_NAME: Final = "store.db"
"""The database in the state directory."""

_HINT = "Set KIMI_LSP_STATE_DIR to a folder that you can write to."


def private_folder(folder: Path) -> None:
    """Make the folder with mode 0700. One that exists is left as it is: it may hold more than ours.

    Raises StoreError when it cannot be made or used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unusable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"The state directory {folder} cannot be written.", hint=_HINT)


def private_file(path: Path) -> None:
    """Make an empty file with mode 0600 where there is none, and take every right of others away from one there is.

    Raises StoreError when the path is no regular file or cannot be made.
    """
    try:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
        except FileExistsError:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise StoreError(f"{path} is no file.", hint=_HINT) from None
            if os.name == "posix" and mode & 0o077:
                path.chmod(0o600)
    except (OSError, ValueError) as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: OSError | ValueError) -> StoreError:
    """The StoreError that says why a path cannot be used."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StoreError(f"{path} cannot be used: {reason}.", hint=_HINT)
