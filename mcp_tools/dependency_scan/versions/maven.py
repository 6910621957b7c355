"""The order of Maven artefacts: tokens with their separators, compared as the POM reference says.

It agrees with the ComparableVersion of Maven 3.8.7 and 3.9.6 on real versions, and is a total order where that is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, Part, VersionKey, number

_TOKEN = re.compile(r"([.-]?)([0-9]+|[^0-9.-]*)")
_SHAPE = re.compile(r"[._-]*+[^\W_][^\s\[\](){},$*]*")
_BEFORE_RELEASE = {"alpha": 0, "beta": 1, "milestone": 2, "rc": 3, "snapshot": 4}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_ALIASES = {"ga": "", "final": "", "release": "", "cr": "rc"}
_PRE, _RELEASE, _SERVICE_PACK, _WORD, _HYPHEN_NUMBER, _DOT_NUMBER = range(6)


@dataclass(frozen=True, slots=True)
class _Token:
    separator: str
    text: str

    @property
    def is_number(self) -> bool:
        return self.text[:1].isdecimal() and self.text.isascii()

    @property
    def is_null(self) -> bool:
        return not self.text.strip("0") if self.is_number else not self.text

    @property
    def part(self) -> Part:
        """Where the token stands among all that can stand in its place. The end of a version counts as a release."""
        if self.is_number:
            return (_HYPHEN_NUMBER if self.separator == "-" else _DOT_NUMBER, *number(self.text))
        if self.text in _BEFORE_RELEASE:
            return (_PRE, _BEFORE_RELEASE[self.text])
        if not self.text:
            return (_RELEASE,)
        return (_SERVICE_PACK,) if self.text == "sp" else (_WORD, self.text)


def _raw_tokens(text: str) -> Iterator[_Token]:
    """Split at dots, hyphens, and where digits meet letters: such a seam counts as a hyphen."""
    matches = [match.groups() for match in _TOKEN.finditer(text) if match.group()]
    for index, (separator, token) in enumerate(matches):
        if not token:
            yield _Token(separator, "0")
            continue
        if not token[0].isdecimal():
            follows_at_once = index + 1 < len(matches) and not matches[index + 1][0]
            token = _SHORT.get(token, token) if follows_at_once else token  # noqa: PLW2901 - the same token, spelled out
            token = _ALIASES.get(token, token)  # noqa: PLW2901 - as above
        else:
            token = token.lstrip("0") or "0"  # noqa: PLW2901 - as above
        yield _Token(separator or ("-" if index else "."), token)


def _tokens(text: str) -> list[_Token]:
    """The tokens that count: zeros and release words at the end, before a hyphen and before a word do not."""
    kept: list[_Token] = []
    for token in _raw_tokens(text.strip().lower()):
        if token.separator == "-" or not token.is_number:
            _drop_nulls(kept)
        kept.append(token)
    _drop_nulls(kept)
    return kept


def _drop_nulls(kept: list[_Token]) -> None:
    while kept and kept[-1].is_null:
        kept.pop()


def key(text: str) -> VersionKey | None:
    """Order artefacts. Any text is a version to Maven; here a range, a `${property}` and bare signs are not."""
    if len(text) > MAX_CHARACTERS or not _SHAPE.fullmatch(text.strip()):
        return None
    return (*(token.part for token in _tokens(text)), (_RELEASE,))


def normalised(text: str) -> str | None:
    """The tokens that count, in lower case, release words and zeros gone: `1.0.GA` is `1`."""
    if key(text) is None:
        return None
    tokens = _tokens(text)
    if not tokens:
        return "0"
    first, *others = tokens
    start = first.text if first.is_number and first.separator == "." else f"0-{first.text}"
    return start + "".join(f"{token.separator}{token.text}" for token in others)
