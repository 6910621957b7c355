"""Find the real text that a model's quote points at. The quote decides; the line is a hint. Pure; never raises."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from kimi_lsp.audit.quote import first_number, is_telling, plain, readings, squeeze, words
from kimi_lsp.audit.similar import similar
from kimi_lsp.audit.squeezed import WHOLE, Place, Squeezed
from mcp_tools.finding import Region
from mcp_tools.project import Source

_MAX_ALTERNATIVES = 8
_MIN_CERTAINTY = 0.9
_MAX_OFF = 15  # lines by which a hint may miss and still vouch for a doubtful match


class Method(StrEnum):
    """How a quote was found."""

    EXACT = "exact"  # whole lines, and only here
    NEAREST = "nearest"  # whole lines that stand in several places; the hint chose
    CONTAINED = "contained"  # a part of a line, or pieces with something left out between them
    FUZZY = "fuzzy"  # nearly these words


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where a quote stands. `is_ambiguous`: it may as well be one of the alternatives (the likeliest come first).

    The region runs from the first quoted character to the last; it covers whole trimmed lines for a fuzzy match.
    """

    region: Region
    method: Method
    is_ambiguous: bool = False
    alternatives: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Unanchored:
    """A quote that points at nothing, and why, as a phrase for the trail."""

    reason: str


Anchor = Anchored | Unanchored


def anchor(
    source: Source, quote: str, line: int | None, *, within: Region | None = None, symbol: str | None = None
) -> Anchor:
    """Find a quote in a source; see `Anchorer.anchor`. The prepared form of the last few sources is kept."""
    return _anchorer(source).anchor(quote, line, within=within, symbol=symbol)


class Anchorer:
    """Finds quotes in one source. Prepares the text once, at the first quote."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text: Squeezed | None = None

    def anchor(
        self, quote: str, line: int | None = None, *, within: Region | None = None, symbol: str | None = None
    ) -> Anchor:
        """Find the text that a model quoted.

        Args:
            quote: what the model says stands there.
            line: the 1-based line it names, a hint. Out of range counts as none.
            within: the lines it was shown; text outside them is never an answer.
            symbol: the function or class it names; chooses between places that are otherwise alike.

        Returns:
            The place, or why there is none. Never raises, and the work is bounded for any text and any quote.
        """
        if not squeeze(quote):
            return Unanchored("the quote is empty")
        text = self._text = self._text or Squeezed(self._source)
        named = (line, first_number(quote))  # a number copied along with the quote is a second hint
        hints = tuple(number - 1 for number in named if number is not None and 0 < number <= len(text.lines))
        cleaned = plain(quote, line)
        search = _Search(text, hints, within, frozenset(filter(is_telling, words(cleaned))))
        places = search.verbatim(quote, line)
        if not places and search.names and not search.is_outside:
            places = search.shown(similar(text, cleaned, hints))
        if not places:
            return Unanchored(search.reason)
        found = _decide(text, places, hints, _blocks(self._source, symbol) if symbol and len(places) > 1 else [])
        if found.method is Method.FUZZY and found.is_ambiguous and all(p.distance(hints) > _MAX_OFF for p in places):
            return Unanchored("the quoted text is nearly that of several places, none of them near the line named")
        return found


@lru_cache(maxsize=16)
def _anchorer(source: Source) -> Anchorer:
    return Anchorer(source)


class _Search:
    """One quote's way through its readings."""

    def __init__(self, text: Squeezed, hints: Sequence[int], within: Region | None, names: frozenset[str]) -> None:
        self._text = text
        self._hints = hints
        self._within = within
        self.names = names
        self.is_outside = False
        self.is_weak = False

    @property
    def reason(self) -> str:
        """Why nothing was found."""
        if self.is_outside:
            return "the quoted text lies outside the lines that were shown"
        if self.is_weak or not self.names:
            return "the quote is too short or too general to point at one place"
        return "the quoted text is not in the file"

    def shown(self, places: Sequence[Place]) -> list[Place]:
        """The places that lie in the lines the model was shown."""
        if self._within is None:
            return list(places)
        within = self._within
        last = within.end_line - (within.end_column == 0 and within.end_line > within.start_line)
        inside = [place for place in places if within.start_line <= place.first and place.last <= last]
        self.is_outside |= len(inside) < len(places)
        return inside

    def verbatim(self, quote: str, line: int | None) -> list[Place]:
        """The places of the first reading that covers whole lines, else of the first that stands anywhere."""
        fallback: list[Place] = []
        for reading in readings(quote, line):
            found = self.shown(self._text.places(reading.pieces, reading.max_gap, self._hints))
            length = sum(map(len, reading.pieces))
            places = [place for place in found if self._is_enough(place, length, len(found))]
            self.is_weak |= bool(found)
            if any(place.fit >= WHOLE for place in places):
                return places
            fallback = fallback or places
        return fallback

    def _is_enough(self, place: Place, length: int, count: int) -> bool:
        """Say whether a quote of this many characters, found in so many places, says enough to point here."""
        distance = place.distance(self._hints)
        if not self.names:  # only keywords and signs: `except:` where the model says it is, nothing shorter
            is_here = length >= 7 and (distance == 0 or (length >= 10 and count == 1))
            return is_here if place.fit >= WHOLE else length >= 20 and count == 1
        if place.fit >= WHOLE:
            return length >= 3
        if place.fit < 0.3:  # cut within a word
            return length >= 12 or (length >= 8 and distance <= 3)
        is_name = len(self.names) == 1 and length <= max(map(len, self.names))
        return length >= 6 and (not is_name or length >= 12 or distance <= 1)


