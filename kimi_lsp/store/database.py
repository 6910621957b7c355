"""The database connection: who may write, how long a writer waits, and what an error means."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, StaticPool

from kimi_lsp.errors import StoreError
from kimi_lsp.store.failures import DAMAGED, as_store_error, is_busy
from kimi_lsp.store.files import DATABASE_NAME, private_file, private_folder
from kimi_lsp.store.migrations import MIGRATIONS, Step, newest, upgrade, version_of
from kimi_lsp.store.tables import heads

_BUSY_TIMEOUT_S: Final = 30.0
_CREATE_ATTEMPTS: Final = 5
_WAL_BYTES: Final = 64 << 20

_PRAGMAS = (
    "foreign_keys = ON",
    "synchronous = FULL",  # a reserve that was answered survives a power cut
    "secure_delete = ON",  # an erased text leaves no bytes behind in the file
    "temp_store = MEMORY",  # nothing is written outside the state directory
    "trusted_schema = OFF",
    f"journal_size_limit = {_WAL_BYTES}",
)


class Database:
    """One SQL database, shared by threads and processes. Every transaction is short.

    A writer holds the *head* of its concern: on SQLite by BEGIN IMMEDIATE (one writer in the whole file), elsewhere by
    locking that concern's row. So what a writer reads stays true until it commits.
    """

    def __init__(self, engine: Engine, where: str, *, is_private: bool, busy_timeout_s: float) -> None:
        self.engine = engine
        self.where = where  # holds no password
        self._writer = engine.execution_options(kimi_write=True)
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._is_private = is_private  # one connection for all threads: readers take turns too
        self._busy_timeout_s = busy_timeout_s
        self._turn = threading.Lock()
        self._inherited: list[Pool] = []
        _listen(engine, busy_timeout_s)
        _forkable.add(self)

    @classmethod
    def open(
        cls, where: Path | str, *, steps: Sequence[Step] = MIGRATIONS, busy_timeout_s: float = _BUSY_TIMEOUT_S
    ) -> "Database":
        """Open or create a store.

        Args:
            where: the state directory, or a database URL (SQLite or PostgreSQL). `sqlite://` lives in memory.
            steps: the migrations, forward only.
            busy_timeout_s: how long a writer waits for another process.

        Raises:
            StoreError: no right to write, no such driver, not a database, damaged, or written by a newer version.
        """
        if isinstance(where, Path) or "://" not in where:
            url = URL.create("sqlite", database=str(Path(where) / DATABASE_NAME))
        else:
            with _translated("The URL of the store"):
                url = make_url(where)
        is_sqlite = url.get_backend_name() == "sqlite"
        is_memory = is_sqlite and url.database in {None, "", ":memory:"}
        is_file = is_sqlite and not is_memory and "uri" not in url.query
        name = str(url.database) if is_file else url.render_as_string(hide_password=True)
        if is_file:
            path = Path(str(url.database))
            private_folder(path.parent)
            private_file(path)
        with _translated(name):
            engine = _engine(url, is_memory=is_memory, busy_timeout_s=busy_timeout_s)
            database = cls(engine, name, is_private=is_memory, busy_timeout_s=busy_timeout_s)
            try:
                database._prepare(steps)
            except BaseException:
                database.close()
                raise
        return database

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that sees one state of the database. Raises StoreError."""
        with self._taking_turns(self._is_private), _translated(self.where), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, head: str) -> Generator[Connection]:
        """A transaction that holds the named head; it commits at the end and rolls back on an error.

        Raises StoreError: the disk is full or read-only, the store is damaged, or another process held it too long.
        """
        with self._taking_turns(), _translated(self.where), self._writer.begin() as connection:
            if not self._is_sqlite:
                connection.execute(heads.select().where(heads.c.name == head).with_for_update())
            yield connection

    def forget_deleted(self) -> None:
        """Move what was deleted out of SQLite's log too, as far as other readers allow it now. Raises StoreError."""
        if self._is_sqlite:
            with _translated(self.where), self.engine.connect() as connection:
                cursor = connection.connection.cursor()  # a checkpoint is no part of a transaction
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.close()

    def close(self) -> None:
        """Close every idle connection. One that is used again is opened again."""
        self.engine.dispose()

    def _prepare(self, steps: Sequence[Step]) -> None:
        """Turn the log on and bring the schema to the newest version, also where several processes start at once."""
        if self._is_sqlite:
            with self.engine.connect() as connection:
                _turn_log_on(connection, self._busy_timeout_s)
        for attempt in range(_CREATE_ATTEMPTS):
            with self.engine.begin() as connection:
                if version_of(connection) == newest(steps):
                    return
            try:
                with self._writer.begin() as connection:
                    upgrade(connection, self.where, steps)
            except DBAPIError as error:  # outside SQLite two first starts can meet in CREATE TABLE
                if self._is_sqlite or error.connection_invalidated or attempt == _CREATE_ATTEMPTS - 1:
                    raise

    @contextmanager
    def _taking_turns(self, is_needed: bool = True) -> Generator[None]:
        """Threads of this process queue here: fairer and quicker than SQLite's own polling."""
        if not is_needed:
            yield
            return
        if not self._turn.acquire(timeout=self._busy_timeout_s):
            raise StoreError(f"The store {self.where} is held by another thread.", hint="Try again.")
        try:
            yield
        finally:
            self._turn.release()

    def stop_before_fork(self) -> bool:
        """Let no writer be under way: SQLite in the child would believe for ever that one is.

        False when one still was after the longest wait.
        """
        return self._turn.acquire(timeout=self._busy_timeout_s)

    def go_on_after_fork(self) -> None:
        """In the parent: the next writer's turn."""
        self._turn.release()

    def start_anew_after_fork(self) -> None:
        """In the child: the parent's connections are neither used nor closed, the parent's lock is nobody's."""
        self._inherited.append(self.engine.pool)
        self.engine.dispose(close=False)
        self._turn = threading.Lock()


