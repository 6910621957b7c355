"""What an audit asks for and what it says while it runs. Values only; a face translates these and decides nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from kimi_lsp.audit.units import Lines
from kimi_lsp.config import Depth
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding, Lane, Notice, Report
from mcp_tools.project import Project


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What would leave the machine: said before the first call to a remote endpoint for a project."""

    project: str
    endpoint: str  # host[:port]
    model: str
    files: int
    bytes: int
    requests: int
    max_cost_usd: Decimal  # if every answer used its whole allowance
    tools: tuple[str, ...] = ()  # read-only tools through which the model may read more; the other fields allow for it


class Agreement(StrEnum):
    """What a person said when asked whether something may leave."""

    NO = "no"
    ONCE = "once"  # this time, and nothing is remembered
    ALWAYS = "always"  # and from now on for this project and endpoint


ConsentAsker = Callable[[Outgoing], Awaitable[bool | Agreement]]
"""Asks a person. True is `ALWAYS`, False is `NO`."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """One audit. `paths` are project-relative files; all of the project's listing when empty."""

    project: Project
    project_key: str  # what consent, verdicts and cache are kept under: the absolute root, or a name
    paths: tuple[str, ...] = ()
    depth: Depth = Depth.LOCAL
    lanes: tuple[Lane, ...] = (Lane.SECURITY,)
    consent: ConsentAsker | None = None  # None: only what was agreed before
    spending: ConsentAsker | None = None  # asked when it may cost more than `ask_above_usd`; None: nobody
    guide: str = ""  # the project's own style sentences, data for the prompt
    wants_reasoning: bool = False
    focus: Mapping[str, Sequence[Lines]] = field(default_factory=dict[str, Sequence[Lines]])  # lines to review, by path
    may_ask: bool = True  # False: only what the cache remembers, no model call


class UnitStatus(StrEnum):
    """How a unit's trip through the model ended."""

    REVIEWED = "reviewed"
    CACHED = "cached"
    CUT = "cut"
    NOT_REVIEWED = "not reviewed"


@dataclass(frozen=True, slots=True)
class Planned:
    """The listing is done and the facts follow."""

    files: int
    run_id: str


@dataclass(frozen=True, slots=True)
class FactsProgress:
    """So many files of a lane are through its tool."""

    lane: Lane
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class AskPlanned:
    """The model pass begins: units that must be asked, and those answered from the cache."""

    units: int
    cached: int
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, as soon as it is known."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that was not done."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A piece of the model's reasoning on a unit, redacted; only when asked for."""

    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """The model called a tool while it reviewed a unit. `chars`: the length of the answer. The tool may not exist."""

    unit: str
    lane: Lane
    tool: str
    chars: int
    is_error: bool


@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A unit goes to the model."""

    unit: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Lines of a file, 0-based and both included, whose review is whole: all that holds for them has been `Found`."""

    path: str
    lane: Lane
    first_line: int
    last_line: int


_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used: by a run so far, or by a part of it."""

    usage: Usage = _NOTHING
    cost_usd: Decimal = Decimal(0)
    calls: int = 0


_UNSPENT = Spent()


@dataclass(frozen=True, slots=True)
class UnitDone:
    """A unit's trip ended. `spent` is what the run has spent so far, `used` what the unit has used of it."""

    unit: str
    lane: Lane
    status: UnitStatus
    spent: Spent
    used: Spent = _UNSPENT


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event: all findings and notices, and what it took."""

    report: Report
    run_id: str
    spent: Spent
    units: dict[UnitStatus, int] = field(default_factory=dict[UnitStatus, int])


AuditEvent = (
    Planned
    | FactsProgress
    | AskPlanned
    | Found
    | Noticed
    | Reasoned
    | ToolUsed
    | UnitStarted
    | UnitDone
    | Reviewed
    | Finished
)
