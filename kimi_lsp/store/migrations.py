"""The schema's version and the way forward from every older one. There is no way back."""

from collections.abc import Callable, Sequence

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, String, Table, Text, inspect

from kimi_lsp.errors import StoreError
from kimi_lsp.store.tables import heads, metadata, schema

Step = Callable[[Connection], None]

HEADS = ("ledger", "trail", "cache", "consents", "verdicts", "conversations")
ZERO_HASH = "0" * 64


def _add_conversations(connection: Connection) -> None:
    """From version 1 to 2. The tables as version 2 had them: what a later version makes of them is its own step."""
    then = MetaData()
    Table(
        "kimi_conversations",
        then,
        Column("id", Text, primary_key=True),
        Column("cwd", Text, nullable=False),
        Column("roots", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("chosen", Text, nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("updated_at", String(27), nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        Column("size", BigInteger, nullable=False),
    )
    Table(
        "kimi_utterances",
        then,
        Column("conversation", Text, primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("size", BigInteger, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    Table(
        "kimi_tombstones",
        then,
        Column("id", Text, primary_key=True),
        Column("deleted_at", String(27), nullable=False),
    )
    then.create_all(connection, checkfirst=False)
    connection.execute(heads.insert().values(name="conversations", seq=0, hash=ZERO_HASH))


MIGRATIONS: tuple[Step, ...] = (_add_conversations,)  # the first step leads from version 1 to version 2


def newest(steps: Sequence[Step] = MIGRATIONS) -> int:
    """The version that this program writes."""
    return 1 + len(steps)


def version_of(connection: Connection, *, is_held: bool = False) -> int | None:
    """The version of the schema, None where there is none yet.

    Args:
        connection: in a transaction.
        is_held: let nobody else change the version before the transaction ends; wait for whoever is changing it.
    """
    if not inspect(connection).has_table(schema.name):
        return None
    query = schema.select().with_for_update() if is_held else schema.select()
    return connection.execute(query).scalar()


def upgrade(connection: Connection, where: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Create the tables, or bring them to the newest version. Runs in the caller's transaction.

    Raises StoreError when the schema is newer than this program, or of a version that never was.
    """
    version = version_of(connection, is_held=True)
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
    if version < 1:
        raise ValueError(f"{version} is no version of a schema")
    for step in steps[version - 1 :]:
        step(connection)
    connection.execute(schema.update().values(version=newest(steps)))