def _decide(
    text: Squeezed, places: Sequence[Place], hints: Sequence[int], blocks: Sequence[tuple[int, int]]
) -> Anchored:
    """Choose the likeliest place, and say whether it is likely enough."""
    weights: list[tuple[float, int, Place]] = []
    for place in places:
        weight = place.fit * (_nearness(place.distance(hints)) if hints else 1.0)
        if any(first <= place.first <= last for first, last in blocks):
            weight *= 20
        weights.append((-weight, place.start, place))
    weights.sort()
    total = -sum(weight for weight, _, _ in weights)
    _, _, best = weights[0]
    is_ambiguous = -weights[0][0] < _MIN_CERTAINTY * total
    others = tuple(text.region(place) for _, _, place in weights[1 : _MAX_ALTERNATIVES + 1])
    return Anchored(text.region(best), _method(best, len(places)), is_ambiguous, others)


def _method(place: Place, count: int) -> Method:
    if place.is_fuzzy:
        return Method.FUZZY
    if place.fit < WHOLE:
        return Method.CONTAINED
    return Method.EXACT if count == 1 else Method.NEAREST


def _nearness(distance: int) -> float:
    """How likely a model that means this place names a line so far off: often the very line, else one nearby."""
    return 1.0 if distance == 0 else 0.1 / (1 + (distance / 16) ** 3)


_DEFINES = (
    r"\b(?:class|const|def|enum|fn|func|function|impl|interface|let|mod|module|struct|trait|type|var)\b[^=(]{0,80}"
)
_MAX_BLOCKS = 20
_MAX_LINE = 500
_CLOSING = re.compile(r"[)\]}>{]|where\b|throws\b")


def _blocks(source: Source, symbol: str) -> list[tuple[int, int]]:
    """The line ranges of a symbol's definitions, told by their indentation."""
    names = re.findall(r"\w+", symbol)
    if not names:
        return []
    name = re.escape(names[-1])
    pattern = re.compile(
        rf"{_DEFINES}\b{name}\b|^[\w \t<>\[\],*&:.?]{{0,120}}\b{name}[ \t]*(?:<[^>]{{0,60}}>)?\([^;]*$"
    )
    rows = [line for _, line in source.lines()]
    starts = [n for n, row in enumerate(rows) if names[-1] in row and len(row) <= _MAX_LINE and pattern.search(row)]
    return [(start, _block_end(rows, start)) for start in starts[:_MAX_BLOCKS]]


def _block_end(rows: Sequence[str], start: int) -> int:
    indent = _indent(rows[start])
    for number in range(start + 1, len(rows)):
        row = rows[number]
        if row.strip() and _indent(row) <= indent and not _CLOSING.match(row.lstrip()):
            return number - 1
    return len(rows) - 1


def _indent(row: str) -> int:
    return len(row.expandtabs(4)) - len(row.expandtabs(4).lstrip())
