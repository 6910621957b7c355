"""The messages of LSP 3.17 that this server speaks, as typed values. What is not here is not served.

Field names are the specification's; in JSON they are camelCase. Unknown fields are ignored, wrong types are refused.
Positions count in the client's units here, and only here and in `convert`.
"""

from enum import IntEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

_Unsigned = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Message(Struct, rename="camel", frozen=True, omit_defaults=True):
    """A value on the wire. Fields at their default are left out."""


class Position(Struct, rename="camel", frozen=True, order=True):
    """A place between characters."""

    line: _Unsigned
    character: _Unsigned


class Range(Struct, rename="camel", frozen=True, order=True):
    """A half-open span."""

    start: Position
    end: Position


class Location(Message, frozen=True):
    """A span of a document."""

    uri: str
    range: Range


# Documents


class TextDocumentIdentifier(Message, frozen=True):
    """A document by its URI."""

    uri: str


class VersionedTextDocumentIdentifier(Message, frozen=True):
    """A document at a version."""

    uri: str
    version: int


class TextDocumentItem(Message, frozen=True):
    """A document with its text."""

    uri: str
    language_id: str
    version: int
    text: str


class DidOpenParams(Message, frozen=True):
    """`textDocument/didOpen`."""

    text_document: TextDocumentItem


class ContentChange(Message, frozen=True):
    """A change of a range, or of the whole text when there is none."""

    text: str
    range: Range | None = None


class DidChangeParams(Message, frozen=True):
    """`textDocument/didChange`."""

    text_document: VersionedTextDocumentIdentifier
    content_changes: list[ContentChange]


class DidCloseParams(Message, frozen=True):
    """`textDocument/didClose`."""

    text_document: TextDocumentIdentifier


class DidSaveParams(Message, frozen=True):
    """`textDocument/didSave`."""

    text_document: TextDocumentIdentifier
    text: str | None = None


# Diagnostics


class Severity(IntEnum):
    """How a client paints a diagnostic."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 3
    HINT = 4


class Tag(IntEnum):
    """What a diagnostic says of the text."""

    UNNECESSARY = 1
    DEPRECATED = 2


class CodeDescription(Message, frozen=True):
    """Where a code is explained."""

    href: str


class RelatedInformation(Message, frozen=True):
    """Another place that bears on a diagnostic."""

    location: Location
    message: str


class Diagnostic(Message, frozen=True):
    """A finding as a client shows it."""

    range: Range
    message: str
    severity: Severity | None = None
    code: str | None = None
    code_description: CodeDescription | None = None
    source: str | None = None
    tags: list[Tag] | None = None
    related_information: list[RelatedInformation] | None = None


class PublishDiagnosticsParams(Struct, rename="camel", frozen=True):
    """`textDocument/publishDiagnostics`: all of a document's diagnostics at a version."""

    uri: str
    diagnostics: list[Diagnostic]
    version: int | UnsetType = UNSET


# Explain and decide


class PositionParams(Message, frozen=True):
    """`textDocument/hover` and its like."""

    text_document: TextDocumentIdentifier
    position: Position


class MarkupContent(Struct, rename="camel", frozen=True):
    """Markdown or plain text."""

    kind: str
    value: str


class Hover(Message, frozen=True):
    """What a hover shows."""

    contents: MarkupContent
    range: Range | None = None


class ClientDiagnostic(Message, frozen=True):
    """A diagnostic as a client sends it back; some send less than they got, so only the place is asked for."""

    range: Range
    code: int | str | None = None
    source: str | None = None


class CodeActionContext(Message, frozen=True):
    """What the actions are wanted for."""

    diagnostics: list[ClientDiagnostic] = []
    only: list[str] | None = None
    trigger_kind: int | None = None


class CodeActionParams(Message, frozen=True):
    """`textDocument/codeAction`."""

    text_document: TextDocumentIdentifier
    range: Range
    context: CodeActionContext


class Command(Struct, rename="camel", frozen=True, omit_defaults=True):
    """Something the server does when the user chooses it."""

    title: str
    command: str
    arguments: list[Any] | None = None


class CodeAction(Message, frozen=True):
    """An entry of a client's quick-fix menu; ours never carries an edit."""

    title: str
    kind: str | None = None
    diagnostics: list[Diagnostic] | None = None
    is_preferred: bool | None = None
    command: Command | None = None


class DocumentParams(Message, frozen=True):
    """`textDocument/codeLens` and its like."""

    text_document: TextDocumentIdentifier


class CodeLens(Message, frozen=True):
    """A command above a line."""

    range: Range
    command: Command | None = None


class InlayHintParams(Message, frozen=True):
    """`textDocument/inlayHint`."""

    text_document: TextDocumentIdentifier
    range: Range


class InlayHint(Message, frozen=True):
    """A word beside a line."""

    position: Position
    label: str
    tooltip: MarkupContent | str | None = None
    padding_left: bool | None = None


