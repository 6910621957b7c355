"""What a caller asks of a model: messages, tools, thinking, a schema. Values only; `wire` says them in JSON."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from mcp_tools.redaction import Redacted

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


_TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{2,63}")


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Thinking(StrEnum):
    """How much the model may reason. A profile turns it into what the endpoint takes, or into its nearest kin.

    `AUTO` leaves it to the endpoint. A model that cannot stop thinking answers `OFF` with its least effort.
    """

    AUTO = "auto"
    OFF = "off"
    LOW = "low"
    HIGH = "high"
    MAX = "max"


class ToolChoice(StrEnum):
    """Whether the model may, must or must not call a tool. `REQUIRED` falls back to `AUTO` where it is refused."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for. `arguments` is the model's JSON text, verbatim; it may not parse."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool the model may call. `name` has 3 to 64 of [A-Za-z0-9_-] and starts with a letter or underscore."""

    name: str
    description: str
    parameters: JsonObject

    def __post_init__(self) -> None:
        """Reject a name that Moonshot would."""
        if not _TOOL_NAME.fullmatch(self.name):
            raise ValueError(f"not a tool name: {self.name!r}")


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The JSON Schema an answer should follow. Whether the endpoint is told so is the profile's `json_mode`."""

    name: str
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class Message:
    """One message. All text has been through redaction.

    `reasoning` is an assistant's earlier reasoning, to be echoed; `tool_call_id` belongs to a tool's answer.
    """

    role: Role
    content: Redacted
    reasoning: Redacted | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call. `max_tokens` covers reasoning and answer together: too small a cap gives an empty answer."""

    messages: tuple[Message, ...]
    max_tokens: int
    thinking: Thinking = Thinking.AUTO
    schema: AnswerSchema | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = ToolChoice.AUTO
    cache_key: str | None = None

    def __post_init__(self) -> None:
        """Reject a cap that leaves no room for any answer."""
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be 1 or more, not {self.max_tokens}")
