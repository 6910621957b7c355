"""What stands where a secret stood, and how it is recognised again after a model has handled it."""

import json
import re
from collections.abc import Callable

from mcp_tools.redaction.lazy import Lazy

MARK = Lazy(r"(?:⟦|\\{1,16}+u27[eE]6)SECRET:([a-z0-9-]{1,64}):([0-9a-f]{8,64})(?:⟧|\\{1,16}+u27[eE]7)")
"""A placeholder as it was written, or as it stands inside JSON that keeps to ASCII: kind and tag."""

BLANK = "\ufdd0"
"""A code point that no text may use, so none does."""

_LOOSE = Lazy(
    r"⟦[ \t]*SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<exact>[0-9a-f]{8,64})[ \t]*⟧"
    r"|(?P<open>\\{1,16}+)u27[eE]6[ \t]*SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<escaped>[0-9a-f]{8,64})"
    r"(?:[ \t]*\\{1,16}+u27[eE]7)?"
    r"|(?:⟦[ \t]*|\[\[|【)?(?<![A-Za-z0-9])SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<bare>[0-9a-f]{8,64})"
    r"(?![0-9A-Za-z])(?:[ \t]*⟧|\]\]|】)?"
)


def placeholder(kind: str, tag: str) -> str:
    """Write the placeholder of a kind and a tag."""
    return f"⟦SECRET:{kind}:{tag}⟧"


def blanked(text: str) -> str:
    """The text, of the same length, with `BLANK` for every character of a placeholder: none is taken for text."""
    return MARK.sub(_blank, text) if "SECRET:" in text else text


def _blank(match: re.Match[str]) -> str:
    return BLANK * len(match[0])


def put_back(text: str, value_of: Callable[[str], str | None]) -> str:
    r"""Replace each placeholder whose tag `value_of` knows.

    Brackets that a model dropped or changed are forgiven. Where they are written as `\u27e6` the text is the inside of
    a JSON string, so the value is escaped for JSON, once for each level (`\\u27e6` is a string in a string).
    """

    def restored(match: re.Match[str]) -> str:
        value = value_of(match["exact"] or match["escaped"] or match["bare"])
        if value is None:
            return match[0]
        if match["open"]:
            for _ in range(len(match["open"]).bit_length()):
                value = json.dumps(value)[1:-1]
        return value

    return _LOOSE.sub(restored, text)
