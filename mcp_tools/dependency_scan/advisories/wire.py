"""The OSV schema's JSON as it comes in (ossf.github.io/osv-schema): what an audit needs of it, the rest is skipped.

Parts that may be damaged one by one are kept as they are and checked by `osv`.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class WireSeverity(_Wire):
    """A score and its kind, such as `CVSS_V3`."""

    type: str
    score: str


class WireEvent(_Wire):
    """One of four keys."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class WireRange(_Wire):
    """Events in any order."""

    type: str
    events: list[WireEvent]


class WirePackage(_Wire):
    """A package; the ecosystem may have a suffix after a colon."""

    ecosystem: str
    name: str


class WireReference(_Wire):
    """A web page."""

    url: str
    type: str = "web"


class WireImported(_Wire):
    """A Go package and its affected symbols."""

    path: str
    symbols: list[str] | None = None


class WireSpecific(_Wire):
    """What databases add: GitHub a severity, RustSec a kind and a licence, Go the imports."""

    severity: object = None
    informational: object = None
    license: object = None
    imports: object = None


class WireAffected(_Wire):
    """One entry of `affected`."""

    package: object = None
    ranges: object = None
    versions: object = None
    severity: object = None
    ecosystem_specific: object = None
    database_specific: object = None


class WireRecord(_Wire):
    """A record."""

    id: str
    modified: object = None
    published: object = None
    withdrawn: object = None
    aliases: object = None
    summary: object = None
    details: object = None
    severity: object = None
    affected: object = None
    references: object = None
    database_specific: object = None


TEXTS: Final = TypeAdapter(list[str])
ANYTHING: Final = TypeAdapter(list[object])
SEVERITIES: Final = TypeAdapter(list[WireSeverity])
REFERENCES: Final = TypeAdapter(list[WireReference])
IMPORTS: Final = TypeAdapter(list[WireImported])
RANGE: Final = TypeAdapter(WireRange)
PACKAGE: Final = TypeAdapter(WirePackage)
AFFECTED: Final = TypeAdapter(WireAffected)
SPECIFIC: Final = TypeAdapter(WireSpecific)
