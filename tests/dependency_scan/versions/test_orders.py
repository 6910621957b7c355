"""Orders of versions, on what registries and the ecosystems' own tools say."""

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.dependency_scan.versions import ECOSYSTEMS, compare, key, normalised
from tests.dependency_scan.versions import fixtures

FILES = sorted(fixtures.DATA.glob("*.txt"))
SIGNS = {-1: "<", 0: "=", 1: ">"}

PIECES = st.sampled_from(
    "0 00 1 2 10 007 . - + _ ! v a b rc RC alpha beta dev post pre final ga sp SNAPSHOT x # p1 patch é ~ 1.0".split()
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=8).map("".join),
    st.tuples(st.sampled_from("0 1 1.0 1.2.3 v1 10.0.0".split()), st.lists(PIECES, max_size=5)).map(
        lambda made: made[0] + "".join(made[1])
    ),
    st.text(max_size=12),
)
NAMES = st.sampled_from(sorted(ECOSYSTEMS))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_line_of_the_orderings_holds(file: fixtures.Path) -> None:
    wrong: list[str] = []
    lines = list(fixtures.orderings(file))
    for ecosystem in fixtures.ECOSYSTEMS[file.name.partition("-")[0]]:
        for ordering in lines:
            found = compare(ecosystem, ordering.a, ordering.b)
            if found is None or SIGNS[found] != ordering.sign:
                wrong.append(ordering.line)
    assert len(lines) > 10
    assert set(wrong) <= fixtures.MAVEN_CHANGED | fixtures.MAVEN_REFERENCE


def test_maven_agrees_with_itself_where_an_older_one_did_not() -> None:
    for line in fixtures.MAVEN_CHANGED:
        a, _, b = line.split()
        assert compare("Maven", a, b) == 1


@given(NAMES, TEXTS, TEXTS, TEXTS)
@settings(max_examples=700, deadline=None)
def test_keys_are_a_total_order(ecosystem: str, a: str, b: str, c: str) -> None:
    keys = [found for found in (key(ecosystem, text) for text in (a, b, c)) if found is not None]
    for one, other in itertools.permutations(keys, 2):
        assert (one < other) + (one == other) + (one > other) == 1
    for one, other, third in itertools.permutations(keys, 3):
        if one <= other <= third:
            assert one <= third


