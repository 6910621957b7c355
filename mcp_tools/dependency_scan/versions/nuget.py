"""The order of NuGet packages: one to four numbers, then semver's pre-release without regard to case."""

import re

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, VersionKey, identifier, number

_SHAPE = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.+-]*)?")


def _parts(text: str) -> tuple[list[str], str] | None:
    text = text.strip()
    match = _SHAPE.fullmatch(text) if len(text) <= MAX_CHARACTERS else None
    if match is None:
        return None
    numbers, pre = match.groups()
    return (numbers.split(".") + ["0"] * 3)[:4], (pre or "").lower()


def key(text: str) -> VersionKey | None:
    """Order packages. Build metadata does not count."""
    parts = _parts(text)
    if parts is None:
        return None
    numbers, pre = parts
    return (*map(number, numbers), (0, *map(identifier, pre.split("."))) if pre else (1,))


def normalised(text: str) -> str | None:
    """`1.2.3[.4][-pre]` in lower case: the fourth number only where it is not zero."""
    parts = _parts(text)
    if parts is None:
        return None
    numbers = [digits.lstrip("0") or "0" for digits in parts[0]]
    if numbers[3] == "0":
        numbers.pop()
    return ".".join(numbers) + (f"-{parts[1]}" if parts[1] else "")
