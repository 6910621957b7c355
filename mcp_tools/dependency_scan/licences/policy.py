"""A policy on licences as a value, and the licences that clearly do not go together. No legal advice."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mcp_tools.dependency_scan.licences.expressions import Expression, Leaf, fold
from mcp_tools.dependency_scan.licences.table import Category


class Ruling(IntEnum):
    """What a policy says of a licence, the best first."""

    ALLOWED = 0
    UNDECIDED = 1
    DENIED = 2


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """Which licences may be used. An entry is an SPDX id, `id WITH exception`, or a category (`strong-copyleft`).

    `deny` comes before `allow`. Where `allow` has entries, a known licence that is not among them is denied; where it
    has none, what is not denied is allowed. A licence that is not known is denied only by its own name, allowed only
    by its own name, and undecided else. `exempt` are names of packages that somebody has decided on.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()

    @property
    def says_something(self) -> bool:
        """False for a policy without entries."""
        return bool(self.allow or self.deny)


ANYTHING: Final = LicencePolicy()


def rule_on(policy: LicencePolicy, expression: Expression) -> Ruling:
    """What a policy says of an expression: OR by its best branch, AND by its worst."""
    return fold(expression, lambda leaf: _rule_on_leaf(policy, leaf), int)


def _rule_on_leaf(policy: LicencePolicy, leaf: Leaf) -> Ruling:
    names = {leaf.id, str(leaf)}
    category = leaf.category
    deny, allow = policy.deny, policy.allow
    if names & deny or category.value in deny:
        return Ruling.DENIED
    if str(leaf) in allow or (leaf.id in allow and category is not Category.UNKNOWN):
        return Ruling.ALLOWED
    if category is Category.UNKNOWN:
        return Ruling.ALLOWED if "unknown" in allow else Ruling.UNDECIDED
    return Ruling.ALLOWED if not allow or category.value in allow else Ruling.DENIED


@dataclass(frozen=True, slots=True)
class Clash:
    """Why a licence does not go with the project's. `is_certain`: the two cannot be kept in one work at all."""

    reason: str
    is_certain: bool = False


_NOT_WITH_GPL: Final = frozenset(
    """
    Apache-1.0 Apache-1.1 BSD-4-Clause CDDL-1.0 CDDL-1.1 CPL-1.0 EPL-1.0 IPL-1.0 JSON MPL-1.0 MPL-1.1 MS-PL MS-RL
    OpenSSL PHP-3.0 PHP-3.01 QPL-1.0 SPL-1.0 SSPL-1.0
    """.split()
)
"""Licences that the Free Software Foundation's list calls incompatible with every version of the GPL."""

_FROM_THREE: Final = frozenset(
    "Apache-2.0 GPL-3.0-only GPL-3.0-or-later LGPL-3.0-only LGPL-3.0-or-later AGPL-3.0-only AGPL-3.0-or-later".split()
)
_THREE_NOT_WITH: Final = frozenset({"GPL-2.0-only", "GPL-1.0-only"})
_FAMILY: Final = ("GPL-", "AGPL-")


def conflict(project: Expression, dependency: Expression) -> Clash | None:
    """Why a dependency's licence does not go with the project's; None where it does, or where it is not known.

    A project under `A OR B` clashes when both do, one under `A AND B` when one does; so does the dependency.
    """

    def of_project(own: Leaf) -> Clash | None:
        return fold(dependency, lambda leaf: _clash(own, leaf), _weight)

    return fold(project, of_project, _weight)


def _weight(clash: Clash | None) -> int:
    return 0 if clash is None else 2 if clash.is_certain else 1


def _clash(own: Leaf, other: Leaf) -> Clash | None:
    mine, its = own.category, other.category
    if Category.UNKNOWN in (mine, its) or own == other:
        return None
    if mine in (Category.STRONG, Category.NETWORK) and own.id.startswith(_FAMILY):
        return _clash_with_gpl(own, other)
    if its not in (Category.STRONG, Category.NETWORK) or not other.id.startswith(_FAMILY):
        return None
    if mine is Category.PROPRIETARY:
        return Clash(f"whoever is given a work that includes it has all the rights of {other}")
    if own.id == "Apache-2.0" and other.id == "GPL-2.0-only":
        return Clash("GPL-2.0-only and Apache-2.0 cannot be combined in one work", is_certain=True)
    if mine is Category.PERMISSIVE:
        return Clash(f"a work that includes it can be passed on only under {other}, not under {own} alone")
    return None


def _clash_with_gpl(own: Leaf, other: Leaf) -> Clash | None:
    if other.id in _NOT_WITH_GPL:
        return Clash(f"{other} and the GPL set terms that cannot be kept together", is_certain=True)
    if own.id == "GPL-2.0-only" and other.id in _FROM_THREE:
        return Clash(f"{own} excludes what {other} asks; only later versions of the GPL take it in", is_certain=True)
    is_three = own.id in _FROM_THREE or own.id.startswith("AGPL-3")
    if is_three and other.id in _THREE_NOT_WITH and other.exception is None:
        return Clash(f"{other} cannot be taken in by {own}", is_certain=True)
    if other.category is Category.PROPRIETARY:
        return Clash(f"{other} keeps rights back that {own} asks for", is_certain=True)
    return None
