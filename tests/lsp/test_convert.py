"""Findings as diagnostics: the right place in the client's units, the right loudness, and nothing hostile in a word."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from lsprotocol import converters, types

from kimi_lsp.faces.uris import path_of
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.convert import Shown, diagnostic, message, place, severity, to_point, to_range, to_region, touching
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.protocol import Diagnostic, Position, Range, Severity, Tag
from mcp_tools.finding import Confidence, Finding, Level, Location, Region, Related
from mcp_tools.output import printable
from mcp_tools.project import Source
from tests.lsp.shown import BY_MODEL, BY_TOOL, PLACE, SOURCE, SQL, project_uri, shown
from tests.output.samples import findings, names, regions, source_texts

UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32
_ALL = ClientCaps(related_information=True, code_description=True, tags=frozenset(Tag))
_NONE = ClientCaps()


def _say(
    finding: Finding,
    caps: ClientCaps = _ALL,
    *,
    source: Source | None = SOURCE,
    encoding: PositionEncoding = UTF16,
    is_stale: bool = False,
) -> Diagnostic:
    return diagnostic(shown(finding, is_stale=is_stale), source, caps, encoding, project_uri)


def test_a_finding_is_said_whole() -> None:
    said = msgspec.to_builtins(_say(BY_TOOL))
    path = path_of(said["codeDescription"].pop("href"))
    assert path is not None
    assert path.name == "sql-injection.md"
    assert path.is_file()
    assert said == snapshot(
        {
            "range": {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 16}},
            "message": "The query is built from `query`.",
            "severity": 1,
            "code": "sql-injection",
            "codeDescription": {},
            "source": "kimi",
            "relatedInformation": [
                {
                    "location": {
                        "uri": "file:///p/app/web.py",
                        "range": {"start": {"line": 6, "character": 2}, "end": {"line": 6, "character": 9}},
                    },
                    "message": "it comes from here",
                }
            ],
        }
    )


def test_a_client_that_can_nothing_gets_the_same_in_the_message() -> None:
    assert msgspec.to_builtins(_say(BY_TOOL, _NONE)) == snapshot(
        {
            "range": {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 16}},
            "message": """\
