"""Random schedules of edits, audits, late answers, cancels and closes: what a client is told must never be stale.

The oracle is the client's own text: every diagnostic must lie on the very token that its message names, in the version
that it is published for; versions never go back; a cancelled audit leaves nothing of its own.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kimi_lsp.lsp.board import Layer
from kimi_lsp.lsp.book import Book
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.client_settings import ClientSettings
from kimi_lsp.lsp.closed import Closed, Kept
from kimi_lsp.lsp.documents import Document, Documents
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.landing import Landing, Snapshot
from kimi_lsp.lsp.protocol import ContentChange, Position, PublishDiagnosticsParams, Range, TextDocumentItem
from kimi_lsp.lsp.publisher import Publisher
from kimi_lsp.lsp.workspace import Home
from mcp_tools.finding import Finding, Lane, Level, Location, Origin, Rule
from mcp_tools.project import Source
from tests.bench.figure import Figure, at_most, reported

_TOKEN = re.compile(r"\b(?:call|eval)_\d+\b")
_TOOL = Rule("code-injection", "Text is run", Level.ERROR, Lane.SECURITY)
_MODEL = Rule("path-traversal", "A path from outside", Level.ERROR, Lane.SECURITY)
_URI = "file:///shop/app.py"
_STEPS = 40


def run(quick: bool) -> Iterator[Figure]:
    """Count what would have been wrong."""
    schedules = 2_000 if quick else 100_000
    told, wrong, examples = 0, 0, list[str]()
    for seed in range(schedules):
        schedule = Schedule(seed)
        schedule.run()
        told += schedule.client.published
        wrong += len(schedule.client.wrong)
        examples += [f"schedule {seed}: {text}" for text in schedule.client.wrong][: max(0, 5 - len(examples))]
    for example in examples:
        print(example)
    yield reported("schedules of edits, audits, cancels and late answers", float(schedules), "")
    yield reported("publishes that were checked", float(told), "")
    yield at_most("stale or misplaced publishes", float(wrong), "", 0.0)


@dataclass(slots=True)
class Client:
    """The editor: its text, its version, and what it was told."""

    text: str
    version: int = 1
    is_open: bool = True
    last_version: int = 0
    published: int = 0
    wrong: list[str] = field(default_factory=list[str])
    shown: list[str] = field(default_factory=list[str])

    def notify(self, method: str, params: object, *, key: str | None = None) -> None:
        """Check what the server says."""
        del method, key
        assert isinstance(params, PublishDiagnosticsParams)
        self.published += 1
        self.shown = [one.message for one in params.diagnostics]
        if not self.is_open:
            return
        version = params.version if isinstance(params.version, int) else -1
        if version != self.version or version < self.last_version:
            self.wrong.append(f"version {version} was told when the text was at {self.version}")
        self.last_version = version
        lines = self.text.split("\n")
        for one in params.diagnostics:
            start, end = one.range.start, one.range.end
            there = lines[start.line][start.character : end.character] if start.line < len(lines) else ""
            if start.line != end.line or there != one.message:
                self.wrong.append(f"{one.message!r} was told to stand at {there!r}")


@dataclass(slots=True)
class _Audit:
    landing: Landing
    snapshot: Snapshot
    left: list[Finding]
    generation: int


class Schedule:
    """One random life of a document."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names = 0
        self.client = Client(self._lines(12))
        self._documents = Documents(PositionEncoding.UTF32)
        self._closed = Closed()
        self._home = Home(Path("/shop"), None)
        settings = ClientSettings()
        self._publisher = Publisher(
            self.client, ClientCaps(), PositionEncoding.UTF32, Book(), lambda: settings, lambda function, *args: None
        )
        self._audits: list[_Audit] = []
        self._generation = 0
        self._past: list[str] = []
        self._scans: list[tuple[int, Source]] = []
        self._document = self._open()

    def run(self) -> None:
        """Take random steps; at the end everything that is still under way arrives or is cancelled."""
        steps = (self._edit,) * 8 + (self._scan, self._answer, self._begin, self._found, self._found, self._found)
        for _ in range(_STEPS):
            self._random.choice((*steps, self._end, self._cancel, self._undo, self._reopen))()
        while self._audits:
            self._random.choice((self._found, self._end, self._cancel))()
        self._tell()

    def _open(self) -> Document:
        document = self._documents.open(TextDocumentItem(_URI, "python", self.client.version, self.client.text))
        document.home, document.name = self._home, "app.py"
        return document

    def _tell(self) -> None:
        self._publisher.publish(self._document)

    def _lines(self, count: int) -> str:
        return "\n".join(self._line() for _ in range(count))

    def _line(self) -> str:
        self._names += 1
        kind = self._random.choice(("call", "eval", "plain"))
        return "pass" if kind == "plain" else f"{' ' * self._random.randrange(3)}{kind}_{self._names} (x)"

    def _edit(self) -> None:
        """Type, delete, paste: anywhere, also within tokens and over several lines."""
        text = self.client.text
        start = self._random.randrange(len(text) + 1)
        stop = min(len(text), start + self._random.choice((0, 0, 0, 1, 3, 25)))
        new = self._random.choice(("", "x", "\n", self._line() + "\n", text[start:stop], f"\n{self._lines(2)}\n"))
        self._past.append(text)
        self._change(start, stop, new)

    def _undo(self) -> None:
        """The text of before, as a whole."""
        if self._past:
            text = self._past.pop()
            self._change(0, len(self.client.text), text, is_whole=True)

    def _change(self, start: int, stop: int, new: str, *, is_whole: bool = False) -> None:
        client = self.client
        span = Range(_position(client.text, start), _position(client.text, stop))
        client.text = client.text[:start] + new + client.text[stop:]
        client.version += 1
        self._documents.change(_URI, client.version, [ContentChange(new, None if is_whole else span)])
        if self._random.random() < 0.5:
            self._tell()

    def _scan(self) -> None:
        """The tools look at the text as it is now; their answer comes later."""
        self._scans.append((self._document.mirror.version, self._document.source()))

    def _answer(self) -> None:
        """An answer of the tools arrives; it counts only for the version that they saw."""
        if self._scans:
            version, source = self._scans.pop(self._random.randrange(len(self._scans)))
            if version == self._document.mirror.version and self._document.mirror.text == source.text:
                self._document.board.set_tools(Layer.LIVE, _findings(source, "eval", None), source)
                self._tell()

    def _begin(self) -> None:
        """An audit begins on what is there now."""
        snapshot = Snapshot.of(self._document)
        self._generation += 1
        landing = Landing(
            self._generation, self._home, [snapshot], self._documents, self._closed, _Teller(self._publisher)
        )
        source = self._document.source()
        found = [one for one in _findings(source, "call", self._generation) if self._random.random() < 0.8]
        self._random.shuffle(found)
        self._audits.append(_Audit(landing, snapshot, found, self._generation))

    def _found(self) -> None:
        """A finding of a running audit arrives."""
        if self._audits and (audit := self._random.choice(self._audits)).left:
            audit.landing.found(audit.left.pop())

    def _end(self) -> None:
        """An audit is done: what is left arrives, then it settles."""
        if not self._audits:
            return
        audit = self._audits.pop(self._random.randrange(len(self._audits)))
        for finding in audit.left:
            audit.landing.found(finding)
        audit.landing.reviewed("app.py", 0, audit.snapshot.text.count("\n"))
        audit.landing.settle(["app.py"], is_whole=True)
        audit.snapshot.release()

    def _cancel(self) -> None:
        """An audit is cancelled: nothing that only it found may be left."""
        if not self._audits:
            return
        audit = self._audits.pop(self._random.randrange(len(self._audits)))
        audit.landing.withdraw()
        audit.snapshot.release()
        generations = {entry.generation for entry in self._document.board.entries()}
        if audit.generation in generations:
            self.client.wrong.append(f"audit {audit.generation} was cancelled and left a finding")

    def _reopen(self) -> None:
        """The document is closed and opened again, perhaps with another text."""
        if self._random.random() > 0.2:
            return
        source = self._document.source()
        for audit in self._audits:
            self._document.board.drop_generation(audit.generation)
            audit.snapshot.release()
        self._audits.clear()
        kept = [Kept(finding, text) for finding, text in self._document.board.model_findings(source)]
        self._documents.close(_URI)
        self.client.is_open = False
        self._closed.put(self._home.key, "app.py", kept)
        self._scans.clear()
        if self._random.random() < 0.5:
            self.client.text = self._line() + "\n" + self.client.text
        self.client.is_open, self.client.version, self.client.last_version = True, 1, 0
        self._past.clear()
        self._document = self._open()
        for one in self._closed.take(self._home.key, "app.py"):
            self._document.board.restore(one.finding, one.text, self._document.source())
        self._tell()


@dataclass(slots=True)
class _Teller:
    """Tells at once what the server may gather for 50 ms."""

    publisher: Publisher

    def soon(self, document: Document) -> None:
        self.publisher.publish(document)

    def publish(self, document: Document) -> None:
        self.publisher.publish(document)

    def publish_closed(
        self, home: Home, path: str, findings: Iterable[Finding], source: Source | None, uri: str | None = None
    ) -> None:
        del home, path, findings, source, uri


def _findings(source: Source, kind: str, generation: int | None) -> list[Finding]:
    rule = _TOOL if generation is None else _MODEL
    found: list[Finding] = []
    for match in _TOKEN.finditer(source.text):
        if match[0].startswith(kind):
            region = source.region(*match.span())
            model = None if generation is None else "kimi-k2.6"
            stamp = source.fingerprint(rule.id, region)
            where = Location("app.py", region)
            found.append(Finding(rule, match[0], where, fingerprint=stamp, origin=Origin("kimi", model)))
    return found


def _position(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n"), offset - (before.rfind("\n") + 1))
