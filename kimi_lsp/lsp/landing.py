"""Put what an audit finds in its place, and take it back when the audit is cancelled. Waits for nothing.

Findings speak of the text as it was when the audit was asked for; the edits since then carry them to where it is now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kimi_lsp.lsp.board import Late
from kimi_lsp.lsp.closed import Closed, Kept
from kimi_lsp.lsp.documents import Document, Documents
from kimi_lsp.lsp.marks import follow
from kimi_lsp.lsp.mirror import Ticket
from kimi_lsp.lsp.splice import Splice
from kimi_lsp.lsp.workspace import Home
from mcp_tools.finding import Finding
from mcp_tools.project import Project, Source


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document at the instant when an audit of it was asked for. Taken before anything is awaited."""

    document: Document
    text: str
    ticket: Ticket

    @classmethod
    def of(cls, document: Document) -> "Snapshot":
        """The document as it is now; edits are logged from here on, until `release`."""
        return cls(document, document.mirror.text, document.mirror.mark())

    def since(self) -> tuple[Splice, ...] | None:
        """The edits since then; None when that cannot be told any more."""
        return self.document.mirror.since(self.ticket) if self.document.is_open else None

    def release(self) -> None:
        """Log edits no longer."""
        self.document.mirror.release(self.ticket)


class Teller(Protocol):
    """Whoever tells the client: the Publisher."""

    def soon(self, document: Document) -> None:
        """Tell what holds of a document, perhaps together with what follows."""
        ...

    def publish(self, document: Document) -> None:
        """Tell it now."""
        ...

    def publish_closed(
        self, home: Home, path: str, findings: Iterable[Finding], source: Source | None, uri: str | None = None
    ) -> None:
        """Tell what holds of a file that is not open."""
        ...


class Landing:
    """The findings of one audit: one generation."""

    def __init__(
        self,
        generation: int,
        home: Home,
        snapshots: Sequence[Snapshot],
        documents: Documents,
        closed: Closed,
        teller: Teller,
    ) -> None:
        self._generation = generation
        self._home = home
        self._snapshots = {one.document.name: one for one in snapshots}
        self._documents = documents
        self._closed = closed
        self._teller = teller
        self._sources: dict[str, Source] = {}
        self._reviewed: dict[str, list[tuple[int, int]]] = {}
        self._touched: dict[Document, None] = {}
        self.left_out: set[str] = set()  # files whose findings are not shown: there were too many
        self.project: Project | None = None  # the view that is audited, for files that are not open

    @property
    def texts(self) -> dict[str, str]:
        """The audited texts of the open documents."""
        return {name: one.text for name, one in self._snapshots.items()}

    def found(self, finding: Finding) -> None:
        """Put a finding up where its text is now."""
        snapshot = self._snapshots.get(finding.location.path)
        if snapshot is None:
            self._found_closed(finding)
        elif finding.origin.model is not None and snapshot.document.is_open:
            source, edits, document = self._source(snapshot), snapshot.since(), snapshot.document
            span = None if edits is None else follow(*_span(finding, source), edits)
            late, mirror = Late(finding, source, span), document.mirror
            if document.board.add_model(late, self._generation, lambda offset: mirror.position(offset)[0]):
                self._touched[document] = None
                self._teller.soon(document)
        # What tools say of an open document is kept up while it is typed: it is there already.

    def reviewed(self, path: str, first_line: int, last_line: int) -> None:
        """Take note that these lines need no further look."""
        self._reviewed.setdefault(path, []).append((first_line, last_line))

    def withdraw(self) -> None:
        """The audit was cancelled or failed: nothing of it is left."""
        for document in self._touched:
            document.board.drop_generation(self._generation)
            self._teller.publish(document)
        for path in self._closed.drop_generation(self._home.key, self._generation):
            self._tell_closed(path)

    def settle(self, paths: Sequence[str] | None, *, is_whole: bool) -> None:
        """The audit is done: what older ones found in lines that it reviewed, and it did not, is put away.

        `paths` are those whose closed files it looked at as a whole, None for all of the project, empty for none.
        `is_whole`: a model saw all that it was meant to see, so later audits need only look at what changes.
        """
        for name, snapshot in self._snapshots.items():
            spans, edits = self._reviewed.get(name, []), snapshot.since()
            if edits is None:
                continue
            source, document = self._source(snapshot), snapshot.document
            now = [hull(source.offset(first, 0), source.offset(last + 1, 0), edits) for first, last in spans]
            document.board.close_generation(self._generation, now)
            if is_whole and spans:
                document.baseline = snapshot.text
            self._teller.publish(document)
        if paths is None or paths:
            for path in self._closed.close_generation(self._home.key, paths, self._generation):
                self._tell_closed(path)

    def _found_closed(self, finding: Finding) -> None:
        path, source = finding.location.path, self._read(finding.location.path)
        region = finding.location.region
        text = source.slice(region) if source is not None and region is not None else ""
        document = self._documents.named(self._home, path)
        if document is None:
            known = self._closed.add(self._home.key, path, Kept(finding, text, self._generation))
            if known is None:
                self.left_out.add(path)
            else:
                self._teller.publish_closed(self._home, path, known, source)
        elif finding.origin.model is not None and document.board.restore(finding, text, document.source()):
            self._teller.soon(document)  # it was opened while the audit ran

    def _source(self, snapshot: Snapshot) -> Source:
        name = snapshot.document.name
        if name not in self._sources:
            known = snapshot.document.source()
            self._sources[name] = known if known.text == snapshot.text else replace(known, text=snapshot.text)
        return self._sources[name]

    def _read(self, path: str) -> Source | None:
        source = None if self.project is None else self.project.read(path)
        return source if isinstance(source, Source) else None

    def _tell_closed(self, path: str) -> None:
        known = self._closed.findings(self._home.key, path)
        self._teller.publish_closed(self._home, path, known, self._read(path))


def hull(start: int, stop: int, edits: Sequence[Splice]) -> tuple[int, int]:
    """What became of a span: edits inside stretch it, those at its ends belong to it."""
    for edit in edits:
        delta = len(edit.text) - (edit.stop - edit.start)
        if edit.start <= stop:
            stop = max(stop, edit.stop) + delta
        if edit.start < start:
            start = max(start + delta, edit.start) if edit.stop <= start else edit.start
    return start, max(start, stop)


def _span(finding: Finding, source: Source) -> tuple[int, int]:
    region = finding.location.region
    return (0, 0) if region is None else source.span(region)
