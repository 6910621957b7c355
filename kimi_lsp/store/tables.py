"""The tables, for any SQL database. Nothing here knows what a row means."""

from decimal import Decimal
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

_MARK: Final = "\x01"


class AnyText(TypeDecorator[str]):
    """Every Python string, also one that no database takes: a NUL, or half a surrogate from a non-UTF-8 path.

    Such a string (and one that begins with the mark itself) is written as the mark and its unicode-escape form, so
    that two different strings never share a column value.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Python to column."""
        if value is None or _is_plain(value):
            return value
        return _MARK + value.encode("unicode_escape").decode("ascii")

    def process_result_value(self, value: object, dialect: Dialect) -> str | None:
        """Column to Python. A value that was tampered with comes out as some text, never as an error."""
        if value is None:
            return None
        if not isinstance(value, str):
            return f"{_MARK}{value!r}"
        if not value.startswith(_MARK):
            return value
        try:
            text = value[1:].encode("ascii").decode("unicode_escape")
        except UnicodeError:
            return value
        return text if self.process_bind_param(text, dialect) == value else value  # one text, one spelling


class Whole(TypeDecorator[int]):
    """A whole number; ValueError for what SQLite lets a column hold besides, so that it is never summed as zero."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: object, dialect: Dialect) -> int | None:
        """Column to Python; PostgreSQL answers a sum as a Decimal."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, Decimal) and value == int(value):
            return int(value)
        raise ValueError(f"{value!r} is no whole number")


def _is_plain(value: str) -> bool:
    if "\0" in value or value.startswith(_MARK):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


metadata = MetaData()
_Id = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER column

schema = Table("kimi_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

heads = Table(  # one row a concern: who holds it may write there
    "kimi_heads",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("seq", Whole, nullable=False),
    Column("hash", String(64), nullable=False),
)

calls = Table(
    "kimi_calls",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", AnyText, nullable=False),
    Column("day", String(10), nullable=False),
    Column("model", AnyText, nullable=False),
    Column("endpoint", AnyText, nullable=False),
    Column("label", AnyText, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reserved_at", String(27), nullable=False),
    Column("reserved_tokens", Whole, nullable=False),
    Column("reserved_nano", Whole, nullable=False),
    Column("settled_at", String(27)),
    Column("prompt_tokens", Whole),
    Column("cached_tokens", Whole),
    Column("completion_tokens", Whole),
    Column("reasoning_tokens", Whole),
    Column("cache_write_tokens", Whole),
    Column("is_estimated", Boolean),
    Column("cost_nano", Whole),
)
Index("kimi_calls_run", calls.c.run_id)
Index("kimi_calls_state", calls.c.state)

days = Table(  # the sums of `calls` by day, so that a ceiling is checked in the same time however many calls there were
    "kimi_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("tokens", Whole, nullable=False),
    Column("nano", Whole, nullable=False),
    Column("calls", Whole, nullable=False),
    Column("held_tokens", Whole, nullable=False),
    Column("held_nano", Whole, nullable=False),
    Column("held_calls", Whole, nullable=False),
    Column("estimated", Whole, nullable=False),
)

records = Table(
    "kimi_records",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", String(27), nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("run_id", AnyText, nullable=False),
    Column("body", Text, nullable=False),
    Column("contents", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
Index("kimi_records_run", records.c.run_id)

texts = Table(
    "kimi_contents",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

cached = Table(
    "kimi_cache",
    metadata,
    Column("key", AnyText, primary_key=True),
    Column("project", AnyText, nullable=False),
    Column("size", Whole, nullable=False),
    Column("used_at", String(27), nullable=False),
    Column("data", LargeBinary, nullable=False),
)
Index("kimi_cache_used", cached.c.used_at, cached.c.size)
Index("kimi_cache_project", cached.c.project)

consents = Table(
    "kimi_consents",
    metadata,
    Column("project", AnyText, primary_key=True),
    Column("endpoint", AnyText, primary_key=True),
    Column("given_at", String(27), nullable=False),
)

verdicts = Table(
    "kimi_verdicts",
    metadata,
    Column("project", AnyText, primary_key=True),
    Column("fingerprint", AnyText, primary_key=True),
    Column("decision", String(16), nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("who", AnyText, nullable=False),
    Column("given_at", String(27), nullable=False),
)

conversations = Table(
    "kimi_conversations",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("cwd", AnyText, nullable=False),
    Column("roots", Text, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("updated_at", String(27), nullable=False),
    Column("first", Whole, nullable=False),  # of its entries that are kept; one more than `last` when none is
    Column("last", Whole, nullable=False),
    Column("size", Whole, nullable=False),  # of its entries that are kept, so that a bound is checked at once
)

utterances = Table(
    "kimi_utterances",
    metadata,
    Column("conversation", AnyText, primary_key=True),
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("size", Whole, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

tombstones = Table(  # the ids of conversations that are gone and must not come back
    "kimi_tombstones",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("deleted_at", String(27), nullable=False),
)
