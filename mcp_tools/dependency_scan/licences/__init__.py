"""Licences: what an expression says, whether a policy allows it, whether it goes with the project's own."""

from mcp_tools.dependency_scan.licences.check import check
from mcp_tools.dependency_scan.licences.expressions import Expression, Joined, Leaf, Operator, category_of, parse
from mcp_tools.dependency_scan.licences.policy import ANYTHING, LicencePolicy, Ruling, conflict, rule_on
from mcp_tools.dependency_scan.licences.table import Category

__all__ = [
    "ANYTHING",
    "Category",
    "Expression",
    "Joined",
    "Leaf",
    "LicencePolicy",
    "Operator",
    "Ruling",
    "category_of",
    "check",
    "conflict",
    "parse",
    "rule_on",
]
