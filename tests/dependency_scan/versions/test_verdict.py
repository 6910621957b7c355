"""Whether an advisory's ranges hold a version, by the evaluation of the OSV schema."""

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.dependency_scan.versions import (
    AFFECTED,
    NOT_AFFECTED,
    Affected,
    Answer,
    Event,
    EventKind,
    Range,
    RangeType,
    affects,
    compare,
    smallest_fixed,
)
from tests.dependency_scan.versions import fixtures

ROWS = fixtures.advisories()


def events(text: str) -> tuple[Event, ...]:
    """`introduced 0, fixed 1.2` as events."""
    return tuple(Event(EventKind(kind), version) for kind, version in (part.split() for part in text.split(",")))


def ranged(*texts: str, type_: RangeType = RangeType.ECOSYSTEM, versions: str = "") -> Affected:
    return Affected(tuple(Range(type_, events(text)) for text in texts), frozenset(versions.split()))


def answers(ecosystem: str, affected: Affected, versions: str) -> str:
    """`+` affected, `-` not, `?` unknown, one a version."""
    signs = {Answer.AFFECTED: "+", Answer.NOT_AFFECTED: "-", Answer.UNKNOWN: "?"}
    return "".join(signs[affects(ecosystem, version, affected).answer] for version in versions.split())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.package}-{row.version}-{row.id}")
def test_real_advisories_are_matched_as_an_independent_reader_does(row: fixtures.Row) -> None:
    assert affects(row.ecosystem, row.version, row.affected) == (AFFECTED if row.is_affected else NOT_AFFECTED)


@pytest.mark.parametrize(
    ("ecosystem", "text", "versions", "expected"),
    [
        ("PyPI", "introduced 0, fixed 1.2", "0.dev0 1.2rc1 1.2 1.2.post1 2", "++---"),
        ("PyPI", "introduced 1.0, last_affected 1.2", "0.9 1.0 1.2 1.2.1", "-++-"),
        ("PyPI", "fixed 1.2, introduced 1.0, fixed 2.2, introduced 2.0", "0.9 1.0 1.2 2.1 2.2", "-+-+-"),
        ("PyPI", "introduced 0, fixed 2.0, introduced 2.0, fixed 2.11", "1.9 2.0 2.11", "++-"),
        ("PyPI", "introduced 1.5, last_affected 1.5", "1.4 1.5 1.6", "-+-"),
        ("PyPI", "introduced 0", "0.1 99", "++"),
        ("PyPI", "introduced 0, limit 1.0", "0.9 1.0 2.0", "+--"),
        ("PyPI", "introduced 0, limit 1.0, limit 3.0", "0.9 2.0 3.0", "++-"),
        ("PyPI", "introduced 0, limit 1.0, limit *", "0.9 2.0", "++"),
        ("npm", "introduced 0, fixed 1.2.3", "1.2.3-beta 1.2.3", "+-"),
        ("Go", "introduced 0, fixed 1.2.3", "v1.2.3-0.20200101000000-abcdefabcdef v1.2.3 v1.0.0+incompatible", "+-+"),
        ("Go", "introduced 1.22.0-0, fixed 1.22.3", "go1.21.9 go1.22rc1 go1.22.3", "-+-"),
        ("Maven", "introduced 2.0, fixed 2.9.10.8", "1.9 2.0.RELEASE 2.9.10.7 2.9.10.8.Final", "-++-"),
        ("Packagist", "introduced 0, fixed 1.0.0", "v0.9 1.0-RC1 1.0 v1.0.0.0 dev-main", "++--?"),
        ("NuGet", "introduced 0, fixed 1.0.0", "1.0.0-RC1 1.0 1.0.0.0 1.0.0.1", "+---"),
        ("RubyGems", "introduced 0, fixed 4.2.5.1", "4.2.5 4.2.5.1.rc1 4.2.5.1", "++-"),
        ("GitHub Actions", "introduced 0, fixed 46.0.1", "v45.0.7 v45 v46.0.1", "+?-"),
    ],
)
def test_events_are_walked_in_the_order_of_their_versions(
    ecosystem: str, text: str, versions: str, expected: str
) -> None:
    assert answers(ecosystem, ranged(text), versions) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("introduced 1.0, fixed 3.0.3-NA", "-??"),
        ("introduced 0.2.0-n653, fixed 1.0", "???"),
        ("introduced 1.0, introduced 0.2.0-n653", "?++"),
        ("introduced 1.0, fixed 2019-09-12, fixed 2.0", "-?-"),
        ("introduced 1.0, last_affected 1-NA-2", "-??"),
        ("introduced 0, limit 3.0.3-NA", "???"),
        ("introduced 0, limit 3.0.3-NA, limit 1.5", "++?"),
    ],
)
def test_a_bound_that_cannot_be_read_is_unknown_only_where_it_matters(text: str, expected: str) -> None:
    assert answers("PyPI", ranged(text), "0.5 1.2 5.0") == expected


def test_a_range_that_holds_the_version_outweighs_one_that_cannot_be_read() -> None:
    affected = ranged("introduced 0, fixed 3.0.3-NA", "introduced 1.0, fixed 2.0")
    assert answers("PyPI", affected, "1.5 2.5") == "+?"


def test_a_listed_version_is_affected_whatever_the_ranges_say() -> None:
    affected = ranged("introduced 2.0, fixed 3.0", versions="1.0 0.1-bulbasaur 1.5.0")
    assert answers("PyPI", affected, "1.0 1.0.0 1.5 0.1-bulbasaur 0.2-bulbasaur 1.1") == "++++?-"


