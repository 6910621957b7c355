"""What holds for every format and every report, however hostile."""

import json
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given

from mcp_tools.finding import Finding, Report
from mcp_tools.output import Context, Format, render
from mcp_tools.output.document import ReportDocument
from mcp_tools.project import Source
from tests.output.github_rules import github_log
from tests.output.samples import FEW, HARD, SQL, cases, context
from tests.output.sarif_schema import schema_errors

JSON_FORMATS = (Format.JSON, Format.SARIF, Format.RDJSON, Format.GITLAB)
# Signs of the format class (Cf) that are drawn: Arabic, Syriac and Kaithi number marks.
DRAWN = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")


def _hidden(text: str) -> set[str]:
    """The characters of a text that a reader would not see; a line end and the entity-free space are not among them."""
    seen = DRAWN.sub("", text.replace("\n", ""))
    return {char for char in seen if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


@FEW
@given(cases())
def test_every_format_renders_any_report_as_encodable_text_that_hides_nothing(case: tuple[Report, Context]) -> None:
    report, where = case
    for fmt in Format:
        text = render(report, fmt, where)
        assert text.endswith("\n")
        assert text.encode().decode() == text
        assert _hidden(text.replace("\t", "") if fmt is Format.MARKDOWN else text) == set()


@FEW
@given(cases())
def test_the_same_report_gives_the_same_bytes_in_whatever_order_its_findings_came(case: tuple[Report, Context]) -> None:
    report, where = case
    shuffled = replace(report, findings=report.findings[::-1], notices=report.notices[::-1])
    for fmt in Format:
        assert render(report, fmt, where) == render(report, fmt, where)
        if len({(f.location, f.rule.id, f.message) for f in report.findings}) == len(report.findings):
            assert render(shuffled, fmt, where) == render(report, fmt, where)


@FEW
@given(cases())
def test_every_json_format_is_valid_json_and_counts_what_it_should(case: tuple[Report, Context]) -> None:
    report, where = case
    active = sum(finding.suppressed is None for finding in report.findings)
    listed = len(report.findings) if where.with_suppressed else active
    documents = {fmt: json.loads(render(report, fmt, where)) for fmt in JSON_FORMATS}
    assert len(documents[Format.JSON]["findings"]) == listed
    assert len(documents[Format.SARIF]["runs"][0]["results"]) == listed
    assert len(documents[Format.RDJSON]["diagnostics"]) == active
    assert len(documents[Format.GITLAB]) == active


@FEW
@given(cases())
def test_any_sarif_is_valid_by_the_schema_and_meets_every_demand_of_github(case: tuple[Report, Context]) -> None:
    report, where = case
    text = render(report, Format.SARIF, where)
    assert schema_errors(text) == []
    github_log(text)


@FEW
@given(cases())
def test_any_json_report_is_read_back_by_its_own_model(case: tuple[Report, Context]) -> None:
    report, where = case
    document = ReportDocument.model_validate_json(render(report, Format.JSON, where))
    assert document.summary.complete == report.is_complete
    assert {finding.rule_id for finding in document.findings} == {rule.id for rule in document.rules}


@pytest.mark.parametrize("fmt", list(Format))
def test_a_source_is_asked_for_once_a_path(fmt: Format) -> None:
    asked: list[str] = []

    def sources(path: str) -> Source | None:
        asked.append(path)
        return context().sources(path)

    render(HARD, fmt, context(sources))
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("fmt", list(Format))
def test_an_empty_report_renders_and_calls_nothing_clean(fmt: Format) -> None:
    assert "clean" not in render(Report(), fmt, context()).lower()


@pytest.mark.parametrize("fmt", list(Format))
def test_ten_thousand_findings_on_one_long_line_cost_no_walk_each(fmt: Format) -> None:
    """Quadratic work here would be 10,000 walks over 300,000 characters: minutes, where the suite's patience ends."""
    source = Source("long.txt", "é𐐀x" * 100_000)
    place = replace(HARD.findings[0], related=(), fingerprint="")
    many = tuple(
        Finding(SQL, f"number {n}", replace(place.location, path="long.txt", region=source.region(n * 30, n * 30 + 2)))
        for n in range(10_000)
    )
    text = render(Report(many, files_read=1), fmt, context({"long.txt": source}.get))
    assert "number 9999" in text or fmt is Format.MARKDOWN
