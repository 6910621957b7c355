"""The findings of one open document: what tools said, what a model said, and where each stands in the text now.

Pure state. Places are kept in code points of the present text; every edit moves them, no tool or model is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from kimi_lsp.lsp.convert import Shown
from kimi_lsp.lsp.identity import Known, known, match
from kimi_lsp.lsp.marks import Marks, Place
from kimi_lsp.lsp.splice import Splice
from mcp_tools.finding import Finding, Region, sort_key
from mcp_tools.project import Source

_MAX_WITHDRAWN = 200  # findings whose text is gone, kept for an undo
_MAX_COMPARED_LINES = 50
_WHOLE_FILE = Place(0, 0, is_changed=False)


class Layer(IntEnum):
    """Who put a finding up. A layer of tools is replaced as a whole, the model's by what an audit looked at."""

    LIVE = 0  # as you type
    FILE = 1  # on open and save, with what needs a program
    MODEL = 2


@dataclass(slots=True)
class Entry:
    """A finding as the board keeps it: who put it up, and in which audit."""

    finding: Finding
    layer: Layer
    generation: int
    known: Known
    renewed_by: int | None = None  # the key of what a running audit found in its place; hidden until that ends


@dataclass(frozen=True, slots=True)
class Late:
    """A finding of an audit, with its place in the text as it is now; None when that text was edited meanwhile."""

    finding: Finding
    source: Source  # what was audited
    span: tuple[int, int] | None  # in the present text


class Board:
    """What is known of one document. Keys are numbers that are never used twice."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._marks = Marks()
        self._next = 0

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, splices: Sequence[Splice]) -> bool:
        """Follow an edit. True when a finding moved, went or came back."""
        if not self._entries:
            return False
        moved = self._marks.apply(splices)
        return bool(moved.moved or moved.changed or moved.restored)

    def set_tools(self, layer: Layer, findings: Iterable[Finding], source: Source) -> None:
        """Replace a layer by what a tool found in the present text."""
        old = {key: entry for key, entry in self._entries.items() if entry.layer is layer}
        kept: set[int] = set()
        by_print: dict[str, list[int]] = {}
        for key, entry in old.items():
            by_print.setdefault(entry.finding.fingerprint, []).append(key)
        for finding in findings:
            same = by_print.get(finding.fingerprint)
            span = _span(finding, source)
            if same:
                key = same.pop()
                kept.add(key)
                self._entries[key].finding = finding
                self._mark(key, finding, span, source.text[slice(*span)])
            else:
                kept.add(self._put(finding, layer, 0, span, source))
        for key in old.keys() - kept:
            self._drop(key)

    def add_model(self, late: Late, generation: int, line_of: Callable[[int], int]) -> bool:
        """Put up what an audit found, or renew what it found again. False when its text is not there any more.

        `line_of` tells the line of an offset in the present text.
        """
        if late.span is None:
            return False
        mine = replace(known(late.finding, late.source), line=line_of(late.span[0]))
        ours = [(key, entry) for key, entry in self._entries.items() if entry.layer is Layer.MODEL]
        free = [(key, entry) for key, entry in ours if entry.generation != generation and entry.renewed_by is None]
        pairs = match([self._known_now(key, entry, line_of) for key, entry in free], [mine])
        fresh = self._put(late.finding, Layer.MODEL, generation, late.span, late.source)
        if pairs:
            free[pairs[0][0]][1].renewed_by = fresh
        return True

    def close_generation(self, generation: int, reviewed: Sequence[tuple[int, int]]) -> None:
        """An audit is done: what older ones found in the spans that it reviewed, and it did not, is gone."""
        for key, entry in list(self._entries.items()):
            if entry.layer is not Layer.MODEL:
                continue
            if entry.renewed_by is not None:
                if self._entries[entry.renewed_by].generation <= generation:
                    self._drop(key)
                continue
            place = self._place(key)
            if entry.generation < generation and (
                place is None or any(start <= place.start and place.stop <= stop for start, stop in reviewed)
            ):
                self._drop(key)
        self._forget_withdrawn()

    def drop_generation(self, generation: int) -> None:
        """An audit was cancelled: it leaves nothing behind."""
        mine = {
            key for key, entry in self._entries.items() if entry.layer is Layer.MODEL and entry.generation == generation
        }
        for key in mine:
            self._drop(key)

    def restore(self, finding: Finding, text: str, source: Source) -> bool:
        """Put a model's finding up again in a document that is opened anew, if its text can be found."""
        span = _find(finding, text, source)
        if span is None:
            return False
        self._put(
            replace(finding, location=replace(finding.location, region=source.region(*span))),
            Layer.MODEL,
            0,
            span,
            source,
        )
        return True

    def shown(self, source: Source, *, with_stale: bool) -> list[Shown]:
        """What there is to see in the present text, in its order. Two that say the same are one."""
        visible: list[tuple[Layer, Shown]] = []
        for key, entry in self._entries.items():
            place = self._place(key)
            if (
                entry.renewed_by is not None
                or place is None
                or (place.is_changed and (entry.layer is not Layer.MODEL or not with_stale))
            ):
                continue
            region = None if entry.finding.location.region is None else source.region(place.start, place.stop)
            visible.append((entry.layer, Shown(entry.finding, region, is_stale=place.is_changed)))
        chosen = _Chosen()
        for _, shown in sorted(visible, key=_preference):
            chosen.add(shown)
        return sorted(chosen.shown, key=_order)

    def entries(self) -> tuple[Entry, ...]:
        """All that is kept, also what is not to be seen."""
        return tuple(self._entries.values())

    def model_findings(self, source: Source) -> list[tuple[Finding, str]]:
        """The model's findings that still hold, where they are now, with the text they stand on."""
        kept: list[tuple[Finding, str]] = []
        for key, entry in self._entries.items():
            place = self._place(key)
            if entry.layer is Layer.MODEL and entry.renewed_by is None and place is not None and not place.is_changed:
                region = None if entry.finding.location.region is None else source.region(place.start, place.stop)
                where = replace(entry.finding.location, region=region)
                kept.append((replace(entry.finding, location=where), source.text[place.start : place.stop]))
        return kept

    def _put(self, finding: Finding, layer: Layer, generation: int, span: tuple[int, int], source: Source) -> int:
        self._next += 1
        self._entries[self._next] = Entry(finding, layer, generation, known(finding, source))
        self._mark(self._next, finding, span, source.slice(_region(finding)))
        return self._next

    def _mark(self, key: int, finding: Finding, span: tuple[int, int], text: str) -> None:
        """Let a finding follow its text. One on a file as a whole stands on none and stays."""
        self._marks.discard(key)
        if finding.location.region is not None:
            self._marks.add(key, *span, text)

    def _place(self, key: int) -> Place | None:
        return _WHOLE_FILE if self._entries[key].finding.location.region is None else self._marks.place(key)

    def _known_now(self, key: int, entry: Entry, line_of: Callable[[int], int]) -> Known:
        place = self._place(key)
        return entry.known if place is None else replace(entry.known, line=line_of(place.start))

    def _drop(self, key: int) -> None:
        gone = self._entries.pop(key)
        for other in self._entries.values():
            if other.renewed_by == key:
                other.renewed_by = gone.renewed_by
        self._marks.discard(key)

    def _forget_withdrawn(self) -> None:
        gone = [
            key
            for key, entry in self._entries.items()
            if entry.layer is Layer.MODEL and ((place := self._place(key)) is None or place.is_changed)
        ]
        for key in gone[:-_MAX_WITHDRAWN]:
            self._drop(key)


