"""Requirements of manifests: what they allow, and whether they pin."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tools.dependency_scan.versions import ECOSYSTEMS, allows, is_pinned

CASES = [
    # npm: the table of node-semver's README and its edge cases, each checked against node-semver 7.8.5
    ("npm", "1.0.0 - 2.0.0", "1.2.3 2.0.0", "2.2.3 2.0.1 0.9.9 1.5.0-a"),
    ("npm", "1.2.3 - 2.3", "2.3.9 1.2.3", "2.4.0 1.2.2"),
    ("npm", "1.2 - 2", "1.2.0 2.9.9", "3.0.0 3.0.0-0"),
    ("npm", "^1.2.3", "1.2.3 1.8.1", "2.0.0 1.2.2 2.0.0-alpha 1.2.3-beta"),
    ("npm", "^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
    ("npm", "^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("npm", "^0.0", "0.0.9", "0.1.0"),
    ("npm", "^1.2.3-beta.1", "1.2.3-beta.1 1.2.3-beta.2 1.2.3 1.9.0", "1.2.4-beta.1 1.2.3-alpha 2.0.0"),
    ("npm", "~1.2.3", "1.2.9", "1.3.0 1.2.2"),
    ("npm", "~1", "1.9.9", "2.0.0"),
    ("npm", "~>3.2.1", "3.2.2", "3.3.2 3.2.0"),
    ("npm", "1.x || >=2.5.0 || 5.0.0 - 7.2.3", "1.9.0 2.5.0 9.0.0", "2.4.9 0.1.0"),
    ("npm", "0.1.20||1.2.4", "1.2.4", "1.2.3"),
    ("npm", ">= 1.2 < 2", "1.2.0 1.9.9", "2.0.0 1.1.1"),
    ("npm", "<=0.7.x", "0.7.2 0.6.2", "0.8.0"),
    ("npm", ">1.2", "1.3.0", "1.2.8"),
    ("npm", "*", "1.2.3", "1.2.3-foo"),
    ("npm", "", "1.0.0", ""),
    ("npm", ">=0.0.0 || <=3.2.0-beta", "3.2.0", "3.2.0-alpha"),
    ("npm", "<*", "", "0.0.0 1.0.0"),
    ("npm", "npm:@scope/other@^1.2", "1.3.0", "2.0.0"),
    ("npm", "workspace:^1.2.0", "1.3.0", "2.0.0"),
    # Cargo: the behaviour dtolnay/semver's tests describe
    ("crates.io", "1.0.0", "1.0.0 1.1.0", "0.9.9 2.0.0 1.0.0-pre 1.0.1-pre"),
    ("crates.io", "=0.1.0-beta2.a", "0.1.0-beta2.a", "0.9.1 0.1.0 0.1.1-beta2.a 0.1.0-beta2"),
    ("crates.io", ">= 2.1.0-alpha2", "2.1.0-alpha2 2.1.0-alpha3 2.1.0 3.0.0", "2.0.0 2.1.0-alpha1 3.0.0-alpha2"),
    ("crates.io", ">1.0.0-alpha, <1.0.0", "1.0.0-beta", "1.0.0"),
    ("crates.io", ">1.0.0-alpha, <1.0", "", "1.0.0-beta"),
    ("crates.io", "> 0.0.9, <= 2.5.3", "0.0.10 1.0.0 2.5.3", "0.0.8 2.5.4"),
    ("crates.io", "0.1.0, 0.1.4, 0.1.6", "0.1.6 0.1.9", "0.1.0 0.1.4 0.2.0"),
    ("crates.io", "~1.2.3-beta.2", "1.2.3 1.2.4 1.2.3-beta.2 1.2.3-beta.4", "1.3.3 1.2.3-beta.1 1.2.4-beta.2"),
    ("crates.io", "^0.5.1-alpha3", "0.5.1-alpha3 0.5.1-beta 0.5.1 0.5.5", "0.5.1-alpha1 0.5.2-alpha3 0.6.0"),
    ("crates.io", "^0.0.2", "0.0.2", "0.0.1 0.0.3 0.1.4"),
    ("crates.io", "^0", "0.9.1 0.0.0", "1.0.0"),
    ("crates.io", "1.2.*", "1.2.0 1.2.4", "1.9.0 1.2.2-pre"),
    ("crates.io", "*", "0.9.1 2.9.0", "1.0.0-pre"),
    ("crates.io", "=1.2", "1.2.0 1.2.9", "1.3.0"),
    # PyPI: packaging itself, and Poetry's own signs
    ("PyPI", ">=1.0,<2", "1.0 1.9", "2.0 0.9"),
    ("PyPI", "~=1.4.2", "1.4.2 1.4.9", "1.5 1.4.1"),
    ("PyPI", "==1.4.*", "1.4 1.4.9 1.4.0rc1", "1.5"),
    ("PyPI", "==1.0", "1.0 1.0.0 1.0+cu118", "1.0.post1"),
    ("PyPI", ">1.0", "1.1", "1.0.post1 1.0"),
    ("PyPI", "(>=1,!=1.5)", "1.4", "1.5"),
    ("PyPI", "===1.0", "1.0", "1.0.0"),
    ("PyPI", "", "1.0 2.0a1", ""),
    ("PyPI", "^1.2.3", "1.2.3 1.9", "2.0 1.2.2"),
    ("PyPI", "^0.2", "0.2 0.2.9", "0.3"),
    ("PyPI", "^0.0.3", "0.0.3", "0.0.4"),
    ("PyPI", "~1.2", "1.2.9", "1.3"),
    ("PyPI", "~1", "1.9", "2.0"),
    ("PyPI", "1.2.3", "1.2.3", "1.2.4"),
    ("PyPI", "2.*", "2.9", "3.0"),
    ("PyPI", "^1.0 || ^3.0", "1.5 3.5", "2.0"),
    ("PyPI", ">= 1.0 < 2.0", "1.5", "2.0"),
    ("PyPI", "*", "0.1 99", ""),
    # Composer: composer/semver's tests
    ("Packagist", "1.0.0 - 2.0.0", "1.2.3 2.0.0", "2.2.3"),
    ("Packagist", "1.0 - 2.0", "1.0.0 2.0.9", "2.1.0 0.9"),
    ("Packagist", "^1.2.3+build", "1.2.3 1.3.0", "2.0.0 1.2.0"),
    ("Packagist", "^1.2.3", "1.8.1 1.2.3-beta", "2.0.0-alpha 1.2.2"),
    ("Packagist", "^0.1.2", "0.1.2 0.1.9", "0.2.0"),
    ("Packagist", "^0.0.1-alpha", "0.0.1-beta", "0.0.2"),
    ("Packagist", "~2.4", "2.9.0 2.4.5", "3.0.0 2.3.9"),
    ("Packagist", "~1.2.1 >=1.2.3", "1.2.3", "1.2.2 1.3.0"),
    ("Packagist", "~v0.5.4-beta", "0.5.4", "0.5.4-alpha"),
    ("Packagist", ">1.2", "1.2.8 1.3.0-beta", "1.2"),
    ("Packagist", "<1.2.3", "1.2.2", "1.2.3-beta 1.2.3"),
    ("Packagist", "<=1.2.3", "1.2.3-beta 1.2.3", "1.2.4"),
    ("Packagist", "1.2.x || 2.x", "2.1.3 1.2.3", "3.1.3 1.1.3"),
    ("Packagist", ">=0.2.3|<0.0.1", "0.0.0 0.2.4", "0.0.3"),
    ("Packagist", "1.0", "1.0 v1.0.0 1.0.0.0", "1.0.1 1.0.0beta"),
    ("Packagist", "2.3.*", "2.3.9", "2.4.1"),
    ("Packagist", "*", "v1.2.3", ""),
    ("Packagist", "^1.0@dev", "1.5", "2.0"),
    ("Packagist", "dev-main#1234567", "dev-main", "dev-other"),
    ("Packagist", "dev-main as 1.0.x-dev", "dev-main", "dev-other"),
    # RubyGems
    ("RubyGems", "~> 1.2", "1.2 1.9.9", "2.0 2.0.0.pre 1.1"),
    ("RubyGems", "~> 1.2.3", "1.2.3 1.2.10", "1.3 1.2.3.rc1"),
    ("RubyGems", "~> 1.2.3.rc1", "1.2.3.rc1 1.2.9", "1.3"),
    ("RubyGems", ">= 1.0, < 2", "1.5", "2.0 0.9"),
    ("RubyGems", "1.2", "1.2 1.2.0", "1.2.1"),
    ("RubyGems", "!= 1.2", "1.3", "1.2.0"),
    ("RubyGems", "", "0.1", ""),
    # NuGet, Maven, Gradle
    ("NuGet", "1.0", "1.0 2.0", "0.9"),
    ("NuGet", "[1.0]", "1.0 1.0.0.0", "1.0.1"),
    ("NuGet", "(1.0,2.0]", "1.1 2.0", "1.0 2.0.1"),
    ("NuGet", "(,1.0)", "0.9", "1.0"),
    ("NuGet", "1.2.*", "1.2.0 1.2.9", "1.1"),
    ("NuGet", "*", "0.1 9.0", ""),
    ("Maven", "[1.0,2.0)", "1.0 1.5", "2.0 0.9"),
    ("Maven", "(,1.0],[1.2,)", "0.9 1.2 3", "1.1"),
    ("Maven", "[1.5]", "1.5 1.5.0", "1.6"),
    ("Maven", "1.5", "1.5 1.5.0", ""),
    ("Maven", "]1.0,2.0[", "1.5", "1.0 2.0"),
    ("Maven", "1.2.+", "1.2.9 1.2", "1.20 1.3"),
    # Pub, Hex, Go, GitHub Actions
    ("Pub", "^1.2.3", "1.2.3 1.9.0", "2.0.0 2.0.0-dev 1.2.2"),
    ("Pub", "^0.1.2", "0.1.9", "0.2.0"),
    ("Pub", "^0.0.3", "0.0.9", "0.1.0"),
    ("Pub", ">=1.0.0 <2.0.0", "1.0.0 1.9.9", "2.0.0 2.0.0-dev.1"),
    ("Pub", ">=2.0.0-dev.0 <2.0.0", "2.0.0-dev.1", "2.0.0"),
    ("Pub", "any", "0.0.1", ""),
    ("Pub", "1.2.3", "1.2.3", "1.2.4 1.2.3+1"),
    ("Hex", "~> 2.1", "2.1.0 2.9.0", "3.0.0 3.0.0-rc.1 2.0.9"),
    ("Hex", "~> 2.1.3", "2.1.9", "2.2.0"),
    ("Hex", ">= 1.0.0 and < 2.0.0 or == 3.0.0", "1.5.0 3.0.0", "2.0.0"),
    ("Hex", "1.2.3", "1.2.3", "1.2.4"),
    ("Go", "v1.2.3", "v1.2.3 v1.9.0", "v1.2.2 v2.0.0"),
    ("GitHub Actions", "v4", "v4.1.2 v4", "v3.0.0"),
]  # fmt: skip


@pytest.mark.parametrize(("ecosystem", "requirement", "inside", "outside"), CASES)
def test_a_requirement_allows_what_its_tools_say(ecosystem: str, requirement: str, inside: str, outside: str) -> None:
    given = {version: allows(ecosystem, requirement, version) for version in (inside + " " + outside).split()}
    assert given == dict.fromkeys(inside.split(), True) | dict.fromkeys(outside.split(), False)


@pytest.mark.parametrize(
    ("ecosystem", "requirement", "version"),
    [
        ("npm", "latest", "1.0.0"),
        ("npm", "git+https://host.example/a/b.git#v1", "1.0.0"),
        ("npm", "file:../other", "1.0.0"),
        ("npm", "x.1", "1.0.0"),
        ("npm", "^1.2.3", "junk"),
        ("npm", "^1.2.3", "1.2"),
        ("crates.io", "1.2.3 - 2.3.4", "1.5.0"),
        ("crates.io", "=1.2.3 || =2.3.4", "1.2.3"),
        ("crates.io", "> 0.1.0,", "0.2.0"),
        ("crates.io", "1.*.1", "1.0.1"),
        ("PyPI", "not a specifier", "1.0"),
        ("PyPI", ">=1.0", "not-a-version"),
        ("Packagist", "~>1.2", "1.2.3"),
        ("Packagist", "^1.0", "1.x-dev"),
        ("RubyGems", "~> beta", "1.0"),
        ("NuGet", "1.2.*", "1.3"),
        ("Maven", "1.5", "1.6"),
        ("Maven", "latest.release", "1.6"),
        ("Maven", "[1.0,2.0", "1.5"),
        ("Go", "main", "v1.0.0"),
        ("GitHub Actions", "main", "v1.0.0"),
        ("CRAN", ">= 1.0", "1.0"),
        ("Homebrew", "1.0", "1.0"),
        ("npm", "^1" + " " * 5_000, "1.0.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_none(ecosystem: str, requirement: str, version: str) -> None:
    assert allows(ecosystem, requirement, version) is None


@pytest.mark.parametrize(
    ("ecosystem", "pinned", "loose"),
    [
        ("npm", "1.2.3|=1.2.3|v1.2.3", "^1.2.3|1.2|*||1.2.3 - 1.2.4"),
        ("crates.io", "=1.2.3", "1.2.3|=1.2|*"),
        ("PyPI", "==1.2.3|===1.2|==1.0,!=2|1.2.3", "==1.2.*|>=1|~=1.2||^1.2"),
        ("Packagist", "1.2.3|v1.2.3|=1.2.3", "^1.2|1.2.*|dev-main|~1.2.3"),
        ("RubyGems", "1.2.3|= 1.2.3", "~> 1.2|>= 1|"),
        ("NuGet", "[1.2.3]|[1.0,1.0]", "1.2.3|1.*|[1.0,2.0)"),
        ("Maven", "1.2.3|[1.2.3]|1.2.3!!", "1.2.3-SNAPSHOT|[1.0,2.0)|1.+|LATEST|latest.release"),
        ("Pub", "1.2.3", "^1.2.3|any|>=1.0.0 <2.0.0"),
        ("Hex", "== 1.2.3|1.2.3", "~> 1.2|>= 1.0.0"),
        ("Go", "v1.2.3|v0.0.0-20200101000000-abcdefabcdef", ""),
        ("GitHub Actions", "0123456789abcdef" * 2 + "01234567", "v4|v4.1.2|main|0123456"),
    ],
)
def test_a_requirement_pins_only_where_it_names_one_version(ecosystem: str, pinned: str, loose: str) -> None:
    assert {requirement: is_pinned(ecosystem, requirement) for requirement in pinned.split("|")} == dict.fromkeys(
        pinned.split("|"), True
    )
    for requirement in loose.replace("||", "| |").split("|") if loose else ():
        assert is_pinned(ecosystem, requirement) is False, requirement


WORDS = st.sampled_from(
    "^ ~ ~> >= <= < > = == != || | , - and or x * 1 1.2 1.2.3 0 [ ] ( ) @dev dev-main 1.0-rc1 1.2.x as + #a".split()
)


@given(
    st.sampled_from(sorted(ECOSYSTEMS)), st.lists(WORDS, max_size=8), st.sampled_from(["", " "]), st.text(max_size=6)
)
@settings(max_examples=700, deadline=None)
def test_nothing_a_manifest_says_raises(ecosystem: str, words: list[str], between: str, text: str) -> None:
    requirement = between.join(words)
    for version in ("1.2.3", "1.0.0-rc1", text):
        assert allows(ecosystem, requirement, version) in (True, False, None)
    assert is_pinned(ecosystem, requirement + text) in (True, False, None)


@pytest.mark.parametrize("ecosystem", sorted(ECOSYSTEMS))
def test_hostile_requirements_are_answered(ecosystem: str) -> None:
    for piece in (
        "1",
        "1.",
        ">=1,",
        "||",
        " ",
        "^1 ",
        "[1,2],",
        "~> 1, ",
        "a",
        "x.",
        "- ",
        "1 - 2 || ",
        "==1.*,",
        "\x00",
    ):
        requirement = piece * (1_999 // len(piece))
        assert allows(ecosystem, requirement, "1.0.0") in (True, False, None)
        assert allows(ecosystem, requirement, "1" * 10_000) in (True, False, None)
