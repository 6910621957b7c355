"""The schema's version and the way forward from every older one. There is no way back."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, inspect

from kimi_lsp.errors import StoreError
from kimi_lsp.store.tables import heads, metadata, schema

Step = Callable[[Connection], None]

MIGRATIONS: tuple[Step, ...] = ()  # the first step leads from version 1 to version 2
HEADS = ("ledger", "trail", "cache", "consents", "verdicts")
ZERO_HASH = "0" * 64


def newest(steps: Sequence[Step] = MIGRATIONS) -> int:
    """The version that this program writes."""
    return 1 + len(steps)


def version_of(connection: Connection) -> int | None:
    """The version of the schema, None where there is none yet."""
    if not inspect(connection).has_table(schema.name):
        return None
    return connection.execute(schema.select()).scalar()


def upgrade(connection: Connection, where: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Create the tables, or bring them to the newest version. Runs in the caller's transaction.

    Raises StoreError when the schema is newer than this program.
    """
    version = version_of(connection)
    if version is None:
        metadata.create_all(connection)
        connection.execute(schema.insert().values(version=newest(steps)))
        connection.execute(heads.insert(), [{"name": name, "seq": 0, "hash": ZERO_HASH} for name in HEADS])
        return
    if version > newest(steps):
        raise StoreError(
            f"The store {where} was written by a newer kimi-lsp (schema {version}, this one knows {newest(steps)}).",
            hint="Update kimi-lsp, or set KIMI_LSP_STATE_DIR to another folder.",
        )
    for step in steps[version - 1 :]:
        step(connection)
    connection.execute(schema.update().values(version=newest(steps)))
