"""The order of gems: `Gem::Version`, where a shorter version is padded with zeros and words are below numbers."""

import re

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, Part, VersionKey, number

_SHAPE = re.compile(r"[0-9][0-9A-Za-z]*(?:[.-][0-9A-Za-z]+)*")
_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+")
_WORD, _ZEROS_THEN_WORD, _END, _ZEROS_THEN_NUMBER, _NUMBER = range(5)


def segments(text: str) -> list[str] | None:
    """Split a version into digits and words; `-` stands for `.pre.`. None where it is no gem's version."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS or not _SHAPE.fullmatch(text):
        return None
    return _SEGMENT.findall(text.replace("-", ".pre."))


def key(text: str) -> VersionKey | None:
    """Order gems. The infinite zeros behind every version are said by where the next thing that is not zero stands."""
    found = segments(text)
    return None if found is None else key_of(found)


def key_of(found: list[str]) -> VersionKey:
    """The key of a version's segments."""
    parts: list[Part] = []
    canonical = _canonical(found)
    position = 0
    while position < len(canonical):
        end = position
        while end < len(canonical) and not canonical[end].strip("0"):
            end += 1
        if end > position:
            is_word = canonical[end][0].isalpha()
            parts.append((_ZEROS_THEN_WORD, end - position) if is_word else (_ZEROS_THEN_NUMBER, position - end))
        segment = canonical[end]
        parts.append((_WORD, segment) if segment[0].isalpha() else (_NUMBER, *number(segment)))
        position = end + 1
    return (*parts, (_END,))


def _canonical(found: list[str]) -> list[str]:
    """Drop the zeros at the end, and those before the first word."""
    first_word = next((index for index, segment in enumerate(found) if segment[0].isalpha()), len(found))
    return _without_last_zeros(found[:first_word]) + _without_last_zeros(found[first_word:])


def _without_last_zeros(found: list[str]) -> list[str]:
    end = len(found)
    while end and not found[end - 1].strip("0"):
        end -= 1
    return found[:end]


def normalised(text: str) -> str | None:
    """Segments joined by dots, without the zeros that do not count."""
    found = segments(text)
    if found is None:
        return None
    canonical = _canonical(found)
    if not canonical or canonical[0][0].isalpha():
        canonical = ["0", *canonical]
    return ".".join(segment.lstrip("0") or "0" for segment in canonical)
