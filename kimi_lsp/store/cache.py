"""Answers that can be given again without a call. Losing an entry loses nothing but time."""

import threading
import zlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from kimi_lsp.store.clock import Clock, stamp
from kimi_lsp.store.database import Database
from kimi_lsp.store.tables import cached

MAX_BYTES: Final = 256 << 20
_HEAD: Final = "cache"
_BATCH: Final = 500  # keys in one statement
_FRESH: Final = timedelta(hours=1)  # a use within it is not noted again, so that reading seldom writes
_KEPT_SHARE: Final = 0.9  # what is left after a prune, so that the next one is not due at once


class Cache:
    """Texts by key, compressed; those unused for longest go first once the cache is full.

    Args:
        database: where it is kept.
        clock: for the last use.
        max_bytes: the most that all values may take, compressed.
    """

    def __init__(self, database: Database, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self._database = database
        self._clock = clock
        self._max_bytes = max_bytes
        self._unchecked_bytes = max_bytes  # so that the first write of a process looks at the size once
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """The value, None when there is none. Raises StoreError."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, str]:
        """The values of the keys that have one. Damaged entries count as absent. Raises StoreError."""
        found: dict[str, str] = {}
        stale: list[str] = []
        now = self._clock()
        limit = stamp(now - _FRESH)
        for some in _batches(dict.fromkeys(keys)):
            query = select(cached.c.key, cached.c.used_at, cached.c.data).where(cached.c.key.in_(some))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for key, used_at, data in rows:
                text = _unpack(data)
                if text is not None:
                    found[key] = text
                    if used_at < limit:
                        stale.append(key)
        if stale:
            with self._database.write(_HEAD) as connection:
                for some in _batches(stale):
                    connection.execute(cached.update().where(cached.c.key.in_(some)).values(used_at=stamp(now)))
        return found

    def put(self, key: str, value: str, *, project: str) -> None:
        """Keep a value; an older one under the same key goes. Raises StoreError."""
        self.put_many({key: value}, project=project)

    def put_many(self, values: Mapping[str, str], *, project: str) -> None:
        """Keep many values in one transaction, which waits for the disk once. Raises StoreError."""
        if not values:
            return
        now = stamp(self._clock())
        rows = [_row(key, value, project, now) for key, value in values.items()]
        with self._database.write(_HEAD) as connection:
            for some in _batches(values):
                connection.execute(cached.delete().where(cached.c.key.in_(some)))
            connection.execute(cached.insert(), rows)
        if self._is_check_due(sum(len(row["data"]) for row in rows if isinstance(row["data"], bytes))):
            self.prune(max_bytes=self._max_bytes)

    def prune(self, *, max_bytes: int | None = None, older_than: timedelta | None = None) -> int:
        """Remove what was unused for longer than a time and, above a size, what is unused for longest.

        Returns how many entries went. Raises StoreError.
        """
        removed = 0
        with self._database.write(_HEAD) as connection:
            if older_than is not None:
                old = cached.c.used_at < stamp(self._clock() - older_than)
                removed += connection.execute(cached.delete().where(old)).rowcount
            if max_bytes is not None and _total_bytes(connection) > max_bytes:
                surplus = _surplus(connection, int(max_bytes * _KEPT_SHARE))
                for some in _batches(surplus):
                    removed += connection.execute(cached.delete().where(cached.c.key.in_(some))).rowcount
        return removed

    def forget(self, project: str) -> int:
        """Remove a project's entries; how many they were. Raises StoreError."""
        with self._database.write(_HEAD) as connection:
            return connection.execute(cached.delete().where(cached.c.project == project)).rowcount

    def size_bytes(self) -> int:
        """What all values take, compressed. Raises StoreError."""
        with self._database.read() as connection:
            return _total_bytes(connection)

    def _is_check_due(self, new_bytes: int) -> bool:
        with self._lock:
            self._unchecked_bytes += new_bytes
            if self._unchecked_bytes <= self._max_bytes // 16:
                return False
            self._unchecked_bytes = 0
            return True


def _row(key: str, value: str, project: str, now: str) -> dict[str, str | int | bytes]:
    data = zlib.compress(value.encode("utf-8", "surrogatepass"))
    return {"key": key, "project": project, "size": len(data), "used_at": now, "data": data}


def _unpack(data: bytes) -> str | None:
    try:
        return zlib.decompress(data).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError, TypeError):
        return None


def _total_bytes(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(cached.c.size), 0))).scalar_one())


def _surplus(connection: Connection, max_bytes: int) -> list[str]:
    """The keys, last used first, that no longer fit."""
    query = select(cached.c.key, cached.c.size).order_by(cached.c.used_at.desc(), cached.c.key)
    kept = 0
    surplus: list[str] = []
    for key, size in connection.execute(query):
        kept += size
        if kept > max_bytes:
            surplus.append(key)
    return surplus


def _batches(keys: Iterable[str]) -> Iterable[list[str]]:
    every = list(keys)
    return [every[start : start + _BATCH] for start in range(0, len(every), _BATCH)]
