"""A mark, and the torn span of text that holds the marks whose text was edited. Pure state."""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kimi_lsp.lsp.splice import Splice, common_ends, follow, splices_between

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True, eq=False)
class Mark:
    """A mark. Its place is meaningless while a tear holds it."""

    key: Hashable
    text: str
    start: int
    stop: int
    holder: "Tear | None" = None
    is_lost: bool = False  # changed for good; the place is its hull

    def put(self, start: int) -> None:
        """Let it be live at an offset."""
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
        """How many characters it covers while it is live."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class Hunk:
    """A part of a tear of which nothing is left: `old` characters at `at` in `before`, `new` at `start` in `now`."""

    at: int
    old: int
    start: int
    new: int

    @property
    def stop(self) -> int:
        """The offset in `now` just past it."""
        return self.start + self.new

    @property
    def growth(self) -> int:
        """By how much longer `now` is for it."""
        return self.new - self.old

    def moved(self, at: int, start: int) -> "Hunk":
        """The same hunk, so many characters further on in `before` and in `now`."""
        return Hunk(self.at + at, self.old, self.start + start, self.new)


@dataclass(slots=True, eq=False)
class Tear:
    """A span of text that was edited, what it was before, and the marks that lay in it then.

    Outside its hunks every character is still the one it was. A mark that a larger edit swallows together with its
    tear is held twice over, so that undoing leads back in steps.
    """

    start: int
    before: str
    now: str
    hunks: list[Hunk]
    held: list[tuple[int, "Mark | Tear"]] = field(default_factory=list[tuple[int, "Mark | Tear"]])
    holder: "Tear | None" = None

    def put(self, start: int) -> None:
        """Let it stand at an offset."""
        self.start = start

    @property
    def length(self) -> int:
        """How many characters stand in its place."""
        return len(self.now)

    @property
    def stop(self) -> int:
        """The offset just past it."""
        return self.start + len(self.now)

    def hold(self, items: Iterable["Mark | Tear"]) -> None:
        """Take in what lay in it before it was torn."""
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
        one = Hunk(at, last - first - sum(hunk.growth for hunk in met), first, last - first + growth)
        self.hunks = [*low, one, *(hunk.moved(0, growth) for hunk in high)]

    def release(self, *, with_lines: bool) -> Iterator["Mark | Tear"]:
        """Let go of all whose text and surroundings stand again as they were, each put in its place."""
        splices = self._heal(with_lines=with_lines)
        kept: list[tuple[int, Mark | Tear]] = []
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
        torn: list[Hunk] = []
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

    def marks(self) -> Iterator[Mark]:
        """All marks that it holds, however deep."""
        for _, item in self.held:
            if isinstance(item, Mark):
                yield item
            else:
                yield from item.marks()

    @property
    def size(self) -> int:
        """How many characters it keeps."""
        inner = sum(item.size for _, item in self.held if isinstance(item, Tear))
        return len(self.before) + len(self.now) + inner