class ExecuteCommandParams(Message, frozen=True):
    """`workspace/executeCommand`. The arguments are each command's own."""

    command: str
    arguments: list[Raw] = []
    work_done_token: int | str | None = None


# Workspace


class WorkspaceFolder(Message, frozen=True):
    """A root."""

    uri: str
    name: str = ""


class FoldersChange(Message, frozen=True):
    """Roots that came and went."""

    added: list[WorkspaceFolder] = []
    removed: list[WorkspaceFolder] = []


class DidChangeFoldersParams(Message, frozen=True):
    """`workspace/didChangeWorkspaceFolders`."""

    event: FoldersChange


class DidChangeConfigurationParams(Message, frozen=True):
    """`workspace/didChangeConfiguration`; what the settings hold is read with the settings' own model."""

    settings: Raw = Raw(b"null")


class FileEvent(Message, frozen=True):
    """A file that was made (1), changed (2) or removed (3) outside the editor."""

    uri: str
    type: int


class DidChangeWatchedFilesParams(Message, frozen=True):
    """`workspace/didChangeWatchedFiles`."""

    changes: list[FileEvent]


class ConfigurationItem(Message, frozen=True):
    """A section of the client's settings."""

    section: str | None = None
    scope_uri: str | None = None


class ConfigurationParams(Message, frozen=True):
    """`workspace/configuration`."""

    items: list[ConfigurationItem]


class FileSystemWatcher(Message, frozen=True):
    """Files to watch."""

    glob_pattern: str
    kind: int | None = None


class WatchedFilesOptions(Message, frozen=True):
    """What is registered for `workspace/didChangeWatchedFiles`."""

    watchers: list[FileSystemWatcher]


class ConfigurationOptions(Message, frozen=True):
    """What is registered for `workspace/didChangeConfiguration`."""

    section: str


class Registration(Message, frozen=True):
    """A capability that is asked for later."""

    id: str
    method: str
    register_options: WatchedFilesOptions | ConfigurationOptions | None = None


class RegistrationParams(Message, frozen=True):
    """`client/registerCapability`."""

    registrations: list[Registration]


# Window


class MessageType(IntEnum):
    """How loud a message is."""

    ERROR = 1
    WARNING = 2
    INFO = 3
    LOG = 4
    DEBUG = 5  # proposed for 3.18; sent as LOG to clients of 3.17


class MessageParams(Message, frozen=True):
    """`window/logMessage` and `window/showMessage`."""

    type: MessageType
    message: str


class MessageActionItem(Message, frozen=True):
    """A button."""

    title: str


class ShowMessageRequestParams(Message, frozen=True):
    """`window/showMessageRequest`."""

    type: MessageType
    message: str
    actions: list[MessageActionItem] | None = None


class ShowDocumentParams(Message, frozen=True):
    """`window/showDocument`."""

    uri: str
    external: bool | None = None
    take_focus: bool | None = None


class ShowDocumentResult(Message, frozen=True):
    """What came of it."""

    success: bool = False


class ProgressCreateParams(Message, frozen=True):
    """`window/workDoneProgress/create`, and its `cancel`."""

    token: int | str


class ProgressValue(Message, frozen=True):
    """A step of a work-done progress."""

    kind: str
    title: str | None = None
    message: str | None = None
    percentage: _Unsigned | None = None
    cancellable: bool | None = None


class ProgressParams(Message, frozen=True):
    """`$/progress`."""

    token: int | str
    value: ProgressValue


class CancelParams(Message, frozen=True):
    """`$/cancelRequest`."""

    id: int | str


class SetTraceParams(Message, frozen=True):
    """`$/setTrace`."""

    value: str


# Handshake


class ClientInfo(Message, frozen=True):
    """Who the client says it is."""

    name: str = ""
    version: str | None = None


class InitializeParams(Message, frozen=True):
    """`initialize`, those parts that this server uses. Capabilities are read by `client_capabilities`."""

    capabilities: Raw = Raw(b"{}")
    client_info: ClientInfo | None = None
    root_uri: str | None = None
    root_path: str | None = None
    workspace_folders: list[WorkspaceFolder] | None = None
    initialization_options: Raw = Raw(b"null")
    locale: str | None = None
    process_id: int | None = None


# Ours: notifications and results that no specification knows; documented in docs/lsp.md


class StatusParams(Message, frozen=True):
    """`kimi/status`: what a status bar shows. `state` is `idle`, `auditing`, `off`, `attention`."""

    state: str
    model: str | None = None
    endpoint: str | None = None
    depth: str | None = None
    spent_usd: float | None = None
    ceiling_usd: float | None = None
    audits: int = 0
    message: str | None = None


class AuditResult(Message, frozen=True):
    """What an audit command answers. `state` is `finished`, `cancelled` or `failed`."""

    state: str
    findings: int = 0
    run_id: str | None = None
    reviewed: int = 0
    cached: int = 0
    not_reviewed: int = 0
    cost_usd: float = 0.0
    notices: list[str] = []
    message: str | None = None
