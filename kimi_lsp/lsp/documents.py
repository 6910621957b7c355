"""The open documents: their text, what is known of them, and where they belong. Pure state; reads nothing."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import anyio

from kimi_lsp.faces.uris import path_of
from kimi_lsp.lsp.board import Board
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.mirror import Change, Mirror
from kimi_lsp.lsp.protocol import ContentChange, Diagnostic, TextDocumentItem
from kimi_lsp.lsp.workspace import Home
from mcp_tools.project import Source, language_of

if TYPE_CHECKING:
    from kimi_lsp.audit.live import Edit, LiveFacts

_MAX_EDITS = 20_000
_ENDINGS = {"python": "py", "javascript": "js", "typescript": "ts", "javascriptreact": "jsx", "typescriptreact": "tsx"}


@dataclass(slots=True, eq=False)
class Document:
    """One open document. Everything here belongs to the event loop, but for `live`, which one thread at a time uses."""

    uri: str
    path: Path | None  # None for text that is no file: `untitled:`, `git:`
    language_id: str
    mirror: Mirror
    board: Board = field(default_factory=Board)
    home: Home | None = None  # None until it is known, and for text that is no file
    name: str = ""  # project-relative path, or a made-up one
    is_quiet: bool = False  # an ignored file: nothing is said of it unless an audit is asked for
    is_open: bool = True
    live: "LiveFacts | None" = None
    edits: "list[Edit]" = field(default_factory=list["Edit"])  # since `live` last saw the text
    edited_at: float = 0.0
    dirty_since: float = 0.0
    is_dirty: bool = True  # the tools have not seen this text
    wants_file: bool = True  # the tools that need a program have not seen this text
    is_refreshing: bool = False
    wake: anyio.Event = field(default_factory=anyio.Event)
    homed: anyio.Event = field(default_factory=anyio.Event)  # its project is known, or that it has none
    published: tuple[int | None, list[Diagnostic]] | None = None  # what the client was told last, and of which version
    has_moved: bool = False  # an edit moved findings, and the client may not know
    baseline: str | None = None  # the text that a model last reviewed as a whole

    def source(self) -> Source:
        """The text as it is now, for tools."""
        text = self.mirror.text
        language = language_of(self.name, text[:200]) or _language(self.language_id)
        return self.mirror.source(self.name, language)

    def touch(self) -> None:
        """The text has changed: whoever waits for a pause in typing waits anew."""
        now = time.monotonic()
        self.dirty_since = self.dirty_since if self.is_dirty else now
        self.edited_at = now
        self.is_dirty = True
        self.rouse()

    def rouse(self) -> None:
        """Wake whoever waits for something to happen."""
        self.wake.set()
        self.wake = anyio.Event()


class Documents:
    """All that is open, by URI as the client writes it."""

    def __init__(self, encoding: PositionEncoding) -> None:
        self._encoding = encoding
        self._open: dict[str, Document] = {}
        self.last: Document | None = None  # the one that was opened, edited or saved last

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def get(self, uri: str) -> Document | None:
        """An open document."""
        return self._open.get(uri)

    def named(self, home: Home, name: str) -> Document | None:
        """The open document of a project's file."""
        return next((one for one in self._open.values() if one.home is home and one.name == name), None)

    def open(self, item: TextDocumentItem) -> Document:
        """Take a document in. One that is open already is closed first: its text may have been another."""
        self.close(item.uri)
        mirror = Mirror(item.text, item.version, self._encoding)
        path = path_of(item.uri)
        document = Document(item.uri, path, item.language_id, mirror)
        document.name = path.name if path is not None else _made_up(item.uri, item.language_id)
        self._open[item.uri] = document
        self.last = document
        return document

    def change(self, uri: str, version: int, changes: Sequence[ContentChange]) -> Document | None:
        """Take an edit in: the text, and every finding's place in it. None when the document is not open."""
        document = self._open.get(uri)
        if document is None:
            return None
        splices = document.mirror.apply([_change(change) for change in changes], version)
        document.edits += [(one.start, one.stop, one.start + len(one.text)) for one in splices]
        if len(document.edits) > _MAX_EDITS:
            document.live, document.edits = None, []  # nobody looks: the next look starts anew
        document.has_moved |= document.board.apply(splices)
        self.last = document
        if splices:
            document.touch()
        return document

    def close(self, uri: str) -> Document | None:
        """Let a document go. None when it is not open."""
        document = self._open.pop(uri, None)
        if document is None:
            return None
        document.is_open = False
        document.live = None
        document.homed.set()
        document.rouse()
        if self.last is document:
            self.last = next(reversed(self._open.values()), None)
        return document


def _change(change: ContentChange) -> Change:
    if change.range is None:
        return Change(None, change.text)
    start, end = change.range.start, change.range.end
    return Change((start.line, start.character, end.line, end.character), change.text)


def _language(language_id: str) -> str | None:
    return {"javascriptreact": "javascript", "typescriptreact": "tsx"}.get(language_id, language_id) or None


def _made_up(uri: str, language_id: str) -> str:
    """A name for text that is no file, so that tools can tell what it is."""
    last = PurePosixPath(uri.partition(":")[2].split("?")[0]).name or "untitled"
    ending = _ENDINGS.get(language_id, language_id)
    return last if "." in last or not ending.isalnum() else f"{last}.{ending}"
