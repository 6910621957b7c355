"""Cuts a byte stream into message bodies and frames bodies. Sans-I/O; no JSON; the standard library alone, for `start`.

A frame is a block of header fields, an empty line and as many bytes as `Content-Length` says. Header fields follow
HTTP: names in any case, white space around values. LF alone ends a line as well as CR LF; empty lines before a block
are skipped.

After damage the reader looks for the next line that ends in `Content-Length: N`. No JSON body can hold such a line, as
line ends inside JSON strings are escaped; so the search is safe even when the length of what is skipped is unknown.
"""

MAX_BODY_BYTES = 256 * 1024 * 1024
MAX_HEADER_BYTES = 8 * 1024

# No regular expressions: to compile them costs more than to import all of this.
_NAME = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"  # RFC 9110, token
_LENGTH_DIGITS = 12
_TAIL_BYTES = 64  # of a line, where a length is looked for
_CHARSETS = (b"utf-8", b"utf8")


class Damaged:
    """A piece of the stream that is no frame. `reason` is a fixed text: it holds nothing of what was received."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Damaged) and other.reason == self.reason

    def __hash__(self) -> int:
        return hash(self.reason)

    def __repr__(self) -> str:
        return f"Damaged({self.reason!r})"


class FrameReader:
    """Bytes in, bodies out. Whatever the bytes are cut into, the same comes out; nothing is ever raised.

    What it holds is bounded by `max_body` bytes and one block of header fields.
    """

    def __init__(self, *, max_body: int = MAX_BODY_BYTES, max_header: int = MAX_HEADER_BYTES) -> None:
        self._max_body = max_body
        self._max_header = max_header
        self._line = bytearray()  # the line that has begun
        self._body: list[bytes] = []
        self._missing = 0  # bytes of the body that have not come yet
        self._is_lost = False  # looking for the next length
        self._length: int | None = None
        self._wrong = ""  # why the block that is being read is no good
        self._taken = 0  # bytes of the block so far

    def feed(self, data: bytes) -> list[bytes | Damaged]:
        """Take the next bytes of the stream; give the bodies, and the damage, that they complete."""
        events: list[bytes | Damaged] = []
        at = 0
        while at < len(data):
            if self._missing:
                piece = data[at : at + self._missing]
                at += len(piece)
                self._missing -= len(piece)
                self._body.append(piece)
                if not self._missing:
                    events.append(b"".join(self._body))
                    self._body.clear()
            elif (end := data.find(b"\n", at)) >= 0:
                self._take_line(self._line + self._kept(data, at, end), events)
                self._line.clear()
                at = end + 1
            else:
                self._line += self._kept(data, at, len(data))
                self._take_unfinished(events)
                break
        return events

    def _kept(self, data: bytes, start: int, end: int) -> bytes:
        return data[max(start, end - _TAIL_BYTES) if self._is_lost else start : end]

    def _take_unfinished(self, events: list[bytes | Damaged]) -> None:
        if not self._is_lost and self._taken + len(self._line) >= self._max_header:
            self._lose("the header is too long", events)
        if self._is_lost:
            del self._line[:-_TAIL_BYTES]

    def _take_line(self, line: bytearray, events: list[bytes | Damaged]) -> None:
        if not self._is_lost and self._taken + len(line) >= self._max_header:
            self._lose("the header is too long", events)
        if not self._is_lost:
            field = bytes(line).removesuffix(b"\r")
            if not field:
                self._end_block(events)
                return
            self._taken += len(line) + 1
            if self._take_field(field):
                return
            self._lose("no header field", events)
        length = _length_at_end(bytes(line[-_TAIL_BYTES:]))
        if length is not None:
            self._is_lost = False
            self._taken = 1  # a block has begun
            self._take_length(length)

    def _take_field(self, field: bytes) -> bool:
        name, colon, value = field.partition(b":")
        name, value = name.rstrip(b" \t").lower(), value.strip(b" \t")
        if not colon or not name or name.translate(None, _NAME):
            return False
        if name == b"content-length":
            self._take_length(value)
        elif name == b"content-type" and not _is_utf8(value):
            self._wrong = self._wrong or "the charset is not UTF-8"
        return True

    def _take_length(self, value: bytes) -> None:
        if self._length is not None:
            self._wrong = self._wrong or "two Content-Length fields"
        elif not _is_length(value):
            self._wrong = self._wrong or "Content-Length is no number"
        elif int(value) > self._max_body:
            self._wrong = self._wrong or "the body is too large"
        else:
            self._length = int(value)

    def _end_block(self, events: list[bytes | Damaged]) -> None:
        if not self._taken:
            return
        length = self._length
        if self._wrong or length is None:
            self._lose(self._wrong or "no Content-Length field", events)
            return
        self._start_block()
        self._missing = length
        if not length:
            events.append(b"")

    def _start_block(self) -> None:
        self._length, self._wrong, self._taken = None, "", 0

    def _lose(self, reason: str, events: list[bytes | Damaged]) -> None:
        events.append(Damaged(reason))
        self._start_block()
        self._is_lost = True


def framed(body: bytes) -> bytes:
    """A body as it goes over the wire."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _length_at_end(tail: bytes) -> bytes | None:
    _, name, rest = tail.lower().rpartition(b"content-length")
    between, colon, value = rest.removesuffix(b"\r").partition(b":")
    value = value.strip(b" \t")
    return value if name and colon and not between.strip(b" \t") and _is_length(value) else None


def _is_length(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _LENGTH_DIGITS


def _is_utf8(content_type: bytes) -> bool:
    for parameter in content_type.split(b";")[1:]:
        name, _, value = parameter.partition(b"=")
        if name.strip().lower() == b"charset":
            return value.strip().strip(b'"').lower() in _CHARSETS
    return True
