"""The order of Go versions: semver with a `v`, pseudo-versions being pre-releases; and the toolchain's `go1.21rc2`."""

import re

from mcp_tools.dependency_scan.versions import semver
from mcp_tools.dependency_scan.versions.parts import VersionKey

_TOOLCHAIN = re.compile(r"(?:go)?([0-9]+(?:\.[0-9]+){0,2})(?:(alpha|beta|rc)([0-9]+))?(?:-[A-Za-z][0-9A-Za-z.+_-]*)?")


def as_semver(text: str) -> str:
    """Say a toolchain's version in the words of the Go vulnerability database: `go1.21rc2` is `1.21.0-rc.2`."""
    text = text.strip()
    if not text.startswith("go"):
        return text
    match = _TOOLCHAIN.fullmatch(text)
    if match is None:
        return ""
    numbers, word, count = match.groups()
    numbers += ".0" * (2 - numbers.count("."))
    return f"{numbers}-{word}.{count}" if word else numbers


def key(text: str) -> VersionKey | None:
    """Order modules and toolchains. `+incompatible` is build metadata and does not count."""
    return semver.key(as_semver(text))


def normalised(text: str) -> str | None:
    """`major.minor.patch[-pre]`, without the `v`: the form the Go vulnerability database uses."""
    return semver.normalised(as_semver(text))
