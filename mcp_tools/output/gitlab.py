"""GitLab's code quality report: a list of violations, each with a fingerprint that no two share.

The fields are those of GitLab's documentation, "Code Quality report format".
"""

from mcp_tools.finding import Finding, Lane, Level, Report
from mcp_tools.output.context import Context
from mcp_tools.output.escape import encodable, printable
from mcp_tools.output.fingerprints import unique_identities
from mcp_tools.output.jsontext import JsonObject, dumps
from mcp_tools.output.summary import decision, headline, summarise

_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}


def render_gitlab(report: Report, context: Context) -> str:
    """Every finding that counts. Notices have no place in this format."""
    del context  # the format names no tool and needs no source
    findings = summarise(report).active
    return dumps([_violation(*pair) for pair in zip(findings, unique_identities(findings), strict=True)], 1)


def _violation(finding: Finding, identity: str) -> JsonObject:
    region = finding.location.region
    ask = decision(finding)
    return {
        "description": printable(f"{headline(finding)} [{ask}]" if ask else headline(finding), keep="\n\t"),
        "check_name": printable(finding.rule.id),
        "fingerprint": identity,
        "severity": _severity(finding),
        "location": {
            "path": encodable(finding.location.path),
            "lines": {
                "begin": region.start_line + 1 if region else 1,
                "end": _last_line(finding) + 1,
            },
        },
    }


def _severity(finding: Finding) -> str:
    """GitLab's own scale; `blocker` is never used: what blocks is for people to say."""
    if finding.severity is Level.ERROR and finding.rule.lane is Lane.SECURITY:
        return "critical"
    return _SEVERITIES[finding.severity]


def _last_line(finding: Finding) -> int:
    region = finding.location.region
    if region is None:
        return 0
    is_whole = region.end_column == 0 and region.end_line > region.start_line
    return region.end_line - 1 if is_whole else region.end_line
