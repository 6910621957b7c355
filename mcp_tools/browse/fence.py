"""Quote a file's text so that nothing in it can pass for the words of whoever quotes it. Pure."""

import hashlib
import hmac
import re
from collections.abc import Iterable

from mcp_tools.output import printable

_OPEN = "<<<untrusted text"
_CLOSE = "end of untrusted text>>>"
_NONCE_DIGITS = 16
_FRAME = re.compile(
    r"<(?=\s*/?\s*mcp-result-extras)|<<(?=<\s*untrusted\s+text)|(?<=end)\s(?=of\s+untrusted\s+text\s*>>>)",
    re.IGNORECASE,
)
"""Where a line could be taken for a delimiter: ours, or the tag in which Kimi Code hands structured content over."""


def nonce(key: bytes, text: str) -> str:
    """A word that whoever wrote the text cannot know: the same for the same key and text, 16 hexadecimal digits."""
    message = b"quoted\0" + text.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_NONCE_DIGITS]


def fence(lines: Iterable[str], nonce: str) -> str:
    r"""Set lines between two delimiters that hold a nonce.

    Every item stays one line: what a reader cannot see becomes visible, tabs stay. A delimiter within the text gets a
    backslash (`<\<<untrusted…`), the nonce itself is cut in two, so that neither stands there.
    """
    rows = list(lines)
    text = "\n".join(rows)
    if not _is_harmless(text, nonce, len(rows)):
        text = "\n".join(_neutral(line, nonce) for line in rows)
    return f"{_OPEN} {nonce}\n{text}\n{nonce} {_CLOSE}" if rows else f"{_OPEN} {nonce}\n{nonce} {_CLOSE}"


def _is_harmless(text: str, nonce: str, rows: int) -> bool:
    """Whether a text may be quoted as it is, looked at once and not line by line: nearly every text may."""
    if text.count("\n") != max(rows - 1, 0) or (nonce and nonce in text):
        return False
    words = text.lower()
    may_frame = "untrusted" in words or "mcp-result-extras" in words  # the pattern is twenty times as slow
    return not (may_frame and _FRAME.search(text)) and printable(text, keep="\n\t") == text


def _neutral(line: str, nonce: str) -> str:
    text = _FRAME.sub(lambda match: match[0][0] + "\\" + match[0][1:], printable(line, keep="\t"))
    return text.replace(nonce, f"{nonce[:4]}\\{nonce[4:]}") if nonce else text