@given(NAMES, TEXTS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_comparing_is_antisymmetric_and_agrees_with_the_keys(ecosystem: str, a: str, b: str) -> None:
    there, back = compare(ecosystem, a, b), compare(ecosystem, b, a)
    of_a, of_b = key(ecosystem, a), key(ecosystem, b)
    if of_a is not None and of_b is not None:
        assert there == (of_a > of_b) - (of_a < of_b)
    assert there == (None if back is None else -back)


@given(NAMES, TEXTS)
@settings(max_examples=400, deadline=None)
def test_the_normalised_spelling_is_a_version_with_the_same_key(ecosystem: str, text: str) -> None:
    spelled = normalised(ecosystem, text)
    assert (spelled is None) == (key(ecosystem, text) is None) or ecosystem == "Packagist"
    if spelled is not None:
        assert normalised(ecosystem, spelled) == spelled
        if ecosystem != "Packagist":  # Composer pads with zeros, which PHP's order counts
            assert key(ecosystem, spelled) == key(ecosystem, text)


HOSTILE = [
    "1" * 10_000,
    "0" * 10_000,
    "1." * 5_000,
    "1" + ".0" * 5_000 + ".1",
    "a" * 10_000,
    "1" + "a1" * 5_000,
    "1-" * 5_000,
    "1.0-" + "alpha." * 1_600,
    " " * 10_000 + "1",
    "1.0+" + "a." * 5_000,
    "v" * 10_000,
    "1!" * 5_000,
    "-" * 10_000,
    "\u0661" * 10_000,
    "1.0" + "post" * 2_500,
    "1.2.3-" + "9" * 9_000,
    "1\x00" * 5_000,
    "\ud800" * 10_000,
]


@pytest.mark.parametrize("ecosystem", sorted(ECOSYSTEMS))
def test_hostile_texts_are_answered(ecosystem: str) -> None:
    for text in HOSTILE:
        found = key(ecosystem, text)
        assert found is None or found == key(ecosystem, text)
        assert compare(ecosystem, text, text) in (0, None)
        normalised(ecosystem, text)
        assert compare(ecosystem, "1" * 400_000, "1") is None


@pytest.mark.parametrize("ecosystem", "npm crates.io Go Hex Pub NuGet RubyGems Maven Packagist CRAN Hackage".split())
def test_numbers_of_any_length_compare_by_value(ecosystem: str) -> None:
    long = "9" * 5_000
    assert compare(ecosystem, f"1.{long}.0", f"1.1{long}.0") == -1
    assert compare(ecosystem, f"1.{'0' * 5_000}7.0", "1.7.0") == 0


@pytest.mark.parametrize(
    ("ecosystem", "ascending"),
    [
        ("PyPI", "0.1-bulbasaur 1.0.dev1 1.0a1.dev1 1.0a1 1.0rc1 1.0 1.0+cu118 1.0.post1 1.1 1!0.1"),
        (
            "Go",
            "v0.0.0-20190101000000-abcdefabcdef v0.1.0 v1.2.3-0.20200101000000-abcdefabcdef v1.2.3 v2.0.0+incompatible",
        ),
        ("Go", "go1.20.14 go1.21rc2 go1.21rc4 go1.21.0 go1.21.1 1.22.0-0 1.22.0"),
        ("npm", "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta 1.0.0 1.0.1 1.10.0"),
        ("Maven", "1.0-alpha-1 1.0-M1 1.0-RC1 1.0-SNAPSHOT 1.0.RELEASE 1.0-sp 1.0-jre 1.0-1 1.0.1 2"),
        ("RubyGems", "1.0.0.a 1.0.0.rc1 1.0.0 1.0.0.0.1 1.0.1"),
        ("NuGet", "1.0.0-ALPHA 1.0.0-beta 1.0.0-beta.2 1.0.0 1.0.0.1 1.1"),
        ("Packagist", "dev-main 1.0-dev 1.0-alpha1 1.0-beta1 1.0-RC1 1.0 1.0-p1 1.1"),
        ("Pub", "1.0.0-dev 1.0.0 1.0.0+1 1.0.0+2 1.0.1"),
    ],
)
def test_versions_stand_in_the_order_their_authors_mean(ecosystem: str, ascending: str) -> None:
    versions = ascending.split()

    def by_compare(a: str, b: str) -> int:
        found = compare(ecosystem, a, b)
        assert found is not None, (a, b)
        return found

    assert sorted(set(versions), key=functools.cmp_to_key(by_compare)) == versions
    assert all(compare(ecosystem, a, b) == -1 for a, b in itertools.pairwise(versions))


@pytest.mark.parametrize(
    ("ecosystem", "text", "expected"),
    [
        ("PyPI", "1.0.0-Alpha.1", "1a1"),
        ("PyPI", "v1.0+Ubuntu_1", "1+ubuntu.1"),
        ("npm", "v1.2", "1.2.0"),
        ("Go", "v1.2.3+incompatible", "1.2.3"),
        ("Go", "go1.21rc2", "1.21.0-rc.2"),
        ("Maven", "1.0.0.GA", "1"),
        ("Maven", "1.0.0-RC-01", "1-rc-1"),
        ("RubyGems", "1.2.0.0", "1.2"),
        ("RubyGems", "1.2-beta", "1.2.pre.beta"),
        ("NuGet", "1.0.0.0-Beta", "1.0.0-beta"),
        ("Packagist", "v1.2b3", "1.2.0.0-beta3"),
        ("Pub", "1.2.3+4", "1.2.3+4"),
        ("Maven:https://repo.example", "1.0", "1"),
    ],
)
def test_a_version_has_one_spelling(ecosystem: str, text: str, expected: str) -> None:
    assert normalised(ecosystem, text) == expected


@pytest.mark.parametrize(
    ("ecosystem", "text"),
    [
        ("npm", "latest"),
        ("npm", "^1.2.3"),
        ("npm", ""),
        ("crates.io", "1.2.x"),
        ("Go", "gopher"),
        ("NuGet", "1.*"),
        ("NuGet", "1.2.3.4.5"),
        ("RubyGems", "beta"),
        ("Maven", "${project.version}"),
        ("Maven", "[1.0,2.0)"),
        ("CRAN", "1.0a"),
        ("PyPI", "-"),
        ("Homebrew", "1.0"),
    ],
)
def test_what_is_no_version_has_no_key(ecosystem: str, text: str) -> None:
    assert key(ecosystem, text) is None
    assert normalised(ecosystem, text) is None
    assert compare(ecosystem, text, "1.0.0") is None
