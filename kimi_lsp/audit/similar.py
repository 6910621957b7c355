"""Places that nearly say what a quote says: seeds of verbatim characters, then a comparison of what is round them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from kimi_lsp.audit.quote import is_telling, squeeze, words
from kimi_lsp.audit.squeezed import Place, Squeezed

_MIN_CHARS, MAX_CHARS = 10, 4_000
_MAX_SEEDS = 32
_MAX_HITS = 40
_MAX_CLUSTERS = 6
_MAX_SHIFT = 6  # characters by which seeds of one place may disagree on where the quote begins
_MIN_SIMILARITY = 0.8
_MIN_NEAR_SIMILARITY = 0.7  # where the model's line hint agrees
_MIN_COVERAGE = 0.97  # of a quote that leaves out what stands between its words, such as a comment
_MIN_COVERED_CHARS = 20
_MAX_STRANGE = 0.2  # share of a quote's words, by length, that the place does not have
_MAX_SPAN = 80  # how much longer than twice the quote a place may be


def similar(text: Squeezed, quote: str, hints: Sequence[int]) -> list[Place]:
    """Places whose text is much like a cleaned quote. Their fit falls steeply with every difference.

    Each seed of the quote that stands in the text votes for where the quote would begin; the best voted places are
    compared by the longest common subsequence of characters, and by which words they lack.
    """
    piece = squeeze(quote).lower()
    if not _MIN_CHARS <= len(piece) <= MAX_CHARS:
        return []
    wanted = Counter(words(quote))
    masks = _masks(piece)
    found: list[Place] = []
    for start, stop in _spans(text, piece, hints):
        best = _best(text, masks, len(piece), start, stop)
        if best is None:
            continue
        alike, begin, end = best
        place = text.place(begin, end, alike**8)
        is_near = place.distance(hints) <= 2
        is_alike = alike >= (_MIN_NEAR_SIMILARITY if is_near else _MIN_SIMILARITY)
        if is_alike and _strange(wanted, Counter(words(_lines(text, place)))) <= _MAX_STRANGE:
            found.append(place)
    return _apart(found)


def _apart(places: list[Place]) -> list[Place]:
    """The best of the places that share a line, the best of all first."""
    kept: list[Place] = []
    for place in sorted(places, key=lambda place: (-place.fit, place.last - place.first, place.start)):
        if all(place.last < other.first or other.last < place.first for other in kept):
            kept.append(place)
    return kept


def _lines(text: Squeezed, place: Place) -> str:
    return "\n".join(text.source.line(number) for number in range(place.first, place.last + 1))


def _spans(text: Squeezed, piece: str, hints: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Spans of the squeezed text that may be the quote: the best voted ones, and the ones the hints name."""
    clusters = _clusters(text, piece, 8 if len(piece) >= 48 else 6 if len(piece) >= 24 else 5)
    clusters = clusters or _clusters(text, piece, min(24, len(piece)))
    best = sorted(clusters, reverse=True)[:_MAX_CLUSTERS]
    spans = [(start, stop) for _, start, stop in best]
    spans += [(a[1], b[2]) for a, b in pairwise(sorted(best, key=_begin)) if b[2] - a[1] < 2 * len(piece) + _MAX_SPAN]
    spans += [(text.starts[line], text.starts[line] + len(piece)) for line in hints]
    for start, stop in spans:
        begin, end = max(start, 0), min(stop, len(text.joined))
        if begin < end <= begin + 2 * len(piece) + _MAX_SPAN:
            yield begin, end


