"""The JSON report: its shape is a promise."""

import json
from dataclasses import replace

import jsonschema
import pytest

from mcp_tools.finding import Finding, Location, Notice, Region, Report
from mcp_tools.output import Format, render
from mcp_tools.output.document import ReportDocument, report_document
from tests.output.samples import DRIFT, HARD, context
from tests.output.write_schema import SCHEMA, schema_text


def test_the_shape_is_the_one_that_is_written_down() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_a_report_is_valid_by_that_schema() -> None:
    jsonschema.validate(json.loads(render(HARD, Format.JSON, context())), json.loads(schema_text()))


def test_every_field_is_always_there() -> None:
    schema = json.loads(schema_text())
    shapes = [schema, *schema["$defs"].values()]
    assert [
        shape["title"] for shape in shapes if set(shape.get("required", ())) != set(shape.get("properties", ()))
    ] == []


def test_a_stranger_is_refused() -> None:
    text = render(HARD, Format.JSON, context())
    with pytest.raises(ValueError, match="extra"):
        ReportDocument.model_validate_json(text.replace('"version": 1', '"version": 1, "other": 2'))


def test_lines_and_columns_begin_at_one_and_columns_count_code_points() -> None:
    found = Finding(DRIFT, "m", Location("src/db.py", Region(1, 15, 1, 23)))
    region = report_document(Report((found,)), context()).findings[0].location.region
    assert region is not None
    assert (region.start_line, region.start_column, region.end_line, region.end_column) == (2, 16, 2, 24)


def test_a_name_that_is_not_utf8_is_shown_and_its_uri_is_exact() -> None:
    document = report_document(HARD, context())
    (place,) = (finding.location for finding in document.findings if finding.message == "Not there.")
    assert (place.path, place.uri) == ("gone\\xff/x y.md", "gone%FF/x%20y.md")


def test_a_path_that_is_utf8_is_exact_however_odd_and_written_so_that_nothing_is_hidden() -> None:
    path = "a\u202eb\n.py"
    text = render(Report((Finding(DRIFT, "m", Location(path)),)), Format.JSON, context())
    assert "\u202e" not in text
    assert json.loads(text)["findings"][0]["location"]["path"] == path


def test_the_counts_leave_out_what_is_suppressed() -> None:
    summary = report_document(HARD, context()).summary
    assert (summary.findings.error, summary.findings.warning, summary.findings.note) == (1, 4, 1)
    assert (summary.suppressed, summary.complete, summary.files_read) == (2, False, 5)


def test_suppressed_findings_are_left_out_on_demand_and_still_counted() -> None:
    document = report_document(HARD, context(with_suppressed=False))
    assert len(document.findings) == 6
    assert document.summary.suppressed == 2


def test_facts_keep_their_order() -> None:
    where = replace(context(), facts=(("b", "1"), ("a", "2")))
    assert [fact.label for fact in report_document(Report(), where).facts] == ["b", "a"]


def test_a_finding_takes_one_line_of_the_file() -> None:
    rows = render(HARD, Format.JSON, context()).split("\n")
    assert sum('"ruleId"' in row for row in rows) == len(HARD.findings)


def test_a_notice_keeps_its_path_and_gravity() -> None:
    report = Report((), (Notice("unreadable", "permission denied", "a b"), Notice("gone", "m", incomplete=True)))
    told = [(one.code, one.path, one.uri, one.incomplete) for one in report_document(report, context()).notices]
    assert told == [("gone", None, None, True), ("unreadable", "a b", "a%20b", False)]
