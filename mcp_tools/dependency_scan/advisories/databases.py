"""Which database an id comes from, under which licence, and which of several ids stands for all. Data; no I/O.

Licences: the databases' own licence files, and OSV's list of data sources (google.github.io/osv.dev/data).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mcp_tools.dependency_scan.advisories.advisory import Source

_CC_BY: Final = "CC-BY-4.0"
_NUMBERS: Final = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Database:
    """A publisher of advisories; `licence` is an SPDX id, empty where it is not known."""

    name: str
    licence: str
    url: str


_DATABASES: Final = {
    "MAL": Database("OpenSSF malicious packages", "Apache-2.0", "https://github.com/ossf/malicious-packages"),
    "PYSEC": Database("PyPA advisory database", _CC_BY, "https://github.com/pypa/advisory-database"),
    "GO": Database("Go vulnerability database", _CC_BY, "https://vuln.go.dev"),
    "RUSTSEC": Database("RustSec advisory database", "CC0-1.0", "https://rustsec.org"),
    "PSF": Database(
        "Python Software Foundation advisories",
        _CC_BY,
        "https://github.com/psf/advisory-database",
    ),
    "EEF": Database("Erlang Ecosystem Foundation advisories", "", "https://cna.erlef.org"),
    "GHSA": Database("GitHub advisory database", _CC_BY, "https://github.com/advisories"),
    "CVE": Database("CVE list", "", "https://www.cve.org"),
    "OSV": Database("OSS-Fuzz vulnerabilities", _CC_BY, "https://github.com/google/oss-fuzz-vulns"),
    "BIT": Database("Bitnami vulnerability database", "Apache-2.0", "https://github.com/bitnami/vulndb"),
}
"""In the order in which an id is preferred: malice, the ecosystem's own, those of all ecosystems, then others."""

_RANKS: Final = {prefix: rank for rank, prefix in enumerate(_DATABASES)}


def prefix(advisory_id: str) -> str:
    """What stands before the first hyphen."""
    return advisory_id.partition("-")[0]


def database(advisory_id: str) -> Database:
    """Where an id comes from; an unknown one is named after its prefix, with no licence."""
    name = prefix(advisory_id)
    return _DATABASES.get(name) or Database(f"{name} advisories", "", "https://osv.dev")


def preference(advisory_id: str) -> tuple[int, list[tuple[int, str]], str]:
    """A key that sorts ids: the preferred database first, within it the older number first."""
    parts = _NUMBERS.split(advisory_id)
    numbered = [(int(part[:32]), "") if index % 2 else (-1, part) for index, part in enumerate(parts)]
    return _RANKS.get(prefix(advisory_id), len(_RANKS)), numbered, advisory_id


def attribution(sources: Iterable[Source], snapshot: str) -> str:
    """The text that says whose data an index holds, as CC-BY asks for.

    Args:
        sources: the databases.
        snapshot: the day of the data, such as `2026-08-21`.
    """
    lines = [
        "Advisories in this index come from the databases below.",
        f"Snapshot: {snapshot}.",
        "Changes: reduced to names, version ranges, severities, links and titles; records about one flaw are united.",
    ]
    for source in sources:
        newest = f", last change {source.newest:%Y-%m-%d}" if source.newest else ""
        lines += ["", source.name, f"  {source.url}", f"  Licence: {source.licence or 'see there'}"]
        lines.append(f"  Records: {source.records}{newest}")
    return "\n".join(lines) + "\n"
