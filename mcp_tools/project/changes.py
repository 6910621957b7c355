"""Which lines of a text differ from an earlier one. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_LINE_END = re.compile(r"\r\n|\n|\r")  # those of Source
_MAX_COMPARED = 4_000  # lines between what is equal at both ends; above it all of them count as changed


def changed_lines(old: str, new: str) -> list[tuple[int, int]]:
    """The lines of `new` that `old` does not have in this place: 0-based ranges, both ends included, in order.

    Where lines were only taken away, the lines on either side of the gap are named. Line ends and white space at the
    end of a line do not count.
    """
    before = [line.rstrip() for line in _LINE_END.split(old)]
    after = [line.rstrip() for line in _LINE_END.split(new)]
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    ranges: list[tuple[int, int]] = []
    for start, stop in _different(*middle):
        first, last = (start + head, stop + head - 1) if stop > start else (start + head - 1, start + head)
        low, high = max(first, 0), min(last, len(after) - 1)
        if low > high:
            continue
        if ranges and low <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(high, ranges[-1][1]))
        else:
            ranges.append((low, high))
    return ranges


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are equal from the start."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _different(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of `after` that differ; an empty one where lines are gone."""
    if not before and not after:
        return
    if not before or not after or len(before) + len(after) > _MAX_COMPARED:
        yield 0, len(after)
        return
    for tag, _, _, first, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield first, stop