def _best(text: Squeezed, masks: dict[str, int], length: int, start: int, stop: int) -> tuple[float, int, int] | None:
    """How alike a span and the quote are, with its ends moved to line ends nearby where that makes it more so."""
    slack = max(5, length // 6)
    first, last = text.line_of(start), text.line_of(stop - 1)
    starts, count = text.starts, len(text.lines)
    begins = {starts[line] for line in range(first, min(first + 3, count)) if abs(starts[line] - start) <= slack}
    ends = {starts[line] for line in range(last, min(last + 3, count) + 1) if abs(starts[line] - stop) <= slack}
    best: tuple[float, float, int, int] | None = None
    for begin in begins or {start}:
        limits = sorted(end for end in ends or {stop} if end > begin)
        common = common_length(masks, length, [text.lower[a:b] for a, b in pairwise([begin, *limits])])
        for end, same in zip(limits, common, strict=True):
            alike = 2 * same / (length + end - begin)
            if length >= _MIN_COVERED_CHARS and same >= _MIN_COVERAGE * length:
                alike = max(alike, _MIN_SIMILARITY + alike / 10)
            rank = alike + same / length / 5  # of two spans nearly as alike, the one that holds more of the quote
            if best is None or (rank, begin, -end) > (best[0], best[2], -best[3]):
                best = rank, alike, begin, end
    return best and best[1:]


def _clusters(text: Squeezed, piece: str, size: int) -> list[tuple[float, int, int]]:
    """Groups of seeds that agree on where the quote begins: their votes, and the span they stand for."""
    last = len(piece) - size
    step = max(size // 2, last // _MAX_SEEDS + 1)
    hits: list[tuple[int, int, float]] = []
    for offset in {*range(0, last, step), last}:
        seed = piece[offset : offset + size]
        count = text.lower.count(seed)
        if not 0 < count <= _MAX_HITS:
            continue
        at = text.lower.find(seed)
        while at >= 0:
            hits.append((at - offset, offset, 1 / count))
            at = text.lower.find(seed, at + len(seed))
    clusters: list[tuple[float, int, int]] = []
    group: list[tuple[int, int, float]] = []
    for hit in sorted(hits):
        if group and hit[0] - group[0][0] > _MAX_SHIFT:
            clusters.append(_span(group, len(piece)))
            group = []
        group.append(hit)
    return [*clusters, _span(group, len(piece))] if group else clusters


def _span(group: Sequence[tuple[int, int, float]], length: int) -> tuple[float, int, int]:
    return sum(hit[2] for hit in group), min(group, key=_offset)[0], max(group, key=_offset)[0] + length


def _offset(hit: tuple[int, int, float]) -> int:
    return hit[1]


def _begin(cluster: tuple[float, int, int]) -> int:
    return cluster[1]


def _masks(piece: str) -> dict[str, int]:
    masks: dict[str, int] = {}
    for index, character in enumerate(piece):
        masks[character] = masks.get(character, 0) | 1 << index
    return masks


def common_length(masks: dict[str, int], length: int, parts: Sequence[str]) -> Iterator[int]:
    """The length of the longest common subsequence after each part of a text, bit-parallel (Hyyrö 2004)."""
    full = row = (1 << length) - 1
    for part in parts:
        for character in part:
            match = row & masks.get(character, 0)
            row = ((row + match) | (row - match)) & full
        yield length - row.bit_count()


def _strange(wanted: Counter[str], held: Counter[str]) -> float:
    """The share of a quote's words, by length, that a place lacks. Of a misspelt word only the wrong part counts."""
    total = sum(_weight(word, len(word)) * count for word, count in wanted.items())
    lacking = (wanted - held).items()
    if not total or not lacking:
        return 0.0
    spare = held - wanted
    strange = sum(
        _weight(word, min((_wrong(word, other) for other in spare), default=2 * len(word))) * count
        for word, count in lacking
    )
    return strange / total


def _weight(word: str, length: int) -> float:
    return length if is_telling(word) else length / 4


def _wrong(word: str, other: str) -> int:
    """How many characters of a word are misspelt, next to the other one; twice its length for another word."""
    if word.isdigit():
        return len(word)
    same = _shared(word, other)
    longer, rest = max(len(word), len(other)), min(len(word), len(other)) - same
    same += min(_shared(word[::-1], other[::-1]), rest)
    if same == len(word) >= 3:  # cut, or with a part left out
        return 1
    return longer - same if longer - same <= max(1, longer // 5) else 2 * len(word)


def _shared(word: str, other: str) -> int:
    """With how many of the same characters two words begin."""
    return next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
