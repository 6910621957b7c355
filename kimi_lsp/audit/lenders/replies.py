"""What the model asks of a lender's tool, and what it is told of the answer: bounded, visible text. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from kimi_lsp.audit.toolloop.toolbox import ErrorText
from kimi_lsp.model import Json, JsonObject
from mcp_tools.output.escape import printable

MAX_REPLY_CHARS = 16_000
MAX_ARGUMENTS_CHARS = 64_000
_MAX_COMPARED_CHARS = 200_000
_MAX_NAME_CHARS = 300


class ArgumentsError(ValueError):
    """What the model wrote is no set of arguments; the message is for the model."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A tool's answer: its texts, and where it gave one, its structured content."""

    texts: tuple[str, ...] = ()
    structured: Json = None
    is_error: bool = False


def arguments_of(text: str) -> JsonObject:
    """The model's arguments as an object. Nothing in them is changed: a placeholder of a secret stays one.

    Raises:
        ArgumentsError: no JSON object, too long, or holding what JSON cannot say.
    """
    if len(text) > MAX_ARGUMENTS_CHARS:
        raise ArgumentsError(f"The arguments have more than {MAX_ARGUMENTS_CHARS:,} characters.")
    try:
        value: object = json.loads(text, parse_constant=_refuse) if text.strip() else {}
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # a lone surrogate is a ValueError as well
        raise ArgumentsError("The arguments are not valid JSON.") from None
    if not isinstance(value, dict):
        raise ArgumentsError("The arguments are not a JSON object.")
    return cast("JsonObject", value)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def told(reply: Reply) -> str:
    """A tool's answer as the model is told it: at most 16,000 characters, none of them hidden; an error as one."""
    start = "The tool reports an error:\n" if reply.is_error else ""
    parts = list(reply.texts)
    if reply.structured is not None and not _is_said(reply.structured, parts):
        parts.append(_dumped(reply.structured))
    body = "\n".join(part for part in parts if part)
    text = capped(start + (body or "The tool gave no text."))
    return ErrorText(text) if reply.is_error else text


def capped(text: str) -> str:
    """Text made visible and cut, with a last line that says how much is missing."""
    shown = printable(text[: MAX_REPLY_CHARS + 1].replace("\r\n", "\n"), keep="\n\t")
    if len(text) <= MAX_REPLY_CHARS and len(shown) <= MAX_REPLY_CHARS:
        return shown
    kept = shown[: MAX_REPLY_CHARS - 100]
    missing = max(len(text) - len(kept), 1)
    return f"{kept}\n[cut here: about {missing:,} more characters]"


def unseen(kind: str, *details: str) -> str:
    """A part that is not text, named in one line."""
    return f"[{kind}{''.join(f', {one}' for one in _shown(details))}: not shown]"


def embedded(uri: str, text: str) -> str:
    """A text that came inside the answer under a name of its own; the name is not followed."""
    return f"[{', '.join(_shown((uri,)))}]\n{text}"


def _shown(details: Iterable[str]) -> Iterable[str]:
    return (printable(one[:_MAX_NAME_CHARS]) for one in details if one)


def _is_said(structured: Json, texts: list[str]) -> bool:
    """Whether the texts are nothing but the structured content once more."""
    text = "".join(texts).strip()
    if not text.startswith(("{", "[")) or len(text) > _MAX_COMPARED_CHARS:
        return False
    try:
        return json.loads(text) == structured
    except (ValueError, RecursionError):
        return False


def _dumped(value: Json) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return unseen("structured content", "not JSON")
