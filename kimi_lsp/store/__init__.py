"""What outlives a run, in one database. Opening a store loads SQLAlchemy, importing this does not."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from kimi_lsp.store.chain import Head, JsonValue, Record, Verification
from kimi_lsp.store.clock import Clock, utc_now
from kimi_lsp.store.export import verify_export
from kimi_lsp.store.secret import install_key
from kimi_lsp.store.values import (
    CallState,
    Ceilings,
    Consent,
    Conversation,
    Decision,
    Entry,
    History,
    Period,
    Reservation,
    Spending,
    Verdict,
)

if TYPE_CHECKING:  # each of these costs the import of SQLAlchemy
    from kimi_lsp.store.cache import Cache
    from kimi_lsp.store.consent import Consents
    from kimi_lsp.store.conversations import Conversations
    from kimi_lsp.store.database import Database
    from kimi_lsp.store.ledger import Ledger
    from kimi_lsp.store.trail import Trail
    from kimi_lsp.store.verdicts import Verdicts

__all__ = [
    "CallState",
    "Ceilings",
    "Clock",
    "Consent",
    "Conversation",
    "Decision",
    "Entry",
    "Head",
    "History",
    "JsonValue",
    "Period",
    "Record",
    "Reservation",
    "Spending",
    "Store",
    "Verdict",
    "Verification",
    "install_key",
    "verify_export",
]


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Threads and processes may share it; every method is short and blocks, so call it off the loop."""

    database: "Database"
    ledger: "Ledger"
    trail: "Trail"
    cache: "Cache"
    consents: "Consents"
    verdicts: "Verdicts"
    conversations: "Conversations"

    @classmethod
    def open(cls, where: Path | str, *, clock: Clock = utc_now, max_cache_bytes: int = 256 << 20) -> Self:
        """Open the store, or make it.

        Args:
            where: the state directory (made with mode 0700, its files with 0600), or a database URL: SQLite or
                PostgreSQL. `sqlite://` lives in memory.
            clock: answers an aware datetime.
            max_cache_bytes: the most that the cache keeps, compressed.

        Raises:
            StoreError: it cannot be written or made, is damaged, or was written by a newer version.
        """
        from kimi_lsp.store.cache import Cache  # noqa: PLC0415 (SQLAlchemy costs a third of a second)
        from kimi_lsp.store.consent import Consents  # noqa: PLC0415 (the same)
        from kimi_lsp.store.conversations import Conversations  # noqa: PLC0415 (the same)
        from kimi_lsp.store.database import Database  # noqa: PLC0415 (the same)
        from kimi_lsp.store.ledger import Ledger  # noqa: PLC0415 (the same)
        from kimi_lsp.store.trail import Trail  # noqa: PLC0415 (the same)
        from kimi_lsp.store.verdicts import Verdicts  # noqa: PLC0415 (the same)

        database = Database.open(where)
        return cls(
            database=database,
            ledger=Ledger(database, clock),
            trail=Trail(database, clock),
            cache=Cache(database, clock, max_bytes=max_cache_bytes),
            consents=Consents(database, clock),
            verdicts=Verdicts(database, clock),
            conversations=Conversations(database, clock),
        )

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
