"""The Auditor: a request in, a stream of events out. Every face stands on this door.

The names load when they are first used: what looks at a text while it is typed needs neither the model nor the store.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimi_lsp.audit.auditor import Auditor, Parts
    from kimi_lsp.audit.events import (
        Agreement,
        AskPlanned,
        AuditEvent,
        AuditRequest,
        ConsentAsker,
        FactsProgress,
        Finished,
        Found,
        Noticed,
        Outgoing,
        Planned,
        Reasoned,
        Reviewed,
        Spent,
        ToolUsed,
        UnitDone,
        UnitStarted,
        UnitStatus,
    )
    from kimi_lsp.audit.lanes import LANES
    from kimi_lsp.audit.toolloop import Door, Toolbox

__all__ = [
    "LANES",
    "Agreement",
    "AskPlanned",
    "AuditEvent",
    "AuditRequest",
    "Auditor",
    "ConsentAsker",
    "Door",
    "FactsProgress",
    "Finished",
    "Found",
    "Noticed",
    "Outgoing",
    "Parts",
    "Planned",
    "Reasoned",
    "Reviewed",
    "Spent",
    "ToolUsed",
    "Toolbox",
    "UnitDone",
    "UnitStarted",
    "UnitStatus",
]

_HOMES = {"Door": "toolloop", "Toolbox": "toolloop", "Auditor": "auditor", "Parts": "auditor", "LANES": "lanes"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'events')}"), name)
