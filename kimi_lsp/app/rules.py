"""Every rule that a finding can name: those of the tools and those that only a model is asked for."""

from kimi_lsp.audit.lanes import LANES
from mcp_tools import security_surface
from mcp_tools.finding import Rule


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    rules = {**security_surface.RULES}
    for spec in LANES.values():
        rules |= spec.rules
    return tuple(rules[rule_id] for rule_id in sorted(rules))
