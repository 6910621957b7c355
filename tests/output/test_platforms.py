"""rdjson for reviewdog and code quality for GitLab: their own units, scales and names."""

import json
from dataclasses import replace
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, MinLen
from hypothesis import given
from pydantic import BaseModel, ConfigDict, TypeAdapter

from mcp_tools.finding import Finding, Lane, Level, Location, Region, Related, Report, Rule
from mcp_tools.output import Context, Format, render
from mcp_tools.project import Source
from tests.output.samples import DRIFT, FEW, HARD, SQL, cases, context


class _Strict(BaseModel):
    """A reader that, like reviewdog's, refuses a field that it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RdPosition(_Strict):
    line: Annotated[int, Ge(1)]
    column: Annotated[int, Ge(1)]


class RdRange(_Strict):
    start: RdPosition
    end: RdPosition


class RdLocation(_Strict):
    path: str
    range: RdRange | None = None


class RdLink(_Strict):
    name: str
    url: str


class RdCode(_Strict):
    value: str
    url: str | None = None


class RdDiagnostic(_Strict):
    message: str
    location: RdLocation
    severity: Literal["ERROR", "WARNING", "INFO"]
    code: RdCode


class RdResult(_Strict):
    source: RdLink
    diagnostics: list[RdDiagnostic]


class GitlabLines(_Strict):
    begin: Annotated[int, Ge(1)]
    end: Annotated[int, Ge(1)]


class GitlabLocation(_Strict):
    path: str
    lines: GitlabLines


class GitlabViolation(_Strict):
    description: Annotated[str, MinLen(1)]
    check_name: str
    fingerprint: Annotated[str, MinLen(1)]
    severity: Literal["info", "minor", "major", "critical", "blocker"]
    location: GitlabLocation


def diagnostics(report: Report, where: Context) -> list[RdDiagnostic]:
    return RdResult.model_validate_json(render(report, Format.RDJSON, where)).diagnostics


def violations(report: Report, where: Context) -> list[GitlabViolation]:
    return TypeAdapter(list[GitlabViolation]).validate_json(render(report, Format.GITLAB, where))


def one(finding: Finding, source: Source | None = None) -> RdDiagnostic:
    (diagnostic,) = diagnostics(Report((finding,)), context({finding.location.path: source}.get))
    return diagnostic


def test_rdjson_columns_are_utf8_bytes_and_the_end_is_exclusive() -> None:
    """The example of the format's own definition: of `a𐐀b`, a is at 1, 𐐀 at 2, b at 6."""
    span = one(Finding(DRIFT, "m", Location("a", Region(0, 1, 0, 2))), Source("a", "a𐐀b")).location.range
    assert span is not None
    assert (span.start.column, span.end.column) == (2, 6)


def test_rdjson_gives_a_finding_about_a_whole_file_no_range() -> None:
    assert one(Finding(DRIFT, "m", Location("a"))).location.range is None


def test_rdjson_tells_related_places_and_the_need_of_a_decision_in_the_message() -> None:
    found = Finding(
        DRIFT, "m", Location("a"), related=(Related("w", Location("b", Region(1, 2, 1, 3))),), protected_area="auth"
    )
    assert one(found).message == "m\nsee b:2:3: w\nhuman decision required (auth)"


@pytest.mark.parametrize(
    ("level", "severity"), [(Level.ERROR, "ERROR"), (Level.WARNING, "WARNING"), (Level.NOTE, "INFO")]
)
def test_rdjson_says_a_level_in_its_own_words(level: Level, severity: str) -> None:
    assert one(Finding(SQL, "m", Location("a"), level=level)).severity == severity


def test_rdjson_leads_to_the_rules_page_where_there_is_one() -> None:
    assert one(Finding(SQL, "m", Location("a"))).code.url == "https://example.org/kimi-lsp/docs/rules/sql-injection.md"
    bare = replace(context(), help_base="")
    assert diagnostics(Report((Finding(SQL, "m", Location("a")),)), bare)[0].code.url is None


@FEW
@given(cases())
def test_reviewdog_can_read_any_report(case: tuple[Report, Context]) -> None:
    for diagnostic in diagnostics(*case):
        span = diagnostic.location.range
        assert span is None or (span.start.line, span.start.column) <= (span.end.line, span.end.column)


@FEW
@given(cases())
def test_gitlab_can_read_any_report_and_no_two_violations_share_a_fingerprint(case: tuple[Report, Context]) -> None:
    found = violations(*case)
    assert len({violation.fingerprint for violation in found}) == len(found)
    assert all(violation.location.lines.begin <= violation.location.lines.end for violation in found)


@pytest.mark.parametrize(
    ("lane", "level", "severity"),
    [
        (Lane.SECURITY, Level.ERROR, "critical"),
        (Lane.SECURITY, Level.WARNING, "minor"),
        (Lane.DOCS, Level.ERROR, "major"),
        (Lane.DOCS, Level.WARNING, "minor"),
        (Lane.SECURITY, Level.NOTE, "info"),
    ],
)
def test_gitlab_severities_never_block_by_themselves(lane: Lane, level: Level, severity: str) -> None:
    (violation,) = violations(Report((Finding(Rule("r", "s", level, lane), "m", Location("a")),)), context())
    assert violation.severity == severity


def test_a_gitlab_fingerprint_survives_lines_added_above() -> None:
    before = Finding(DRIFT, "m", Location("a", Region(3, 0, 3, 1)))
    after = replace(before, location=Location("a", Region(30, 0, 30, 1)))
    (old,), (new,) = (violations(Report((found,)), context()) for found in (before, after))
    assert old.fingerprint == new.fingerprint
    assert (old.location.lines.begin, new.location.lines.begin) == (4, 31)


def test_whole_lines_end_on_their_last_one_for_gitlab() -> None:
    (violation,) = violations(Report((Finding(DRIFT, "m", Location("a", Region(3, 0, 6, 0))),)), context())
    assert (violation.location.lines.begin, violation.location.lines.end) == (4, 6)


@pytest.mark.parametrize("fmt", [Format.RDJSON, Format.GITLAB])
def test_what_is_suppressed_is_not_reported_to_a_platform(fmt: Format) -> None:
    text = render(HARD, fmt, context())
    assert "Known." not in text
    assert "Marked." not in text
    assert json.loads(text)
