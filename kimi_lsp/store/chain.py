"""The hash chain of the trail: how a record is written, sealed and checked. Pure; it reads and writes nothing.

A record's hash is the SHA-256 of the previous hash, a line feed, and the record as canonical JSON (keys sorted, no
spaces, UTF-8, whole numbers only). A chain alone can be recomputed from end to end by whoever owns the database; a
*head* that was printed elsewhere (a report, a CI log) is what makes that visible.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias, TypeGuard, cast

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
ERASURE: Final = "content-erased"  # the kind of record that says which content was erased, and why
ZERO_HASH: Final = "0" * 64

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEAD = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many records there are and the hash of the last. As text: `12:ab34…`."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read what `str` wrote. Raises ValueError."""
        match = _HEAD.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not the head of a trail: {text[:100]!r}")
        return cls(int(match[1]), match[2])


START: Final = Head(0, ZERO_HASH)


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened. `contents` names the digests of its long texts; the texts are kept apart."""

    seq: int
    ts: str
    kind: str
    run_id: str
    body: Mapping[str, JsonValue]
    contents: Mapping[str, str]
    prev_hash: str
    hash: str

    @property
    def id(self) -> str:
        """The record's hash, which nothing else can have."""
        return self.hash

    @property
    def sealed(self) -> dict[str, JsonValue]:
        """All that the hash covers."""
        return {
            "seq": self.seq,
            "ts": self.ts,
            "kind": self.kind,
            "run_id": self.run_id,
            "body": self.body,
            "contents": self.contents,
            "prev_hash": self.prev_hash,
        }


def canonical(value: JsonValue) -> str:
    """Canonical JSON. Half a surrogate, which UTF-8 cannot hold, is written as its JSON escape.

    Raises ValueError for a float, a key that is no text, a type that JSON has not, or nesting beyond reason.
    """
    try:
        _check(value)
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    except RecursionError:
        raise ValueError("nested too deeply for a record") from None
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def parse(text: str) -> JsonValue:
    """Read canonical JSON. Raises ValueError for floats, NaN, nesting beyond reason, or what is no JSON."""
    try:
        return json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply for a record") from None


def digest_of(text: str) -> str:
    """The SHA-256 of a text, in lower-case hex."""
    return hashlib.sha256(encoded(text)).hexdigest()


def encoded(text: str) -> bytes:
    """The bytes that a digest covers: UTF-8, where half a surrogate keeps its three bytes."""
    return text.encode("utf-8", "surrogatepass")


def joined(text: str) -> str:
    """The text with two halves of a surrogate pair made one character, as every JSON reader would."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def hash_of(record: Record) -> str:
    """The hash that a record must carry. Raises ValueError as `canonical` does."""
    return hashlib.sha256(f"{record.prev_hash}\n{canonical(record.sealed)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the chain found. `problem` is one sentence, empty when all is well.

    `erased` contents were removed on record and do not break the chain; `missing` and `altered` ones do.
    """

    is_ok: bool
    checked: int
    head: Head
    first_broken_seq: int | None = None
    problem: str = ""
    erased: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


