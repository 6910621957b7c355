"""CVSS vectors of versions 2, 3 and 4 -> a score and a rating. For building only: an audit reads the result. Pure."""

import re
from decimal import Decimal
from typing import Final

from cvss import CVSS2, CVSS3, CVSS4  # pyright: ignore[reportMissingTypeStubs] -- it ships none
from cvss.exceptions import CVSSError  # pyright: ignore[reportMissingTypeStubs] -- it ships none

from mcp_tools.dependency_scan.advisories.advisory import Rating, Severity

_VECTOR: Final = re.compile(
    r"(?:CVSS:(?P<version>\d\.\d)/)?[A-Za-z]{1,5}:[A-Za-z]{1,8}(?:/[A-Za-z]{1,5}:[A-Za-z]{1,8})*"
)
_MAX_VECTOR: Final = 400


def from_vector(vector: str, record: str) -> Severity | None:
    """Score a CVSS vector; the base score (of version 4 with its threat metrics). None where it is not valid."""
    vector = vector.strip()
    found = _VECTOR.fullmatch(vector) if len(vector) <= _MAX_VECTOR else None
    if found is None:
        return None
    score = _base_score(found["version"] or "2.0", vector)
    return None if score is None else Severity(_rating(score), score, vector, record)


def _base_score(version: str, vector: str) -> float | None:
    try:
        match version:
            case "2.0":
                score = CVSS2(vector.removeprefix("CVSS:2.0/")).base_score
            case "3.0" | "3.1":
                score = CVSS3(vector).base_score
            case "4.0":
                score = CVSS4(vector).base_score
            case _:
                return None
    except CVSSError:
        return None
    return float(score) if isinstance(score, (Decimal, float, int)) else None


def _rating(score: float) -> Rating:
    if score >= 9.0:
        return Rating.CRITICAL
    if score >= 7.0:
        return Rating.HIGH
    if score >= 4.0:
        return Rating.MEDIUM
    return Rating.LOW if score > 0 else Rating.NONE
