"""Write JSON: one item a line where a list is long, nothing invisible left raw, the same bytes for the same value."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mcp_tools.output.escape import ascii_escaped

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = Mapping[str, Json]


def dumps(value: Json, depth: int) -> str:
    """Write a value with its first `depth` levels broken into lines and what lies below on one line each.

    No string in the value may hold a lone surrogate (see `encodable`). The text ends with a line end.
    """
    return ascii_escaped("".join(_pieces(value, depth, "\n"))) + "\n"


def _pieces(value: Json, depth: int, margin: str) -> Iterator[str]:
    inner = margin + "  "
    if depth and value and isinstance(value, Mapping):
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else ''}{inner}{_compact(key)}: "
            yield from _pieces(item, depth - 1, inner)
        yield margin + "}"
    elif depth and value and isinstance(value, Sequence) and not isinstance(value, str):
        yield "["
        for number, item in enumerate(value):
            yield f"{',' if number else ''}{inner}"
            yield from _pieces(item, depth - 1, inner)
        yield margin + "]"
    else:
        yield _compact(value)


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
