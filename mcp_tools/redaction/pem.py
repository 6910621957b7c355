"""Private keys in text armour: PEM, OpenSSH, PGP, SSH2, PuTTY; also inside string literals and numbered listings."""

from collections.abc import Iterator
from itertools import zip_longest

from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.placeholder import blanked
from mcp_tools.redaction.secret import Secret

KIND = "private-key"

_BEGIN = Lazy(
    r"-----? ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-----?|\nPrivate-Lines: \d+|<RSAKeyValue>|"
    r"<D>(?=[A-Za-z0-9+/]{40})"
)
_END = Lazy(r"-----? ?END [A-Z0-9 ]{0,40}PRIVATE KEY|\nPrivate-MAC:|</RSAKeyValue>")
_RUN = Lazy(r"\\{1,16}+[nrt]|%0[aAdD]|([A-Za-z0-9+/=]{4,})")
_HEADER = Lazy(r"[ \t\"'#*/|>\d]*[A-Za-z][A-Za-z0-9-]{2,30}: ")
_LINE = Lazy(r"[^\r\n]*(?:\r\n|\n|\r)?")
_LONGEST_BLOCK = 64_000  # characters
_LEADS = ("PRIVATE KEY", "Private-Lines:", "RSAKeyValue>")


def private_keys(text: str) -> Iterator[Secret]:
    """Every private key block with its body as the value, from the first to the last character of base64."""
    if not any(lead in text for lead in _LEADS):
        return
    begins = list(_BEGIN.finditer(text))
    for begin, following in zip_longest(begins, begins[1:]):
        stop = following.start() if following else len(text)
        body = text[begin.end() : min(stop, begin.end() + _LONGEST_BLOCK)]
        end = _END.search(body)
        body = body[: end.start()] if end else _loose_body(body)
        spans = list(runs(body))
        if any(stop - start >= 32 for start, stop in spans):
            start, stop = begin.end() + spans[0][0], begin.end() + spans[-1][1]
            yield Secret(KIND, start, stop, text[start:stop], len(set(text[start:stop])) > 16, "private key")


def runs(body: str, *, is_value: bool = False) -> Iterator[tuple[int, int]]:
    """The spans of base64 in a block's body: none crosses a line end, headers and placeholders are left out.

    `is_value`: it is a key's value, which starts with base64 whatever it looks like, not with a header.
    """
    at = 0
    while at < len(body):
        line = _LINE.match(body, at)
        stop = line.end() if line else len(body)
        if (is_value and not at) or not _HEADER.match(body, at, stop):
            for run in _RUN.finditer(blanked(body[at:stop])):
                if run[1]:
                    yield at + run.start(1), at + run.end(1)
        at = stop


def _loose_body(body: str) -> str:
    """What follows a BEGIN that has no END: lines for as long as they hold base64 and little else."""
    at = 0
    while at < len(body):
        line = _LINE.match(body, at)
        stop = line.end() if line else len(body)
        content = body[at:stop]
        armour = sum(stop - start for start, stop in runs(content))
        is_body = armour >= 16 and armour >= 0.6 * len(content.strip())
        if at and content.strip(" \t\r\n\"'#*/|>") and not is_body and not _HEADER.match(content):
            break
        at = stop
    return body[:at]
