"""What a model's quote may mean: how text is squeezed for comparison, and the readings a quote has. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_PIECES = 200  # a quote of more lines, or with more gaps, is only looked for verbatim

_MARKS = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00b4\u00ab\u00bb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_FOLD = str.maketrans(
    {
        **dict.fromkeys(_MARKS + "\"'`", '"'),  # models swap quotation marks to spare themselves an escape
        **dict.fromkeys(_DASHES, "-"),
        "…": "...",
        **dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0x00AD], None),
    }
)
# JSON that was escaped once too often or too rarely: \n, \r and \t count as white space on both sides, a backslash
# before a quotation mark is dropped, and a run of backslashes is one.
_ESCAPE = re.compile(r"\\+(?:([nrt])|(?=([\"'`]))|)")


def _escape(match: re.Match[str]) -> str:
    return "\\" if match.lastindex is None else ""


def fold(text: str) -> str:
    """Fold what models change in passing (quotation marks, dashes, escapes, composed characters); keep white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFD", text)
    if "\\" in text:
        text = _ESCAPE.sub(_escape, text)
    return text.translate(_FOLD)


def squeeze(text: str) -> str:
    """Fold a text and drop its white space. Two texts that squeeze alike are the same quote."""
    return "".join(fold(text).split())


_UNIT = re.compile(r"(\\+(?:[nrt]|(?=[\"'`]))|\s+)|([!-\[\]-~]+)|(\\+)|.", re.DOTALL)


def column(line: str, index: int) -> int:
    """The column of a line's character that gave the character at `index` of its squeezed form."""
    seen = 0
    for unit in _UNIT.finditer(line):
        if unit.lastindex == 1:
            continue
        is_plain = unit.lastindex == 2
        width = len(unit[0]) if is_plain else 1 if unit.lastindex == 3 else len(squeeze(unit[0]))
        if seen + width > index:
            return unit.start() + (index - seen if is_plain else 0)
        seen += width
    return len(line)


_WORD = re.compile(r"[^\W_]\w*|_\w+")
# Words that say nothing about a place: the keywords and literals of the languages we meet, and one-digit numbers.
_COMMON = frozenset(
    """
    and as assert async await begin bool boolean break byte case catch chan char class const continue crate def default
    defer del delete do double elif else elsif end ensure enum except export extends extern fallthrough false final
    finally float fn for foreach from func function go goto if impl implements import in inout instanceof int interface
    internal is lambda let long loop map match mod module mut namespace new nil none nonlocal not null of or override
    package pass private protected pub public raise range ref rescue return select self short static str string struct
    super switch synchronized then this throw throws trait true try type typeof undefined union unless unsafe until
    use using var virtual void volatile when where while with yield
    """.split()
) | frozenset("0123456789")


def words(text: str) -> list[str]:
    """The words and numbers of a text, in order, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def is_telling(word: str) -> bool:
    """Say whether a lower-case word is more than a keyword or a digit."""
    return word not in _COMMON


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a quote: pieces that stand in this order, with at most `max_gap` lines between two of them."""

    pieces: tuple[str, ...]  # each squeezed, none empty
    max_gap: int = 0


_GAP = re.compile(r"(?:\#|//|/\*+|--|<!--|;|%|[\[(<{])?[ \t]{0,40}(?:\.\.\.+|\u2026)[ \t]{0,40}(?:\*+/|-->|[\])>}])?")
_FENCE = re.compile(r"\A\s*(?:`{3,}|~{3,})[^\n`]*(?:\n|\Z)|\n?[ \t]{0,40}(?:`{3,}|~{3,})\s*\Z")
_NUMBER = re.compile(r"[ \t]*(?:[Ll](?:ine[ \t]+)?)?(\d{1,7})[ \t]*(?:[|:│┃→>\])]|-(?!\d)|\.(?=\s)|\t)[ ]?")
_BARE_NUMBER = re.compile(r"[ \t]*(\d{1,7})(?:[ \t]+|$)")
_PLACE = re.compile(r"[ \t]*[\w./\\-]+\.\w{1,5}:(\d{1,7}):(?:\d{1,5}:)?[ \t]?")
_MARKER = re.compile(r"[ \t]{0,3}([+\->])(?![+\-]{2})")
_HUNK = re.compile(r"@@ .*|\+\+\+ .*|--- .*|diff --git .*|index [0-9a-f]{7,}.*")
_MAX_UNESCAPE = 100_000


