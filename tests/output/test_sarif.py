"""SARIF as GitHub takes it: its demands, its limits, its columns."""

import gzip
import json
import random
from dataclasses import replace

import pytest
from pydantic import ValidationError

from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Notice, Region, Related, Report, Rule
from mcp_tools.output import Format, render
from mcp_tools.output.fingerprints import line_hashes
from mcp_tools.output.sarif import Limits, render_sarif
from mcp_tools.project import Source
from tests.output.github_rules import GithubLog, GithubResult, GithubRule, Run, github_log
from tests.output.samples import DRIFT, HARD, SQL, STYLE, context
from tests.output.sarif_schema import schema_errors


def run_of(report: Report, *, suppressed: bool = True, limits: Limits | None = None) -> Run:
    text = render_sarif(report, context(with_suppressed=suppressed), limits)
    assert schema_errors(text) == []
    return github_log(text).runs[0]


def result_of(finding: Finding) -> GithubResult:
    (result,) = run_of(Report((finding,), files_read=1)).results
    return result


def rule_of(rule: Rule) -> GithubRule:
    (described,) = run_of(Report((Finding(rule, "m", Location("a")),))).tool.driver.rules
    return described


def notifications(report: Report, limits: Limits | None = None) -> list[tuple[str, str, str]]:
    invocation = json.loads(render_sarif(report, context(), limits))["runs"][0]["invocations"][0]
    told = invocation["toolExecutionNotifications"]
    return [(one["level"], one["descriptor"]["id"], one["message"]["text"]) for one in told]


def test_the_hard_report_is_valid_and_meets_every_demand() -> None:
    assert len(run_of(HARD).results) == len(HARD.findings)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"endColumn": 25', '"endColumn": 0'),
        ('"startLine": 1, ', ""),
        ('"primaryLocationLineHash": "', '"primaryLocationLineHash": "x'),
        ('"precision": "medium"', '"precision": "certain"'),
        ('"security-severity": "8.0"', '"security-severity": "11"'),
        ('"external/cwe/cwe-089"', '"CWE-89"'),
        ('"ruleIndex": 2', '"ruleIndex": 0'),
        ('"uri": "src/db.py"', '"uri": "src/d b.py"'),
        ('"text": "The end is wrong."', '"text": ""'),
        ("](1)", "](https://evil.example)"),
        ("sarif-2.1.0.json", "sarif-2.0.0.json"),
    ],
)
def test_the_check_of_githubs_demands_refuses_what_github_would(old: str, new: str) -> None:
    text = render(HARD, Format.SARIF, context())
    assert old in text
    with pytest.raises((ValidationError, AssertionError)):
        github_log(text.replace(old, new))


def test_the_schema_refuses_what_is_not_sarif() -> None:
    text = render(HARD, Format.SARIF, context())
    assert schema_errors(text.replace('"startLine": 1', '"startLine": "1"'))
    assert schema_errors(text.replace('"columnKind": "utf16CodeUnits"', '"columnKind": "bytes"'))


def test_columns_are_utf16_units_and_the_end_is_exclusive() -> None:
    source = Source("a", "𐐀𐐀x名y\n")
    found = Finding(DRIFT, "m", Location("a", Region(0, 2, 0, 4)))
    log = GithubLog.model_validate_json(render(Report((found,)), Format.SARIF, context({"a": source}.get)))
    region = log.runs[0].results[0].locations[0].physical_location.region
    assert (region.start_column, region.end_column) == (5, 7)


def test_a_finding_about_a_whole_file_points_at_its_first_position() -> None:
    region = result_of(Finding(DRIFT, "m", Location("src/db.py"))).locations[0].physical_location.region
    assert (region.start_line, region.start_column, region.end_line, region.end_column) == (1, 1, 1, 1)


