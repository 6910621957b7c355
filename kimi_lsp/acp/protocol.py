"""The messages of the Agent Client Protocol, version 1, that this agent takes or sends: shapes and nothing else.

Names are the specification's, in snake case. What comes in may hold more than these; `_meta` is not looked at.
"""

from typing import Literal

from msgspec import Raw, Struct, field

StopReason = Literal["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"]
ToolKind = Literal["read", "search", "think", "fetch", "other"]  # those of an agent that changes nothing
ToolStatus = Literal["pending", "in_progress", "completed", "failed"]
PlanStatus = Literal["pending", "in_progress", "completed"]
Priority = Literal["high", "medium", "low"]
PermissionKind = Literal["allow_once", "allow_always", "reject_once", "reject_always"]
Severity = Literal["info", "warning", "error"]


class Message(Struct, rename="camel", omit_defaults=True, frozen=True):
    """The base of all."""


# What comes in


class Authenticate(Message, frozen=True):
    """`authenticate`."""

    method_id: str


class NewSession(Message, frozen=True):
    """`session/new`. The servers are looked at by `client_servers`."""

    cwd: str
    mcp_servers: list[Raw] | None
    additional_directories: list[str] | None = None


class OpenSession(Message, frozen=True):
    """`session/load` and `session/resume`."""

    session_id: str
    cwd: str
    mcp_servers: list[Raw] | None = None
    additional_directories: list[str] | None = None


class ListSessions(Message, frozen=True):
    """`session/list`."""

    cwd: str | None = None
    cursor: str | None = None


class OfSession(Message, frozen=True):
    """`session/close`, `session/delete`, `session/cancel`."""

    session_id: str


class SetMode(Message, frozen=True):
    """`session/set_mode`."""

    session_id: str
    mode_id: str


class SetConfigOption(Message, frozen=True):
    """`session/set_config_option`. A boolean has `type` beside it; there is none here."""

    session_id: str
    config_id: str
    value: str | bool


class ResourceIn(Message, frozen=True):
    """The contents of an embedded resource: `text`, or `blob` in base64."""

    uri: str
    text: str | None = None
    blob: str | None = None
    mime_type: str | None = None


class BlockIn(Message, frozen=True):
    """A block of a prompt; which fields there are depends on its type."""

    type: str
    text: str | None = None
    name: str | None = None
    uri: str | None = None
    resource: ResourceIn | None = None


class Prompt(Message, frozen=True):
    """`session/prompt`."""

    session_id: str
    prompt: list[BlockIn]


class CancelRequest(Message, frozen=True):
    """`$/cancel_request`, both ways."""

    request_id: int | str


class TextFile(Message, frozen=True):
    """The answer to `fs/read_text_file`."""

    content: str


class Outcome(Message, frozen=True):
    """What a person chose: `cancelled`, or `selected` with an option."""

    outcome: str
    option_id: str | None = None


class PermissionAnswer(Message, frozen=True):
    """The answer to `session/request_permission`."""

    outcome: Outcome


# Values


class Text(Message, tag_field="type", tag="text", frozen=True):
    """A block of text; clients show Markdown."""

    text: str


class Content(Message, tag_field="type", tag="content", frozen=True):
    """A block within a tool call."""

    content: Text


class Place(Message, frozen=True):
    """A place in a file: its absolute path, nothing appended, and a 1-based line."""

    path: str
    line: int | None = None


class PlanEntry(Message, frozen=True):
    """A step."""

    content: str
    priority: Priority
    status: PlanStatus


class Cost(Message, frozen=True):
    """An amount of money."""

    amount: float
    currency: str


class CommandInput(Message, frozen=True):
    """What may follow a command."""

    hint: str


class Command(Message, frozen=True):
    """A slash command, its name without the slash."""

    name: str
    description: str
    input: CommandInput | None = None


class Choice(Message, frozen=True):
    """A value of an option."""

    value: str
    name: str
    description: str | None = None


class ConfigOption(Message, tag_field="type", tag="select", frozen=True):
    """An option of a session with one of several values."""

    id: str
    name: str
    current_value: str
    options: tuple[Choice, ...]
    description: str | None = None
    category: str | None = None


class Mode(Message, frozen=True):
    """A mode."""

    id: str
    name: str
    description: str | None = None


class Modes(Message, frozen=True):
    """The modes and the one that holds."""

    current_mode_id: str
    available_modes: tuple[Mode, ...]


class PermissionOption(Message, frozen=True):
    """What a person may choose."""

    option_id: str
    name: str
    kind: PermissionKind


# Updates of a session


class UserChunk(Message, tag_field="sessionUpdate", tag="user_message_chunk", frozen=True):
    """A piece of what the person said, when a session is loaded."""

    content: Text
    message_id: str | None = None


