"""Which of several severities counts, and what a database's word for one means. Pure."""

from collections.abc import Iterable
from typing import Final

from mcp_tools.dependency_scan.advisories.advisory import Rating, Severity

_WORDS: Final = {
    "none": Rating.NONE,
    "low": Rating.LOW,
    "minor": Rating.LOW,
    "medium": Rating.MEDIUM,
    "moderate": Rating.MEDIUM,
    "high": Rating.HIGH,
    "important": Rating.HIGH,
    "critical": Rating.CRITICAL,
}


def from_word(word: str, record: str) -> Severity | None:
    """The rating a database gives in a word; None for a word that is none."""
    rating = _WORDS.get(word.strip().lower())
    return None if rating is None else Severity(rating, None, None, record)


def best(severities: Iterable[Severity | None]) -> Severity | None:
    """The one to go by: the newest CVSS version, then the higher score; a word only where there is no vector."""
    rated = [severity for severity in severities if severity is not None]
    return max(rated, key=_weight, default=None)


def _weight(severity: Severity) -> tuple[str, float, int, str, str]:
    vector = severity.vector or ""
    version = (vector[5:8] if vector.startswith("CVSS:") else "2.0") if vector else ""
    return version, severity.score or 0.0, list(Rating).index(severity.rating), vector, severity.record
