"""Requirements on Python packages: PEP 440 specifiers through `packaging`, and Poetry's `^`, `~`, `*` and `||`."""

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mcp_tools.dependency_scan.versions import pep440
from mcp_tools.dependency_scan.versions.requirements.bounds import Requirement

_LONG_NUMBER = re.compile(r"[0-9]{100}")
_POETRY_SPACE = re.compile(r"([~^]=?|[<>=!]=?=?)\s+")
_POETRY = re.compile(r"([\^~])?\s*v?([0-9]+(?:\.[0-9]+)*)((?:[._-]?[a-z]+[0-9.]*)*)")


def specifiers(text: str) -> Requirement | None:
    """A set of specifiers, with or without parentheses; else a constraint of Poetry's. The name is not part of it."""
    text = text.strip()
    if _LONG_NUMBER.search(text):
        return None
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    try:
        return _of([SpecifierSet(text)])
    except InvalidSpecifier:
        pass
    sets: list[SpecifierSet] = []
    for alternative in re.split(r"\s*\|\|?\s*", text):
        try:
            sets.append(SpecifierSet(_poetry(alternative)))
        except InvalidSpecifier:
            return None
    return _of(sets)


def _of(sets: list[SpecifierSet]) -> Requirement:
    def allows(version: str) -> bool | None:
        parsed = pep440.parse(version)
        if parsed is None:
            is_arbitrary = any(one.operator == "===" for found in sets for one in found)
            return any(found.contains(version, prereleases=True) for found in sets) if is_arbitrary else None
        return any(found.contains(parsed, prereleases=True) for found in sets)

    is_pinned = len(sets) == 1 and any(
        one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*")) for one in sets[0]
    )
    return Requirement(allows, is_pinned)


def _poetry(alternative: str) -> str:
    """Say one alternative of Poetry's in specifiers; what cannot be said stays as it is, and is then refused."""
    words = re.split(r"\s*,\s*|\s+", _POETRY_SPACE.sub(r"\1", alternative.strip()))
    return ",".join(_poetry_word(word) for word in words)


def _poetry_word(word: str) -> str:
    if word in ("*", "x"):
        return ">=0.dev0"
    if re.fullmatch(r"=?=?[0-9.]+\.\*", word):
        return f"=={word.lstrip('=')}"
    match = _POETRY.fullmatch(word.removeprefix("=") if not word.startswith("==") else word)
    if match is None:
        return word
    sign, release, rest = match.groups()
    if not sign:
        return f"=={release}{rest}"
    numbers = [int(digits) for digits in release.split(".")]
    if sign == "~":
        held = min(len(numbers), 2) - 1
    else:
        held = next((index for index, value in enumerate(numbers) if value), len(numbers) - 1)
    above = [*numbers[:held], numbers[held] + 1]
    return f">={release}{rest},<{'.'.join(map(str, above))}"
