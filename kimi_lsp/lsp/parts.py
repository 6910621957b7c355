"""All that the handlers share: made once by `build_server`, handed to each concern."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from kimi_lsp.lsp.audits import Audits
from kimi_lsp.lsp.book import Book
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.client_settings import ClientSettings
from kimi_lsp.lsp.closed import Closed
from kimi_lsp.lsp.connection import Connection, RequestError
from kimi_lsp.lsp.documents import Document, Documents
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.jobs import Jobs, Spawn
from kimi_lsp.lsp.publisher import Publisher
from kimi_lsp.lsp.refresh import Refresher
from kimi_lsp.lsp.status import Status
from kimi_lsp.lsp.workspace import Workspace

_CLIENT_DEADLINE_S = 20.0


@dataclass(slots=True)
class Parts:
    """The parts of one server."""

    connection: Connection
    caps: ClientCaps
    encoding: PositionEncoding
    workspace: Workspace
    documents: Documents
    publisher: Publisher
    refresher: Refresher
    audits: Audits
    closed: Closed
    jobs: Jobs
    status: Status
    book: Book
    spawn: Spawn
    log: Callable[[str], None]  # a warning for the client's log
    told: set[str] = field(default_factory=set[str])  # warnings that were logged: each is said once

    @property
    def settings(self) -> ClientSettings:
        """What the client set."""
        return self.workspace.client

    def document(self, uri: str | None) -> Document | None:
        """The document that is meant: the one that is named, else the one that was used last."""
        return self.documents.last if uri is None else self.documents.get(uri)

    def redraw(self) -> None:
        """Let the client ask anew for what it does not get pushed, where that is on and it can."""
        if self.settings.code_lens and self.caps.code_lens_refresh:
            self.spawn(self._refresh, "workspace/codeLens/refresh")
        if self.settings.inlay_hints and self.caps.inlay_hint_refresh:
            self.spawn(self._refresh, "workspace/inlayHint/refresh")

    async def _refresh(self, method: str) -> None:
        with suppress(RequestError, TimeoutError):
            await self.connection.request(method, None, object, timeout_s=_CLIENT_DEADLINE_S)

    def warn_once(self, text: str) -> None:
        """Log a warning the first time it is given."""
        if text not in self.told:
            self.told.add(text)
            self.log(text)
