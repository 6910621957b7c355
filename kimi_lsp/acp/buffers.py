"""Unsaved text: what the client has of a file, asked for as a whole, laid over the disk where it differs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import to_thread

from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.protocol import ReadTextFile, TextFile
from kimi_lsp.faces.asking import RequestError
from mcp_tools.finding import Notice
from mcp_tools.project import DiskProject, Source, inside
from mcp_tools.redaction import is_denied

READ_DEADLINE_S = 5.0
_MAX_FILES = 200
_AT_ONCE = 8
_GIVES_UP_AFTER = 2  # reads that were not answered in time


@dataclass(slots=True)
class Unsaved:
    """Texts by project-relative path that differ from the disk, and what was not asked or answered."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    notices: list[Notice] = field(default_factory=list[Notice])


class Buffers:
    """Asks the client of one session. Nothing outside the session's folders is ever asked for."""

    def __init__(self, connection: Connection, session_id: str, roots: Sequence[Path]) -> None:
        """Set up; `roots` are resolved."""
        self._connection = connection
        self._session_id = session_id
        self._roots = tuple(roots)

    async def read(self, project: DiskProject, paths: Sequence[str], max_bytes: int) -> Unsaved:
        """The unsaved texts of these files.

        Args:
            project: as it is on disk; it is compared with.
            paths: relative to its root. More than 200 are not asked for, and a notice says so.
            max_bytes: a longer text is not taken.
        """
        found = Unsaved()
        if len(paths) > _MAX_FILES:
            text = (
                f"unsaved text was asked for in {_MAX_FILES} of {len(paths):,} files: name files to be sure of theirs"
            )
            found.notices.append(Notice("unsaved-not-asked", text))
        asking = _Asking(self._connection, self._session_id, self._roots, project, max_bytes, found)
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        async with anyio.create_task_group() as group:
            for path in paths[:_MAX_FILES]:
                group.start_soon(asking.ask, path, limiter)
        if asking.unanswered:
            text = f"the editor did not answer for {asking.unanswered} files in time: their saved text was read"
            found.notices.append(Notice("unsaved-not-answered", text))
        return found


class _Asking:
    """One round of questions."""

    def __init__(
        self,
        connection: Connection,
        session_id: str,
        roots: Sequence[Path],
        project: DiskProject,
        max_bytes: int,
        found: Unsaved,
    ) -> None:
        self._connection = connection
        self._session_id = session_id
        self._roots = roots
        self._project = project
        self._max_bytes = max_bytes
        self._found = found
        self.unanswered = 0

    async def ask(self, path: str, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            if self.unanswered >= _GIVES_UP_AFTER:
                self.unanswered += 1
                return
            place = await to_thread.run_sync(self._place, path)
            if place is None:
                return
            try:
                params = ReadTextFile(self._session_id, str(place))
                told = await self._connection.request("fs/read_text_file", params, TextFile, timeout_s=READ_DEADLINE_S)
            except TimeoutError:
                self.unanswered += 1
                return
            except RequestError:
                return  # the editor does not have it: the disk's word holds
            await to_thread.run_sync(self._compare, path, told.content)

    def _place(self, path: str) -> Path | None:
        """Where the file is, when it may be asked for: inside the folders, whatever links there are on the way."""
        if inside(path) != path or self._project.is_excluded(path) or is_denied(path):
            return None
        place = self._project.root / path
        try:
            real = place.resolve()
        except (OSError, RuntimeError):
            return None
        return place if real == place and any(real.is_relative_to(root) for root in self._roots) else None

    def _compare(self, path: str, text: str) -> None:
        if len(text) > self._max_bytes:
            self._found.notices.append(Notice("file-too-large", "its unsaved text is too large and was not read", path))
            return
        source = self._project.read(path)
        if isinstance(source, Source) and _digest(source.text) == _digest(text):
            return
        if isinstance(source, Notice) and source.code != "no-such-file":
            return  # what may not be read from the disk is not read from the editor
        self._found.texts[path] = text


def _digest(text: str) -> bytes:
    """The same for texts that differ in nothing but line ends: editors keep those apart from the text."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()
