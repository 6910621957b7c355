"""What comes out of a model stream: events while it runs, a Completion at its end. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from kimi_lsp.errors import StreamError
from kimi_lsp.model.request import ToolCall
from kimi_lsp.usage import Usage


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning, verbatim."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A piece of the model's answer, verbatim."""

    text: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Something in the stream that could not be used, and why. The stream goes on."""

    reason: str


Event: TypeAlias = Reasoning | Answer | ToolCall | Noise


class Finish(StrEnum):
    """Why a stream ended. `CUT`: nobody said that it was over, so what came may be half of it."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Completion:
    """How a stream ended and what it used.

    `raw_finish` is the endpoint's own word. `error` is set when the stream broke or reported an error in band.
    `reasoning_field` is the delta field that carried reasoning, the one to echo it in.
    """

    finish: Finish
    raw_finish: str | None
    usage: Usage
    answer_chars: int
    reasoning_chars: int
    id: str | None = None
    model: str | None = None
    error: StreamError | None = None
    reasoning_field: str | None = None

    @property
    def is_whole(self) -> bool:
        """Say whether the answer was said to the end: only then may "no findings" mean "clean"."""
        return self.error is None and self.finish in {Finish.STOP, Finish.TOOL_CALLS} and self.answer_chars > 0
