"""Who asks for whom in a lockfile: parents by name, and scopes that spread along the edges. Pure."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from mcp_tools.dependency_scan.values import Scope

Id = TypeVar("Id", bound=Hashable)


def spread(edges: Mapping[Id, Sequence[Id]], seeds: Iterable[tuple[Scope, Iterable[Id]]]) -> dict[Id, Scope]:
    """The scope of everything that is reached: the first of the seeds that reaches it decides."""
    scopes: dict[Id, Scope] = {}
    for scope, roots in seeds:
        pending = [root for root in roots if root not in scopes]
        while pending:
            item = pending.pop()
            if item not in scopes:
                scopes[item] = scope
                pending.extend(below for below in edges.get(item, ()) if below not in scopes)
    return scopes


class Parents:
    """Collects the names of those that ask for a package, each once, in order."""

    def __init__(self) -> None:
        self._of: dict[Hashable, dict[str, None]] = {}

    def add(self, child: Hashable, parent: str) -> None:
        """Note that `parent` asks for `child`."""
        self._of.setdefault(child, {})[parent] = None

    def of(self, child: Hashable) -> tuple[str, ...]:
        """Those that ask for it."""
        return tuple(self._of.get(child, ()))
