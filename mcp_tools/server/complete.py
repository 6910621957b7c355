"""Completions: rule ids, report handles and paths as somebody types them."""

from mcp_types import Completion, PromptReference, ResourceTemplateReference

from mcp_tools.catalog.resources import PATHS
from mcp_tools.rules import list_pages
from mcp_tools.server.guard import Caller, Guard
from mcp_tools.server.resources import Reports

_MAX_VALUES = 100
_PATHS = {"path", "scope"}


async def complete(
    ref: PromptReference | ResourceTemplateReference,
    argument: str,
    value: str,
    guard: Guard,
    caller: Caller,
    reports: Reports,
) -> Completion:
    """Values that begin with what was typed, at most 100. Nothing for what is not known."""
    is_rule = isinstance(ref, ResourceTemplateReference) and argument == "rule"
    if is_rule:
        return _of([rule for rule in list_pages() if rule.startswith(value)])
    if argument in ("id", "report_id"):
        return _of([each for each in reports.ids() if each.startswith(value)])
    if argument in _PATHS:
        arguments = {"prefix": value}
        deadline_s = guard.limits.deadline_s
        answer = await guard.call(
            "completion/complete", {**arguments}, lambda: caller.call(PATHS, {**arguments}, deadline_s=deadline_s)
        )
        found, total = answer.data.get("values"), answer.data.get("total")
        if isinstance(found, list) and isinstance(total, int):
            return _of([each for each in found if isinstance(each, str)], total)
    return _of([])


def _of(values: list[str], total: int | None = None) -> Completion:
    known = len(values) if total is None else total
    return Completion(values=values[:_MAX_VALUES], total=known, has_more=known > _MAX_VALUES)
