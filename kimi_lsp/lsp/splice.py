"""Edits as values, and the small edits that lead from one text to another. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mcp_tools.finding import normalise

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_SPACE = re.compile(r"\s*")
_CHUNK = 4096
_MAX_LINES = 60_000  # of both texts; above it the difference is one splice
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Splice:
    """One edit: `old`, which stands at the offset `start`, becomes `text`.

    Offsets count code points of the text before this splice: in a sequence, of the text that the earlier ones left.
    """

    start: int
    old: str
    text: str

    @property
    def stop(self) -> int:
        """The offset just past what is replaced."""
        return self.start + len(self.old)

    @property
    def growth(self) -> int:
        """By how much the text becomes longer."""
        return len(self.text) - len(self.old)

    @property
    def inverse(self) -> "Splice":
        """The splice that undoes this one."""
        return Splice(self.start, self.text, self.old)

    def moved(self, by: int) -> "Splice":
        """The same splice so many characters further on."""
        return Splice(self.start + by, self.old, self.text)


def apply(text: str, splices: Iterable[Splice]) -> str:
    """The text after the splices, one after the other."""
    for splice in splices:
        text = "".join((text[: splice.start], splice.text, text[splice.stop :]))
    return text


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


def splices_between(old: str, new: str) -> tuple[Splice, ...]:
    """Small splices that turn one text into another, the last place first.

    Their offsets hold in `old` as well as one after the other. Where equal text can be paired in more than one way,
    nothing is paired: all that may have changed is in a splice. Lines pair when they are the only ones of their kind
    on both sides, first as they are, then with white space dropped, so that what a formatter leaves alone is left
    alone. Time grows with the length of the texts, whatever they hold.
    """
    if old == new:
        return ()
    head, tail = common_ends(old, new)
    head = max(old.rfind("\n", 0, head), old.rfind("\r", 0, head)) + 1  # to whole lines
    tail -= len(_first_line(old[len(old) - tail :]))
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    found = _joined(small.moved(head) for piece in _pieces(ours, theirs) for small in _narrowed(piece))
    return tuple(reversed(found))


def _pieces(old: str, new: str) -> Iterator[Splice]:
    """What of two texts has to be looked at closer, the first place first."""
    old_lines, new_lines = _lines(old), _lines(new)
    is_small = len(old_lines) <= 1 and len(new_lines) <= 1
    if is_small or len(old_lines) + len(new_lines) > _MAX_LINES or normalise(old) == normalise(new):
        return iter([Splice(0, old, new)])
    return _Difference(old_lines, new_lines).pieces()


def common_ends(old: str, new: str) -> tuple[int, int]:
    """How many characters at the start and at the end two different texts share beyond doubt.

    The two never overlap. Where a repetition lets the difference lie in several places (`aa` became `a`), none of
    these places is counted as shared.
    """
    head, tail = _shared_head(old, new), _shared_tail(old, new)
    shorter = min(len(old), len(new))
    if head + tail <= shorter:
        return head, tail
    return shorter - tail, shorter - head


def _joined(splices: Iterable[Splice]) -> list[Splice]:
    """Splices in the order of one text's places, those that touch made one."""
    found: list[Splice] = []
    for splice in splices:
        if found and found[-1].stop == splice.start:
            last = found.pop()
            splice = Splice(last.start, last.old + splice.old, last.text + splice.text)  # noqa: PLW2901 - it grows
        found.append(splice)
    return [splice for splice in found if splice.old != splice.text]


def _first_line(text: str) -> str:
    match = _LINE.match(text)
    return match[0] if match else ""


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _shared_head(one: str, other: str) -> int:
    limit, at = min(len(one), len(other)), 0
    while at < limit and one[at : at + _CHUNK] == other[at : at + _CHUNK]:
        at += _CHUNK
    stop = min(at + _CHUNK, limit)
    at = min(at, limit)
    while at < stop:
        middle = (at + stop + 1) // 2
        if one[at:middle] == other[at:middle]:
            at = middle
        else:
            stop = middle - 1
    return at


def _shared_tail(one: str, other: str) -> int:
    limit, at = min(len(one), len(other)), 0
    while at < limit:
        step = min(_CHUNK, limit - at)
        if one[len(one) - at - step : len(one) - at] != other[len(other) - at - step : len(other) - at]:
            break
        at += step
    stop = min(at + _CHUNK, limit)
    while at < stop:
        middle = (at + stop + 1) // 2
        if one[len(one) - middle : len(one) - at] == other[len(other) - middle : len(other) - at]:
            at = middle
        else:
            stop = middle - 1
    return at


def _narrowed(splice: Splice) -> Iterator[Splice]:
    """A splice without what both sides share; where only white space differs, one for each place."""
    if splice.old == splice.text:
        return
    if normalise(splice.old) == normalise(splice.text):
        yield from _respaced(splice)
        return
    yield _trimmed(splice)


