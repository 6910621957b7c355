"""The order of Semantic Versioning 2.0.0, as lenient in form as registries are: `v1.2`, `1.2.3.4`, `1.2.3beta`."""

import re
from dataclasses import dataclass

from mcp_tools.dependency_scan.versions.parts import MAX_CHARACTERS, Part, VersionKey, identifier, number

_SHAPE = re.compile(
    r"[vV=\s]*(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?"
    r"(?P<rest>(?:\.[0-9]+)*)"
    r"(?:-?(?P<pre>(?<=-)[0-9][0-9A-Za-z.-]*|[A-Za-z-][0-9A-Za-z.-]*))?"
    r"(?:\+(?P<build>[0-9A-Za-z._+-]*))?"
)
_RELEASED: VersionKey = (1,)


@dataclass(frozen=True, slots=True)
class Semver:
    """A version in parts, numbers as the digits written. `given` of the three were written, `extra` ones after them."""

    major: str
    minor: str
    patch: str
    given: int
    pre: tuple[str, ...] = ()
    build: str = ""
    extra: str = ""

    @property
    def key(self) -> VersionKey:
        """Precedence: build metadata does not count."""
        return (number(self.major), number(self.minor), number(self.patch), _pre_key(self.pre))

    @property
    def core(self) -> tuple[Part, ...]:
        """Precedence of major, minor and patch alone."""
        return (number(self.major), number(self.minor), number(self.patch))

    @property
    def whole_build(self) -> str:
        """The extra numbers, then the build metadata."""
        return ".".join(filter(None, (self.extra, self.build)))

    def __str__(self) -> str:
        core = ".".join(digits.lstrip("0") or "0" for digits in (self.major, self.minor, self.patch))
        return f"{core}-{'.'.join(self.pre)}" if self.pre else core


def parse(text: str) -> Semver | None:
    """Read a version. Missing numbers are 0; a fourth and further ones do not count, as build metadata does not."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        return None
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, rest, pre, build = match.group("major", "minor", "patch", "rest", "pre", "build")
    return Semver(
        major,
        minor or "0",
        patch or "0",
        1 + (minor is not None) + (patch is not None),
        tuple(pre.split(".")) if pre else (),
        build or "",
        rest.removeprefix("."),
    )


def _pre_key(pre: tuple[str, ...]) -> VersionKey:
    return (0, *map(identifier, pre)) if pre else _RELEASED


def key(text: str) -> VersionKey | None:
    """Order by precedence (section 11): build metadata does not count."""
    version = parse(text)
    return None if version is None else version.key


def key_with_build(text: str) -> VersionKey | None:
    """Order as Dart's registry does: equal precedence is decided by the build, none being the lowest."""
    version = parse(text)
    if version is None:
        return None
    build = version.whole_build
    return (*version.key, tuple(map(identifier, build.split("."))) if build else ())


def normalised(text: str) -> str | None:
    """`major.minor.patch[-pre]`."""
    version = parse(text)
    return None if version is None else str(version)


def normalised_with_build(text: str) -> str | None:
    """`major.minor.patch[-pre][+build]`."""
    version = parse(text)
    if version is None:
        return None
    return f"{version}+{version.whole_build}" if version.whole_build else str(version)
