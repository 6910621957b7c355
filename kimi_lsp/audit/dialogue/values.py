"""What is asked of a dialogue and what it says while it answers. Values only."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from kimi_lsp.audit.events import Noticed, Spent
from kimi_lsp.errors import KimiError
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding


@dataclass(frozen=True, slots=True)
class Material:
    """A text that came with a question: an attached file, a selection. Data, never instructions.

    `path` is project-relative where it is one of the project's files.
    """

    name: str
    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks. `findings` are those of the last audit, so that one of them can be meant."""

    text: str
    materials: tuple[Material, ...] = ()
    findings: tuple[Finding, ...] = ()


class Ending(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    CUT = "cut"  # it used all its tokens
    BUDGET = "budget"  # a ceiling of money
    BUDGET_TOKENS = "budget-tokens"  # a ceiling of tokens
    FILTERED = "filtered"
    DECLINED = "declined"  # nobody agreed that it may be sent, or that so much may be spent
    NO_MODEL = "no-model"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reasoned:
    """Whole lines of the model's reasoning, redacted. `round` counts the calls of one question from 1."""

    text: str
    round: int


@dataclass(frozen=True, slots=True)
class Said:
    """Whole lines of the answer, redacted. An answer that calls tools may say something first."""

    text: str
    round: int


@dataclass(frozen=True, slots=True)
class Calling:
    """A tool is about to run. `arguments` is a JSON object without secrets."""

    number: int  # of the question's tool calls, from 1
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Called:
    """What it came to. `text` is what the model reads, without the quotes around it, cut."""

    number: int
    tool: str
    chars: int
    is_error: bool
    text: str


@dataclass(frozen=True, slots=True)
class Used:
    """What a call to the model used."""

    usage: Usage
    cost_usd: Decimal
    context_window: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event. `text` is the whole answer, redacted; `records` are its calls as the trail knows them."""

    text: str
    ending: Ending
    run_id: str
    spent: Spent = field(default_factory=Spent)
    records: tuple[str, ...] = ()
    error: KimiError | None = None


DialogueEvent = Reasoned | Said | Calling | Called | Used | Noticed | Answered
