"""Questions about a project: a person asks, the model answers with tools that only read. Knows no face."""

from kimi_lsp.audit.dialogue.dialogue import Dialogue, DialogueParts
from kimi_lsp.audit.dialogue.values import (
    Answered,
    Called,
    Calling,
    DialogueEvent,
    Ending,
    Material,
    Question,
    Reasoned,
    Said,
    Used,
)

__all__ = [
    "Answered",
    "Called",
    "Calling",
    "Dialogue",
    "DialogueEvent",
    "DialogueParts",
    "Ending",
    "Material",
    "Question",
    "Reasoned",
    "Said",
    "Used",
]
