"""Requirements on Packagist's packages: Composer's constraints."""

import re

from mcp_tools.dependency_scan.versions import php
from mcp_tools.dependency_scan.versions.parts import VersionKey
from mcp_tools.dependency_scan.versions.requirements.bounds import Bound, Requirement, all_hold

_VERSION = (
    rf"v?([0-9]{{1,18}})(?:\.([0-9]{{1,18}}))?(?:\.([0-9]{{1,18}}))?(?:\.([0-9]{{1,18}}))?{php.MODIFIER}(?:\+\S+)?"
)
_ONE = re.compile(_VERSION, re.IGNORECASE)
_HYPHEN = re.compile(r"(\S+) +- +(\S+)")
_WILDCARD = re.compile(r"v?([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:\.([0-9]{1,18}))?(?:\.[xX*])+")
_SIGN = re.compile(r"(<>|!=|>=?|<=?|==?|\^|~)?\s*(.*)", re.DOTALL)
_SIGN_SPACE = re.compile(r"(<>|[!<>=]=?|\^|~)\s+")
_STABILITY = re.compile(r"@(?:stable|rc|beta|alpha|dev)$", re.IGNORECASE)
_Bounds = list[Bound]


def constraint(text: str) -> Requirement | None:
    """`||` or `|` between alternatives, a comma or a space between conditions; branches match by name alone."""
    sets: list[_Bounds] = []
    branches: list[str] = []
    for alternative in re.split(r"\|\|?", text):
        alternative = alternative.strip()  # noqa: PLW2901 - the same alternative, without its margins
        name = re.split(r"#| +as +", alternative, maxsplit=1)[0]
        if php.is_branch(name):
            branches.append(name.lower())
            continue
        bounds = _alternative(alternative)
        if bounds is None:
            return None
        sets.append(bounds)

    def allows(version: str) -> bool | None:
        if php.is_branch(version):
            return True if version.lower() in branches else False if not sets else None
        at = _key(version)
        return None if at is None else any(all_hold(at, bounds) for bounds in sets)

    is_pinned = not branches and len(sets) == 1 and any(bound.operator == "=" for bound in sets[0])
    return Requirement(allows, is_pinned)


def _key(text: str) -> VersionKey | None:
    composed = php.composed(text)
    return None if composed is None else php.key(composed)


def _alternative(text: str) -> _Bounds | None:
    if hyphen := _HYPHEN.fullmatch(text):
        return _between(hyphen[1], hyphen[2])
    bounds: _Bounds = []
    words = [word for word in re.split(r"[,\s]+", _SIGN_SPACE.sub(r"\1", text.partition(" as ")[0])) if word]
    for word in words:
        found = _condition(_STABILITY.sub("", word) or "*")
        if found is None:
            return None
        bounds += found
    return bounds if words else None


def _condition(word: str) -> _Bounds | None:
    match = _SIGN.fullmatch(word)
    if match is None:
        return None
    sign, version = match[1] or "", match[2]
    if re.fullmatch(r"v?[xX*](?:\.[xX*])*", version):
        return []
    if wild := _WILDCARD.fullmatch(version):
        return None if sign not in ("", "=", "==") else _span(_numbers(wild.groups()), wild.lastindex or 1)
    if sign in ("^", "~"):
        return _compatible(sign, version)
    at = _key(_floor(version) if sign in ("<", ">=") else version)
    sign = {"": "=", "==": "=", "<>": "!="}.get(sign, sign)
    return None if at is None else [Bound(sign, at)]


def _floor(version: str) -> str:
    """The lowest pre-release of a version that names none."""
    match = _ONE.fullmatch(version)
    if match is None or match[5] or match[7]:
        return version
    return f"{version.partition('+')[0]}-dev"


def _compatible(sign: str, version: str) -> _Bounds | None:
    match = _ONE.fullmatch(version)
    low = _key(_floor(version))
    if match is None or low is None:
        return None
    numbers = [int(digits) for digits in match.groups()[:4] if digits]
    if sign == "~":
        place = max(1, len(numbers) - 1)
    else:
        place = next((index + 1 for index, value in enumerate(numbers[:3]) if value), min(len(numbers), 3))
    return [Bound(">=", low), *_below(numbers, place)]


def _between(low: str, high: str) -> _Bounds | None:
    match, at_low, at_high = _ONE.fullmatch(high), _key(_floor(low)), _key(high)
    if match is None or at_low is None or at_high is None:
        return None
    if match[3] or match[5] or match[7]:
        return [Bound(">=", at_low), Bound("<=", at_high)]
    numbers = _numbers(match.groups()[:4])
    return [Bound(">=", at_low), *_below(numbers, len(numbers))]


def _span(numbers: list[int], place: int) -> _Bounds:
    low = php.key(".".join(map(str, (numbers + [0] * 4)[:4])) + ".dev")
    return [*([Bound(">=", low)] if low else []), *_below(numbers, place)]


def _below(numbers: list[int], place: int) -> _Bounds:
    """Below the lowest pre-release of the next version at a place, counted from 1."""
    above = [*numbers[: place - 1], numbers[place - 1] + 1, 0, 0, 0][:4]
    high = php.key(".".join(map(str, above)) + ".dev")
    return [Bound("<", high)] if high else []


def _numbers(groups: tuple[str | None, ...]) -> list[int]:
    return [int(digits) for digits in groups if digits]
