"""Requirements in interval notation: Maven's and Gradle's `[1.0,2.0)`, NuGet's with its floating `1.*`."""

import re
from collections.abc import Callable

from mcp_tools.dependency_scan.versions import maven, nuget
from mcp_tools.dependency_scan.versions.parts import VersionKey
from mcp_tools.dependency_scan.versions.requirements.bounds import Bound, Requirement, of_sets

_INTERVAL = re.compile(r"\s*([\[(\]])([^\[\](),]*)(?:(,)([^\[\](),]*))?([\])\[])\s*(?:,(?=\s*[\[(\]]))?")
_Key = Callable[[str], VersionKey | None]


def _intervals(text: str, key: _Key) -> list[tuple[Bound, ...]] | None:
    """Read a union of intervals: `[` and `]` include their version; `]1,2[` is Gradle's way to leave both out."""
    sets: list[tuple[Bound, ...]] = []
    position = 0
    while position < len(text):
        match = _INTERVAL.match(text, position)
        if match is None:
            return None
        opening, low, comma, high, closing = match.groups()
        bounds = _bounds(opening, low.strip(), (high or "").strip(), closing, key) if comma else None
        if not comma:
            at = key(low.strip())
            bounds = (Bound("=", at),) if at is not None and opening == "[" and closing == "]" else None
        if bounds is None:
            return None
        sets.append(bounds)
        position = match.end()
    return sets


def _bounds(opening: str, low: str, high: str, closing: str, key: _Key) -> tuple[Bound, ...] | None:
    bounds: list[Bound] = []
    for text, sign in ((low, ">=" if opening == "[" else ">"), (high, "<=" if closing == "]" else "<")):
        at = key(text) if text else ()
        if at is None:
            return None
        if text:
            bounds.append(Bound(sign, at))
    return tuple(bounds)


def _is_one(sets: list[tuple[Bound, ...]]) -> bool:
    if len(sets) != 1 or not sets[0]:
        return False
    signs = {bound.operator for bound in sets[0]}
    return signs == {"="} or (signs == {">=", "<="} and sets[0][0].key == sets[0][1].key)


def maven_range(text: str) -> Requirement | None:
    """A version of a POM or a Gradle file. A bare one may be overruled: it forbids nothing."""
    text = text.strip().removesuffix("!!")
    if text[:1] in "[(]" and text:
        sets = _intervals(text, maven.key)
        return None if sets is None else of_sets(maven.key, tuple(sets), is_pinned=_is_one(sets))
    if text.endswith("+"):
        return _gradle_prefix(text[:-1])
    if text in ("LATEST", "RELEASE") or text.startswith("latest."):
        return Requirement(lambda _: None, is_pinned=False)
    wanted = maven.key(text)
    if wanted is None:
        return None

    def allows(version: str) -> bool | None:
        return True if maven.key(version) == wanted else None

    return Requirement(allows, is_pinned=not text.upper().endswith("-SNAPSHOT"))


def _gradle_prefix(prefix: str) -> Requirement:
    """`1.2.+`: every version that begins so, at a seam between its parts."""

    def allows(version: str) -> bool | None:
        return version.startswith(prefix) or version == prefix.rstrip(".-_")

    return Requirement(allows, is_pinned=False)


def nuget_range(text: str) -> Requirement | None:
    """NuGet's: a bare version is the lowest that will do; `1.2.*` floats to the newest that begins so."""
    text = text.strip()
    if text[:1] in "[(" and text and "*" not in text:
        sets = _intervals(text, nuget.key)
        return None if sets is None or len(sets) != 1 else of_sets(nuget.key, tuple(sets), is_pinned=_is_one(sets))
    if text.endswith("*"):
        return _floating(text)
    least = nuget.key(text)
    return None if least is None else of_sets(nuget.key, ((Bound(">=", least),),), is_pinned=False)


def _floating(text: str) -> Requirement | None:
    match = re.fullmatch(r"((?:[0-9]+\.){0,3})\*(?:-\*)?|([0-9]+(?:\.[0-9]+){1,3})-[0-9A-Za-z.-]*\*", text)
    if match is None:
        return None
    prefix = match[1] if match[1] is not None else match[2] + "."
    least = nuget.key((prefix or "0.") + "0" if prefix.count(".") < 4 else prefix[:-1])
    wanted = [digits.lstrip("0") or "0" for digits in prefix.split(".")[:-1]]

    def allows(version: str) -> bool | None:
        """True where it begins so; False below; above it NuGet takes it only where nothing that begins so exists."""
        found = nuget.normalised(version)
        at = nuget.key(version)
        if found is None or at is None or least is None:
            return None
        numbers = [*found.partition("-")[0].split("."), "0"]
        if numbers[: len(wanted)] == wanted:
            return True
        return False if at < least else None

    return Requirement(allows, is_pinned=False)