@dataclass(slots=True)
class Checker:
    """Takes records in order and says what is wrong with the first that does not fit. Sans-I/O.

    Args:
        start: the head before the first record; a segment of a trail starts at the head it continues.
        expected: a head known from elsewhere that the chain must contain.
    """

    start: Head = START
    expected: Head | None = None
    checked: int = field(default=0, init=False)
    head: Head = field(init=False)
    problem: str = field(default="", init=False)
    first_broken_seq: int | None = field(default=None, init=False)
    wanted: dict[str, int] = field(default_factory=dict[str, int], init=False)  # digest -> record that last named it
    erased: dict[str, int] = field(default_factory=dict[str, int], init=False)  # digest -> record that says so

    def __post_init__(self) -> None:
        self.head = self.start
        known = self.expected
        if known is not None and known.seq < self.start.seq:
            self.fail(f"record {known.seq}, which was known, lies before the first record here")
        elif known is not None and known.seq == self.start.seq and known != self.start:
            self.fail(f"record {known.seq} is not the one that was known: the trail was rewritten", known.seq)

    def feed(self, record: Record | str) -> bool:
        """Take the next record, or what is wrong with it. False once the chain is broken; it stays broken."""
        if self.problem:
            return False
        seq = self.head.seq + 1
        problem = record if isinstance(record, str) else self._fault(record)
        if problem or isinstance(record, str):
            return self.fail(problem, seq)
        self.head = Head(record.seq, record.hash)
        self.checked += 1
        for digest in record.contents.values():
            self.wanted[digest] = seq
            self.erased.pop(digest, None)
        if record.kind == ERASURE and isinstance(digest := record.body.get("digest"), str):
            self.erased[digest] = seq
        return True

    def fail(self, problem: str, seq: int | None = None) -> bool:
        """Note what is wrong, if it is the first thing. Always False."""
        if not self.problem:
            self.problem = problem
            self.first_broken_seq = seq
        return False

    def finish(self, present: Mapping[str, bool]) -> Verification:
        """The verdict. `present` says of each content that is there whether its text still has its digest."""
        if self.expected is not None and self.expected.seq > self.head.seq and not self.problem:
            self.fail(
                f"the trail ends at record {self.head.seq}, but {self.expected.seq} were known", self.head.seq + 1
            )
        altered = tuple(digest for digest in self.wanted if not present.get(digest, True))
        absent = [digest for digest in self.wanted if digest not in present]
        missing = tuple(digest for digest in absent if digest not in self.erased)
        erased = tuple(digest for digest in absent if digest in self.erased)
        for digests, what in ((altered, "is not the text that was recorded"), (missing, "is gone without a record")):
            if digests:
                self.fail(f"content {digests[0]} {what}", self.wanted[digests[0]])
        return Verification(
            is_ok=not self.problem,
            checked=self.checked,
            head=self.head,
            first_broken_seq=self.first_broken_seq,
            problem=self.problem,
            erased=erased,
            missing=missing,
            altered=altered,
        )

    def _fault(self, record: Record) -> str:
        """What is wrong with the next record; empty when nothing is."""
        seq = self.head.seq + 1
        if record.seq != seq:
            return f"record {seq} is missing: record {record.seq} follows record {self.head.seq}"
        if record.prev_hash != self.head.hash:
            return f"record {seq} does not continue record {self.head.seq}"
        try:
            actual = hash_of(record)
        except ValueError as error:
            return f"record {seq} cannot be read: {error}"
        if actual != record.hash:
            return f"record {seq} was changed: its hash does not match"
        if self.expected is not None and self.expected.seq == seq and self.expected.hash != record.hash:
            return f"record {seq} is not the one that was known: the trail was rewritten"
        return ""


def is_hash(value: object) -> TypeGuard[str]:
    """Sixty-four lower-case hex digits."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_object(value: object) -> TypeGuard[dict[str, JsonValue]]:
    """A JSON object, as `parse` reads it."""
    return isinstance(value, dict)


def record_of(value: Mapping[str, object]) -> Record | str:
    """A record from values of any type, or what is wrong with them."""
    seq, ts, kind, run_id = value["seq"], value["ts"], value["kind"], value["run_id"]
    body, contents, prev_hash, seal = value["body"], value["contents"], value["prev_hash"], value["hash"]
    if not isinstance(seq, int) or isinstance(seq, bool):
        return "a record's number is no number"
    if not (isinstance(ts, str) and isinstance(kind, str) and isinstance(run_id, str)):
        return f"record {seq} has a field of the wrong type"
    if not (is_hash(prev_hash) and is_hash(seal)):
        return f"record {seq} has a hash that is none"
    if not is_object(body) or not is_object(contents):
        return f"record {seq} has a body or contents that are no JSON objects"
    digests = {name: digest for name, digest in contents.items() if is_hash(digest)}
    if len(digests) != len(contents):
        return f"record {seq} names a content by no digest"
    return Record(seq, ts, kind, run_id, body, digests, prev_hash, seal)


def _check(value: object) -> None:
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[object, object]", value).items():
            if not isinstance(key, str):
                raise ValueError(f"a record's keys are text, not {type(key).__name__}")  # noqa: TRY004 (one kind of error for a body)
            _check(item)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for item in cast("Sequence[object]", value):
            _check(item)
    else:
        raise ValueError(f"a record cannot hold a {type(value).__name__}")  # noqa: TRY004 (as above)


def _plain(value: object) -> object:
    """Mappings and sequences that are no dict and no list, for the JSON encoder."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    return list(cast("Sequence[object]", value))


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"a record holds whole numbers only, not {text}")
