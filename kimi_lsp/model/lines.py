"""Bytes of an event stream in, lines out. Not `str.splitlines`: a U+2028 inside a JSON string ends no line."""

from kimi_lsp.errors import StreamError

MAX_LINE_BYTES = 4 * 1024 * 1024


class LineSplitter:
    """Cuts a byte stream at LF, CR LF or CR, wherever the chunks end. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []  # the line that has not ended yet
        self._size = 0
        self._is_after_cr = False  # a line feed that comes next ends no line of its own

    def feed(self, chunk: bytes) -> list[str]:
        """Take bytes in and give the lines they complete, without their ends.

        Raises:
            StreamError: a line grows beyond the cap.
        """
        if self._is_after_cr and chunk:
            self._is_after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._is_after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head, *rest = chunk.split(b"\n")
        if not rest:
            self._hold(head)
            return []
        if self._parts:
            self._hold(head)
            head = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
        rest.insert(0, head)
        tail = rest.pop()
        if tail:
            self._hold(tail)
        return [_text(line) for line in rest]

    def flush(self) -> list[str]:
        """Give the line that the end of the stream ended, if any."""
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return [_text(line)] if line else []

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_line_bytes:
            raise StreamError(f"A line of the stream exceeds {self._max_line_bytes:,} bytes.")
        self._parts.append(part)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
