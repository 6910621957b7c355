"""Requirements of manifests: does one allow a version, and does it name one version alone?"""

from collections.abc import Callable
from functools import lru_cache

from mcp_tools.dependency_scan.versions.orders import base
from mcp_tools.dependency_scan.versions.requirements import composer, gems, intervals, python, semantic
from mcp_tools.dependency_scan.versions.requirements.bounds import MAX_CHARACTERS, Requirement

__all__ = ["allows", "is_pinned"]

_GRAMMARS: dict[str, Callable[[str], Requirement | None]] = {
    "GitHub Actions": semantic.action,
    "Go": semantic.go,
    "Hex": semantic.hex_pm,
    "Maven": intervals.maven_range,
    "NuGet": intervals.nuget_range,
    "Packagist": composer.constraint,
    "Pub": semantic.pub,
    "PyPI": python.specifiers,
    "RubyGems": gems.gem,
    "crates.io": semantic.cargo,
    "npm": semantic.npm,
}


def allows(ecosystem: str, requirement: str, version: str) -> bool | None:
    """Say whether a requirement allows a version.

    Args:
        ecosystem: OSV's name; it decides the grammar.
        requirement: as the manifest writes it, without the package's name: `^1.2`, `>=1,<2`, `[1.0,2.0)`.
        version: one version, as a lockfile writes it.

    Returns:
        None where that cannot be said: a tag, an address, a version that is none, a grammar not known here, or a
        requirement that only prefers (a bare version in a POM).
    """
    parsed = _parsed(ecosystem, requirement)
    return None if parsed is None else parsed.allows(version.strip())


def is_pinned(ecosystem: str, requirement: str) -> bool | None:
    """Say whether a requirement holds one version still. None where it is none that can be read.

    Go's requirements do, as minimal version selection picks them; a bare version does in npm, Composer, Maven, RubyGems
    and Pub, and does not in Cargo (`^`) and NuGet (at least).
    """
    parsed = _parsed(ecosystem, requirement)
    return None if parsed is None else parsed.is_pinned


def _parsed(ecosystem: str, requirement: str) -> Requirement | None:
    return None if len(requirement) > MAX_CHARACTERS else _read(base(ecosystem), requirement)


@lru_cache(maxsize=2048)
def _read(ecosystem: str, requirement: str) -> Requirement | None:
    grammar = _GRAMMARS.get(ecosystem)
    return None if grammar is None else grammar(requirement.strip())
