"""What a database's own error means to the user who must act on it."""

import sqlite3

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kimi_lsp.errors import StoreError

_ELSEWHERE = "Set KIMI_LSP_STATE_DIR to a folder that you can write to."
DAMAGED = "Move it away to keep it as evidence, with its -wal and -shm files; a new one is made at the next start."

_BY_SQLITE_CODE = {  # the low byte of an extended result code: https://www.sqlite.org/rescode.html
    sqlite3.SQLITE_NOTADB: ("is not a database", DAMAGED),
    sqlite3.SQLITE_CORRUPT: ("is damaged", DAMAGED),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Free some space, or s" + _ELSEWHERE[1:]),
    sqlite3.SQLITE_READONLY: ("is read-only", _ELSEWHERE),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _ELSEWHERE),
    sqlite3.SQLITE_PERM: ("cannot be opened", _ELSEWHERE),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk is full or failing", _ELSEWHERE),
    sqlite3.SQLITE_BUSY: ("is held by another process", "Try again, or end the other kimi-lsp process."),
    sqlite3.SQLITE_LOCKED: ("is held by another process", "Try again, or end the other kimi-lsp process."),
}


def is_busy(error: BaseException) -> bool:
    """Another connection holds a lock: the same statement may succeed later."""
    return _sqlite_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def as_store_error(error: SQLAlchemyError | sqlite3.Error | ImportError, where: str) -> StoreError:
    """The error as a user reads it. `where` names the store and holds no password.

    Args:
        error: as SQLAlchemy, the driver or a missing driver raised it.
        where: the path, or the URL without its password.
    """
    code = _sqlite_code(error)
    if code in _BY_SQLITE_CODE:
        what, hint = _BY_SQLITE_CODE[code]
        return StoreError(f"The store {where} {what}.", hint=hint)
    if isinstance(error, ImportError | NoSuchModuleError):
        return StoreError(f"The store {where} needs a database driver that is not installed: {error}.")
    if isinstance(error, ArgumentError):
        return StoreError(f"{where} is not a database URL.", hint="Write it as postgresql+psycopg://user@host/name.")
    if isinstance(error, PoolTimeout):
        return StoreError(f"The store {where} has no free connection.", hint="Try again.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    words = "".join(character if character.isprintable() else " " for character in str(cause))
    return StoreError(f"The store {where} cannot be used: {words}.")


def _sqlite_code(error: BaseException) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
