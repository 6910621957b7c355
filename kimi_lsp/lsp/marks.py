"""Places that follow their text through every edit, are withdrawn when it changes and come back with it. Pure state."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from kimi_lsp.lsp.splice import Splice, follow
from kimi_lsp.lsp.tear import Hunk, Mark, Tear

__all__ = ["Marks", "Moved", "Place", "follow"]

_MAX_KEPT_CHARS = 8_000_000  # of replaced text and what stands in its place; above it the largest is given up
_MAX_COMPARED_CHARS = 4_000  # a tear that is compared by lines at every edit; a longer one at a paste only
_MANY = 8  # splices from which on it pays to sort out first which marks they touch


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mark is: offsets in code points.

    `is_changed`: its text is no longer the one that it was set on; the place is then all that may hold the rest.
    """

    start: int
    stop: int
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """What edits did: marks that hold and stand elsewhere now, marks whose text changed, marks that are back."""

    moved: tuple[Hashable, ...] = ()
    changed: tuple[Hashable, ...] = ()
    restored: tuple[Hashable, ...] = ()

    def __bool__(self) -> bool:
        """False when nothing happened to any mark."""
        return bool(self.moved or self.changed or self.restored)


class Marks:
    """All marks of one document, by key.

    An edit before a mark moves it; one after it does nothing; at its start it moves right, at its end it does not grow.
    An edit inside makes it changed. It is back as soon as its own text stands again where it stood: undone, redone,
    retyped, or put back with more around it. Where that is in doubt it stays changed.
    """

    def __init__(self) -> None:
        self._marks: dict[Hashable, Mark] = {}
        self._live: dict[Hashable, Mark] = {}
        self._tears: list[Tear] = []
        self._lost: dict[Hashable, Mark] = {}

    def __len__(self) -> int:
        return len(self._marks)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._marks

    def add(self, key: Hashable, start: int, stop: int, text: str) -> None:
        """Set a mark on `start..stop`, where `text` stands. One of that key is set anew.

        Raises:
            ValueError: the text is not as long as its place.
        """
        if stop - start != len(text):
            raise ValueError(f"{len(text)} characters cannot stand at {start}..{stop}")
        self.discard(key)
        mark = Mark(key, text, start, stop)
        self._marks[key] = self._live[key] = mark

    def discard(self, key: Hashable) -> None:
        """Remove a mark if there is one of that key."""
        mark = self._marks.pop(key, None)
        if mark is None:
            return
        self._live.pop(key, None)
        self._lost.pop(key, None)
        item: Mark | Tear = mark
        while (holder := item.holder) is not None:
            holder.held = [(offset, other) for offset, other in holder.held if other is not item]
            if holder.held:
                return
            item = holder
        if isinstance(item, Tear):
            self._tears.remove(item)

    def clear(self) -> None:
        """Remove all marks."""
        self._marks.clear()
        self._live.clear()
        self._lost.clear()
        self._tears.clear()

    def place(self, key: Hashable) -> Place | None:
        """Where a mark is now; None when there is none of that key."""
        mark = self._marks.get(key)
        return None if mark is None else _place(mark)

    def items(self) -> Iterator[tuple[Hashable, Place]]:
        """All marks with their places, in the order in which they were set."""
        for key, mark in self._marks.items():
            yield key, _place(mark)

    def apply(self, splices: Sequence[Splice]) -> Moved:
        """Follow edits, one after the other, and say what became of the marks by them all together."""
        if not splices or not self._marks:
            return Moved()
        were = [(mark, mark.start) for mark in self._live.values()]
        if len(splices) > _MANY and all(later.stop < earlier.start for earlier, later in pairwise(splices)):
            self._apply_apart(splices)
        else:
            for splice in splices:
                self._apply(splice)
        known = {mark.key for mark, _ in were}
        return Moved(
            tuple(mark.key for mark, start in were if mark.start != start and mark.key in self._live),
            tuple(mark.key for mark, _ in were if mark.key not in self._live),
            tuple(key for key in self._live if key not in known),
        )

    def _apply(self, splice: Splice) -> None:
        for mark in self._lost.values():
            mark.stretch(splice)
        edited: list[Tear] = []
        swallowed: list[Mark | Tear] = []
        for tear in self._touched_tears(splice):
            if tear.is_swallowed(splice):
                swallowed.append(tear)
            else:
                tear.edit(splice)
                edited.append(tear)
        for mark in self._touched_marks(splice):
            del self._live[mark.key]
            if splice.start <= mark.start and mark.stop <= splice.stop:
                swallowed.append(mark)
            else:
                edited.append(self._torn(mark, splice))
        if swallowed:
            self._tears = [tear for tear in self._tears if tear not in swallowed]
            hunk = Hunk(0, len(splice.old), 0, len(splice.text))
            grave = Tear(splice.start, splice.old, splice.text, [hunk])
            grave.hold(swallowed)
            self._tears.append(grave)
            edited.append(grave)
        for tear in edited:
            self._heal(tear, splice)
        if edited:
            self._bound()

    def _touched_tears(self, splice: Splice) -> list[Tear]:
        """The tears that a splice touches; the others are moved out of its way."""
        touched: list[Tear] = []
        for tear in self._tears:
            if tear.is_touched(splice):
                touched.append(tear)
            elif tear.start >= splice.stop:
                tear.start += splice.growth
        return touched

    def _touched_marks(self, splice: Splice) -> list[Mark]:
        """The live marks that a splice touches; the others are moved out of its way."""
        start, stop, growth = splice.start, splice.stop, splice.growth
        touched: list[Mark] = []
        for mark in self._live.values():
            if mark.start >= stop:
                mark.start += growth
                mark.stop += growth
            elif mark.stop > start:
                touched.append(mark)
        return touched

    def _torn(self, mark: Mark, splice: Splice) -> Tear:
        """The tear of a mark that a splice touches and does not cover."""
        left, right = mark.text[: max(splice.start - mark.start, 0)], ""
        if splice.stop < mark.stop:
            right = mark.text[splice.stop - mark.start :]
        first = min(mark.start, splice.start)
        before, now = left + splice.old + right, left + splice.text + right
        hunk = Hunk(len(left), len(splice.old), len(left), len(splice.text))
        tear = Tear(first, before, now, [hunk])
        tear.hold([mark])
        self._tears.append(tear)
        return tear

    def _heal(self, tear: Tear, splice: Splice) -> None:
        is_short = len(tear.before) + len(tear.now) <= _MAX_COMPARED_CHARS
        for item in tear.release(with_lines=is_short or "\n" in splice.text or "\r" in splice.text):
            if isinstance(item, Mark):
                self._live[item.key] = item
            else:
                self._tears.append(item)
        if tear.held:
            tear.tighten()
        else:
            self._tears.remove(tear)

    def _apply_apart(self, splices: Sequence[Splice]) -> None:
        """The same for many splices, the last place first: what none of them touches is moved in one step."""
        rising = splices[::-1]
        starts, stops = [splice.start for splice in rising], [splice.stop for splice in rising]
        growth = [0, *accumulate(splice.growth for splice in rising)]
        live, tears = self._live, self._tears
        self._live, self._tears = {}, []
        for mark in live.values():
            before = bisect_right(stops, mark.start)
            if before < len(starts) and starts[before] < mark.stop:
                self._live[mark.key] = mark
            else:
                mark.start += growth[before]
                mark.stop += growth[before]
        for tear in tears:
            before = bisect_left(stops, tear.start)
            if before < len(starts) and starts[before] <= tear.stop:
                self._tears.append(tear)
            else:
                tear.start += growth[before]
        apart = [tear for tear in tears if tear not in self._tears]
        untouched = {key: mark for key, mark in live.items() if key not in self._live}
        if self._live or self._tears or self._lost:
            for splice in splices:
                self._apply(splice)
        self._live |= untouched
        self._tears += apart

    def _bound(self) -> None:
        """Give up the largest tears while too much text is kept: their marks stay changed."""
        sizes = {tear: tear.size for tear in self._tears}
        while self._tears and sum(sizes.values()) > _MAX_KEPT_CHARS:
            tear = max(sizes, key=sizes.__getitem__)
            del sizes[tear]
            self._tears.remove(tear)
            for mark in tear.marks():
                mark.holder, mark.is_lost = None, True
                mark.start, mark.stop = tear.start, tear.stop
                self._lost[mark.key] = mark


def _place(mark: Mark) -> Place:
    if mark.holder is None:
        return Place(mark.start, mark.stop, mark.is_lost)
    top = mark.holder
    while top.holder is not None:
        top = top.holder
    return Place(top.start, top.stop, is_changed=True)
