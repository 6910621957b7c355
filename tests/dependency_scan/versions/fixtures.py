"""The small fixtures of this folder: orderings and advisories that others wrote."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from mcp_tools.dependency_scan.versions import Affected, Event, EventKind, Range, RangeType

DATA = Path(__file__).parent / "data"
ECOSYSTEMS = {
    "cran": ("CRAN",),
    "hackage": ("Hackage",),
    "maven": ("Maven",),
    "nuget": ("NuGet",),
    "packagist": ("Packagist",),
    "pub": ("Pub",),
    "pypi": ("PyPI",),
    "rubygems": ("RubyGems",),
    "semver": ("npm", "crates.io", "Go", "Hex", "SwiftURL", "GitHub Actions"),
}
"""Which ecosystems a file of orderings speaks of, by the first word of its name."""

MAVEN_CHANGED = frozenset(
    """
1.0.0-RC16 < 1.0.0.RC8-beta
1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3
2.9.0-1 < 2.9.0.RC1
6.1.12.rc5 < 6.1.12rc1
1.1.31.sec10 < 1.1.31_noneautotype
1.1.34.sec10 < 1.1.34_noneautotype
1.1.46.sec10 < 1.1.46_noneautotype
1.2.8.sec10_noneautotype < 1.2.8_noneautotype
1.2.31.sec10 < 1.2.31_noneautotype
1.2.48.sec10 < 1.2.48_noneautotype
1.2.50.sec10 < 1.2.50_noneautotype
1.2.54.sec10 < 1.2.54_noneautotype
1.2.57.sec10 < 1.2.57_noneautotype
1.2.60.sec10 < 1.2.60_noneautotype
1.2.67.sec10 < 1.2.67_noneautotype
1.0.0rc0 < 1.0.beta8
1.5.9.RC1 < 1.5.9-RC0
1.1.0-01-glassfish < 1.1.0.Beta1
""".strip().splitlines()
)
"""Lines that an older Maven wrote and that Maven 3.8.7 and 3.9.6 (maven-artifact, ComparableVersion) contradict.

They take a dotted word after zeros for newer than a hyphened number: `2.9.0 < 2.9.0-1 < 2.9.0.RC1 < 2.9.0` is no order.
"""

MAVEN_REFERENCE = frozenset(
    """
3.6.2.FL.20090615 < 3.6.2-FL-2009-05-11
3.5.0-CR-2 < 3.5.0.Beta-1
""".strip().splitlines()
)
"""Lines Maven 3.9.6 holds against its POM reference (`.word` is `-word`, `-number` < `.number`), which decides here."""


class Ordering(BaseModel):
    """One line: `a`, `<`, `=` or `>`, `b`."""

    a: str
    sign: str
    b: str

    @property
    def line(self) -> str:
        return f"{self.a} {self.sign} {self.b}"


def orderings(file: Path) -> Iterator[Ordering]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith(("#", "//")):
            a, sign, b = line.split()
            yield Ordering(a=a, sign=sign, b=b)


class Row(BaseModel):
    """A package and what one advisory says of it."""

    ecosystem: str
    package: str
    version: str
    id: str
    types: list[RangeType]
    events: list[list[tuple[EventKind, str]]]
    is_affected: bool

    @property
    def affected(self) -> Affected:
        return Affected(
            tuple(
                Range(type_, tuple(Event(kind, version) for kind, version in events))
                for type_, events in zip(self.types, self.events, strict=True)
            )
        )


class Advisories(BaseModel):
    """The file of advisories."""

    source: str
    rows: list[Row]


def advisories() -> list[Row]:
    return Advisories.model_validate_json((DATA / "advisories.json").read_bytes()).rows
