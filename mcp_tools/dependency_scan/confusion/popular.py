"""The bundled lists of well-known names, one text file for each ecosystem; `names/SOURCE.md` says where from."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from mcp_tools.dependency_scan.confusion.lookalikes import Lookalikes, group
from mcp_tools.dependency_scan.values import Ecosystem

LISTED: Final = MappingProxyType(
    {Ecosystem.PYPI: "pypi", Ecosystem.NPM: "npm", Ecosystem.CRATES: "crates", Ecosystem.GO: "go"}
)
"""The ecosystems with a list. Names of others are not compared."""


@lru_cache(maxsize=len(LISTED))
def names(ecosystem: Ecosystem) -> frozenset[str]:
    """The well-known names of an ecosystem, folded; empty where there is no list."""
    listed = LISTED.get(ecosystem)
    if listed is None:
        return frozenset()
    text = files(__package__ or "").joinpath("names", f"{listed}.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@lru_cache(maxsize=len(LISTED))
def groups(ecosystem: Ecosystem) -> Mapping[str, Lookalikes]:
    """The same names, ready to be compared."""
    return group(ecosystem, names(ecosystem))