def _region(finding: Finding) -> Region:
    return finding.location.region or Region(0, 0, 0, 0)


def _span(finding: Finding, source: Source) -> tuple[int, int]:
    region = finding.location.region
    return (0, 0) if region is None else source.span(region)


def _preference(item: tuple[Layer, Shown]) -> tuple[bool, int]:
    """What is fresh goes before what is stale, what a program confirmed before what was seen while typing."""
    layer, shown = item
    return shown.is_stale, {Layer.FILE: 0, Layer.LIVE: 1, Layer.MODEL: 2}[layer]


class _Chosen:
    """What is to be seen, each cause once: a later one on a part of the same text, of the same rule, is left out."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self._by_line: dict[tuple[str, int], list[Region]] = {}

    def add(self, shown: Shown) -> None:
        region = shown.region
        if region is None:
            self.shown.append(shown)
            return
        lines = range(region.start_line, min(region.end_line, region.start_line + _MAX_COMPARED_LINES) + 1)
        keys = [(shown.finding.rule.id, line) for line in lines]
        if any(other.overlaps(region) for key in keys for other in self._by_line.get(key, ())):
            return
        self.shown.append(shown)
        for key in keys:
            self._by_line.setdefault(key, []).append(region)


def _order(shown: Shown) -> tuple[str, int, int, str, str]:
    return sort_key(replace(shown.finding, location=replace(shown.finding.location, region=shown.region)))


def _find(finding: Finding, text: str, source: Source) -> tuple[int, int] | None:
    """Where a finding's text stands in another state of its file: at its place, else at the only one there is."""
    region = finding.location.region
    if region is None:
        return 0, 0
    start, stop = source.span(region)
    if source.text[start:stop] == text:
        return start, stop
    if not text.strip():
        return None
    first = source.text.find(text)
    if first < 0 or source.text.find(text, first + 1) >= 0:
        return None
    return first, first + len(text)
