"""Long random string literals, whatever their key: base64 and hexadecimal between quotes or after an operator."""

import re
from collections.abc import Iterator

from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.looks import entropy, is_random, is_uuid
from mcp_tools.redaction.secret import Secret

KIND = "random-literal"

_LITERAL = Lazy(r"[\"'`](?P<v>[A-Za-z0-9+/_=.~-]{24,8000}+)(?:\\[nr])?\\*[\"'`]")
_ONLY_HEX = Lazy(r"[0-9a-fA-F]+")
_BODY = Lazy(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_DIGEST = Lazy(
    r"sha-?\d|md5|digest|checksum|integrity|fingerprint|commit|revision|\brev\b|etag|uuid|guid|hash|blake|crc|expected|oid",
    re.IGNORECASE,
)
_SELF_NAMED = Lazy(r"(?:sha\d{1,3}|md5|h1)[-:=_]")
_ALPHABET = Lazy(r"012345678|abcdefgh|ABCDEFGH")
_UUID = Lazy(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_CONTEXT = 60  # characters before a literal on its line


def random_literals(text: str) -> Iterator[Secret]:
    """Every quoted literal of at least 24 characters that looks drawn at random. Never reportable."""
    for match in _LITERAL.finditer(text):
        start, stop = match.span("v")
        value = match["v"]
        if is_uuid(value) or _SELF_NAMED.match(value) or _ALPHABET.search(value) or _is_named_by_uuid(value):
            continue
        if value.isdigit():
            continue
        if _ONLY_HEX.fullmatch(value):
            line = text[max(start - _CONTEXT, 0) : start].rpartition("\n")[2]
            is_secret = len(value) >= 32 and entropy(value) >= 3.0 and not _DIGEST.search(line)
        else:
            is_secret = _BODY.fullmatch(value) is not None and _has_classes(value) and is_random(value, 24)
        if is_secret:
            yield Secret(KIND, start, stop, value, is_reportable=False, name="random string literal")


def _is_named_by_uuid(value: str) -> bool:
    """Say whether a UUID makes a name of words random: `group-9b1c…`."""
    rest, count = _UUID.subn("", value)
    return count > 0 and not is_random(rest, 24)


def _has_classes(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))
