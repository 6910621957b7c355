"""Recognise a finding when it is reported again: after a new audit, after edits, after a restart. Pure."""

import hashlib
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_tools.finding import Finding, normalise
from mcp_tools.project import Source

_CONTEXT_LINES = 2  # on either side, blank ones not counted
_MAX_CONTEXT_REACH = 12  # lines looked at for them
_MAX_TEXT_LINES = 50
_ALIKE = 0.6  # share of common words from which on two messages say the same
_NEAR_LINES = 3
_MAX_PAIRED_FREELY = 10_000  # possible pairs of one key that are all weighed; above it they pair in order
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Known:
    """What a finding is recognised by. The hashes are of text without white space; `line` is 0-based, -1 for a file."""

    fingerprint: str
    rule: str
    message: str
    is_model: bool
    text: str  # of the region
    lines: str  # of the lines that the region lies on
    shape: str  # of these lines with every word made the same, so that a renaming does not show
    before: str  # of the lines above, empty when there are none
    after: str  # of the lines below
    line: int


def known(finding: Finding, source: Source) -> Known:
    """What to recognise a finding by, in the text that it was made on."""
    region = finding.location.region
    is_model = finding.origin.model is not None
    if region is None:
        whole = _digest("")
        stamp = finding.fingerprint, finding.rule.id, finding.message
        return Known(*stamp, is_model, whole, whole, whole, whole, whole, -1)
    last_line = source.line_count - 1
    first = min(region.start_line, last_line)
    last = min(region.end_line, first + _MAX_TEXT_LINES, last_line)
    if region.end_column == 0 and last == region.end_line > first:
        last -= 1  # a region of whole lines ends before the next one
    lines = "\n".join(source.line(number) for number in range(first, last + 1))
    return Known(
        finding.fingerprint or source.fingerprint(finding.rule.id, region),
        finding.rule.id,
        finding.message,
        is_model,
        _digest(source.slice(region)),
        _digest(lines),
        _digest(_TOKEN.sub("w", lines)),
        _context(source, range(first - 1, -1, -1)),
        _context(source, range(last + 1, source.line_count)),
        first,
    )


def _context(source: Source, numbers: range) -> str:
    """The hash of the nearest lines that are not blank; empty when there are none."""
    lines: list[str] = []
    for number in numbers[:_MAX_CONTEXT_REACH]:
        if len(lines) == _CONTEXT_LINES:
            break
        if line := normalise(source.line(number)):
            lines.append(line)
    return _digest("\n".join(lines)) if lines else ""


def _digest(text: str) -> str:
    folded = "\n".join(map(normalise, text.split("\n")))
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def similarity(one: str, other: str) -> float:
    """How alike two messages are, 0..1: common words over all words of the two (Dice)."""
    if one == other:
        return 1.0
    ours, theirs = _words(one), _words(other)
    if not ours or not theirs:
        return 0.0
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


@lru_cache(maxsize=4096)
def _words(message: str) -> frozenset[str]:
    return frozenset(_WORD.findall(message.lower()))


@dataclass(frozen=True, slots=True)
class _Criterion:
    """Findings pair whose keys are equal and not None, that say nearly the same and lie near, the nearest first."""

    key: Callable[[Known], Hashable]
    alike: float = 0.0
    within: int | None = None  # lines from where the findings paired so far let it be expected


def _at_home(known: Known) -> Hashable:
    return known.is_model, known.fingerprint, known.before, known.after


def _moved(known: Known) -> Hashable:
    return known.is_model, known.rule, known.text, known.lines, known.before, known.after


def _below_the_same(known: Known) -> Hashable:
    return known.is_model, known.rule, known.text, known.lines, known.before


def _above_the_same(known: Known) -> Hashable:
    return known.is_model, known.rule, known.text, known.lines, known.after


def _same_lines_and_text(known: Known) -> Hashable:
    return known.is_model, known.rule, known.text, known.lines


def _same_fingerprint(known: Known) -> Hashable:
    return known.is_model, known.fingerprint


def _same_text(known: Known) -> Hashable:
    return known.is_model, known.rule, known.text


def _same_lines(known: Known) -> Hashable:
    return known.is_model, known.rule, known.lines


def _same_shape(known: Known) -> Hashable:
    return known.is_model, known.rule, known.shape


def _between_the_same(known: Known) -> Hashable:
    return known.is_model, known.rule, known.before, known.after


def _after_the_same(known: Known) -> Hashable:
    return (known.is_model, known.rule, known.before) if known.before else None


def _before_the_same(known: Known) -> Hashable:
    return (known.is_model, known.rule, known.after) if known.after else None


def _same_rule(known: Known) -> Hashable:
    return known.is_model, known.rule


