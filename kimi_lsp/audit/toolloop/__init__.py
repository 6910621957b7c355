"""The tool loop: a model asks, read-only tools answer, until it has its answer. Knows no units and no findings."""

from kimi_lsp.audit.toolloop.calls import ToolResult
from kimi_lsp.audit.toolloop.converse import (
    MIN_TOKENS,
    REPORT_IT,
    Asked,
    Companion,
    Door,
    Heard,
    Round,
    Talk,
    ToolAnswered,
    ToolCalled,
    converse,
)
from kimi_lsp.audit.toolloop.project import Caller, ProjectToolbox, ToolRow
from kimi_lsp.audit.toolloop.record import round_body, round_contents
from kimi_lsp.audit.toolloop.till import Paid, Till, prompt_tokens
from kimi_lsp.audit.toolloop.toolbox import Composite, ErrorText, LoopLimits, Toolbox, offer_version

__all__ = [
    "MIN_TOKENS",
    "REPORT_IT",
    "Asked",
    "Caller",
    "Companion",
    "Composite",
    "Door",
    "ErrorText",
    "Heard",
    "LoopLimits",
    "Paid",
    "ProjectToolbox",
    "Round",
    "Talk",
    "Till",
    "ToolAnswered",
    "ToolCalled",
    "ToolResult",
    "ToolRow",
    "Toolbox",
    "converse",
    "offer_version",
    "prompt_tokens",
    "round_body",
    "round_contents",
]