def _trimmed(splice: Splice) -> Splice:
    head, tail = common_ends(splice.old, splice.text)
    return Splice(
        splice.start + head,
        splice.old[head : len(splice.old) - tail],
        splice.text[head : len(splice.text) - tail],
    )


def _respaced(splice: Splice) -> Iterator[Splice]:
    """The places where the white space of two texts differs that are otherwise the same."""
    old, new = splice.old, splice.text
    i = j = 0
    while i < len(old) or j < len(new):
        same = _shared_words(old, i, new, j)
        i, j = i + same, j + same
        ours, theirs = _spaces(old, i), _spaces(new, j)
        if ours != theirs:
            yield _trimmed(Splice(splice.start + i, ours, theirs))
        i, j = i + len(ours), j + len(theirs)


def _shared_words(old: str, i: int, new: str, j: int) -> int:
    """How many characters are the same from two places on, white space at their end left out."""
    size = 32
    while True:
        ours, theirs = old[i : i + size], new[j : j + size]
        if ours != theirs or len(ours) < size:
            return len(ours[: _shared_head(ours, theirs)].rstrip())
        size *= 4


def _spaces(text: str, at: int) -> str:
    match = _SPACE.match(text, at)
    return match[0] if match else ""


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of lines on both sides that still has to be compared."""

    old_first: int
    old_stop: int
    new_first: int
    new_stop: int
    depth: int = 0


class _Difference:
    """Two lists of lines; what of them does not pair."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._old, self._new = old, new
        self._starts = [0, *accumulate(map(len, old))]

    def pieces(self) -> Iterator[Splice]:
        """Splices of whole lines, the first place first, with offsets in the joined old lines."""
        pending = [_Block(0, len(self._old), 0, len(self._new))]
        folded = [*map(normalise, self._old)], [*map(normalise, self._new)]
        while pending:
            block = self._without_ends(pending.pop())
            pairs: list[tuple[int, int]] = []
            if block.depth <= _MAX_DEPTH:
                pairs = _unique_pairs(self._old, self._new, block) or _unique_pairs(*folded, block)
            if pairs:
                pending.extend(reversed([*_between(pairs, block)]))
            else:
                yield self._splice(block)

    def _splice(self, block: _Block) -> Splice:
        old = "".join(self._old[block.old_first : block.old_stop])
        new = "".join(self._new[block.new_first : block.new_stop])
        return Splice(self._starts[block.old_first], old, new)

    def _without_ends(self, block: _Block) -> _Block:
        """The block without the equal lines at its ends, as far as there is one way to pair them."""
        old, new = self._old, self._new
        shorter = min(block.old_stop - block.old_first, block.new_stop - block.new_first)
        head = tail = 0
        while head < shorter and old[block.old_first + head] == new[block.new_first + head]:
            head += 1
        while tail < shorter and old[block.old_stop - 1 - tail] == new[block.new_stop - 1 - tail]:
            tail += 1
        if head + tail > shorter and block.old_stop - block.old_first != block.new_stop - block.new_first:
            head, tail = shorter - tail, shorter - head
        tail = min(tail, shorter - head)
        return _Block(
            block.old_first + head, block.old_stop - tail, block.new_first + head, block.new_stop - tail, block.depth
        )


def _between(pairs: Sequence[tuple[int, int]], block: _Block) -> Iterator[_Block]:
    """What lies between the paired lines of a block, and each pair itself, which need not be compared further."""
    old_at, new_at = block.old_first, block.new_first
    for i, j in pairs:
        yield _Block(old_at, i, new_at, j, block.depth + 1)
        yield _Block(i, i + 1, j, j + 1, _MAX_DEPTH + 1)
        old_at, new_at = i + 1, j + 1
    yield _Block(old_at, block.old_stop, new_at, block.new_stop, block.depth + 1)


def _unique_pairs(old: Sequence[str], new: Sequence[str], block: _Block) -> list[tuple[int, int]]:
    """Lines that stand once on either side of the block, as many as keep their order on both (Cohen's patience)."""
    if block.old_first == block.old_stop or block.new_first == block.new_stop:
        return []
    old_counts = Counter(old[block.old_first : block.old_stop])
    new_counts = Counter(new[block.new_first : block.new_stop])
    places = {new[j]: j for j in range(block.new_first, block.new_stop)}
    pairs = [
        (i, places[line])
        for i in range(block.old_first, block.old_stop)
        if (line := old[i]) and not line.isspace() and old_counts[line] == 1 and new_counts[line] == 1
    ]
    return _longest_rising(pairs)


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers rise, too."""
    tops: list[int] = []  # the least second number that ends a run of each length
    ends: list[int] = []  # the index of the pair that it belongs to
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tops, j)
        before.append(ends[at - 1] if at else -1)
        tops[at : at + 1] = [j]
        ends[at : at + 1] = [index]
    run: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]
