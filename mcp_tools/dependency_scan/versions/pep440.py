"""The order of Python versions: PEP 440 as `packaging` reads it; below it what setuptools once accepted."""

import re

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, Part, VersionKey

_LAST: VersionKey = (1,)
_PIECE = re.compile(r"[0-9]+|[a-z]+|-")
_LEGACY_WORDS = {"pre": "c", "preview": "c", "rc": "c", "-": "final-", "dev": "@"}
_LEGACY_ZERO = "0000000"
_MAX_DIGITS = 1000


def parse(text: str) -> Version | None:
    """Read a PEP 440 version. None where it is not one, or has a number of more digits than any version has."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS or (len(text) > _MAX_DIGITS and re.search(rf"[0-9]{{{_MAX_DIGITS}}}", text)):
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None


def key(text: str) -> VersionKey | None:
    """Order PEP 440 versions as PEP 440 does, and every other text that holds a digit or a letter below all of them."""
    version = parse(text)
    return _legacy_key(text) if version is None else _version_key(version)


def _version_key(version: Version) -> VersionKey:
    release = version.release
    end = len(release)
    while end > 1 and not release[end - 1]:
        end -= 1
    dev, post, pre = version.dev, version.post, version.pre
    if pre is not None:
        before: VersionKey = (0, *pre)
    elif dev is not None and post is None:
        before = (-1,)  # 1.0.dev1 is older than 1.0a1
    else:
        before = _LAST
    local: tuple[Part, ...] = ()
    if version.local is not None:
        local = tuple((1, int(part)) if part.isdecimal() else (0, part) for part in version.local.split("."))
    return (
        1,
        version.epoch,
        release[:end],
        before,
        -1 if post is None else post,
        _LAST if dev is None else (0, dev),
        local,
    )


def _legacy_key(text: str) -> VersionKey | None:
    """The rules of setuptools before PEP 440: tokens in order, `dev` and `pre` words below `final`."""
    if len(text) > MAX_CHARACTERS:
        return None
    parts: list[str] = []
    pieces = _PIECE.findall(text.lower())
    if not any(piece.isalnum() for piece in pieces):
        return None
    for piece in (*pieces, "final"):
        if piece[0].isdecimal():
            stripped = piece.lstrip("0")
            parts.append(f"0{len(stripped):06}{stripped}")  # by value, and above words: "*" sorts below "0"
            continue
        word = "*" + _LEGACY_WORDS.get(piece, piece)
        if word < "*final":
            while parts and parts[-1] == "*final-":
                parts.pop()
        while parts and parts[-1] == _LEGACY_ZERO:
            parts.pop()
        parts.append(word)
    return (0, *parts)


def normalised(text: str) -> str | None:
    """One spelling for all equal versions: PEP 440's canonical form without trailing zeros; a legacy text as it is."""
    version = parse(text)
    if version is None:
        return text.strip().lower() if _legacy_key(text) is not None else None
    return canonicalize_version(version)
