"""The agent's log: standard error, which clients keep. Nobody has to read it, and nothing ever waits for it."""

import queue
import sys
import threading

_KEPT = 200  # lines that nobody has taken yet; more are dropped


class Log:
    """Writes lines in a thread of its own; a log that is closed or not read costs its lines and nothing else."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue(_KEPT)
        self._is_begun = False

    def write(self, line: str) -> None:
        """Log a line. It quotes nothing of the client's or a file's. Call it from one thread."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            return
        if not self._is_begun:
            self._is_begun = True
            threading.Thread(target=self._write, name="acp-log", daemon=True).start()

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            try:
                if sys.stderr is not None:  # a process may be started without one
                    sys.stderr.write(f"kimi-lsp acp: {line}\n")
                    sys.stderr.flush()
            except (OSError, ValueError):  # it is closed
                return
