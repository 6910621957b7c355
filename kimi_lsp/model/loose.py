"""Reading JSON that anybody may have written: the value if it has the shape asked for, else nothing. Never raises."""

import json
import math
from collections.abc import Callable
from typing import cast

_scan_string = cast("Callable[[str, int, bool], tuple[str, int]]", vars(json.decoder)["scanstring"])  # in no stub


def parse(text: str | bytes) -> tuple[bool, object]:
    """Whether a text is JSON, and its value. Too deep, too large a number or no Unicode is "no"."""
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None


def as_object(value: object) -> dict[str, object] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object]:
    """The value if it is a JSON array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """The value if it is a string that is not empty."""
    return value if isinstance(value, str) and value else None


def as_count(value: object) -> int | None:
    """The value if it is a whole number from 0 to 2^53; 3.0 counts, True does not."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**53 else None


def scan_string(text: str, start: int) -> tuple[str, int]:
    """The JSON string whose inside begins at `start`, and the index behind its closing quote.

    Raises:
        ValueError: it does not end, or an escape in it is none.
    """
    return _scan_string(text, start, False)