def test_the_line_hash_is_that_of_the_line_where_the_finding_starts() -> None:
    source = context().sources("src/db.py")
    assert source is not None
    found = Finding(DRIFT, "m", Location("src/db.py", Region(1, 3, 2, 0)))
    assert result_of(found).partial_fingerprints.primary == line_hashes(source.text, 2)[1]


def test_a_file_that_is_gone_and_a_line_that_is_gone_get_a_stable_hash_that_holds_no_line() -> None:
    for path in ("gone.py", "src/db.py"):
        here = result_of(Finding(DRIFT, "m", Location(path, Region(70, 0, 70, 1))))
        there = result_of(Finding(DRIFT, "m", Location(path, Region(90, 0, 90, 1))))
        assert here.partial_fingerprints == there.partial_fingerprints


def test_a_suppression_says_whether_the_source_or_a_human_made_it() -> None:
    run = json.loads(render(HARD, Format.SARIF, context()))["runs"][0]
    kinds = [one["kind"] for result in run["results"] for one in result.get("suppressions", [])]
    assert kinds == ["external", "inSource"]


def test_suppressed_findings_can_be_left_out_for_github_which_does_not_read_the_mark() -> None:
    messages = [result.message.text for result in run_of(HARD, suppressed=False).results]
    assert len(messages) == len(HARD.findings) - 2
    assert not {"Known.", "Marked."} & set(messages)


def test_a_link_in_a_message_is_no_link_but_those_to_related_places_are() -> None:
    found = Finding(
        DRIFT,
        "see [here](https://evil.example)",
        Location("a"),
        related=(Related("why", Location("b[1].py", Region(0, 0, 0, 1))),),
    )
    assert result_of(found).message.text == "see \\[here](https://evil.example)\nSee also: [b\\[1\\].py:1:1](1)"


def test_a_thousand_related_places_are_cut_to_what_github_takes() -> None:
    many = tuple(Related(f"n{number}", Location("b", Region(number, 0, number, 1))) for number in range(1200))
    assert len(result_of(Finding(DRIFT, "m", Location("a"), related=many)).related_locations) == 100


def test_a_security_rule_has_a_security_severity_and_no_other_rule_has() -> None:
    severities = {lane: rule_of(Rule("r", "s", Level.WARNING, lane)).properties.security_severity for lane in Lane}
    assert severities == {lane: "5.5" if lane is Lane.SECURITY else None for lane in Lane}


def test_a_weakness_number_becomes_the_tag_that_github_knows() -> None:
    tags = rule_of(
        Rule("r", "s", Level.ERROR, Lane.SECURITY, ("CWE-89", "cwe-1333", "owasp", "", "owasp"))
    ).properties.tags
    assert tags == ["security", "external/cwe/cwe-089", "external/cwe/cwe-1333", "owasp"]


def test_a_rule_has_at_most_twenty_tags() -> None:
    rule = Rule("r", "s", Level.ERROR, Lane.STYLE, tuple(f"t{number}" for number in range(40)))
    assert len(rule_of(rule).properties.tags) == 20


def test_a_rule_is_as_precise_as_its_findings_mostly_are() -> None:
    sure = Finding(DRIFT, "m", Location("a"), Confidence.HIGH)
    unsure = replace(sure, confidence=Confidence.LOW)

    def precision(*findings: Finding) -> str:
        return run_of(Report(findings)).tool.driver.rules[0].properties.precision

    assert precision(sure, sure, unsure) == "high"
    assert precision(sure, unsure) == "low"


def test_a_rule_without_an_id_or_a_summary_still_has_what_github_asks_for() -> None:
    rule = rule_of(Rule("", "", Level.NOTE, Lane.STYLE))
    assert (rule.id, rule.name, rule.short_description.text) == ("unnamed-rule", None, "unnamed-rule")


def test_a_long_summary_is_cut() -> None:
    assert len(rule_of(Rule("r", "s" * 5000, Level.NOTE, Lane.STYLE)).full_description.text) == 1024


