"""Send a document's diagnostics: of the present version, all of them, and only when there is something to tell."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import anyio

from kimi_lsp.faces.uris import uri_of
from kimi_lsp.lsp.book import Book
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.client_settings import ClientSettings
from kimi_lsp.lsp.convert import Shown, diagnostic
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.jobs import Spawn
from kimi_lsp.lsp.protocol import Diagnostic, PublishDiagnosticsParams
from kimi_lsp.lsp.workspace import Home
from mcp_tools.finding import Finding
from mcp_tools.project import Source

_BURST_S = 0.005
_METHOD = "textDocument/publishDiagnostics"


class Notifier(Protocol):
    """A way to the client: the Connection."""

    def notify(self, method: str, params: object, *, key: str | None = None) -> None:
        """Send a notification, in the place of one of the same key that was not taken yet."""
        ...


class Publisher:
    """The one way from findings to a client: versioned push, the latest of a document replaces one not yet written."""

    def __init__(
        self,
        connection: Notifier,
        caps: ClientCaps,
        encoding: PositionEncoding,
        book: Book,
        settings: Callable[[], ClientSettings],
        spawn: Spawn,
    ) -> None:
        self._connection = connection
        self._caps = caps
        self._encoding = encoding
        self._book = book
        self._settings = settings
        self._spawn = spawn
        self._told: dict[str, float] = {}
        self._waiting: set[str] = set()

    def shown(self, document: Document) -> list[Shown]:
        """The findings of a document that a user sees, in the order of the text."""
        settings = self._settings()
        if not settings.enable:
            return []
        every = document.board.shown(document.source(), with_stale=settings.stale == "mark")
        visible = [one for one in every if self._is_visible(document.home, one.finding)]
        return visible[: settings.max_diagnostics]

    def _is_visible(self, home: Home | None, finding: Finding) -> bool:
        return self._settings().shows(finding) and not self._book.is_dismissed(home, finding)

    def soon(self, document: Document) -> None:
        """Tell the client now, or in 5 ms when it was told just before: findings may come in a burst.

        What a client does not take in that time is gathered behind it, in the outbox.
        """
        now = time.monotonic()
        if document.uri in self._waiting:
            return
        if now - self._told.get(document.uri, 0.0) >= _BURST_S:
            self.publish(document)
        else:
            self._waiting.add(document.uri)
            self._spawn(self._later, document)

    async def _later(self, document: Document) -> None:
        await anyio.sleep(_BURST_S)
        self._waiting.discard(document.uri)
        self.publish(document)

    def follow(self, document: Document) -> None:
        """Tell the client at once where an edit moved its findings: editors guess, and some guess wrong.

        At most once in the time of the debounce; a burst of edits is told when it pauses.
        """
        known = document.published
        rest_s = self._settings().debounce_ms / 1000
        if known is None or time.monotonic() - self._told.get(document.uri, 0.0) < rest_s:
            return
        source = document.source()
        if [self.diagnostic(one, source, document.home) for one in self.shown(document)] != known[1]:
            self.publish(document)

    def publish(self, document: Document) -> None:
        """Tell the client what holds now, if it does not know it yet."""
        if not document.is_open:
            return
        document.has_moved = False
        source, version = document.source(), document.mirror.version
        diagnostics = [self.diagnostic(one, source, document.home) for one in self.shown(document)]
        news = (version if diagnostics else None, diagnostics)
        if news == document.published:
            return
        document.published = news
        self._told[document.uri] = time.monotonic()
        params = PublishDiagnosticsParams(document.uri, diagnostics, version)
        self._connection.notify(_METHOD, params, key=f"diagnostics {document.uri}")

    def publish_closed(
        self, home: Home, path: str, findings: Iterable[Finding], source: Source | None, uri: str | None = None
    ) -> None:
        """The findings of a file that is not open, as it is on disk; no version. `uri` is as the client writes it."""
        shown = [Shown(one, one.location.region) for one in findings if self._is_visible(home, one)]
        shown = shown[: self._settings().max_diagnostics] if self._settings().enable else []
        uri = uri or uri_of(home.root / path)
        self._told.pop(uri, None)
        diagnostics = [self.diagnostic(one, source, home) for one in shown]
        self._connection.notify(_METHOD, PublishDiagnosticsParams(uri, diagnostics), key=f"diagnostics {uri}")

    def clear(self, uri: str) -> None:
        """Nothing is to be seen on this document any more."""
        self._told.pop(uri, None)
        self._connection.notify(_METHOD, PublishDiagnosticsParams(uri, []), key=f"diagnostics {uri}")

    def diagnostic(self, shown: Shown, source: Source | None, home: Home | None) -> Diagnostic:
        """A finding as this client is told it."""
        root = Path("/") if home is None else home.root
        return diagnostic(shown, source, self._caps, self._encoding, lambda path: uri_of(root / path))
