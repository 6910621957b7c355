"""The commands that a client may run, and the argument of each. All of them may come without one."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Raw

from kimi_lsp.lsp.protocol import Message, Range


class CommandName(StrEnum):
    """What `workspace/executeCommand` takes."""

    AUDIT_FILE = "kimi.auditFile"
    AUDIT_SELECTION = "kimi.auditSelection"
    AUDIT_CHANGES = "kimi.auditChanges"
    AUDIT_WORKSPACE = "kimi.auditWorkspace"
    CANCEL = "kimi.cancel"
    CONFIRM = "kimi.confirm"
    DISMISS = "kimi.dismiss"
    SHOW_REASONING = "kimi.showReasoning"
    COPY_AS_MARKDOWN = "kimi.copyAsMarkdown"
    OPEN_RULE_PAGE = "kimi.openRulePage"


class FileArgument(Message, frozen=True):
    """A document. A bare string is taken for its URI."""

    uri: str | None = None


class SelectionArgument(Message, frozen=True):
    """A part of a document, in the client's units."""

    uri: str | None = None
    range: Range | None = None


class FindingArgument(Message, frozen=True):
    """A finding of a document, and why it is dismissed."""

    uri: str | None = None
    fingerprint: str | None = None
    reason: str | None = None


class RuleArgument(Message, frozen=True):
    """A rule. A bare string is taken for its id."""

    rule: str | None = None


Argument = FileArgument | SelectionArgument | FindingArgument | RuleArgument
_A = TypeVar("_A", bound=Argument)


def read_argument(arguments: Sequence[Raw], kind: type[_A]) -> _A:
    """The first argument of a command; all its fields are None when there is none, or when it is null.

    Raises msgspec.ValidationError for one of another shape.
    """
    if not arguments:
        return kind()
    value: object = msgspec.json.decode(arguments[0])
    if value is None:
        return kind()
    if isinstance(value, str):
        field = "rule" if kind is RuleArgument else "uri"
        return msgspec.convert({field: value}, kind)
    return msgspec.convert(value, kind)
