"""Tool findings as you type: one run per document at a time, after a pause, on the latest text, in worker threads.

The quick look comes first. When typing rests, the whole text is looked at once more, and after open and save also by
the tools that need a program; what they take would be felt in typing. Only what differs is told again.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio
from anyio import CapacityLimiter, to_thread

from kimi_lsp.audit.lanes import LANES
from kimi_lsp.audit.live import Edit, LiveFacts, file_facts
from kimi_lsp.config import Rules
from kimi_lsp.lsp.board import Layer
from kimi_lsp.lsp.book import Book
from kimi_lsp.lsp.client_settings import ClientSettings
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.jobs import Spawn
from kimi_lsp.lsp.publisher import Publisher
from kimi_lsp.lsp.workspace import Home, Workspace
from mcp_tools.finding import Finding, Lane
from mcp_tools.project import Overlay, Source

_SETTLE_S = 0.3  # a rest in typing
_MAX_WAIT_S = 1.5  # somebody who never rests sees something after this time
_THREADS = 2
_KEPT_SCANS = 32  # documents whose parsed text is kept
_FILE_BATCH = 200


@dataclass(slots=True)
class Hooks:
    """What the refresher tells others."""

    homed: Callable[[Document], None]  # a document's project is known
    problem: Callable[[Home], None]  # a project cannot be used


class Refresher:
    """Keeps the tool findings of the open documents up to date."""

    def __init__(
        self,
        spawn: Spawn,
        workspace: Workspace,
        publisher: Publisher,
        book: Book,
        settings: Callable[[], ClientSettings],
        hooks: Hooks,
    ) -> None:
        self._spawn = spawn
        self._workspace = workspace
        self._publisher = publisher
        self._book = book
        self._settings = settings
        self.hooks = hooks
        self._threads = CapacityLimiter(_THREADS)
        self._one = CapacityLimiter(1)  # projects are opened one after the other
        self._recent: dict[str, Document] = {}  # those that keep their parsed text, the latest last
        self._files: dict[str, Document] = {}  # those that wait for the tools that need a program
        self._is_filing = False

    def refresh(self, document: Document) -> None:
        """Look at a document soon: it was opened or edited, or its settings changed."""
        if not document.is_refreshing:
            document.is_refreshing = True
            self._spawn(self._run, document)

    async def homed(self, document: Document) -> None:
        """Wait until a document's project is known, or that it has none."""
        if document.home is None and document.is_open:
            self.refresh(document)
            await document.homed.wait()

    def saved(self, document: Document) -> None:
        """A document was saved: also the tools that need a program look at it."""
        document.wants_file = True
        document.rouse()
        self.refresh(document)

    def reset(self, document: Document) -> None:
        """Forget the project of a document, and what tools said of it: the configuration changed."""
        document.home, document.live, document.edits = None, None, []
        document.homed = anyio.Event()
        document.is_dirty = document.wants_file = True
        document.rouse()
        self.refresh(document)

    async def _run(self, document: Document) -> None:
        try:
            await self._settle_home(document)
            while document.is_open and document.home is not None:
                if document.is_dirty:
                    await self._pause(document)
                    await self._look(document)
                    continue
                if await self._woken(document, _SETTLE_S):
                    continue
                await self._look_again(document)
                if document.wants_file and not document.is_dirty:
                    document.wants_file = False
                    self._queue_file(document)
                if not document.is_dirty and not document.wants_file:
                    return
        finally:
            document.is_refreshing = False
            is_homeless = document.home is None and document.homed.is_set()
            if document.is_open and (document.is_dirty or document.wants_file) and not is_homeless:
                self.refresh(document)  # an edit came, or the settings changed, while the last look ended

    async def _settle_home(self, document: Document) -> None:
        if document.home is not None:
            return
        home = await to_thread.run_sync(self._find_home, document, limiter=self._one)
        if home is None:
            document.is_dirty = document.wants_file = False
            document.homed.set()
            return
        if not self._book.has(home):
            self._book.load(home, await to_thread.run_sync(self._book.peek, home, limiter=self._threads))
        if home.problem is not None:
            self.hooks.problem(home)
        if document.path is not None and (relative := home.relative(document.path)) is not None:
            document.name = relative
            document.is_quiet = await to_thread.run_sync(home.is_ignored, relative, limiter=self._threads)
        document.home = home
        document.homed.set()
        self.hooks.homed(document)

    def _find_home(self, document: Document) -> Home | None:
        if document.path is not None:
            return self._workspace.home_of(document.path)
        return self._workspace.primary()

    async def _pause(self, document: Document) -> None:
        """Wait until typing pauses, or has gone on for long."""
        if document.edited_at == 0.0:
            return  # just opened
        debounce_s = self._settings().debounce_ms / 1000
        while document.is_open:
            now = time.monotonic()
            until = min(document.edited_at + debounce_s, document.dirty_since + max(_MAX_WAIT_S, debounce_s))
            if now >= until:
                return
            await anyio.sleep(until - now)

    async def _woken(self, document: Document, seconds: float) -> bool:
        """Wait for something to happen to a document. False when nothing did in that time."""
        wake = document.wake
        with anyio.move_on_after(seconds):
            await wake.wait()
        return wake.is_set()

    async def _look(self, document: Document) -> None:
        """The quick look at what changed."""
        source, version = document.source(), document.mirror.version
        edits, document.edits = document.edits, []
        document.is_dirty = False
        home = document.home
        if home is None or not self._is_wanted(document, source):
            document.live = None
            document.board.set_tools(Layer.LIVE, (), source)
            document.board.set_tools(Layer.FILE, (), source)
            self._publisher.publish(document)
            return
        work = partial(_updated, document.live, source, edits, self._lanes(home), self._rules(home))
        try:
            live = await to_thread.run_sync(work, limiter=self._threads)
        except Exception:
            document.live = None  # whatever broke it, the next look starts anew
            raise
        if not document.is_open:
            return
        document.live = live
        self._keep(document)
        if document.mirror.version == version:
            document.board.set_tools(Layer.LIVE, live.findings, source)
            self._publisher.publish(document)

    async def _look_again(self, document: Document) -> None:
        """The look at the whole text when typing rests."""
        live = document.live
        if live is not None and not document.edits:
            source, version = document.source(), document.mirror.version
            has_changed = await to_thread.run_sync(live.settle, limiter=self._threads)
            if has_changed and document.is_open and document.mirror.version == version:
                document.board.set_tools(Layer.LIVE, live.findings, source)
                self._publisher.publish(document)

    def _is_wanted(self, document: Document, source: Source) -> bool:
        home = document.home
        if home is None or home.session is None or document.is_quiet or not self._settings().enable:
            return False
        return len(source.text) <= home.session.settings.limits.max_file_bytes

    def _lanes(self, home: Home) -> Sequence[Lane]:
        return home.session.lanes if home.session else ()

    def _rules(self, home: Home) -> Rules:
        return home.session.settings.rules if home.session else Rules()

    def _keep(self, document: Document) -> None:
        """Keep the parsed text of the documents in use, and let the others' go."""
        self._recent.pop(document.uri, None)
        self._recent[document.uri] = document
        while len(self._recent) > _KEPT_SCANS:
            oldest = self._recent.pop(next(iter(self._recent)))
            oldest.live, oldest.edits = None, []
        for uri in [uri for uri, one in self._recent.items() if not one.is_open]:
            del self._recent[uri]

    # The tools that need a program: many documents in one go.

    def _queue_file(self, document: Document) -> None:
        home = document.home
        if home is None or document.path is None or not self._is_wanted(document, document.source()):
            return
        language = document.source().language
        if not any(language in LANES[lane].beyond_live for lane in self._lanes(home)):
            return
        self._files[document.uri] = document
        if not self._is_filing:
            self._is_filing = True
            self._spawn(self._file)

    async def _file(self) -> None:
        try:
            while self._files:
                first = next(iter(self._files.values()))
                batch = [one for one in self._files.values() if one.home is first.home][:_FILE_BATCH]
                for one in batch:
                    del self._files[one.uri]
                await self._file_batch([one for one in batch if one.is_open])
        finally:
            self._is_filing = False

    async def _file_batch(self, batch: Sequence[Document]) -> None:
        if not batch or (home := batch[0].home) is None or home.session is None:
            return
        sources = {one.name: one.source() for one in batch}
        versions = {one.uri: one.mirror.version for one in batch}
        work = partial(_file_facts, home, sources, self._lanes(home), self._rules(home))
        found = await to_thread.run_sync(work, limiter=self._threads)
        for one in batch:
            if not one.is_open or one.mirror.version != versions[one.uri] or one.home is not home:
                continue  # a save will come
            one.board.set_tools(Layer.FILE, found.get(one.name, ()), sources[one.name])
            self._publisher.publish(one)


def _updated(
    live: LiveFacts | None, source: Source, edits: Sequence[Edit], lanes: Sequence[Lane], rules: Rules
) -> LiveFacts:
    if live is None:
        return LiveFacts(source, lanes, rules)
    live.update(source, edits)
    return live


def _file_facts(
    home: Home, sources: dict[str, Source], lanes: Sequence[Lane], rules: Rules
) -> dict[str, list[Finding]]:
    paths = tuple(sources)
    try:
        project = Overlay(home.view(paths), {path: source.text for path, source in sources.items()})
    except OSError:
        return {}
    found: dict[str, list[Finding]] = {}
    for finding in file_facts(project, paths, lanes, rules):
        found.setdefault(finding.location.path, []).append(finding)
    return found
