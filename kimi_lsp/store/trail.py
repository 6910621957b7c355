"""The trail: an append-only, hash-chained proof of what was sent, reasoned, answered and decided.

Reasoning that is kept here is evidence of how an answer came about, not proof of its cause.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from kimi_lsp.errors import StoreError
from kimi_lsp.store.chain import (
    ERASURE,
    START,
    Checker,
    Head,
    JsonValue,
    Record,
    Verification,
    canonical,
    digest_of,
    encoded,
    hash_of,
    is_object,
    joined,
    parse,
    record_of,
)
from kimi_lsp.store.clock import Clock, stamp
from kimi_lsp.store.database import Database
from kimi_lsp.store.tables import heads, records, texts

MAX_CONTENT_BYTES: Final = 64 << 20
_HEAD: Final = "trail"
_BATCH: Final = 500
_CONTENT_BATCH: Final = 100


class Trail:
    """Records in one chain, whatever number of processes append to it.

    Long texts (prompt, reasoning, answer) are kept apart from the record, which holds only their SHA-256. So a text can
    be erased while the chain still verifies; that it was erased is a record itself. A digest is no secret: of a short
    text, somebody who guesses it can still tell that it was there.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(
        self, kind: str, body: Mapping[str, JsonValue], contents: Mapping[str, str] | None = None, *, run_id: str = ""
    ) -> str:
        """Add one record and return its id (its hash). It is on the disk when this returns.

        Args:
            kind: what happened, for example `model-call`.
            body: its facts: JSON without floats; write money as text.
            contents: long texts by name, each up to 64 MiB.
            run_id: the audit it belongs to.

        Raises:
            StoreError: it could not be written. ValueError: the body is no such JSON, or a text is too long.
        """
        named = {joined(name): joined(text) for name, text in (contents or {}).items()}
        digests = {name: digest_of(text) for name, text in named.items()}
        packed = {digests[name]: _pack(text) for name, text in named.items()}
        plain = parse(canonical(body))
        if not is_object(plain):
            raise ValueError("the body of a record is a JSON object")
        with self._database.write(_HEAD) as connection:
            _put_contents(connection, packed)
            return self._append(connection, joined(kind), joined(run_id), plain, digests)

    def erase(self, digest: str, *, reason: str, who: str = "", run_id: str = "") -> bool:
        """Delete one text and record that it was deleted. False when it is not there.

        The bytes are overwritten in the database; copies (an export, a backup) are the owner's to find.
        """
        with self._database.write(_HEAD) as connection:
            if connection.execute(texts.delete().where(texts.c.digest == digest)).rowcount == 0:
                return False
            body = parse(canonical({"digest": digest, "reason": reason, "who": who}))
            assert is_object(body)
            self._append(connection, ERASURE, joined(run_id), body, {})
        self._database.forget_deleted()
        return True

    def record(self, record_id: str) -> Record | None:
        """The record with this id. Raises StoreError when it cannot be read."""
        with self._database.read() as connection:
            row = connection.execute(records.select().where(records.c.hash == record_id)).mappings().one_or_none()
        return None if row is None else _intact(row)

    def records(self, run_id: str | None = None, *, after_seq: int = 0, limit: int = 100) -> list[Record]:
        """Records in order, from the first behind `after_seq`. Raises StoreError when one cannot be read."""
        return [_intact(row) for row in self._rows(after_seq, limit, run_id)]

    def content(self, digest: str) -> str | None:
        """The text with this digest; None when there is none or it is erased. Raises StoreError when it is damaged."""
        with self._database.read() as connection:
            data = connection.execute(select(texts.c.data).where(texts.c.digest == digest)).scalar_one_or_none()
        if data is None:
            return None
        text = _unpack(data)
        if text is None or digest_of(text) != digest:
            raise StoreError(f"The content {digest} in the trail is damaged.", hint="Verify the trail.")
        return text

    def head(self) -> Head:
        """The end of the chain. Printed in a report, it makes a later cut or a rewrite visible."""
        query = select(records.c.seq, records.c.hash).order_by(records.c.seq.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            return START if row is None else Head(int(row[0]), str(row[1]))

    def verify(self, expected: Head | None = None) -> Verification:
        """Check every record, the chain, and every text that is still there.

        Args:
            expected: a head known from elsewhere. Without one, a trail that was cut and recomputed to its end by
                somebody who can write the database looks whole.

        Raises StoreError when the store cannot be read at all.
        """
        checker = Checker(expected=expected)
        for row in self._rows_that_can_be_read():
            if not checker.feed(row if isinstance(row, str) else _record(row)):
                break
        else:
            self._compare_with_written_head(checker)
        return checker.finish(self._presence(list(checker.wanted)))

    def export(self, *, after_seq: int = 0) -> Iterator[str]:
        """The trail as JSON lines without line ends: each record with its texts, a text only where it comes first.

        Raises StoreError at a record or a text that is damaged; `verify` says which.
        """
        seen: set[str] = set()
        end = self.head().seq
        while after_seq < end:
            batch = self.records(after_seq=after_seq, limit=min(_CONTENT_BATCH, end - after_seq))
            if not batch:
                return
            for record in batch:
                new = [digest for digest in record.contents.values() if digest not in seen]
                seen.update(new)
                there = {digest: text for digest in new if (text := self.content(digest)) is not None}
                yield canonical({**record.sealed, "hash": record.hash, "texts": there})
            after_seq = batch[-1].seq

    def _append(
        self,
        connection: Connection,
        kind: str,
        run_id: str,
        body: Mapping[str, JsonValue],
        digests: Mapping[str, str],
    ) -> str:
        head = connection.execute(heads.select().where(heads.c.name == _HEAD)).mappings().one()
        unsealed = Record(head["seq"] + 1, stamp(self._clock()), kind, run_id, body, digests, head["hash"], "")
        seal = hash_of(unsealed)
        connection.execute(
            records.insert().values(
                seq=unsealed.seq,
                ts=unsealed.ts,
                kind=kind,
                run_id=run_id,
                body=canonical(body),
                contents=canonical(digests),
                prev_hash=unsealed.prev_hash,
                hash=seal,
            )
        )
        connection.execute(heads.update().where(heads.c.name == _HEAD).values(seq=unsealed.seq, hash=seal))
        return seal

    def _rows(self, after_seq: int | None, limit: int, run_id: str | None = None) -> Sequence[RowMapping]:
        query = records.select().order_by(records.c.seq).limit(limit)
        if after_seq is not None:
            query = query.where(records.c.seq > after_seq)
        if run_id is not None:
            query = query.where(records.c.run_id == joined(run_id))
        with self._database.read() as connection:
            return connection.execute(query).mappings().all()

    def _rows_that_can_be_read(self) -> Iterator[RowMapping | str]:
        """Every row in order; in the place of one that the driver cannot even read, what is wrong with it."""
        after_seq: int | None = None  # not 0: a row before the first would be one that nobody appended
        limit = _BATCH
        while True:
            try:
                rows = self._rows(after_seq, limit)
            except StoreError as error:
                if limit > 1:
                    limit = 1
                    continue
                if after_seq is None:
                    self.head()  # raises where nothing at all can be read
                yield error.message
                return
            if not rows:
                return
            yield from rows
            after_seq = rows[-1]["seq"]

    def _compare_with_written_head(self, checker: Checker) -> None:
        try:
            with self._database.read() as connection:
                row = connection.execute(heads.select().where(heads.c.name == _HEAD)).mappings().one_or_none()
                written = None if row is None else Head(row["seq"], row["hash"])
        except StoreError:
            written = None
        if written is None or (written != checker.head and written.seq <= checker.head.seq):
            checker.fail("the head that the store wrote down is gone or is not in the trail", checker.head.seq)
        elif written.seq > checker.head.seq:
            checker.fail(
                f"the trail ends at record {checker.head.seq}, but {written.seq} were written", checker.head.seq + 1
            )

    def _presence(self, digests: Sequence[str]) -> dict[str, bool]:
        """Of each content that is there, whether its text still has its digest."""
        present: dict[str, bool] = {}
        for start in range(0, len(digests), _CONTENT_BATCH):
            some = digests[start : start + _CONTENT_BATCH]
            try:
                present.update(self._presence_of(some))
            except StoreError:
                if len(some) == 1:
                    present[some[0]] = False  # the driver cannot even read it
                else:
                    for digest in some:
                        present.update(self._presence([digest]))
        return present

    def _presence_of(self, digests: Sequence[str]) -> dict[str, bool]:
        with self._database.read() as connection:
            rows = connection.execute(texts.select().where(texts.c.digest.in_(digests)))
            return {digest: (text := _unpack(data)) is not None and digest_of(text) == digest for digest, data in rows}


def _record(row: RowMapping) -> Record | str:
    """A record as the database holds it; text that is not the canonical form of its value was not written by us."""
    parsed: dict[str, object] = dict(row)
    for name in ("body", "contents"):
        text = row[name]
        try:
            if not isinstance(text, str) or canonical(value := parse(text)) != text:
                return f"record {row['seq']} was changed: its {name} is not in canonical form"
        except ValueError as error:
            return f"record {row['seq']} was changed: its {name} cannot be read: {error}"
        parsed[name] = value
    return record_of(parsed)


def _intact(row: RowMapping) -> Record:
    record = _record(row)
    if isinstance(record, str):
        raise StoreError(f"The trail is damaged: {record}.", hint="Verify the trail.")
    return record


def _put_contents(connection: Connection, packed: Mapping[str, bytes]) -> None:
    if not packed:
        return
    query = select(texts.c.digest).where(texts.c.digest.in_(packed))
    known = set(connection.execute(query).scalars())
    new = [{"digest": digest, "data": data} for digest, data in packed.items() if digest not in known]
    if new:
        connection.execute(texts.insert(), new)


def _pack(text: str) -> bytes:
    data = encoded(text)
    if len(data) > MAX_CONTENT_BYTES:
        raise ValueError(f"a content of {len(data):,} bytes is too long for the trail")
    return zlib.compress(data)


def _unpack(data: object) -> str | None:
    """The text, None when the bytes are not what `_pack` wrote. Never more than the longest text."""
    if not isinstance(data, bytes):
        return None
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(data, MAX_CONTENT_BYTES + 1)
        return raw.decode("utf-8", "surrogatepass") if reader.eof and not reader.unused_data else None
    except (zlib.error, UnicodeDecodeError):
        return None