_forkable: "weakref.WeakSet[Database]" = weakref.WeakSet()


_stopped: list[Database] = []  # by the fork that is under way; forks of one process never overlap


def _before_fork() -> None:
    _stopped.extend(database for database in list(_forkable) if database.stop_before_fork())


def _after_fork_in_parent() -> None:
    while _stopped:
        _stopped.pop().go_on_after_fork()


def _after_fork_in_child() -> None:
    _stopped.clear()
    for database in list(_forkable):
        database.start_anew_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


@contextmanager
def _translated(where: str) -> Generator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
        raise as_store_error(error, where) from error
    except (ValueError, TypeError) as error:  # arguments are checked before a transaction; inside it only rows are read
        raise StoreError(f"The store {where} holds a row that cannot be read: {error}.", hint=DAMAGED) from error


def _engine(url: URL, *, is_memory: bool, busy_timeout_s: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED", hide_parameters=True)
    args = {"check_same_thread": False, "timeout": busy_timeout_s}
    if is_memory:
        return create_engine(url, poolclass=StaticPool, connect_args=args, hide_parameters=True)
    return create_engine(url, connect_args=args, max_overflow=-1, hide_parameters=True)


def _listen(engine: Engine, busy_timeout_s: float) -> None:
    """SQLAlchemy begins transactions itself, and says at once whether it will write (its documented recipe)."""
    if engine.dialect.name == "postgresql":

        def limit_the_wait(connection: Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(busy_timeout_s * 1000)}")

        event.listen(engine, "begin", limit_the_wait)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)


def _on_connect(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _on_begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("kimi_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _turn_log_on(connection: Connection, timeout_s: float) -> None:
    """Switch to write-ahead logging. SQLite refuses that at once, without waiting, while another process writes.

    Where the file system cannot do it (a network share) SQLite keeps its old journal: slower, and just as safe.
    """
    cursor = connection.connection.cursor()
    deadline = time.monotonic() + timeout_s
    try:
        while cursor.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                cursor.execute("BEGIN IMMEDIATE")  # waits for the other one to end
                cursor.execute("COMMIT")
            else:
                return
    finally:
        cursor.close()