def test_without_a_help_base_there_is_help_but_no_page() -> None:
    text = render(HARD, Format.SARIF, replace(context(), help_base=""))
    assert schema_errors(text) == []
    assert github_log(text).runs[0].tool.driver.rules[0].help.text
    assert "helpUri" not in text


def test_the_gravest_results_are_kept_when_there_are_too_many_and_a_notification_says_so() -> None:
    findings = [
        Finding(rule, f"m{number}", Location(f"f{number}", Region(0, 0, 0, 1)), confidence)
        for number, (rule, confidence) in enumerate((rule, sure) for rule in (STYLE, DRIFT, SQL) for sure in Confidence)
    ]
    findings.append(Finding(SQL, "dismissed", Location("a"), Confidence.HIGH, suppressed="dismissed"))
    random.Random(7).shuffle(findings)
    report, limits = Report(tuple(findings), files_read=9), Limits(max_results=4)
    kept = {(result.rule_id, result.level) for result in run_of(report, limits=limits).results}
    assert kept == {("sql-injection", "error"), ("doc-drift", "warning")}
    assert len(run_of(report, limits=limits).results) == 4
    message = "6 findings, the least severe ones, are not in this file: GitHub would refuse it."
    assert notifications(report, limits) == [("warning", "results-left-out", message)]


def test_what_does_not_fit_into_githubs_size_is_left_out() -> None:
    noise = random.Random(3)
    findings = tuple(
        Finding(DRIFT, noise.randbytes(40).hex(), Location(f"f{number}", Region(0, 0, 0, 1))) for number in range(400)
    )
    grave = Finding(SQL, "the grave one", Location("z", Region(0, 0, 0, 1)))
    limits = Limits(max_gzip_bytes=20_000)
    text = render_sarif(Report((*findings, grave)), context(), limits)
    assert len(gzip.compress(text.encode())) <= 20_000
    results = github_log(text).runs[0].results
    assert 50 < len(results) < 400
    assert "the grave one" in {result.message.text for result in results}
    left = len(findings) + 1 - len(results)
    assert notifications(Report((*findings, grave)), limits)[0][2].startswith(f"{left} findings, the least severe")


def test_a_size_that_nothing_fits_into_ends_in_an_empty_log_and_no_loop() -> None:
    assert run_of(HARD, limits=Limits(max_gzip_bytes=10)).results == []


def test_notices_become_notifications_the_grave_ones_first() -> None:
    assert notifications(HARD) == [
        ("error", "endpoint-gone", "the endpoint went away"),
        ("note", "binary-file", "not read: binary"),
        ("note", "binary-file", "not read: binary"),
    ]


@pytest.mark.parametrize("incomplete", [True, False])
def test_an_incomplete_audit_is_an_unsuccessful_execution(incomplete: bool) -> None:
    report = Report((), (Notice("n", "m", incomplete=incomplete),), 1)
    assert run_of(report).invocations[0].execution_successful is not incomplete


def test_too_many_notices_are_counted() -> None:
    report = Report((), tuple(Notice("binary-file", "binary", f"f{number}") for number in range(30)))
    told = notifications(report, Limits(max_notifications=10))
    assert len(told) == 11
    assert told[-1] == ("note", "notices-left-out", "20 more notices are not in this file.")


def test_the_category_stands_before_the_slash() -> None:
    text = render(HARD, Format.SARIF, replace(context(), category="kimi-lsp/model"))
    assert github_log(text).runs[0].automation_details.id == "kimi-lsp/model/"


@pytest.mark.parametrize(("version", "is_semantic"), [("0.1.0", True), ("1.2.3-rc.1+x", True), ("2026.1", False)])
def test_a_semantic_version_is_told_as_such(version: str, is_semantic: bool) -> None:
    where = context()
    text = render(HARD, Format.SARIF, replace(where, tool=replace(where.tool, version=version)))
    driver = json.loads(text)["runs"][0]["tool"]["driver"]
    assert driver["version"] == version
    assert ("semanticVersion" in driver) is is_semantic
