"""The order of CRAN and Hackage: numbers between dots (CRAN: or hyphens), a longer version above its own beginning."""

import re

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, VersionKey, number

_CRAN = re.compile(r"[0-9]+(?:[.-][0-9]+)*")
_HACKAGE = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def _numbers(text: str, shape: re.Pattern[str]) -> list[str] | None:
    text = text.strip()
    if len(text) > MAX_CHARACTERS or not shape.fullmatch(text):
        return None
    return text.replace("-", ".").split(".")


def _key(numbers: list[str] | None) -> VersionKey | None:
    return None if numbers is None else tuple(map(number, numbers))


def _text(numbers: list[str] | None) -> str | None:
    return None if numbers is None else ".".join(digits.lstrip("0") or "0" for digits in numbers)


def cran_key(text: str) -> VersionKey | None:
    """Order R packages."""
    return _key(_numbers(text, _CRAN))


def cran_normalised(text: str) -> str | None:
    """Numbers without leading zeros, joined by dots."""
    return _text(_numbers(text, _CRAN))


def hackage_key(text: str) -> VersionKey | None:
    """Order Haskell packages."""
    return _key(_numbers(text, _HACKAGE))


def hackage_normalised(text: str) -> str | None:
    """Numbers without leading zeros, joined by dots."""
    return _text(_numbers(text, _HACKAGE))
