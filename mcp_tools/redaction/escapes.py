r"""Read text through its escapes: `\u0041KIA…` and `\x41KIA…` are `AKIA…`, at any depth of strings in strings."""

from bisect import bisect_right
from dataclasses import dataclass

from mcp_tools.redaction.lazy import Lazy

_ESCAPE = Lazy(r"\\{1,16}+(?:u\{?00([2-7][0-9a-fA-F])\}?|x([2-7][0-9a-fA-F]))|&#x([2-7][0-9a-fA-F]);")
_LEADS = ("\\u00", "\\u{00", "\\x", "&#x")


@dataclass(frozen=True, slots=True)
class Unescaped:
    """A text with its escapes of printable ASCII resolved, and where each character came from."""

    text: str
    _ours: list[int]  # offsets in `text` where an escape was resolved, ascending
    _stops: list[int]  # where that escape ended in the original

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The original's offsets of a span of `text`."""
        return self._after(start - 1), self._after(stop - 1)

    def _after(self, offset: int) -> int:
        """Where the original continues after the character at an offset."""
        index = bisect_right(self._ours, offset) - 1
        return offset + 1 if index < 0 else self._stops[index] + offset - self._ours[index]


def unescaped(text: str) -> Unescaped | None:
    """Resolve the escapes of a text; None when it has none."""
    if not any(lead in text for lead in _LEADS):
        return None
    pieces: list[str] = []
    ours: list[int] = []
    stops: list[int] = []
    at = size = 0
    for match in _ESCAPE.finditer(text):
        pieces.append(text[at : match.start()])
        size += match.start() - at
        pieces.append(chr(int(match[1] or match[2] or match[3], 16)))
        ours.append(size)
        size += 1
        at = match.end()
        stops.append(at)
    if not ours:
        return None
    pieces.append(text[at:])
    return Unescaped("".join(pieces), ours, stops)
