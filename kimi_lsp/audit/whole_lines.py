"""A model's text while it streams: let out up to the end of its last whole line, redacted.

A secret comes in any number of pieces, and no piece of one looks like a secret: what is shown as it comes must not end
within a line.
"""

from dataclasses import dataclass

from mcp_tools.redaction import Redactor

_MAX_LINE = 4_000  # of a line without an end, after which it is let out at its last space


@dataclass(slots=True)
class WholeLines:
    """Feed it pieces; it gives what may be shown now."""

    redactor: Redactor
    _pending: str = ""

    def feed(self, text: str, *, is_end: bool = False) -> str:
        """Take a piece; give whole lines, redacted, or all that is left at the end."""
        self._pending += text
        stop = len(self._pending) if is_end else self._stop()
        whole, self._pending = self._pending[:stop], self._pending[stop:]
        return self.redactor.redact(whole) if whole else ""

    def _stop(self) -> int:
        end = self._pending.rfind("\n") + 1
        if len(self._pending) - end <= _MAX_LINE:
            return end
        return max(self._pending.rfind(" ") + 1, end)
