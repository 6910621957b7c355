"""One measured figure and how it is printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement beside its peer or floor. `goal` reads `<= 2x`, `>= 97 %`, or `reported` where no goal is set."""

    name: str
    ours: float
    unit: str
    goal: str
    is_met: bool
    peer: float | None = None
    peer_name: str = "-"

    @property
    def line(self) -> str:
        """`name: ours unit, peer or floor unit, ratio, goal, ok|SHORT`."""
        peer = "no peer" if self.peer is None else f"{self.peer_name} {self.peer:.4g} {self.unit}"
        ratio = "-" if not self.peer else f"{self.ours / self.peer:.3g}x"
        verdict = "ok" if self.is_met else "SHORT"
        return f"{self.name}: {self.ours:.4g} {self.unit}, {peer}, {ratio}, goal {self.goal}, {verdict}"


def at_most(
    name: str, ours: float, unit: str, limit: float, *, peer: float | None = None, peer_name: str = "-"
) -> Figure:
    """A figure that must not exceed a limit: a ratio to the peer where there is one, else an absolute value."""
    if peer is None:
        return Figure(name, ours, unit, f"<= {limit:g} {unit}", ours <= limit)
    return Figure(name, ours, unit, f"<= {limit:g}x", ours <= limit * peer, peer, peer_name)


def at_least(name: str, ours: float, unit: str, limit: float) -> Figure:
    """A figure that must reach a limit."""
    return Figure(name, ours, unit, f">= {limit:g} {unit}", ours >= limit)


def reported(name: str, ours: float, unit: str, *, peer: float | None = None, peer_name: str = "-") -> Figure:
    """A figure without a goal."""
    return Figure(name, ours, unit, "reported", is_met=True, peer=peer, peer_name=peer_name)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share (0..1) of the values lies."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=1000, method="inclusive")[min(max(round(share * 1000) - 1, 0), 998)]
