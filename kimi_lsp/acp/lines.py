"""Cuts a byte stream into lines of JSON and ends bodies as lines. Sans-I/O; the standard library alone, for `start`."""

from kimi_lsp.faces.frames import Damaged

MAX_LINE_BYTES = 32 * 1024 * 1024
_BLANK = b" \t\r"


class LineCutter:
    """Bytes in, lines out, without their ends and without blank ones, however the bytes are cut.

    What it holds is bounded: a line that is too long is damage, and the rest of it is passed over.
    """

    def __init__(self, *, max_line: int = MAX_LINE_BYTES) -> None:
        self._max_line = max_line
        self._begun: list[bytes] = []
        self._size = 0
        self._is_lost = False  # passing over the rest of a line

    @property
    def held_bytes(self) -> int:
        """Bytes of the line that has begun."""
        return sum(map(len, self._begun))

    def feed(self, data: bytes) -> list[bytes | Damaged]:
        """Take the next bytes of the stream; give the lines, and the damage, that they complete. Nothing is raised."""
        events: list[bytes | Damaged] = []
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._add(piece, events)
            line = b"".join(self._begun)
            if not self._is_lost and line.strip(_BLANK):
                events.append(line)
            self._begun, self._size, self._is_lost = [], 0, False
        self._add(rest, events)
        return events

    def _add(self, piece: bytes, events: list[bytes | Damaged]) -> None:
        if self._is_lost or not piece:
            return
        self._size += len(piece)
        if self._size > self._max_line:
            self._begun, self._is_lost = [], True
            events.append(Damaged("a line is too long"))
            return
        self._begun.append(piece)


def line_of(body: bytes) -> bytes:
    """A message as a line. JSON as it is written here has no line ends within."""
    return body + b"\n"
