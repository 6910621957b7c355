"""What the server says that it can do: the answer to `initialize`. Plain JSON values and no imports, for `start`."""

from kimi_lsp import __version__

ENCODINGS = ("utf-8", "utf-16", "utf-32")
DEFAULT_ENCODING = "utf-16"

COMMANDS = (
    "kimi.auditFile",
    "kimi.auditSelection",
    "kimi.auditChanges",
    "kimi.auditWorkspace",
    "kimi.cancel",
    "kimi.confirm",
    "kimi.dismiss",
    "kimi.showReasoning",
    "kimi.copyAsMarkdown",
    "kimi.openRulePage",
)

# VS Code shows "quickfix" at the bulb and in the Problems list; kinds below "source" only in its Source Action menu.
# The other clients list both. A kind of our own below "source" keeps VS Code from asking us for `source.fixAll` and
# `source.organizeImports` at each save.
ACTION_KINDS = ("quickfix", "source.kimi")


def chosen_encoding(offered: list[object] | None) -> str:
    """The unit of positions: the first of `general.positionEncodings` that we know; UTF-16 where none is offered."""
    for encoding in offered or ():
        if isinstance(encoding, str) and encoding in ENCODINGS:
            return encoding
    return DEFAULT_ENCODING


def initialize_result(encoding: str) -> dict[str, object]:
    """The result of `initialize`."""
    return {
        "capabilities": {
            "positionEncoding": encoding,
            "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},  # 2: incremental
            "hoverProvider": True,
            "codeActionProvider": {"codeActionKinds": list(ACTION_KINDS)},
            "codeLensProvider": {"resolveProvider": False},
            "inlayHintProvider": {"resolveProvider": False},
            "executeCommandProvider": {"commands": list(COMMANDS), "workDoneProgress": True},
            "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
        },
        "serverInfo": {"name": "kimi-lsp", "version": __version__},
    }
