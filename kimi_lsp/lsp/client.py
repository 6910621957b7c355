"""What a client can do, read once from its capabilities. What is missing or misshapen counts as "cannot"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import msgspec
from msgspec import Raw

from kimi_lsp.lsp.protocol import Tag


@dataclass(frozen=True, slots=True)
class ClientCaps:
    """The capabilities that change what this server sends; the default is a client that declares none."""

    related_information: bool = False
    code_description: bool = False
    tags: frozenset[Tag] = frozenset()
    markdown_hover: bool = False  # else plain text, which every client can show
    code_action_literals: bool = False  # else the menu is bare commands
    show_document: bool = False
    message_actions: bool = False  # says so; some clients show the buttons of a request without saying so
    work_done_progress: bool = False
    configuration: bool = False  # answers `workspace/configuration`
    workspace_folders: bool = False
    registers_configuration: bool = False
    registers_watchers: bool = False
    code_lens_refresh: bool = False
    inlay_hint_refresh: bool = False


def client_caps(capabilities: bytes | Raw) -> ClientCaps:
    """Read the `capabilities` of `initialize`, as JSON. Never raises."""
    try:
        value: object = msgspec.json.decode(capabilities)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ClientCaps()
    publish = _at(value, "textDocument", "publishDiagnostics")
    workspace, window = _at(value, "workspace"), _at(value, "window")
    return ClientCaps(
        related_information=_is_on(publish, "relatedInformation"),
        code_description=_is_on(publish, "codeDescriptionSupport"),
        tags=frozenset(_tags(_at(publish, "tagSupport", "valueSet"))),
        markdown_hover=_prefers_markdown(_at(value, "textDocument", "hover", "contentFormat")),
        code_action_literals=_has(value, "textDocument", "codeAction", "codeActionLiteralSupport"),
        show_document=_is_on(window, "showDocument", "support"),
        message_actions=_has(window, "showMessage", "messageActionItem"),
        work_done_progress=_is_on(window, "workDoneProgress"),
        configuration=_is_on(workspace, "configuration"),
        workspace_folders=_is_on(workspace, "workspaceFolders"),
        registers_configuration=_is_on(workspace, "didChangeConfiguration", "dynamicRegistration"),
        registers_watchers=_is_on(workspace, "didChangeWatchedFiles", "dynamicRegistration"),
        code_lens_refresh=_is_on(workspace, "codeLens", "refreshSupport"),
        inlay_hint_refresh=_is_on(workspace, "inlayHint", "refreshSupport"),
    )


def _at(value: object, *names: str) -> object:
    """What lies below these names; None where the way ends early."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(name)
    return value


def _is_on(value: object, *names: str) -> bool:
    return _at(value, *names) is True


def _has(value: object, *names: str) -> bool:
    return isinstance(_at(value, *names), dict)


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _tags(value: object) -> Iterable[Tag]:
    known: set[int] = set(Tag)
    return (Tag(item) for item in _items(value) if type(item) is int and item in known)


def _prefers_markdown(value: object) -> bool:
    """The first kind that we can write is the one that the client likes best."""
    return next((item == "markdown" for item in _items(value) if item in ("markdown", "plaintext")), False)
