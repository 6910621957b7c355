"""What stands where a secret stood, and how it is recognised again after a model has handled it."""

import json
import re
from collections.abc import Callable

MARK = re.compile(r"(?:⟦|\\+u27[eE]6)SECRET:([a-z0-9-]{1,64}):([0-9a-f]{8,64})(?:⟧|\\+u27[eE]7)")
"""A placeholder as it was written, or as it stands inside JSON that keeps to ASCII: kind and tag."""

_LOOSE = re.compile(
    r"⟦[ \t]*SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<exact>[0-9a-f]{8,64})[ \t]*⟧"
    r"|(?P<open>\\+)u27[eE]6[ \t]*SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<escaped>[0-9a-f]{8,64})(?:[ \t]*\\+u27[eE]7)?"
    r"|(?:⟦[ \t]*|\[\[|【)?(?<![A-Za-z0-9])SECRET:[ \t]*[\w-]{1,64}:[ \t]*(?P<bare>[0-9a-f]{8,64})(?![0-9A-Za-z])(?:[ \t]*⟧|\]\]|】)?"
)


def placeholder(kind: str, tag: str) -> str:
    """Write the placeholder of a kind and a tag."""
    return f"⟦SECRET:{kind}:{tag}⟧"


def put_back(text: str, value_of: Callable[[str], str | None]) -> str:
    """Replace each placeholder whose tag `value_of` knows.

    Brackets that a model dropped or changed are forgiven. Where they are written as `\\u27e6` the text is the inside of
    a JSON string, so the value is escaped for JSON, once for each level (`\\\\u27e6` is a string in a string).
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