class AgentChunk(Message, tag_field="sessionUpdate", tag="agent_message_chunk", frozen=True):
    """A piece of what the agent says."""

    content: Text
    message_id: str | None = None


class ThoughtChunk(Message, tag_field="sessionUpdate", tag="agent_thought_chunk", frozen=True):
    """A piece of a model's reasoning."""

    content: Text
    message_id: str | None = None


class ToolCall(Message, tag_field="sessionUpdate", tag="tool_call", frozen=True):
    """Something is being done."""

    tool_call_id: str
    title: str
    kind: ToolKind = "other"
    status: ToolStatus = "pending"
    content: tuple[Content, ...] = ()
    locations: tuple[Place, ...] = ()
    raw_input: object = None
    raw_output: object = None


class ToolCallUpdate(Message, tag_field="sessionUpdate", tag="tool_call_update", frozen=True):
    """What has become of it; what is None stays as it was."""

    tool_call_id: str
    title: str | None = None
    kind: ToolKind | None = None
    status: ToolStatus | None = None
    content: tuple[Content, ...] | None = None
    locations: tuple[Place, ...] | None = None
    raw_input: object = None
    raw_output: object = None


class ToolCallRef(Message, frozen=True):
    """A tool call within a request for permission: as `ToolCallUpdate`, but no update."""

    tool_call_id: str
    title: str | None = None
    kind: ToolKind | None = None
    status: ToolStatus | None = None
    content: tuple[Content, ...] | None = None
    raw_input: object = None


class Plan(Message, tag_field="sessionUpdate", tag="plan", omit_defaults=False, frozen=True):
    """The steps, all of them each time."""

    entries: tuple[PlanEntry, ...]


class CommandsUpdate(Message, tag_field="sessionUpdate", tag="available_commands_update", frozen=True):
    """The slash commands."""

    available_commands: tuple[Command, ...]


class ModeUpdate(Message, tag_field="sessionUpdate", tag="current_mode_update", frozen=True):
    """The mode changed."""

    current_mode_id: str


class ConfigUpdate(Message, tag_field="sessionUpdate", tag="config_option_update", frozen=True):
    """Options changed; all of them each time."""

    config_options: tuple[ConfigOption, ...]


class InfoUpdate(Message, tag_field="sessionUpdate", tag="session_info_update", frozen=True):
    """The session's title, and when it was last used (ISO 8601)."""

    title: str | None = None
    updated_at: str | None = None


class UsageUpdate(Message, tag_field="sessionUpdate", tag="usage_update", omit_defaults=False, frozen=True):
    """Tokens of the last call, the model's window, and what the session has cost so far."""

    used: int
    size: int
    cost: Cost


class NoticeUpdate(Message, tag_field="sessionUpdate", tag="notice", frozen=True):
    """A word on the side, for clients that take such; never something that must be known."""

    severity: Severity
    title: str
    description: str | None = None


Update = (
    UserChunk
    | AgentChunk
    | ThoughtChunk
    | ToolCall
    | ToolCallUpdate
    | Plan
    | CommandsUpdate
    | ModeUpdate
    | ConfigUpdate
    | InfoUpdate
    | UsageUpdate
    | NoticeUpdate
)


class SessionUpdate(Message, frozen=True):
    """`session/update`."""

    session_id: str
    update: Update


# What is asked of the client


class ReadTextFile(Message, frozen=True):
    """`fs/read_text_file`: the whole file."""

    session_id: str
    path: str


class RequestPermission(Message, frozen=True):
    """`session/request_permission`."""

    session_id: str
    tool_call: ToolCallRef
    options: tuple[PermissionOption, ...]


# Results


class Empty(Message, frozen=True):
    """Done."""


class Opened(Message, frozen=True):
    """Of `session/new`; without an id of `session/load` and `session/resume`."""

    modes: Modes
    config_options: tuple[ConfigOption, ...]
    session_id: str | None = None


class SessionInfo(Message, frozen=True):
    """A session of the list."""

    session_id: str
    cwd: str
    additional_directories: tuple[str, ...] = ()
    title: str | None = None
    updated_at: str | None = None


class Sessions(Message, omit_defaults=False, frozen=True):
    """Of `session/list`."""

    sessions: tuple[SessionInfo, ...]
    next_cursor: str | None


class ConfigOptions(Message, omit_defaults=False, frozen=True):
    """Of `session/set_config_option`: all of them."""

    config_options: tuple[ConfigOption, ...]


class Turn(Message, frozen=True):
    """Of `session/prompt`. `meta` holds what a turn used, under `kimi-lsp/usage`."""

    stop_reason: StopReason
    meta: dict[str, object] | None = field(default=None, name="_meta")
