"""Severities: every CVSS version, words, and which of several counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.dependency_scan.advisories import Rating, Severity
from mcp_tools.dependency_scan.advisories.scoring import from_vector
from mcp_tools.dependency_scan.advisories.severity import best, from_word
from tests.dependency_scan.advisories.making import clean, osv, parsed

V2 = "AV:N/AC:L/Au:N/C:P/I:P/A:P"
V30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V31 = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N"


@pytest.mark.parametrize(
    ("vector", "score", "rating"),
    [
        # FIRST's own examples and calculators
        (V2, 7.5, Rating.HIGH),
        (V30, 9.8, Rating.CRITICAL),
        (V31, 6.4, Rating.MEDIUM),
        (V4, 8.7, Rating.HIGH),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Rating.NONE),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6, Rating.LOW),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0, Rating.CRITICAL),
    ],
)
def test_a_vector_is_scored(vector: str, score: float, rating: Rating) -> None:
    assert from_vector(vector, "X-1") == Severity(rating, score, vector, "X-1")


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "9.8",
        "CVSS:3.1",
        "CVSS:3.1/AV:N",
        "CVSS:5.0/AV:N/AC:L",
        "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
        V4 * 99,
    ],
)
def test_a_vector_that_is_none_has_no_score(vector: str) -> None:
    assert from_vector(vector, "X-1") is None


METRICS = st.sampled_from(
    "AV:N AC:L Au:N PR:N UI:N S:U C:H I:H A:H AT:N VC:H VI:H VA:H SC:N SI:N SA:N E:X MAV:N".split()
)


@given(
    st.tuples(st.sampled_from(["", "CVSS:2.0/", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/"]), st.lists(METRICS)).map(
        lambda parts: parts[0] + "/".join(parts[1])
    )
    | st.text()
)
def test_no_text_raises(vector: str) -> None:
    found = from_vector(vector, "X-1")
    assert found is None or (found.score is not None and 0 <= found.score <= 10)


def test_the_newest_version_counts_then_the_higher_score() -> None:
    scored = [from_vector(vector, "X-1") for vector in (V2, V30, V31, V4)]
    assert best(scored) == from_vector(V4, "X-1")
    assert best(scored[:3]) == from_vector(V31, "X-1")  # though 3.0 says 9.8
    assert best([from_word("critical", "X-1"), from_vector(V2, "X-1")]) == from_vector(V2, "X-1")
    assert best([None, from_word("low", "X-1"), from_word("high", "X-2")]) == from_word("high", "X-2")
    assert best([]) is None


def test_a_word_of_the_database_counts_where_no_vector_is_valid() -> None:
    assert clean(osv("X-1", database_specific={"severity": "MODERATE"})).severity == Severity(
        Rating.MEDIUM, None, None, "X-1"
    )
    both = osv("X-1", severity=[{"type": "CVSS_V4", "score": V4}], database_specific={"severity": "LOW"})
    assert clean(both).severity == from_vector(V4, "X-1")


def test_an_invalid_vector_is_told_and_falls_back_to_the_word() -> None:
    found = parsed(osv("X-1", severity=[{"type": "CVSS_V3", "score": "bad"}], database_specific={"severity": "HIGH"}))
    assert found.record is not None
    assert found.record.severity == Severity(Rating.HIGH, None, None, "X-1")
    assert [notice.message for notice in found.notices] == ["X-1: not understood: severity bad."]


def test_a_severity_beside_a_package_counts_too() -> None:
    record = osv("X-1")
    assert isinstance(record["affected"], list)
    assert isinstance(record["affected"][0], dict)
    record["affected"][0]["severity"] = [{"type": "CVSS_V3", "score": V31}]
    assert clean(record).severity == from_vector(V31, "X-1")
