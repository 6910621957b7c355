"""Requirements on gems: comma-separated comparisons, `~>` among them."""

import re

from mcp_tools.dependency_scan.versions import rubygems
from mcp_tools.dependency_scan.versions.requirements.bounds import Bound, Requirement, all_hold

_WORD = re.compile(r"(~>|!=|>=|<=|=|>|<)?\s*(\S+)")


def gem(text: str) -> Requirement | None:
    """A list as `Gem::Requirement` reads it; a bare version is that one, nothing at all is `>= 0`."""
    plain: list[Bound] = []
    of_release: list[Bound] = []  # `~>` lays its upper bound beside the version without its pre-release
    for word in filter(None, map(str.strip, text.split(","))):
        match = _WORD.fullmatch(word)
        segments = rubygems.segments(match[2]) if match else None
        if match is None or segments is None:
            return None
        sign = match[1] or "="
        if sign == "~>":
            upper = _bumped(segments)
            if upper is None:
                return None
            of_release.append(Bound("<", rubygems.key_of(upper)))
            sign = ">="
        plain.append(Bound(sign, rubygems.key_of(segments)))

    def allows(version: str) -> bool | None:
        found = rubygems.segments(version)
        if found is None:
            return None
        return all_hold(rubygems.key_of(found), plain) and all_hold(rubygems.key_of(_release(found)), of_release)

    return Requirement(allows, is_pinned=any(bound.operator == "=" for bound in plain))


def _release(segments: list[str]) -> list[str]:
    """The numbers before the first word."""
    end = next((index for index, segment in enumerate(segments) if segment[0].isalpha()), len(segments))
    return segments[:end]


def _bumped(segments: list[str]) -> list[str] | None:
    """The upper bound of `~>`: without the last number, the one before it counted up."""
    release = _release(segments)
    if len(release) > 1:
        release = release[:-1]
    if len(release[-1]) > 18:
        return None
    return [*release[:-1], str(int(release[-1]) + 1)]