The query is built from `query`.
see app/web.py:7:3: it comes from here\
""",
            "severity": 1,
            "code": "sql-injection",
            "source": "kimi",
        }
    )


@pytest.mark.parametrize(("encoding", "end"), [(UTF8, 18), (UTF16, 16), (UTF32, 15)])
def test_columns_count_in_the_clients_units(encoding: PositionEncoding, end: int) -> None:
    said = _say(BY_TOOL, encoding=encoding)
    assert said.range == Range(Position(2, 4), Position(2, end))
    assert to_region(said.range, SOURCE, encoding) == PLACE


@given(source_texts, regions(), st.sampled_from(PositionEncoding))
def test_a_place_goes_to_the_client_and_back(text: str, region: Region, encoding: PositionEncoding) -> None:
    source = Source("a", text)
    within = source.region(*source.span(region))
    assert to_region(to_range(region, source, encoding), source, encoding) == within


@given(source_texts, st.tuples(*(st.integers(0, 2**31 - 1) | st.integers(0, 9) for _ in range(4))))
def test_any_range_of_a_client_is_a_region_of_the_text(text: str, ends: tuple[int, int, int, int]) -> None:
    source = Source("a", text)
    span = Range(Position(*ends[:2]), Position(*ends[2:]))
    for encoding in PositionEncoding:
        region = to_region(span, source, encoding)
        assert source.region(*source.span(region)) == region
        assert to_point(span.start, source, encoding).is_empty


@pytest.mark.parametrize(
    ("level", "confidence", "of_tool", "of_model"),
    [
        (Level.ERROR, Confidence.HIGH, Severity.ERROR, Severity.WARNING),
        (Level.ERROR, Confidence.MEDIUM, Severity.ERROR, Severity.WARNING),
        (Level.WARNING, Confidence.HIGH, Severity.WARNING, Severity.WARNING),
        (Level.NOTE, Confidence.MEDIUM, Severity.INFORMATION, Severity.INFORMATION),
        (Level.ERROR, Confidence.LOW, Severity.HINT, Severity.HINT),
        (Level.NOTE, Confidence.LOW, Severity.HINT, Severity.HINT),
    ],
)
def test_an_error_is_a_fact_and_doubt_is_a_hint(
    level: Level, confidence: Confidence, of_tool: Severity, of_model: Severity
) -> None:
    for finding, wanted in ((BY_TOOL, of_tool), (BY_MODEL, of_model)):
        one = replace(finding, level=level, confidence=confidence)
        assert severity(shown(one)) is wanted
        assert severity(shown(one, is_stale=True)) is Severity.HINT


def test_what_is_stale_or_protected_says_so() -> None:
    protected = replace(BY_MODEL, protected_area="auth")
    said = "Whoever calls this chooses the query."
    assert _say(BY_MODEL).message == said
    assert _say(BY_MODEL, is_stale=True).message == f"{said} (stale)"
    assert _say(protected).message == f"{said} (human decision required: auth)"
    assert _say(protected, is_stale=True).message == f"{said} (stale; human decision required: auth)"


def test_tags_are_sent_where_they_mean_something_and_the_client_knows_them() -> None:
    rule = replace(SQL, tags=("CWE-89", "deprecated", "unnecessary"))
    assert _say(replace(BY_TOOL, rule=rule)).tags == [Tag.DEPRECATED, Tag.UNNECESSARY]
    assert _say(replace(BY_TOOL, rule=rule), ClientCaps(tags=frozenset({Tag.UNNECESSARY}))).tags == [Tag.UNNECESSARY]
    assert _say(replace(BY_TOOL, rule=rule), _NONE).tags is None
    assert _say(BY_TOOL).tags is None


def test_a_rule_without_a_page_has_no_link() -> None:
    rule = replace(SQL, id="not-ours")
    assert _say(replace(BY_TOOL, rule=rule)).code_description is None


@pytest.mark.parametrize(
    ("region", "drawn"),
    [
        (None, Region(1, 0, 1, 6)),  # the whole file: under its first line with text
        (Region(2, 4, 2, 4), Region(2, 4, 2, 5)),
        (Region(4, 8, 4, 8), Region(4, 7, 4, 8)),  # at the end of a line
        (Region(0, 0, 0, 0), Region(0, 0, 0, 0)),  # an empty line has nothing to draw under
        (Region(9, 0, 9, 0), Region(9, 0, 9, 0)),  # past the end: clamped when it is said
        (Region(1, 2, 4, 1), Region(1, 2, 4, 1)),
    ],
)
def test_a_place_is_never_an_invisible_point(region: Region | None, drawn: Region) -> None:
    assert place(Shown(BY_TOOL, region), SOURCE) == drawn


def test_a_finding_on_an_empty_or_unknown_file_lies_at_its_start() -> None:
    whole = replace(BY_TOOL, location=Location("app/db.py"))
    assert _say(whole, source=Source("app/db.py", "")).range == Range(Position(0, 0), Position(0, 0))
    assert _say(whole, source=Source("app/db.py", "\n \n")).range == Range(Position(0, 0), Position(0, 0))
    assert _say(whole, source=None).range == Range(Position(0, 0), Position(0, 1))


def test_a_place_past_the_text_is_said_at_its_end() -> None:
    gone = replace(BY_TOOL, location=Location("app/db.py", Region(40, 0, 41, 7)))
    assert _say(gone).range == Range(Position(4, 8), Position(4, 8))


def test_a_related_place_in_the_same_file_counts_in_the_clients_units() -> None:
    here = replace(BY_TOOL, related=(Related("", Location("app/db.py", PLACE)), Related("x", Location("b.py"))))
    first, second = _say(here, encoding=UTF8).related_information or []
    assert first.location.range == Range(Position(2, 4), Position(2, 18))
    assert first.message == "see here"
    assert second.location.range == Range(Position(0, 0), Position(0, 0))


def test_the_findings_at_a_place_come_the_narrowest_first() -> None:
    wide = Shown(BY_MODEL, Region(1, 0, 4, 2))
    narrow = Shown(BY_TOOL, PLACE)
    whole = Shown(replace(BY_TOOL, location=Location("app/db.py")), None)
    every = [wide, whole, narrow]

    def at(*ends: int) -> list[Shown]:
        return touching(every, Region(*ends), SOURCE)

    assert at(2, 4, 2, 4) == at(2, 15, 2, 15) == [narrow, wide]
    assert at(2, 3, 2, 3) == at(2, 16, 2, 16) == [wide]
    assert at(1, 3, 1, 3) == [whole, wide]
    assert at(4, 3, 4, 3) == []
    assert at(0, 0, 4, 8) == [whole, narrow, wide]


def test_a_flood_of_words_is_cut_but_its_marks_stay() -> None:
    long = replace(BY_MODEL, message="x" * 10**6, protected_area="auth")
    said = _say(long, is_stale=True).message
    assert len(said) < 1_100
    assert said.endswith("x… (stale; human decision required: auth)")
    many = replace(BY_TOOL, related=BY_TOOL.related * 500)
    assert len(_say(many).related_information or ()) == 10
    assert message(shown(many), with_related=True).endswith("\nand 497 more places")


_LSP = converters.get_converter()


@given(
    findings(["app/db.py", "b\udcff.py"]),
    source_texts,
    names,
    st.sampled_from(PositionEncoding),
    st.booleans(),
    st.sampled_from([_ALL, _NONE]),
)
def test_whatever_a_finding_says_a_client_can_read_and_show_it(
    finding: Finding, text: str, path: str, encoding: PositionEncoding, is_stale: bool, caps: ClientCaps
) -> None:
    one = replace(finding, location=replace(finding.location, path=path))
    said = _say(one, caps, source=Source(path, text), encoding=encoding, is_stale=is_stale)
    wire = msgspec.json.decode(msgspec.json.encode(said))
    read = _LSP.structure(wire, types.Diagnostic)
    assert read.source == "kimi"
    assert read.data is None
    assert printable(said.message, keep="\n") == said.message
    assert said.message.count("\n") == 0 or not caps.related_information
    assert printable(said.code or "x") == (said.code or "x")
    assert read.range.start <= read.range.end
    for related in said.related_information or ():
        assert printable(related.message) == related.message
        assert related.location.uri.isascii()
