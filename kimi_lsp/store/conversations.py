"""Conversations: what was said in them, so that an editor can list, show and go on with them later."""

import base64
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, or_, select

from kimi_lsp.errors import StoreError, UsageError
from kimi_lsp.store.chain import JsonValue, canonical, is_object, parse
from kimi_lsp.store.clock import Clock, stamp
from kimi_lsp.store.database import Database
from kimi_lsp.store.tables import conversations, tombstones, utterances
from kimi_lsp.store.values import MAX_COUNT, Conversation, History

_HEAD: Final = "conversations"
_BATCH: Final = 500
_MAX_PAGE: Final = 1_000
_PLACE_PARTS: Final = 2  # a stamp and an id
_SHOWN: Final = 100  # characters of an id in a message
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is kept. Bytes are those of the entries as JSON, before they are compressed.

    The bytes of one conversation are also what `entries` brings into memory.
    """

    entries: int = 10_000  # of one conversation
    bytes: int = 16 << 20  # of one conversation
    entry_bytes: int = 4 << 20
    conversations: int = 1_000
    total_bytes: int = 512 << 20  # of all conversations
    tombstones: int = 10_000


DEFAULT: Final = Bounds()


class Conversations:
    """Conversations by id, whatever number of processes have them open.

    It keeps what it is given: redact every text before. What no longer fits goes: of one conversation the oldest
    entries, which are counted; of all conversations the ones untouched for longest, as if they had been deleted; and
    the oldest tombstones, after which their ids would be accepted again.

    Args:
        database: where they are kept.
        clock: for the stamps.
        bounds: how much is kept.
    """

    def __init__(self, database: Database, clock: Clock, bounds: Bounds = DEFAULT) -> None:
        self._database = database
        self._clock = clock
        self._bounds = bounds

    def create(
        self, conversation_id: str, cwd: str, roots: Iterable[str] = (), values: Mapping[str, str] | None = None
    ) -> Conversation:
        """Begin a conversation, with no title and nothing said.

        Raises StoreError, also when the id is taken or was that of a deleted conversation.
        """
        texts = {"roots": canonical(tuple(roots)), "chosen": canonical(values or {})}
        with self._database.write(_HEAD) as connection:
            for table in (conversations, tombstones):
                if connection.execute(select(table.c.id).where(table.c.id == conversation_id)).first() is not None:
                    raise StoreError(
                        f"There is or was a conversation {_short(conversation_id)} already.",
                        hint="Take another id.",
                    )
            now = stamp(self._clock())
            row = {"id": conversation_id, "cwd": cwd, "title": "", **texts, "created_at": now, "updated_at": now}
            connection.execute(conversations.insert().values(**row, first=1, last=0, size=0))
            self._make_room(connection, conversation_id)
        return _conversation(row)

    def get(self, conversation_id: str) -> Conversation | None:
        """The conversation; None when there is none or it was deleted. Raises StoreError."""
        with self._database.read() as connection:
            query = conversations.select().where(conversations.c.id == conversation_id)
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _conversation(row)

    def find(
        self, cwd: str | None = None, *, after: str | None = None, limit: int = 50
    ) -> tuple[list[Conversation], str | None]:
        """A page of conversations, the last changed first, and the cursor of the next page; None when this is the last.

        Pages never repeat a conversation, and leave none out that stays as it is. One that changes meanwhile moves to
        the front, where a new search finds it.

        Args:
            cwd: only those of this folder, compared letter by letter; None for all.
            after: the cursor of an earlier page.
            limit: how many at most, 1 to 1,000.

        Raises:
            UsageError: `after` is no such cursor. ValueError: the limit. StoreError.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"a page holds 1 to {_MAX_PAGE} conversations, not {limit}")
        updated_at, its_id = conversations.c.updated_at, conversations.c.id
        query = conversations.select().order_by(updated_at.desc(), its_id.desc()).limit(limit + 1)
        if cwd is not None:
            query = query.where(conversations.c.cwd == cwd)
        if after is not None:
            last_stamp, last_id = _place(after)
            query = query.where(or_(updated_at < last_stamp, and_(updated_at == last_stamp, its_id < last_id)))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        page = [_conversation(row) for row in rows[:limit]]
        return page, _cursor(page[-1]) if len(rows) > limit else None

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give it another title. Raises StoreError, also when there is no such conversation."""
        return self._change(conversation_id, title=title)

    def choose(self, conversation_id: str, values: Mapping[str, str]) -> Conversation:
        """Put these values in the place of all that were chosen. Raises StoreError as `rename` does."""
        return self._change(conversation_id, chosen=canonical(values))

    def set_roots(self, conversation_id: str, roots: Iterable[str]) -> Conversation:
        """Put these folders in the place of the earlier ones. Raises StoreError as `rename` does."""
        return self._change(conversation_id, roots=canonical(tuple(roots)))

    def append(self, conversation_id: str, entries: Sequence[JsonValue]) -> None:
        """Add to what was said: all of it or nothing, in this order, with nothing of another process in between.

        Args:
            conversation_id: one that exists.
            entries: JSON without floats, redacted.

        Raises:
            StoreError: it could not be written, or there is no such conversation. ValueError: an entry is no such JSON,
            or longer than one may be.
        """
        packed = [_packed(entry, self._bounds.entry_bytes) for entry in entries]
        with self._database.write(_HEAD) as connection:
            extent = _extent(connection, conversation_id)
            numbered = [
                {"conversation": conversation_id, "number": number, "size": size, "data": data}
                for number, (size, data) in enumerate(packed, extent.last + 1)
            ]
            if numbered:
                connection.execute(utterances.insert(), numbered)
            size = extent.size + sum(size for size, _ in packed)
            extent = self._trimmed(connection, conversation_id, _Extent(extent.first, extent.last + len(packed), size))
            change = conversations.update().where(conversations.c.id == conversation_id)
            values = {"first": extent.first, "last": extent.last, "size": extent.size}
            connection.execute(change.values(**values, updated_at=self._touched()))
            self._make_room(connection, conversation_id)

    def entries(self, conversation_id: str) -> History:
        """What was said, in order, and how much of it is not there any more or cannot be read.

        Raises StoreError, also when there is no such conversation.
        """
        kept = and_(
            utterances.c.conversation == conversations.c.id,
            utterances.c.number.between(conversations.c.first, conversations.c.last),
        )
        query = (  # one statement: it sees one state, also where each statement sees its own
            select(conversations.c.first, conversations.c.last, conversations.c.size, utterances.c.data)
            .select_from(conversations.outerjoin(utterances, kept))
            .where(conversations.c.id == conversation_id)
            .order_by(utterances.c.number)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            raise _missing(conversation_id)
        extent = _Extent(*rows[0][:3]).checked(conversation_id)
        read: list[JsonValue] = []
        for *_, data in rows:
            try:
                read.append(_unpacked(data, self._bounds.entry_bytes))
            except (ValueError, zlib.error):
                continue
        return History(tuple(read), dropped=extent.first - 1, damaged=max(0, extent.count - len(read)))

    def delete(self, conversation_id: str) -> bool:
        """Erase a conversation with all that was said in it; False when there is none. Its id is never given again.

        The bytes are overwritten in the database. What the trail recorded of its calls stays. Raises StoreError.
        """
        with self._database.write(_HEAD) as connection:
            if not self._bury(connection, [conversation_id]):
                return False
        self._database.forget_deleted()
        return True

    def _change(self, conversation_id: str, **changes: str) -> Conversation:
        is_it = conversations.c.id == conversation_id
        with self._database.write(_HEAD) as connection:
            connection.execute(conversations.update().where(is_it).values(**changes, updated_at=self._touched()))
            row = connection.execute(conversations.select().where(is_it)).mappings().one_or_none()
            if row is None:
                raise _missing(conversation_id)
            return _conversation(row)

    def _touched(self) -> ColumnElement[str]:
        """Now, or what the row says already: a clock that was set back must not move a conversation behind a cursor."""
        now, before = stamp(self._clock()), conversations.c.updated_at
        return case((before > now, before), else_=now)

    def _trimmed(self, connection: Connection, conversation_id: str, extent: "_Extent") -> "_Extent":
        """Remove the oldest entries that are beyond the bounds, and say what is left."""
        first, size = extent.first, extent.size
        is_its = utterances.c.conversation == conversation_id
        enough = extent.last - self._bounds.entries + 1  # the first that may stay, were all entries small
        while first < enough or (size > self._bounds.bytes and first <= extent.last):
            is_left = utterances.c.number.between(first, extent.last)
            query = select(utterances.c.number, utterances.c.size).where(is_its, is_left)
            oldest = connection.execute(query.order_by(utterances.c.number).limit(_BATCH)).all()
            if not oldest:
                first = extent.last + 1
                break
            for number, its_size in oldest:
                if number >= enough and size <= self._bounds.bytes:
                    first = number
                    break
                first, size = number + 1, size - its_size
        if first > extent.first:
            connection.execute(utterances.delete().where(is_its, utterances.c.number < first))
        return _Extent(first, extent.last, max(0, size) if first <= extent.last else 0)

    def _make_room(self, connection: Connection, conversation_id: str) -> None:
        """Bury the conversations, untouched for longest first, that no longer fit beside this one."""
        count, total = connection.execute(select(func.count(), func.sum(conversations.c.size))).one()
        if count <= self._bounds.conversations and total <= self._bounds.total_bytes:
            return
        query = select(conversations.c.id, conversations.c.size).where(conversations.c.id != conversation_id)
        surplus: list[str] = []
        for other, size in connection.execute(query.order_by(conversations.c.updated_at, conversations.c.id)):
            surplus.append(other)
            count, total = count - 1, total - size
            if count <= self._bounds.conversations and total <= self._bounds.total_bytes:
                break
        self._bury(connection, surplus)

    def _bury(self, connection: Connection, ids: Sequence[str]) -> int:
        """Erase conversations and leave tombstones; how many there were."""
        now = stamp(self._clock())
        buried = 0
        for conversation_id in ids:
            if connection.execute(conversations.delete().where(conversations.c.id == conversation_id)).rowcount:
                connection.execute(utterances.delete().where(utterances.c.conversation == conversation_id))
                connection.execute(tombstones.insert().values(id=conversation_id, deleted_at=now))
                buried += 1
        if buried:
            newest = select(tombstones.c.id).order_by(tombstones.c.deleted_at.desc(), tombstones.c.id.desc())
            surplus = newest.offset(self._bounds.tombstones)
            connection.execute(tombstones.delete().where(tombstones.c.id.in_(surplus)))
        return buried


@dataclass(frozen=True, slots=True)
class _Extent:
    """Which of a conversation's entries are kept, and their size in bytes."""

    first: int
    last: int
    size: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def checked(self, conversation_id: str) -> "_Extent":
        """Itself. Raises StoreError when it cannot be one that we wrote."""
        if not (0 < self.first <= self.last + 1 <= MAX_COUNT and 0 <= self.size <= MAX_COUNT):
            raise _damaged(conversation_id)
        return self


