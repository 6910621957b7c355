"""Cursors: where the next page begins, signed, bound to the call and to what the call found. No state is kept."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass

_FORM = re.compile(r"[A-Za-z0-9_-]{20,60}")
_TAG_BYTES = 12


class CursorError(Exception):
    """What a client handed back is no cursor of this server, or no longer one. The message is safe to show."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the key of a server process."""

    key: bytes

    def cursor(self, call: str, found: str, offset: int) -> str:
        """A cursor for the page that begins at an entry.

        Args:
            call: the tool and its arguments, see `call_digest`.
            found: a digest of all that the call found.
            offset: the entry's number.
        """
        body = offset.to_bytes(6, "big") + bytes.fromhex(found[:16])
        return _written(body + self._tag(call, body))

    def offset(self, cursor: str, call: str, found: str) -> int:
        """Where a cursor points. Raises CursorError."""
        if not _FORM.fullmatch(cursor):
            raise CursorError("not a cursor of this server")
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise CursorError("not a cursor of this server") from None
        if _written(raw) != cursor:  # the last character has bits to spare
            raise CursorError("not a cursor of this server")
        body, tag = raw[:14], raw[14:]
        if not hmac.compare_digest(tag, self._tag(call, body)):
            raise CursorError("not a cursor of this server for these arguments")
        if body[6:].hex() != found[:16]:
            raise CursorError("the results have changed: ask again without cursor")
        return int.from_bytes(body[:6], "big")

    def name(self, *parts: str) -> str:
        """A name for parts that nobody can guess: 16 hexadecimal digits."""
        return hmac.new(self.key, "\0".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]

    def _tag(self, call: str, body: bytes) -> bytes:
        return hmac.new(self.key, call.encode() + b"\0" + body, hashlib.sha256).digest()[:_TAG_BYTES]


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def call_digest(name: str, arguments: object) -> str:
    """A digest of a tool and the arguments that decide what it finds."""
    text = json.dumps([name, arguments], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def found_digest(items: object) -> str:
    """A digest of what a call found."""
    return hashlib.sha256(repr(items).encode("utf-8", "surrogatepass")).hexdigest()[:32]
