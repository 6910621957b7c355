"""What ordering keys are made of: numbers of any length, compared without turning them into integers."""

from typing import TypeAlias

Part: TypeAlias = "int | str | tuple[Part, ...]"
VersionKey: TypeAlias = tuple[Part, ...]

MAX_CHARACTERS = 20_000
"""A longer text is no version of anything; published ones stay below 200."""


def number(digits: str) -> tuple[int, str]:
    """Order ASCII digits by value: the length without leading zeros decides, then the text. `""` is zero.

    `int()` would take quadratic time, and refuses 4,301 digits.
    """
    digits = digits.lstrip("0")
    return len(digits), digits


ZERO = number("0")


def identifier(text: str) -> tuple[Part, ...]:
    """Order one dot-separated identifier of a pre-release: numbers by value, and below words."""
    return (0, *number(text)) if text.isdecimal() and text.isascii() else (1, text)
