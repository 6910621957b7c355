"""The Auditor: a request in, a stream of events out. Every face stands on this door."""

from kimi_lsp.audit.ask import Door
from kimi_lsp.audit.auditor import Auditor, Parts
from kimi_lsp.audit.events import (
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
    Spent,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.audit.lanes import LANES

__all__ = [
    "LANES",
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
    "Spent",
    "UnitDone",
    "UnitStarted",
    "UnitStatus",
]