def readings(quote: str, hint: int | None) -> Iterator[Reading]:
    """Every reading of a quote, the most literal ones first. `hint` is the 1-based line the model named, if any."""
    literal: list[str] = []
    cleaned: list[str] = []
    for text in _unescaped(quote):
        for clean in _cleaned(text, hint):
            cleaned.append(clean)
            piece = squeeze(clean)
            if piece and piece not in literal:
                literal.append(piece)
                yield Reading((piece,))
    for piece in literal:
        trimmed = piece.rstrip(".,;:")
        if trimmed and trimmed not in literal:
            yield Reading((trimmed,))
    clean = cleaned[-1]
    parts = _pieces(_GAP.split(clean))
    if 0 < len(parts) <= MAX_PIECES and "".join(parts) not in literal:
        yield Reading(parts, max_gap=60)
    lines = _pieces(clean.split("\n"))
    if 1 < len(lines) <= MAX_PIECES:
        yield Reading(lines, max_gap=4)


def plain(quote: str, hint: int | None) -> str:
    """The quote without fence, line numbers, diff markers and the like: its most cleaned text."""
    *_, last = _cleaned(quote, hint)
    return last


def _unescaped(quote: str) -> Iterator[str]:
    """The quote, and where its line ends may have been escaped twice, the quote with real ones."""
    yield quote
    if "\\n" in quote and "\n" not in quote.strip() and len(quote) <= _MAX_UNESCAPE:
        yield re.sub(r"(?:\\{1,8}r)?\\{1,8}n", "\n", quote)


def _pieces(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(squeeze, texts)))


def _cleaned(quote: str, hint: int | None) -> Iterator[str]:
    text = quote.replace("\r\n", "\n").replace("\r", "\n")
    yield text
    text = text.strip("\n \t")
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", text).strip("\n")
        yield text
    text = _unnumbered(text, hint)
    yield text
    if any(map(_MARKER.match, text.split("\n"))):
        yield from _unmarked(text)
        text = "\n".join(_MARKER.sub("", line, count=1) for line in text.split("\n") if not _HUNK.match(line))
        text = _unnumbered(text, hint)
        yield text
    bare = text.strip()
    if len(bare) > 2 and squeeze(bare[0]) == squeeze(bare[-1]) == '"':
        text = bare.strip("`") if bare[0] == "`" else bare[1:-1]
        yield text


def _unmarked(text: str) -> Iterator[str]:
    """The two sides of a quote that is a diff: what was removed or kept, what was added or kept."""
    lines = [line for line in text.split("\n") if not _HUNK.match(line)]
    marks = {match[1] for line in lines if (match := _MARKER.match(line))}
    if marks >= {"+", "-"}:
        for unwanted in "+-":
            kept = (line for line in lines if not ((match := _MARKER.match(line)) and match[1] == unwanted))
            yield "\n".join(_MARKER.sub("", line, count=1) for line in kept)


def first_number(quote: str) -> int | None:
    """The line number that was copied along with a quote's first line, if there is one."""
    head = _FENCE.sub("", quote[:200]).lstrip("\r\n").partition("\n")[0]
    match = _PLACE.match(head) or _NUMBER.match(head)
    return int(match[1]) if match else None


def _unnumbered(text: str, hint: int | None) -> str:
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    for pattern in (_PLACE, _NUMBER, _BARE_NUMBER):
        found = [match for line in filled if (match := pattern.match(line))]
        if len(found) * 2 <= len(filled):
            continue
        numbers = [int(match[1]) for match in found]
        is_rising = len(numbers) > 1 and all(a < b for a, b in pairwise(numbers))
        if pattern is not _BARE_NUMBER or is_rising or numbers == [hint]:
            return "\n".join(pattern.sub("", line, count=1) if pattern.match(line) else line for line in lines)
    return text
