"""The order of Packagist: PHP's `version_compare`; and the form Composer gives a version before it compares."""

import re
from itertools import zip_longest

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, Part, VersionKey, number

_PIECE = re.compile(r"[0-9]+|#|[^0-9#._+-]+")
_FORMS = (("dev", 1), ("a", 2), ("b", 3), ("RC", 4), ("rc", 4), ("p", 7))
_OTHER, _END, _NUMBER = 0, 5, 6

_STABILITY = {"stable": "", "a": "alpha", "b": "beta", "rc": "RC", "p": "patch", "pl": "patch"}
MODIFIER = r"[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*+)?)?([.-]?dev)?"
_NUMBERS = re.compile(r"v?([0-9]{1,5})(\.[0-9]++)?(\.[0-9]++)?(\.[0-9]++)?" + MODIFIER, re.IGNORECASE)
_DATE = re.compile(r"v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3})?)" + MODIFIER, re.IGNORECASE)
_BRANCH = re.compile(r"dev-.*|(?:.*[._-])?x[.-]?dev|(?:master|trunk|default)(?:-dev)?|[a-z].*-dev", re.IGNORECASE)


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(_bare(text))


def _bare(text: str) -> str:
    """The version without its margins and the `v` before its first digit."""
    text = text.strip()
    return text[1:] if text[:1] in ("v", "V") and text[1:2].isdecimal() else text


def _part(piece: str) -> tuple[Part, ...]:
    if piece[0].isdecimal() and piece.isascii():
        return (_NUMBER, *number(piece))
    return (next((rank for form, rank in _FORMS if piece.startswith(form)), _OTHER),)


def key(text: str) -> VersionKey | None:
    """Order as `version_compare` does on the version without its `v`: `1.0` is below `1.0.0`, unknown words are lowest.

    A `#` stands for any number: that is no order (`1 = 1.#` and `1.# = 1.1`), so there is no key; `compare` knows it.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    pieces = _pieces(text)
    if not pieces or "#" in pieces:
        return None
    return (*map(_part, pieces), (_END,))


def compare(a: str, b: str) -> int | None:
    """-1, 0 or 1 as `version_compare` says, for versions that may hold `#`."""
    if max(len(a), len(b)) > MAX_CHARACTERS:
        return None
    of_a, of_b = _pieces(a), _pieces(b)
    if not of_a or not of_b:
        return None
    for piece, other in zip_longest(of_a, of_b):
        if "#" in (piece, other):
            left, right = _rank(piece), _rank(other)
        else:
            left, right = (_END,) if piece is None else _part(piece), (_END,) if other is None else _part(other)
        if left != right:
            return -1 if left < right else 1
    return 0


def _rank(piece: str | None) -> tuple[int]:
    if piece is None or piece == "#" or piece[0].isdecimal():
        return (_NUMBER,)
    return (next((rank for form, rank in _FORMS if piece.startswith(form)), _OTHER),)


def is_branch(text: str) -> bool:
    """Say whether a text names a moving branch (`dev-main`, `2.x-dev`) and no release."""
    return len(text) <= MAX_CHARACTERS and _BRANCH.fullmatch(text.strip()) is not None


def composed(text: str) -> str | None:
    """Say a version as Composer does before it compares: `v1.0-b2` is `1.0.0.0-beta2`. None: Composer refuses it."""
    if len(text) > MAX_CHARACTERS:
        return None
    text = text.strip().partition("+")[0]
    if match := _NUMBERS.fullmatch(text):
        major, *others, word, count, dev = match.groups()
        version = major + "".join(other or ".0" for other in others)
    elif match := _DATE.fullmatch(text):
        date, word, count, dev = match.groups()
        version = re.sub(r"[^0-9]", ".", date)
    else:
        return None
    if word:
        stability = _STABILITY.get(word.lower(), word.lower())
        if not stability:
            return version
        version += f"-{stability}{(count or '').lstrip('.-')}"
    return f"{version}-dev" if dev else version


def normalised(text: str) -> str | None:
    """Composer's form; where Composer knows none but PHP still orders it, the text without its `v`."""
    composer = composed(text)
    if composer is not None:
        return composer
    return None if key(text) is None else _bare(text)
