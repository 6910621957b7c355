"""Documents come, change and go; saves and pauses start what the user switched on."""

import time
from collections.abc import Awaitable
from typing import Final

import anyio
from anyio import to_thread

from kimi_lsp.config import Depth
from kimi_lsp.lsp.closed import Kept
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.orders import changed_order, file_order, snapshots, sorted_out
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.protocol import DidChangeParams, DidCloseParams, DidOpenParams, DidSaveParams, MessageType
from kimi_lsp.lsp.status import Facts
from kimi_lsp.lsp.workspace import Home
from kimi_lsp.store.files import DATABASE_NAME
from mcp_tools.project import Source

_RECALL_REST_S: Final = 1.0  # after a document was opened: first what is quick


class Sync:
    """Text synchronisation."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._idle: set[Document] = set()
        self._recalling = anyio.CapacityLimiter(1)

    def did_open(self, params: DidOpenParams) -> None:
        """A document is open from now on."""
        parts = self._parts
        parts.jobs.cancel("the document was opened anew", uri=params.text_document.uri)
        document = parts.documents.open(params.text_document)
        parts.refresher.refresh(document)

    def did_change(self, params: DidChangeParams) -> None:
        """Its text changed. Findings follow at once; tools look when typing pauses."""
        parts, uri = self._parts, params.text_document.uri
        document = parts.documents.change(uri, params.text_document.version, params.content_changes)
        if document is None:
            parts.connection.log(MessageType.DEBUG, "a change of a document that is not open was ignored")
            return
        parts.jobs.cancel("the text was edited", uri=uri, is_triggered=True)
        if document.has_moved:
            parts.publisher.follow(document)
        parts.refresher.refresh(document)
        if parts.settings.trigger == "onIdle" and document not in self._idle:
            self._idle.add(document)
            parts.spawn(self._audit_when_idle, document)

    def did_save(self, params: DidSaveParams) -> Awaitable[None] | None:
        """It was saved."""
        parts = self._parts
        document = parts.documents.get(params.text_document.uri)
        if document is None:
            return None
        parts.documents.last = document
        parts.refresher.saved(document)
        return self._audit_changed(document) if parts.settings.trigger == "onSave" else None

    def did_close(self, params: DidCloseParams) -> None:
        """It is closed: what a model found in it stays on the file, what tools said goes with it."""
        parts, uri = self._parts, params.text_document.uri
        document = parts.documents.get(uri)
        if document is None:
            return
        source, home = document.source(), document.home
        for job in parts.jobs:
            if job.is_about(uri):
                job.cancel("the document was closed")
                document.board.drop_generation(job.number)
        kept = document.board.model_findings(source)
        parts.documents.close(uri)
        if home is None or document.path is None:
            parts.publisher.clear(uri)
            return
        known = [Kept(finding, text) for finding, text in kept]
        parts.closed.put(home.key, document.name, known)
        parts.publisher.publish_closed(home, document.name, [one.finding for one in known], source, uri=uri)

    def homed(self, document: Document) -> None:
        """A document's project is known: what was found in the file before is put up again."""
        home = document.home
        if home is None or not document.is_open:
            return
        source = document.source()
        self._restore(home, document, source)
        session = home.session
        if session is None or document.is_quiet or not self._parts.settings.enable:
            return
        depth, settings = self._parts.workspace.wants_model(home), session.settings
        status = self._parts.status
        if status.facts.depth is None:
            named = (settings.model, settings.endpoint_host) if depth is not Depth.LOCAL else (None, None)
            status.facts = Facts(*named, depth.value)
            status.tell()
        if depth is not Depth.LOCAL:
            self._parts.spawn(self._recall, document)

    def _restore(self, home: Home, document: Document, source: Source) -> None:
        for kept in self._parts.closed.take(home.key, document.name):
            if kept.finding.origin.model is not None:
                document.board.restore(kept.finding, kept.text, source)

    async def _recall(self, document: Document) -> None:
        """Put up what the cache remembers of a document's text: no model is asked."""
        await anyio.sleep(_RECALL_REST_S)
        async with self._recalling:
            home = document.home
            if home is None or home.session is None or not document.is_open or document.path is None:
                return
            if not await to_thread.run_sync((home.session.settings.state_dir / DATABASE_NAME).is_file):
                return
            taken = sorted_out(snapshots(self._parts, document), home)
            if taken and not any(job.is_about(document.uri) for job in self._parts.jobs):
                await self._parts.audits.run(file_order(home, taken[0], is_triggered=True, may_ask_model=False))

    async def _audit_when_idle(self, document: Document) -> None:
        """Audit what changed when nobody has typed for a while."""
        try:
            while document.is_open and self._parts.settings.trigger == "onIdle":
                left = document.edited_at + self._parts.settings.idle_ms / 1000 - time.monotonic()
                if left <= 0:
                    break
                await anyio.sleep(left)
        finally:
            self._idle.discard(document)
        if document.is_open and self._parts.settings.trigger == "onIdle":
            await self._audit_changed(document)

    async def _audit_changed(self, document: Document) -> None:
        """The audit that nobody clicked on: changed regions, by a model that the user agreed to before."""
        parts = self._parts
        await parts.refresher.homed(document)
        [snapshot] = snapshots(parts, document)
        home = document.home
        if home is None or home.session is None or document.is_quiet or document.path is None:
            snapshot.release()
            return
        if parts.workspace.wants_model(home) is Depth.LOCAL:
            snapshot.release()
            return
        order = await changed_order(home, snapshot)
        if order is None:
            snapshot.release()
            return
        await parts.audits.run(order)