def _extent(connection: Connection, conversation_id: str) -> _Extent:
    query = select(conversations.c.first, conversations.c.last, conversations.c.size).where(
        conversations.c.id == conversation_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise _missing(conversation_id)
    return _Extent(*row).checked(conversation_id)


def _conversation(row: RowMapping | Mapping[str, str]) -> Conversation:
    """A conversation as the database holds it. Raises StoreError when it is none that we wrote."""
    roots, values = _parsed(row["roots"]), _parsed(row["chosen"])
    stamps = row["created_at"], row["updated_at"]
    if not (_are_texts(roots) and is_object(values) and _are_texts(list(values.values()))):
        raise _damaged(row["id"])
    if not all(isinstance(moment, str) and _STAMP.fullmatch(moment) for moment in stamps):
        raise _damaged(row["id"])
    chosen = {name: str(value) for name, value in values.items()}
    return Conversation(row["id"], row["cwd"], tuple(roots), row["title"], chosen, *stamps)


def _parsed(text: object) -> JsonValue:
    """The value, None when the text is no JSON."""
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def _packed(entry: JsonValue, max_bytes: int) -> tuple[int, bytes]:
    """The size of an entry as JSON, and what is kept of it. Raises ValueError when it is too long or no such JSON."""
    raw = canonical(entry).encode()
    if len(raw) > max_bytes:
        raise ValueError(f"an entry of {len(raw):,} bytes is too long for a conversation")
    return len(raw), zlib.compress(raw)


def _unpacked(data: object, max_bytes: int) -> JsonValue:
    """What `_packed` was given. Raises ValueError or zlib.error for anything else; never inflates more than a bound."""
    if not isinstance(data, bytes):
        raise ValueError("the bytes of an entry are none")  # noqa: TRY004 (one kind of error for what cannot be read)
    reader = zlib.decompressobj()
    raw = reader.decompress(data, max_bytes + 1)
    if not reader.eof or reader.unused_data:
        raise ValueError("an entry was cut, lengthened or is too long")
    return parse(raw.decode())


def _cursor(last: Conversation) -> str:
    """Where the page that ends with this conversation ends."""
    return base64.urlsafe_b64encode(canonical((last.updated_at, last.id)).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str]:
    """The stamp and the id in a cursor. Raises UsageError when `_cursor` did not write it."""
    try:
        place = parse(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode())
    except ValueError:  # binascii.Error and UnicodeDecodeError are such
        place = None
    if not (_are_texts(place) and len(place) == _PLACE_PARTS and _STAMP.fullmatch(place[0])):
        raise UsageError("The cursor is none that an earlier page ended with.", hint="Begin at the first page.")
    return place[0], place[1]


def _missing(conversation_id: str) -> StoreError:
    return StoreError(
        f"There is no conversation {_short(conversation_id)}.", hint="It may have been deleted; begin another one."
    )


def _damaged(conversation_id: str) -> StoreError:
    return StoreError(
        f"The conversation {_short(conversation_id)} in the store is damaged.", hint="Delete it to be rid of it."
    )


def _short(conversation_id: str) -> str:
    return repr(conversation_id if len(conversation_id) <= _SHOWN else f"{conversation_id[:_SHOWN]}…")
