"""The rules of a SARIF run, with all that GitHub's code scanning asks of one."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tools.finding import Confidence, Finding, Lane, Level, Rule
from mcp_tools.output.context import Context
from mcp_tools.output.escape import printable
from mcp_tools.output.jsontext import Json, JsonObject

_MAX_TAGS = 20
_MAX_NAME = 255
_MAX_DESCRIPTION = 1024
_CWE = re.compile(r"CWE-(\d{1,6})", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^0-9A-Za-z]+")
_PROBLEM_SEVERITY = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}
_SECURITY_SEVERITY = {Level.ERROR: "8.0", Level.WARNING: "5.5", Level.NOTE: "3.0"}  # GitHub: high, medium, low
_BY_DOUBT = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules that a run's results name, sorted by id, and where each of them stands."""

    descriptors: tuple[JsonObject, ...]
    indices: dict[str, int]


def rule_id(rule: Rule) -> str:
    """The rule's id as SARIF may hold it: printable and never empty."""
    return printable(rule.id) or "unnamed-rule"


def rule_table(findings: Sequence[Finding], context: Context) -> RuleTable:
    """Describe every rule that findings name. Of two rules with one id the first finding's holds."""
    rules: dict[str, Rule] = {}
    confidences: defaultdict[str, Counter[Confidence]] = defaultdict(Counter)
    for finding in findings:
        name = rule_id(finding.rule)
        rules.setdefault(name, finding.rule)
        confidences[name][finding.confidence] += 1
    names = sorted(rules)
    described = tuple(_descriptor(rules[name], confidences[name], context) for name in names)
    return RuleTable(described, {name: index for index, name in enumerate(names)})


def _descriptor(rule: Rule, confidences: Counter[Confidence], context: Context) -> JsonObject:
    name = "".join(part[:1].upper() + part[1:] for part in _NOT_WORD.split(rule.id))[:_MAX_NAME]
    summary = printable(rule.summary.strip()) or rule_id(rule)
    uri = context.help_uri(rule.help_path)
    where: dict[str, str] = {} if uri is None else {"helpUri": uri}
    names: dict[str, str] = {"name": name} if name else {}
    return {
        "id": rule_id(rule),
        **names,
        "shortDescription": {"text": _cut(summary)},
        "fullDescription": {"text": _cut(summary)},
        "help": _help(rule, summary, uri),
        **where,
        "defaultConfiguration": {"level": rule.level.value},
        "properties": _properties(rule, confidences),
    }


def _help(rule: Rule, summary: str, uri: str | None) -> JsonObject:
    ask = f"Topic: {rule.lane.value}."
    if uri is None:
        return {"text": f"{summary}\n\n{ask}", "markdown": f"{_literal(summary)}\n\n{ask}"}
    return {
        "text": f"{summary}\n\n{ask} More: {uri}",
        "markdown": f"{_literal(summary)}\n\n{ask} [The rule's page]({uri}) has examples and what to do.",
    }


def _literal(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~$&#@!])", r"\\\1", text)


def _properties(rule: Rule, confidences: Counter[Confidence]) -> JsonObject:
    commonest = max(_BY_DOUBT, key=lambda confidence: confidences[confidence])  # of equals the one with most doubt
    properties: dict[str, Json] = {
        "precision": commonest.value,
        "problem.severity": _PROBLEM_SEVERITY[rule.level],
        "tags": _tags(rule),
    }
    if rule.lane is Lane.SECURITY:
        properties["security-severity"] = _SECURITY_SEVERITY[rule.level]
    return properties


def _tags(rule: Rule) -> list[str]:
    told = (_tag(tag) for tag in rule.tags)
    return list(dict.fromkeys(tag for tag in (rule.lane.value, *told) if tag))[:_MAX_TAGS]


def _tag(tag: str) -> str:
    cwe = _CWE.fullmatch(tag)
    return f"external/cwe/cwe-{int(cwe[1]):03d}" if cwe else printable(tag)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_DESCRIPTION else text[: _MAX_DESCRIPTION - 1] + "…"
