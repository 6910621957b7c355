"""The secrets of one text, kept up while it is edited: only the lines around a change are searched again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mcp_tools.redaction.access import leads_in
from mcp_tools.redaction.find import find_secrets, find_secrets_within, lower
from mcp_tools.redaction.secret import Secret

_REACH = 12  # lines before and after a change in which it can make or break a secret
_WIDER = 5  # times as many where that was not enough
_TRIES = 3
_MOST_CHARS = 16_000  # characters that a margin of lines may have; longer lines are cut
_CUT = 1_000  # characters above which an edit is reduced to what really differs
_MOST_EDITS = 500
_LONGEST_LEAD = 64  # characters beside a change in which it can make or break the cheap tests for whole texts


@dataclass(frozen=True, slots=True)
class Hunk:
    """A stretch of the old text and what took its place, in code points or in bytes. All around it stayed."""

    old_start: int
    old_stop: int
    start: int
    stop: int

    @property
    def shift(self) -> int:
        """How much longer the new stretch is."""
        return (self.stop - self.start) - (self.old_stop - self.old_start)


def hunks(old: str, new: str, edits: Sequence[tuple[int, int, int]]) -> list[Hunk]:
    """What differs between two texts, in order.

    Args:
        old: the text before.
        new: the text after.
        edits: the changes in between: start, stop and new stop, each in code points of the text that the one before
            it left. They are a hint: where they do not lead from one text to the other, one hunk says what differs.
    """
    if old == new:
        return []
    found: list[Hunk] = []
    for start, stop, new_stop in edits if len(edits) <= _MOST_EDITS else ():
        found = _with(found, start, stop, new_stop - stop)
    if not _leads(old, new, found):
        found = [Hunk(0, len(old), 0, len(new))]
    return [
        _trimmed(old, new, hunk) if hunk.stop - hunk.start + hunk.old_stop - hunk.old_start > _CUT else hunk
        for hunk in found
    ]


def _with(known: Sequence[Hunk], start: int, stop: int, growth: int) -> list[Hunk]:
    """Hunks with one more edit, joined to those that it touches."""
    before = [hunk for hunk in known if hunk.stop < start]
    after = [hunk for hunk in known if hunk.start > stop]
    touched = known[len(before) : len(known) - len(after)]
    shift = sum(hunk.shift for hunk in before)
    old_start, new_start = start - shift, start
    if touched and touched[0].start < start:
        old_start, new_start = touched[0].old_start, touched[0].start
    old_stop, new_stop = stop - shift - sum(hunk.shift for hunk in touched), stop
    if touched and touched[-1].stop > stop:
        old_stop, new_stop = touched[-1].old_stop, touched[-1].stop
    moved = (Hunk(hunk.old_start, hunk.old_stop, hunk.start + growth, hunk.stop + growth) for hunk in after)
    return [*before, Hunk(old_start, old_stop, new_start, new_stop + growth), *moved]


def _leads(old: str, new: str, found: Sequence[Hunk]) -> bool:
    """Say whether everything between the hunks is the same in both texts."""
    at = new_at = 0
    for hunk in (*found, Hunk(len(old), len(old), len(new), len(new))):
        if not (at <= hunk.old_start <= hunk.old_stop and new_at <= hunk.start <= hunk.stop):
            return False
        if old[at : hunk.old_start] != new[new_at : hunk.start]:
            return False
        at, new_at = hunk.old_stop, hunk.stop
    return bool(found)


def _trimmed(old: str, new: str, hunk: Hunk) -> Hunk:
    """A hunk without what its two sides begin and end with in common."""
    most = min(hunk.old_stop - hunk.old_start, hunk.stop - hunk.start)
    same, differing = 0, most + 1
    while differing - same > 1:
        middle = (same + differing) // 2
        is_same = old[hunk.old_start + same : hunk.old_start + middle] == new[hunk.start + same : hunk.start + middle]
        same, differing = (middle, differing) if is_same else (same, middle)
    start, most = same, most - same
    same, differing = 0, most + 1
    while differing - same > 1:
        middle = (same + differing) // 2
        is_same = old[hunk.old_stop - middle : hunk.old_stop - same] == new[hunk.stop - middle : hunk.stop - same]
        same, differing = (middle, differing) if is_same else (same, middle)
    return Hunk(hunk.old_start + start, hunk.old_stop - same, hunk.start + start, hunk.stop - same)


def line_start(text: str, at: int, lines: int) -> int:
    """Where the line begins that is so many lines above a place, or one less far above where lines are long."""
    least = max(at - _MOST_CHARS, 0)
    start, end = at, at
    for _ in range(lines + 1):
        end = text.rfind("\n", least, end)
        if end < 0:
            return start if least and start < at else least
        start = end + 1
    return start


def line_stop(text: str, at: int, lines: int) -> int:
    """Where the line ends, its line end included, that is so many lines below a place, or one less far below."""
    most = min(at + _MOST_CHARS, len(text))
    stop = at
    for _ in range(lines + 1):
        end = text.find("\n", stop, most)
        if end < 0:
            return stop if most < len(text) and stop > at else most
        stop = end + 1
    return stop


@dataclass(slots=True)
class LiveSecrets:
    """The secrets of a text: `found` is what `find_secrets` gives, but where text far away has a say."""

    text: str
    path: str
    found: list[Secret] = field(init=False)
    _leads: frozenset[str] | None = field(init=False)

    def __post_init__(self) -> None:
        """Search the whole text."""
        self._whole()

    def _whole(self) -> None:
        self.found = find_secrets(self.text, self.path)
        self._leads = None  # worked out when it is needed: many texts are never edited

    def update(self, text: str, changed: Sequence[Hunk]) -> list[Hunk]:
        """Take a changed text in; give the stretches that were searched again. They hold all hunks."""
        old, self.text = self.text, text
        leads = self._leads = self._followed_leads(old, changed)
        reach = _REACH
        for _ in range(_TRIES):
            stretches = list(self._stretches(changed, reach))
            if sum(hunk.stop - hunk.start for hunk in stretches) * 2 > len(text):
                break
            searched = [self._searched(stretch, reach, leads) for stretch in stretches]
            sure = [each for each in searched if each is not None]
            if len(sure) == len(stretches):
                self.found = _spliced(self.found, stretches, sure)
                return stretches
            reach *= _WIDER
        self._whole()
        return [Hunk(0, len(old), 0, len(text))]

    def _followed_leads(self, old: str, changed: Sequence[Hunk]) -> frozenset[str]:
        """The leads that stand somewhere in the text: one far away opens the search for what stands here."""
        if self._leads is None:
            return leads_in(lower(self.text))
        leads = self._leads
        gone: set[str] = set()
        for hunk in changed:
            held = lower(old[max(hunk.old_start - _LONGEST_LEAD, 0) : hunk.old_stop + _LONGEST_LEAD])
            holds = lower(self.text[max(hunk.start - _LONGEST_LEAD, 0) : hunk.stop + _LONGEST_LEAD])
            has, had = leads_in(holds), leads_in(held)
            leads |= has
            gone |= had - has
        if gone:
            lowered = lower(self.text)
            leads -= {lead for lead in gone if lead not in lowered}
        return leads

    def _stretches(self, changed: Sequence[Hunk], reach: int) -> Iterator[Hunk]:
        """The lines around each hunk in which secrets can have come or gone; what overlaps is joined."""
        joined: list[tuple[int, int, int, int]] = []  # start, stop, and the shifts before and after
        shift = 0
        for hunk in changed:
            start = line_start(self.text, hunk.start, reach)
            stop = line_stop(self.text, hunk.stop, reach)
            after = shift + hunk.shift
            while joined and start <= joined[-1][1]:
                last_start, last_stop, shift, _ = joined.pop()
                start, stop = min(start, last_start), max(stop, last_stop)
            joined.append((start, stop, shift, after))
            shift = after
        for start, stop, before, after in joined:
            yield Hunk(start - before, stop - after, start, stop)

    def _searched(self, stretch: Hunk, reach: int, leads: frozenset[str]) -> list[Secret] | None:
        """What a stretch holds; None where a secret crosses its ends, or the lines beside it read otherwise now.

        The lines around the stretch are read with it. Those near it must say what they said before.
        """
        start, stop = line_start(self.text, stretch.start, reach), line_stop(self.text, stretch.stop, reach)
        first = line_start(self.text, stretch.start, reach // 2) if start else 0
        last = line_stop(self.text, stretch.stop, reach // 2) if stop < len(self.text) else stop
        found = find_secrets_within(self.text, self.path, start, stop, leads)
        inside = [each for each in found if each.start < stretch.stop and each.stop > stretch.start]
        ends = stretch.old_start, stretch.old_stop
        if any(each.start < stretch.start or each.stop > stretch.stop for each in inside) or any(
            each.start < end < each.stop for each in self.found for end in ends
        ):
            return None
        shift, after = stretch.start - stretch.old_start, stretch.stop - stretch.old_stop
        known = [(each.start + shift, each.stop + shift) for each in self.found if each.start < stretch.old_start]
        known += [(each.start + after, each.stop + after) for each in self.found if each.stop > stretch.old_stop]
        seen = {(each.start, each.stop) for each in found if each.stop <= stretch.start or each.start >= stretch.stop}
        if {each for each in known if first <= each[0] and each[1] <= last} != {
            each for each in seen if first <= each[0] and each[1] <= last
        }:
            return None
        return inside


def _spliced(known: Sequence[Secret], stretches: Sequence[Hunk], found: Sequence[Sequence[Secret]]) -> list[Secret]:
    """Known secrets with those of some stretches replaced, and the others moved to where they stand now."""
    joined: list[Secret] = []
    at = shift = 0
    for stretch, inside in zip(stretches, found, strict=True):
        while at < len(known) and known[at].start < stretch.old_start:
            joined.append(known[at].shifted(shift))
            at += 1
        joined += inside
        while at < len(known) and known[at].start < stretch.old_stop:
            at += 1
        shift = stretch.stop - stretch.old_stop
    return [*joined, *(each.shifted(shift) for each in known[at:])]
