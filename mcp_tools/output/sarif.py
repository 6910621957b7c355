"""SARIF 2.1.0 as GitHub's code scanning takes it: the log, its limits, its notifications.

What GitHub asks is in its documentation, "SARIF support for code scanning".
"""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tools.finding import Confidence, Finding, Notice, Report
from mcp_tools.output.context import Context, ToolInfo
from mcp_tools.output.escape import printable
from mcp_tools.output.jsontext import Json, JsonObject, dumps
from mcp_tools.output.sarif_results import Places, artifact, look_up, result
from mcp_tools.output.sarif_rules import RuleTable, rule_table
from mcp_tools.output.summary import Summary, ordered_notices, summarise

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_DOUBT = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}
_LEFT_OUT = "results-left-out"


@dataclass(frozen=True, slots=True)
class Limits:
    """What GitHub takes at the most. The gravest results are kept; a notification says how many are not there."""

    max_results: int = 25_000
    max_gzip_bytes: int = 10_000_000
    max_notifications: int = 2_000


def render_sarif(report: Report, context: Context, limits: Limits | None = None) -> str:
    """A log with one run. The same report and sources give the same bytes."""
    limits = limits or Limits()
    summary = summarise(report)
    gravest_first = _by_gravity(summary, context)
    room = min(len(gravest_first), limits.max_results)
    places = look_up(gravest_first[:room], context)
    while True:
        text = dumps(_log(report, context, _Chosen.of(gravest_first, room), places, limits), 4)
        size = _gzip_bytes(text, limits.max_gzip_bytes)
        if size <= limits.max_gzip_bytes or not room:
            return text
        room = min(room - 1, int(room * 0.95 * limits.max_gzip_bytes / size))


def _by_gravity(summary: Summary, context: Context) -> list[Finding]:
    def lightness(finding: Finding) -> tuple[bool, int, int]:
        return finding.suppressed is not None, -finding.severity.rank, _DOUBT[finding.confidence]

    return sorted((*summary.active, *(summary.suppressed if context.with_suppressed else ())), key=lightness)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The findings that get a result, in order of place, and how many do not."""

    findings: tuple[Finding, ...]
    left_out: int

    @classmethod
    def of(cls, gravest_first: Sequence[Finding], room: int) -> "_Chosen":
        kept = summarise(Report(tuple(gravest_first[:room])))
        return cls((*kept.active, *kept.suppressed), len(gravest_first) - room)


def _gzip_bytes(text: str, limit: int) -> int:
    data = text.encode()
    return len(data) if len(data) <= limit else len(gzip.compress(data, mtime=0))


def _log(report: Report, context: Context, chosen: _Chosen, places: Places, limits: Limits) -> JsonObject:
    rules = rule_table(chosen.findings, context)
    notices = _notices(report, chosen.left_out, limits)
    run: JsonObject = {
        "tool": {"driver": _driver(context.tool, rules)},
        "automationDetails": {"id": f"{printable(context.category)}/"},
        "invocations": [
            {
                "executionSuccessful": report.is_complete,
                "toolExecutionNotifications": [_notification(notice) for notice in notices],
            }
        ],
        "columnKind": "utf16CodeUnits",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": [result(finding, rules, places) for finding in chosen.findings],
        "properties": {
            "filesRead": report.files_read,
            "facts": [{"label": printable(label), "value": printable(value)} for label, value in context.facts],
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver(tool: ToolInfo, rules: RuleTable) -> JsonObject:
    driver: dict[str, Json] = {"name": tool.name, "version": tool.version}
    if _SEMANTIC_VERSION.fullmatch(tool.version):
        driver["semanticVersion"] = tool.version
    if tool.uri:
        driver["informationUri"] = tool.uri
    return {**driver, "rules": rules.descriptors}


def _notices(report: Report, left_out: int, limits: Limits) -> list[Notice]:
    notices = ordered_notices(report.notices)
    if left_out:
        message = f"{left_out:,} findings, the least severe ones, are not in this file: GitHub would refuse it."
        notices.insert(0, Notice(_LEFT_OUT, message))
    hidden = len(notices) - limits.max_notifications
    if hidden > 0:
        del notices[limits.max_notifications :]
        notices.append(Notice("notices-left-out", f"{hidden:,} more notices are not in this file."))
    return notices


def _notification(notice: Notice) -> JsonObject:
    level = "error" if notice.incomplete else "warning" if notice.code == _LEFT_OUT else "note"
    document: dict[str, Json] = {
        "descriptor": {"id": printable(notice.code)},
        "level": level,
        "message": {"text": printable(notice.message, keep="\n\t") or printable(notice.code)},
    }
    if notice.path is not None:
        document["locations"] = [{"physicalLocation": {"artifactLocation": artifact(notice.path)}}]
    return document
