"""What the configuration makes of a finding: its level, or that its rule is off. Pure."""

from dataclasses import replace

from kimi_lsp.config import Rules
from mcp_tools.finding import Finding


def levelled(finding: Finding, rules: Rules) -> Finding | None:
    """The finding at the level that holds; None when its rule is off."""
    level = rules.level_of(finding.rule)
    if level is None:
        return None
    return finding if level is finding.rule.level else replace(finding, level=level)
