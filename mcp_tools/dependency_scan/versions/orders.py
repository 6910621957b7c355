"""Which order holds in which ecosystem. Names are OSV's; what follows a colon (`Maven:https://...`) is ignored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from mcp_tools.dependency_scan.versions import dotted, go, maven, nuget, pep440, php, rubygems, semver
from mcp_tools.dependency_scan.versions.parts import VersionKey


@dataclass(frozen=True, slots=True)
class Order:
    """How the versions of one ecosystem compare, and the one spelling of equal ones."""

    key: Callable[[str], VersionKey | None]
    normalised: Callable[[str], str | None]


SEMVER = Order(semver.key, semver.normalised)
_ORDERS = {
    "CRAN": Order(dotted.cran_key, dotted.cran_normalised),
    "GitHub Actions": SEMVER,
    "Go": Order(go.key, go.normalised),
    "Hackage": Order(dotted.hackage_key, dotted.hackage_normalised),
    "Hex": SEMVER,
    "Maven": Order(maven.key, maven.normalised),
    "NuGet": Order(nuget.key, nuget.normalised),
    "Packagist": Order(php.key, php.normalised),
    "Pub": Order(semver.key_with_build, semver.normalised_with_build),
    "PyPI": Order(pep440.key, pep440.normalised),
    "RubyGems": Order(rubygems.key, rubygems.normalised),
    "SwiftURL": SEMVER,
    "crates.io": SEMVER,
    "npm": SEMVER,
}
ECOSYSTEMS = frozenset(_ORDERS)
_MAX_CACHED_CHARACTERS = 64


def base(ecosystem: str) -> str:
    """The ecosystem without its suffix: `Maven:https://...` is `Maven`."""
    return ecosystem.partition(":")[0]


def order_of(ecosystem: str) -> Order | None:
    """The order of an ecosystem; None where it is not known here."""
    return _ORDERS.get(base(ecosystem))


def key(ecosystem: str, version: str) -> VersionKey | None:
    """A value that sorts as the ecosystem sorts. None: no version of that ecosystem, or an unknown ecosystem.

    Keys compare with keys of the same ecosystem only. Never raises; takes time linear in the text.
    """
    if len(version) <= _MAX_CACHED_CHARACTERS:
        return _cached_key(base(ecosystem), version)
    return _key(base(ecosystem), version)


def _key(ecosystem: str, version: str) -> VersionKey | None:
    order = _ORDERS.get(ecosystem)
    return None if order is None else order.key(version)


_cached_key = lru_cache(maxsize=32_768)(_key)


def compare(ecosystem: str, a: str, b: str) -> int | None:
    """-1, 0 or 1: is `a` older than, equal to or newer than `b`. None where one of them is no version."""
    if base(ecosystem) == "Packagist" and ("#" in a or "#" in b):
        return php.compare(a, b)
    left, right = key(ecosystem, a), key(ecosystem, b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def normalised(ecosystem: str, version: str) -> str | None:
    """One spelling for versions the ecosystem's own tools take for the same. None where `key` is None.

    Packagist: the spelling Composer compares, so `1.0` and `1.0.0` share one here though PHP orders them.
    """
    order = order_of(ecosystem)
    return None if order is None else order.normalised(version)
