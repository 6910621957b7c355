"""Find the tokens of every known format in a text: keyword first, then the pattern at that place."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from mcp_tools.redaction.formats import FORMATS
from mcp_tools.redaction.looks import is_sample_token
from mcp_tools.redaction.secret import Secret


def _any_of(words: Iterable[str]) -> str:
    """A pattern of the longest word that fits, with one branch for each next character, so that none is tried twice."""
    branches: dict[str, set[str]] = {}
    ends_here = False
    for word in words:
        if word:
            branches.setdefault(word[0], set()).add(word[1:])
        ends_here |= not word
    pattern = "|".join(re.escape(first) + _any_of(rests) for first, rests in sorted(branches.items()))
    if not pattern:
        return ""
    return f"(?:{pattern})?" if ends_here else f"(?:{pattern})"


_LEAD = 3  # first characters of a keyword that are searched for: few enough to compile in a millisecond
_FEWEST_CHARACTERS = 6  # different ones, in a token that is no `xxxxxx`


@cache
def _leads() -> tuple[re.Pattern[str], Mapping[str, Sequence[tuple[str, int]]]]:
    """What finds the beginning of a keyword, and for each beginning the keywords with their formats' ranks."""
    at: dict[str, list[tuple[str, int]]] = {}
    for rank, token in enumerate(FORMATS):
        for keyword in token.keywords:
            at.setdefault(keyword[:_LEAD], []).append((keyword, rank))
    pattern = re.compile(_any_of(at))
    return pattern, {
        lead: [*pairs, *(at.get(lead[:-1], ()) if len(lead) == _LEAD else ())] for lead, pairs in at.items()
    }


def known_tokens(text: str) -> list[Secret]:
    """Every value of a known format, the more specific format first; spans may overlap."""
    found: list[tuple[int, Secret]] = []
    reached: dict[int, int] = {}
    pattern, keywords_at = _leads()
    search, at = pattern.search, 0
    while lead := search(text, at):
        start = lead.start()
        at = start + 1
        for rank in sorted({rank for word, rank in keywords_at[lead[0]] if text.startswith(word, start)}):
            if start < reached.get(rank, 0):
                continue
            token = FORMATS[rank]
            for back in token.backs:
                match = token.pattern.match(text, start - back) if start >= back else None
                if match:
                    reached[rank] = match.end()
                    span = match.span("v" if token.has_part else 0)
                    value = text[span[0] : span[1]]
                    if len(set(value)) >= _FEWEST_CHARACTERS:
                        is_sure = token.is_reportable and not is_sample_token(value)
                        found.append((rank, Secret(token.kind, *span, value, is_sure, token.name)))
                    break
    return [secret for _, secret in sorted(found, key=lambda ranked: ranked[0])]


def shown_prefix(value: str) -> int:
    """How many first characters of a value name its format and are no part of the secret; 0 for an unknown format."""
    return max(
        (
            token.shown_prefix
            for token in FORMATS
            if value.startswith(token.keywords) and token.shown_prefix and token.pattern.fullmatch(value)
        ),
        default=0,
    )
