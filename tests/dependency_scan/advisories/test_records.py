"""One OSV record: what is kept of it, and that nothing it says raises."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mcp_tools.dependency_scan.advisories import Imported, Informational, Reference
from mcp_tools.dependency_scan.advisories.advisory import Record
from mcp_tools.dependency_scan.advisories.exports import read
from mcp_tools.dependency_scan.advisories.osv import MAX_RECORD_BYTES, UNREADABLE_RANGE, parse
from mcp_tools.dependency_scan.values import Ecosystem
from mcp_tools.dependency_scan.versions import ECOSYSTEMS, Affected, Answer, Event, EventKind, Range, RangeType, affects
from tests.dependency_scan.advisories.making import DATA, Json, affected, clean, osv, parsed


def real(record_id: str) -> Record:
    """A record of the fixtures."""
    found = [item.record for item in read(DATA) if item.record is not None and item.record.id == record_id]
    assert len(found) == 1
    return found[0]


def test_a_real_record_is_reduced_to_what_an_audit_needs() -> None:
    record = real("PYSEC-2026-1473")
    assert (record.id, record.aliases, record.summary) == snapshot(
        (
            "PYSEC-2026-1473",
            ("CVE-2024-22195", "GHSA-h5c8-rqwp-cp95"),
            "Jinja vulnerable to HTML attribute injection when passing user input as keys to xmlattr filter",
        )
    )
    (package,) = record.packages
    assert (package.ecosystem, package.name) == (Ecosystem.PYPI, "jinja2")
    assert package.affected == snapshot(
        Affected(
            ranges=(
                Range(
                    type=RangeType.ECOSYSTEM,
                    events=(
                        Event(kind=EventKind.INTRODUCED, version="0"),
                        Event(kind=EventKind.FIXED, version="3.1.3"),
                    ),
                ),
            )
        )
    )


def test_a_go_record_keeps_its_symbols_and_has_no_date_where_it_says_year_one() -> None:
    record = real("GO-2022-0191")
    assert record.modified == 0
    assert record.packages[0].imports == (
        Imported("crypto/x509", ("CertPool.findVerifiedParents", "Certificate.buildChains")),
    )


def test_every_fixture_is_read_without_a_notice() -> None:
    found = list(read(DATA))
    assert len(found) == 37
    assert [notice for item in found for notice in item.notices] == []


def test_names_are_normalised_and_a_suffix_of_the_ecosystem_is_left_aside() -> None:
    first = affected("Zope.Interface", versions=["1"])
    record = clean(osv("X-1", affected=[first, affected("org.x:y", "Maven:https://repo.example/x", versions=["1"])]))
    assert [(item.ecosystem, item.name) for item in record.packages] == [
        (Ecosystem.PYPI, "zope-interface"),
        (Ecosystem.MAVEN, "org.x:y"),
    ]


def test_an_ecosystem_that_is_not_scanned_is_left_out_without_a_notice() -> None:
    assert clean(osv("X-1", affected=[affected("openssl", "Debian:12"), {"ranges": []}])).packages == ()


def test_listed_versions_that_a_range_holds_are_dropped() -> None:
    ranges: Json = [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "2.0rc1"}]}]
    record = clean(osv("X-1", affected=[affected(ranges=ranges, versions=["1.0", "1.5", "1.9.post1", "0.9", "odd"])]))
    assert record.packages[0].affected.versions == {"0.9", "odd"}


VERSIONS = st.lists(
    st.sampled_from(["0", "0.9", "1", "1.0", "1.0.1", "1.1rc1", "1.1", "2", "2.0.0", "10.1"]), min_size=1
)


@given(VERSIONS, st.lists(st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), VERSIONS), max_size=4))
def test_dropping_listed_versions_changes_no_answer(listed: list[str], events: list[tuple[str, list[str]]]) -> None:
    first: Json = {"introduced": "0"}
    ranges: Json = [{"type": "ECOSYSTEM", "events": [first, *({kind: found[0]} for kind, found in events)]}]
    for ecosystem in ("PyPI", "npm", "Maven", "RubyGems", "Packagist"):
        record = clean(osv("X-1", affected=[affected("x", ecosystem, ranges=ranges, versions=list(listed))]))
        whole = Affected(record.packages[0].affected.ranges, frozenset(listed))
        for version in ("0", "0.9", "1", "1.0", "1.0.1", "1.1rc1", "1.1", "2.0", "10.1.0"):
            assert affects(ecosystem, version, record.packages[0].affected) == affects(ecosystem, version, whole)


def test_a_withdrawn_record_says_nothing_else() -> None:
    record = clean(osv("X-1", withdrawn="2026-01-01T00:00:00Z", aliases=["CVE-2026-1"]))
    assert (record.is_withdrawn, record.packages, record.aliases) == (True, (), ())


def test_a_withdrawal_that_is_no_time_withdraws_nothing() -> None:
    found = parsed(osv("X-1", withdrawn="yes"))
    assert found.record is not None
    assert not found.record.is_withdrawn
    assert [notice.message for notice in found.notices] == ["X-1: not understood: withdrawn."]


def test_an_escape_sequence_does_not_survive_in_a_summary() -> None:
    record = clean(osv("X-1", summary="red \x1b[31malert\u202e\x07\n\u200b  now"))
    assert record.summary == "red [31malert now"


def test_without_a_summary_the_first_words_of_the_details_stand_for_it() -> None:
    record = clean(osv("X-1", summary=None, details="### Impact\n\n## A **flaw** in x\nlets y.\n\nMore."))
    assert record.summary == "A **flaw** in x lets y."


def test_a_long_summary_is_cut() -> None:
    assert len(clean(osv("X-1", summary="long " * 1_000)).summary) == 200


def test_only_web_addresses_are_kept_as_references_and_without_credentials() -> None:
    addresses = [
        "javascript:alert(1)",
        "https://u:p@x.example/a?b=c#d",
        "file:///etc/passwd",
        "https://x.example/\x1b[",
    ]
    references: Json = [{"type": "FIX", "url": address} for address in addresses]
    assert clean(osv("X-1", references=references)).references == (Reference("fix", "https://x.example/a?b=c#d"),)


@pytest.mark.parametrize("kind", list(Informational))
def test_what_rustsec_calls_informational_is_no_plain_vulnerability(kind: Informational) -> None:
    entry = affected("x", "crates.io", versions=["1.0.0"], database_specific={"informational": kind.value})
    record = clean(osv("RUSTSEC-2026-0001", affected=[entry], database_specific={"license": "CC-BY-4.0"}))
    assert (record.informational, record.licence) == (kind, "CC-BY-4.0")


DAMAGED: list[tuple[dict[str, Json], str]] = [
    ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": 0}]}]}, "range of flask"),
    ({"ranges": [{"type": "ECOSYSTEM", "events": [{}]}]}, "range of flask"),
    ({"ranges": [{"type": "ECOSYSTEM", "events": []}]}, "range of flask"),
    ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0", "fixed": "1"}]}]}, "range of flask"),
    ({"ranges": [{"type": "CALENDAR", "events": [{"introduced": "0"}]}]}, "range of flask"),
    ({"ranges": "all"}, "flask"),
    ({"ranges": [5]}, "range of flask"),
    ({"versions": {"1": "2"}}, "versions of flask"),
    ({"versions": [1, 2]}, "versions of flask"),
    ({"versions": ["1" * 300]}, "versions of flask"),
    ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}] * 6_000}]}, "ranges of flask"),
]


@pytest.mark.parametrize(("parts", "part"), DAMAGED)
def test_what_cannot_be_read_of_a_package_leaves_it_unknown_and_not_clean(parts: dict[str, Json], part: str) -> None:
    found = parsed(osv("X-1", affected=[{**affected("flask"), **parts}]))
    assert [notice.message for notice in found.notices] == [f"X-1: not understood: {part}."]
    assert found.record is not None
    assert affects("PyPI", "99", found.record.packages[0].affected).answer is Answer.UNKNOWN


@pytest.mark.parametrize("ecosystem", sorted(ECOSYSTEMS))
def test_the_range_that_stands_for_an_unreadable_one_is_unknown_in_every_ecosystem(ecosystem: str) -> None:
    assert affects(ecosystem, "1.2.3", Affected((UNREADABLE_RANGE,))).answer is Answer.UNKNOWN


def test_a_bound_of_absurd_length_is_not_cut_into_another_one() -> None:
    ranges: Json = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1." + "0" * 300}]}]
    record = clean(osv("X-1", affected=[affected(ranges=ranges)]))
    assert affects("PyPI", "0.5", record.packages[0].affected).answer is Answer.UNKNOWN


def test_commits_alone_are_kept_as_what_cannot_be_weighed() -> None:
    ranges: Json = [{"type": "GIT", "repo": "https://x.example", "events": [{"introduced": "0"}]}]
    record = clean(osv("X-1", affected=[affected(ranges=ranges)]))
    verdict = affects("PyPI", "1", record.packages[0].affected)
    assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, "the advisory gives commits, no versions")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe{",
        b'{"id": 5}',
        b'{"id": "../../etc passwd"}',
        b'{"id": "X-1"',
        b'{"id":"X-1","a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"id":"X-1","a":' + b'{"a":' * 200_000,
        b'{"id":"X\\ud800-1"}',
        b'{"id":"X-1","n":' + b"9" * 5_000,
        b" " * (MAX_RECORD_BYTES + 1),
        b"PK\x03\x04",
    ],
    ids=str,
)
def test_what_is_no_record_is_one_notice(data: bytes) -> None:
    found = parse(data[:100] if len(data) < 100 else data, "all.zip/bad.json")
    assert found.record is None
    assert [(notice.code, notice.path) for notice in found.notices] == [("advisory-unreadable", "all.zip/bad.json")]
    assert found.notices[0].message.isprintable()
    assert len(found.notices[0].message) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "modified withdrawn aliases summary details severity affected references database_specific published".split(),
    "package ranges versions severity ecosystem_specific database_specific".split(),
    "type events introduced fixed imports path symbols score url name ecosystem informational license".split(),
)
INNER = st.dictionaries(st.sampled_from(KEYS[2]), JSON, max_size=5)
ENTRIES = st.dictionaries(st.sampled_from(KEYS[1]), JSON | INNER | st.lists(INNER | JSON, max_size=3), max_size=6)
RECORDS = st.dictionaries(st.sampled_from(KEYS[0]), JSON | st.lists(ENTRIES | INNER | JSON, max_size=3) | INNER)


@given(RECORDS)
def test_a_record_with_an_id_is_always_read_whatever_else_it_says(parts: dict[str, Json]) -> None:
    found = parse(json.dumps({**parts, "id": "X-1"}).encode(), "x")
    assert found.record is not None
    assert found.record.summary.isprintable()


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_bytes_never_raise(data: bytes) -> None:
    found = parse(data, "x")
    assert (found.record is None) == bool(found.notices) or found.record is not None


def test_the_place_of_a_fixture_line_is_said() -> None:
    broken = (DATA / "go.jsonl").read_bytes().splitlines()[0][:-5]
    assert parse(broken, "go.jsonl:1").notices[0].path == "go.jsonl:1"
    assert Path(DATA / "README.md").is_file()
