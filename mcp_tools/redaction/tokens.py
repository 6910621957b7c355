"""Find the tokens of every known format in a text: keyword first, then the pattern at that place."""

from collections.abc import Iterator

from mcp_tools.redaction.formats import FORMATS, Format
from mcp_tools.redaction.looks import is_sample_token
from mcp_tools.redaction.secret import Secret


def known_tokens(text: str) -> Iterator[Secret]:
    """Every value of a known format, in the order of the table; spans may overlap."""
    for token in FORMATS:
        for keyword in token.keywords:
            yield from _tokens(token, keyword, text)


def _tokens(token: Format, keyword: str, text: str) -> Iterator[Secret]:
    at = text.find(keyword)
    if at < 0:
        return
    match_at = token.pattern.match
    group: str | int = "v" if "v" in token.pattern.groupindex else 0
    while at >= 0:
        reached = at + 1
        for back in token.backs:
            found = match_at(text, at - back) if at >= back else None
            if found:
                reached = max(found.end(), reached)
                start, stop = found.span(group)
                value = text[start:stop]
                if len(set(value)) > 5:
                    is_sure = token.is_reportable and not is_sample_token(value)
                    yield Secret(token.kind, start, stop, value, is_sure, token.name)
                break
        at = text.find(keyword, reached)


def shown_prefix(value: str) -> int:
    """How many first characters of a value name its format and are no part of the secret; 0 for an unknown format."""
    return max(
        (token.shown_prefix for token in FORMATS if token.shown_prefix and token.pattern.fullmatch(value)), default=0
    )
