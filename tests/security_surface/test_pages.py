"""Every rule has a page, and every example of a page is a test."""

import pytest

from mcp_tools.finding import Finding
from mcp_tools.project import MemoryProject
from mcp_tools.rules import list_pages, page
from mcp_tools.security_surface import RULES, scan, scan_source
from tests.security_surface.pages import Example, examples

EXAMPLES = [example for rule_id in RULES for example in examples(rule_id)]
DEMANDED = (
    "sql-injection shell-injection code-injection unsafe-deserialization tls-verification-disabled weak-hash "
    "debug-enabled hard-coded-secret private-key"
).split()


def found(example: Example) -> list[Finding]:
    if example.uses_ruff:
        items = scan(MemoryProject({example.source.path: example.source.text}))
    else:
        items = scan_source(example.source)
    return [item for item in items if isinstance(item, Finding)]


def start_line(finding: Finding) -> int:
    assert finding.location.region is not None
    return finding.location.region.start_line


@pytest.mark.parametrize("example", [pytest.param(example, id=example.name) for example in EXAMPLES])
def test_an_example_is_reported_where_its_page_says_and_nowhere_else(example: Example) -> None:
    lines = sorted({start_line(finding) for finding in found(example) if finding.rule.id == example.rule_id})
    text = example.source.text.split("\n")
    assert {line: text[line] for line in lines} == {line: text[line] for line in sorted(example.reported)}


@pytest.mark.parametrize("example", [pytest.param(example, id=example.name) for example in EXAMPLES])
def test_an_example_is_reported_once_for_each_line(example: Example) -> None:
    lines = [start_line(finding) for finding in found(example) if finding.rule.id == example.rule_id]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("rule_id", DEMANDED)
def test_a_demanded_rule_has_at_least_fifteen_examples_of_each_kind(rule_id: str) -> None:
    blocks = examples(rule_id)
    assert sum(len(block.reported) for block in blocks) >= 15
    assert sum(len(block.fine) for block in blocks) >= 15


def test_every_rule_has_a_page_that_opens_with_its_name_and_says_its_weakness() -> None:
    assert set(RULES) <= set(list_pages())
    for rule in RULES.values():
        text = page(rule.id)
        assert text is not None
        assert text.startswith(f"# {rule.id}\n")
        assert all(tag in text for tag in rule.tags)
        assert f"Level: {rule.level}." in text


def test_a_page_is_only_found_by_a_rule_id() -> None:
    assert page("no-such-rule") is None
    assert page("../rules/sql-injection") is None
    assert page("") is None