def test_commits_alone_are_unknown_unless_versions_are_listed() -> None:
    commits = Range(RangeType.GIT, events("introduced 0, fixed 5a7f3d"))
    assert answers("PyPI", Affected((commits,)), "1.0") == "?"
    assert answers("PyPI", Affected((commits,), frozenset({"1.0"})), "1.0 1.1 junk") == "+-?"
    assert affects("PyPI", "1.0", Affected((commits,))).reason == "the advisory gives commits, no versions"
    assert answers("PyPI", Affected(), "1.0") == "?"


def test_an_unknown_verdict_says_why_and_shows_no_more_than_a_piece_of_a_hostile_version() -> None:
    affected = ranged("introduced 0")
    assert affects("npm", "latest", affected).reason == "'latest' is not a version of npm"
    assert affects("Homebrew", "1.0", affected).reason == "the order of Homebrew versions is not known here"
    assert affects("Packagist", "dev-main", affected).reason == "'dev-main' is a branch, not a release"
    assert len(affects("npm", "x" * 100_000, affected).reason) < 100


def test_a_local_label_is_left_aside_unless_the_advisory_names_one() -> None:
    assert answers("PyPI", ranged("introduced 0, last_affected 2.0"), "2.0+cu118 2.0.1+cu118") == "+-"
    assert answers("PyPI", ranged("introduced 0, fixed 2.0+fix1"), "2.0 2.0+fix1") == "+-"


def test_semver_ranges_compare_by_semver_in_any_ecosystem() -> None:
    affected = ranged("introduced 1.0.0, fixed 1.2.0", type_=RangeType.SEMVER)
    assert answers("PyPI", affected, "1.1.0 1.2.0 1.1.post1!") == "+-?"
    assert answers("Pub", ranged("introduced 0, fixed 1.0.0", type_=RangeType.SEMVER), "1.0.0+1 0.9.0") == "-+"


@pytest.mark.parametrize(
    ("ecosystem", "version", "texts", "published", "expected"),
    [
        ("PyPI", "1.0", ["introduced 0, fixed 1.2", "introduced 0, fixed 1.5"], "", "1.5"),
        ("PyPI", "1.0", ["introduced 0, fixed 1.2", "introduced 1.2, fixed 1.3"], "", "1.3"),
        ("PyPI", "2.1", ["introduced 0, fixed 1.2, introduced 2.0, fixed 2.4"], "", "2.4"),
        ("PyPI", "1.0", ["introduced 0, last_affected 1.4"], "", None),
        ("PyPI", "1.0", ["introduced 0, last_affected 1.4"], "1.4 1.6 1.5", "1.5"),
        ("PyPI", "1.0", ["introduced 0, fixed 1.2", "introduced 0, fixed 3.0.3-NA"], "", None),
        ("PyPI", "1.0", ["introduced 0"], "2.0", None),
        ("Go", "v1.0.0", ["introduced 0, fixed 1.2.0", "introduced 1.2.0, fixed 1.2.1-0.2-abc"], "", "1.2.1-0.2-abc"),
        ("Packagist", "v1.0", ["introduced 0, fixed 1.0.1"], "", "1.0.1"),
        ("npm", "junk", ["introduced 0, fixed 1.0.1"], "", None),
    ],
)  # fmt: skip
def test_the_smallest_fix_is_safe_from_all_advisories(
    ecosystem: str, version: str, texts: list[str], published: str, expected: str | None
) -> None:
    found = smallest_fixed(ecosystem, version, [ranged(text) for text in texts], published.split())
    assert found == expected


def test_the_smallest_fix_of_real_packages_is_above_and_safe() -> None:
    packages = {(row.ecosystem, row.package, row.version) for row in ROWS if row.is_affected}
    found_any = False
    for ecosystem, package, version in packages:
        entries = [row.affected for row in ROWS if row.package == package]
        fixed = smallest_fixed(ecosystem, version, entries)
        if fixed is not None:
            found_any = True
            assert compare(ecosystem, fixed, version) == 1
            assert all(affects(ecosystem, fixed, entry) == NOT_AFFECTED for entry in entries)
    assert found_any


NUMBERS = st.integers(0, 9)
POINTS = st.lists(
    st.tuples(st.sampled_from([EventKind.INTRODUCED, EventKind.FIXED, EventKind.LAST_AFFECTED]), NUMBERS), max_size=6
)


@given(POINTS, NUMBERS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_events_are_written_in_does_not_matter(
    points: list[tuple[EventKind, int]], at: int, random: Random
) -> None:
    made = [Event(kind, f"1.{number}.0") for kind, number in points]
    shuffled = made.copy()
    random.shuffle(shuffled)
    for ecosystem in ("PyPI", "npm", "Maven", "Packagist"):
        one, other = (Affected((Range(RangeType.ECOSYSTEM, tuple(some)),)) for some in (made, shuffled))
        assert affects(ecosystem, f"1.{at}.0", one) == affects(ecosystem, f"1.{at}.0", other)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3), st.sampled_from(EventKind), NUMBERS)
@settings(max_examples=300, deadline=None)
def test_an_unreadable_bound_is_never_decided_against_what_it_could_have_been(
    spans: list[tuple[int, int]], kind: EventKind, at: int
) -> None:
    clean = list(
        itertools.chain.from_iterable(
            (Event(EventKind.INTRODUCED, f"1.{low}"), Event(EventKind.FIXED, f"1.{high}")) for low, high in spans
        )
    )
    verdict = affects("PyPI", f"1.{at}", Affected((Range(RangeType.ECOSYSTEM, (*clean, Event(kind, "3.0-NA"))),)))
    possible: set[Answer] = set()
    for place in range(11):
        readable = Affected((Range(RangeType.ECOSYSTEM, (*clean, Event(kind, f"1.{place}.5"))),))
        possible.add(affects("PyPI", f"1.{at}", readable).answer)
    assert verdict.answer is Answer.UNKNOWN or possible == {verdict.answer}