def _same_place(known: Known) -> Hashable:
    return known.is_model, known.text, known.lines


_CRITERIA = (
    _Criterion(_at_home),
    _Criterion(_moved),
    _Criterion(_below_the_same),
    _Criterion(_above_the_same),
    _Criterion(_same_lines_and_text),
    _Criterion(_same_fingerprint),
    _Criterion(_same_text),
    _Criterion(_same_lines),
    _Criterion(_between_the_same, alike=_ALIKE),
    _Criterion(_after_the_same, alike=_ALIKE),
    _Criterion(_before_the_same, alike=_ALIKE),
    _Criterion(_same_shape, alike=_ALIKE),
    _Criterion(_same_rule, alike=_ALIKE, within=_NEAR_LINES),
    _Criterion(_same_place, alike=_ALIKE, within=1),  # under another rule
)


def match(old: Sequence[Known], new: Sequence[Known]) -> list[tuple[int, int]]:
    """Pair the findings that are the same ones.

    Each criterion pairs what the stronger ones before it left, those first that are the only ones of their key. Where
    several could pair, the line decides that is to be expected after what is paired already; then the words. A tool's
    finding and a model's never pair.

    Returns:
        pairs of an index in `old` and one in `new`, sorted; no index twice.
    """
    pairing = _Pairing(old, new)
    for criterion in _CRITERIA:
        if pairing.is_done:
            break
        groups = pairing.groups(criterion)
        for ours, theirs in groups:
            if len(ours) == len(theirs) == 1:
                pairing.pair(ours, theirs, criterion)
        pairing.learn()
        for ours, theirs in groups:
            if not len(ours) == len(theirs) == 1:
                pairing.pair(ours, theirs, criterion)
        pairing.learn()
    return sorted(pairing.pairs.items())


class _Pairing:
    """The pairs so far, and how far findings have drifted by them."""

    def __init__(self, old: Sequence[Known], new: Sequence[Known]) -> None:
        self._old, self._new = old, new
        self._old_left, self._new_left = set(range(len(old))), set(range(len(new)))
        self._drifts: list[tuple[int, int]] = []  # old line and by how much it moved
        self.pairs: dict[int, int] = {}

    @property
    def is_done(self) -> bool:
        """True when one side has no finding left."""
        return not self._old_left or not self._new_left

    def groups(self, criterion: _Criterion) -> list[tuple[list[int], list[int]]]:
        """The findings without a partner that share a key."""
        theirs: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in sorted(self._new_left):
            if (key := criterion.key(self._new[index])) is not None:
                theirs[key].append(index)
        ours: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in sorted(self._old_left):
            if (key := criterion.key(self._old[index])) in theirs:
                ours[key].append(index)
        return [(indices, theirs[key]) for key, indices in ours.items()]

    def pair(self, ours: Sequence[int], theirs: Sequence[int], criterion: _Criterion) -> None:
        """Pair what a group allows, the nearest first."""
        for one, other in self._nearest(ours, theirs, criterion.within):
            if one not in self._old_left or other not in self._new_left:
                continue
            if criterion.alike and similarity(self._old[one].message, self._new[other].message) < criterion.alike:
                continue
            self.pairs[one] = other
            self._old_left.discard(one)
            self._new_left.discard(other)

    def learn(self) -> None:
        """Take the pairs so far as the measure of where the others are to be expected."""
        moves = ((self._old[one].line, self._new[other].line) for one, other in self.pairs.items())
        self._drifts = sorted((line, moved - line) for line, moved in moves if line >= 0)

    def _nearest(self, ours: Sequence[int], theirs: Sequence[int], within: int | None) -> Iterator[tuple[int, int]]:
        """Pairs of a group in the order in which to try them."""
        if len(ours) * len(theirs) > _MAX_PAIRED_FREELY:
            yield from zip(sorted(ours, key=self._old_line), sorted(theirs, key=self._new_line), strict=False)
            return
        weighed: list[tuple[int, float, int, int]] = []
        for one in ours:
            expected = self._expected(self._old[one].line)
            for other in theirs:
                distance = abs(self._new[other].line - expected)
                if within is None or distance <= within:
                    alike = similarity(self._old[one].message, self._new[other].message)
                    weighed.append((distance, -alike, one, other))
        for _, _, one, other in sorted(weighed):
            yield one, other

    def _expected(self, line: int) -> int:
        """The new line of an old one, moved as far as the nearest finding with a partner was."""
        at = bisect_right(self._drifts, (line,))
        near = self._drifts[max(at - 1, 0) : at + 1]
        return line + min(((abs(known - line), drift) for known, drift in near), default=(0, 0))[1]

    def _old_line(self, index: int) -> int:
        return self._old[index].line

    def _new_line(self, index: int) -> int:
        return self._new[index].line
