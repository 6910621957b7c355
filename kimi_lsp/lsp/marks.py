"""Places that follow their text through every edit, are withdrawn when it changes and come back with it. Pure state."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from kimi_lsp.lsp.splice import Splice, common_ends, splices_between

_MAX_KEPT_CHARS = 8_000_000  # of replaced text and what stands in its place; above it the largest is given up
_MAX_COMPARED_CHARS = 4_000  # a tear that is compared by lines at every edit; a longer one at a paste only
_MANY = 8  # splices from which on it pays to sort out first which marks they touch
_LINE_END = re.compile(r"\r\n|\n|\r")


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


def follow(start: int, stop: int, splices: Iterable[Splice]) -> tuple[int, int] | None:
    """Where a place of the text before the splices is after them; None when one of them touches it.

    An edit at either end does not touch: at the start the place moves right, at the end it does not grow.
    """
    for splice in splices:
        if splice.stop <= start:
            start, stop = start + splice.growth, stop + splice.growth
        elif splice.start < stop:
            return None
    return start, stop


@dataclass(slots=True, eq=False)
class _Mark:
    """A mark. Its place is meaningless while a tear holds it."""

    key: Hashable
    text: str
    start: int
    stop: int
    holder: "_Tear | None" = None
    is_lost: bool = False  # changed for good; the place is its hull

    def put(self, start: int) -> None:
        self.start, self.stop = start, start + len(self.text)

    def stretch(self, splice: Splice) -> None:
        """Let the hull of a lost mark follow an edit: it covers all that touches it."""
        if self.start >= splice.stop:
            self.start, self.stop = self.start + splice.growth, self.stop + splice.growth
        elif self.stop > splice.start:
            self.start = min(self.start, splice.start)
            self.stop = max(self.stop, splice.stop) + splice.growth

    @property
    def length(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True)
class _Hunk:
    """A part of a tear of which nothing is left: `old` characters at `at` in `before`, `new` at `start` in `now`."""

    at: int
    old: int
    start: int
    new: int

    @property
    def stop(self) -> int:
        return self.start + self.new

    @property
    def growth(self) -> int:
        return self.new - self.old

    def moved(self, at: int, start: int) -> "_Hunk":
        return _Hunk(self.at + at, self.old, self.start + start, self.new)


@dataclass(slots=True, eq=False)
class _Tear:
    """A span of text that was edited, what it was before, and the marks that lay in it then.

    Outside its hunks every character is still the one it was. A mark that a larger edit swallows together with its
    tear is held twice over, so that undoing leads back in steps.
    """

    start: int
    before: str
    now: str
    hunks: list[_Hunk]
    held: list[tuple[int, "_Mark | _Tear"]] = field(default_factory=list[tuple[int, "_Mark | _Tear"]])
    holder: "_Tear | None" = None

    def put(self, start: int) -> None:
        self.start = start

    @property
    def length(self) -> int:
        return len(self.now)

    @property
    def stop(self) -> int:
        return self.start + len(self.now)

    def hold(self, items: Iterable["_Mark | _Tear"]) -> None:
        for item in items:
            item.holder = self
            self.held.append((item.start - self.start, item))

    def is_touched(self, splice: Splice) -> bool:
        """Say whether a splice falls in; text that is added right beside it only does where it was torn open."""
        if not splice.old and splice.start in (self.start, self.stop):
            is_first = splice.start == self.start and self.hunks[0].start == 0
            return is_first or (splice.start == self.stop and self.hunks[-1].stop == len(self.now))
        return splice.start < self.stop and splice.stop > self.start

    def is_swallowed(self, splice: Splice) -> bool:
        """Say whether a splice that touches it covers it and more."""
        return splice.start <= self.start and self.stop <= splice.stop and self.length < len(splice.old)

    def edit(self, splice: Splice) -> None:
        """Take in a splice that touches it; what lies outside becomes part of it first."""
        left, right = max(self.start - splice.start, 0), max(splice.stop - self.stop, 0)
        if left or right:
            head, tail = splice.old[:left], splice.old[len(splice.old) - right :]
            self.before, self.now = head + self.before + tail, head + self.now + tail
            self.hunks = [hunk.moved(left, left) for hunk in self.hunks]
            self._move(-left)
        start = splice.start - self.start
        stop = start + len(splice.old)
        self.now = "".join((self.now[:start], splice.text, self.now[stop:]))
        self._cut(start, stop, splice.growth)

    def _cut(self, start: int, stop: int, growth: int) -> None:
        """Make one hunk of an edit and of those that it meets."""
        low = [hunk for hunk in self.hunks if hunk.stop < start]
        high = [hunk for hunk in self.hunks if hunk.start > stop]
        met = self.hunks[len(low) : len(self.hunks) - len(high)]
        first, last = min([start, *(hunk.start for hunk in met)]), max([stop, *(hunk.stop for hunk in met)])
        at = first - sum(hunk.growth for hunk in low)
        one = _Hunk(at, last - first - sum(hunk.growth for hunk in met), first, last - first + growth)
        self.hunks = [*low, one, *(hunk.moved(0, growth) for hunk in high)]

    def release(self, *, with_lines: bool) -> Iterator["_Mark | _Tear"]:
        """Let go of all whose text and surroundings stand again as they were, each put in its place."""
        splices = self._heal(with_lines=with_lines)
        kept: list[tuple[int, _Mark | _Tear]] = []
        for offset, item in self.held:
            place = follow(offset, offset + item.length, splices)
            if place and (not splices or (item.length and self._is_back(offset, offset + item.length, splices))):
                item.holder = None
                item.put(self.start + place[0])
                yield item
            else:
                kept.append((offset, item))
        self.held = kept

    def _heal(self, *, with_lines: bool) -> list[Splice]:
        """Drop the hunks that are as before, and say what the others differ in, the last place first."""
        torn: list[_Hunk] = []
        splices: list[Splice] = []
        for hunk in self.hunks:
            before, now = self.before[hunk.at : hunk.at + hunk.old], self.now[hunk.start : hunk.stop]
            if before == now:
                continue
            torn.append(hunk)
            if with_lines:
                splices.extend(splice.moved(hunk.at) for splice in reversed(splices_between(before, now)))
            else:
                head, tail = common_ends(before, now)
                splices.append(Splice(hunk.at + head, before[head : len(before) - tail], now[head : len(now) - tail]))
        self.hunks = torn
        return splices[::-1]

    def _is_back(self, start: int, stop: int, splices: Sequence[Splice]) -> bool:
        """Say whether the whole lines of a part of `before` stand in `now` again, as far as the tear has them."""
        first = max(self.before.rfind("\n", 0, start), self.before.rfind("\r", 0, start)) + 1
        line_end = _LINE_END.search(self.before, stop)
        last = line_end.end() if line_end else len(self.before)
        place = follow(first, last, splices)
        if place is None:
            return False
        is_start = first > 0 or place[0] == 0 or self.now[place[0] - 1] in "\r\n"
        return is_start and (line_end is not None or place[1] == len(self.now) or self.now[place[1]] in "\r\n")

    def tighten(self) -> None:
        """Shrink to what is torn, as far as it still covers all that it holds."""
        last = self.hunks[-1]
        head = min(self.hunks[0].at, *(offset for offset, _ in self.held))
        tail = len(self.before) - max(last.at + last.old, *(offset + item.length for offset, item in self.held))
        if head or tail:
            self.before = self.before[head : len(self.before) - tail]
            self.now = self.now[head : len(self.now) - tail]
            self.hunks = [hunk.moved(-head, -head) for hunk in self.hunks]
            self._move(head)

    def _move(self, by: int) -> None:
        """Let it start elsewhere; what it holds stays."""
        self.start += by
        if by:
            self.held = [(offset - by, item) for offset, item in self.held]

    def marks(self) -> Iterator[_Mark]:
        """All marks that it holds, however deep."""
        for _, item in self.held:
            if isinstance(item, _Mark):
                yield item
            else:
                yield from item.marks()

    @property
    def size(self) -> int:
        """How many characters it keeps."""
        inner = sum(item.size for _, item in self.held if isinstance(item, _Tear))
        return len(self.before) + len(self.now) + inner


class Marks:
    """All marks of one document, by key.

    An edit before a mark moves it; one after it does nothing; at its start it moves right, at its end it does not grow.
    An edit inside makes it changed. It is back as soon as its own text stands again where it stood: undone, redone,
    retyped, or put back with more around it. Where that is in doubt it stays changed.
    """

    def __init__(self) -> None:
        self._marks: dict[Hashable, _Mark] = {}
        self._live: dict[Hashable, _Mark] = {}
        self._tears: list[_Tear] = []
        self._lost: dict[Hashable, _Mark] = {}

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
        mark = _Mark(key, text, start, stop)
        self._marks[key] = self._live[key] = mark

    def discard(self, key: Hashable) -> None:
        """Remove a mark if there is one of that key."""
        mark = self._marks.pop(key, None)
        if mark is None:
            return
        self._live.pop(key, None)
        self._lost.pop(key, None)
        item: _Mark | _Tear = mark
        while (holder := item.holder) is not None:
            holder.held = [(offset, other) for offset, other in holder.held if other is not item]
            if holder.held:
                return
            item = holder
        if isinstance(item, _Tear):
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
        edited: list[_Tear] = []
        swallowed: list[_Mark | _Tear] = []
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
            hunk = _Hunk(0, len(splice.old), 0, len(splice.text))
            grave = _Tear(splice.start, splice.old, splice.text, [hunk])
            grave.hold(swallowed)
            self._tears.append(grave)
            edited.append(grave)
        for tear in edited:
            self._heal(tear, splice)
        if edited:
            self._bound()

    def _touched_tears(self, splice: Splice) -> list[_Tear]:
        """The tears that a splice touches; the others are moved out of its way."""
        touched: list[_Tear] = []
        for tear in self._tears:
            if tear.is_touched(splice):
                touched.append(tear)
            elif tear.start >= splice.stop:
                tear.start += splice.growth
        return touched

    def _touched_marks(self, splice: Splice) -> list[_Mark]:
        """The live marks that a splice touches; the others are moved out of its way."""
        start, stop, growth = splice.start, splice.stop, splice.growth
        touched: list[_Mark] = []
        for mark in self._live.values():
            if mark.start >= stop:
                mark.start += growth
                mark.stop += growth
            elif mark.stop > start:
                touched.append(mark)
        return touched

    def _torn(self, mark: _Mark, splice: Splice) -> _Tear:
        """The tear of a mark that a splice touches and does not cover."""
        left, right = mark.text[: max(splice.start - mark.start, 0)], ""
        if splice.stop < mark.stop:
            right = mark.text[splice.stop - mark.start :]
        first = min(mark.start, splice.start)
        before, now = left + splice.old + right, left + splice.text + right
        hunk = _Hunk(len(left), len(splice.old), len(left), len(splice.text))
        tear = _Tear(first, before, now, [hunk])
        tear.hold([mark])
        self._tears.append(tear)
        return tear

    def _heal(self, tear: _Tear, splice: Splice) -> None:
        is_short = len(tear.before) + len(tear.now) <= _MAX_COMPARED_CHARS
        for item in tear.release(with_lines=is_short or "\n" in splice.text or "\r" in splice.text):
            if isinstance(item, _Mark):
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


def _place(mark: _Mark) -> Place:
    if mark.holder is None:
        return Place(mark.start, mark.stop, mark.is_lost)
    top = mark.holder
    while top.holder is not None:
        top = top.holder
    return Place(top.start, top.stop, is_changed=True)
