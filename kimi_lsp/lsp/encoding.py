"""Columns in a client's units (UTF-8, UTF-16 or UTF-32 code units) to code points and back. Knows no lines."""

import re
from enum import StrEnum

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class PositionEncoding(StrEnum):
    """What a client counts when it says `character`."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


def to_column(line: str, character: int, encoding: PositionEncoding) -> int:
    """The code point column of a place that a client names.

    Past the line's end is the line's end; within a character is before that character. Lone surrogates count as the
    code units that they would take.
    """
    if character <= 0:
        return 0
    if encoding is PositionEncoding.UTF32 or line.isascii():
        return min(character, len(line))
    head = line[:character]  # no character is shorter than one unit
    if encoding is PositionEncoding.UTF8:
        data = head.encode("utf-8", "surrogatepass")
        stop = min(character, len(data))
        while 0 < stop < len(data) and data[stop] & 0xC0 == 0x80:
            stop -= 1
        return len(data[:stop].decode("utf-8", "surrogatepass"))
    column = character
    for count, astral in enumerate(_ASTRAL.finditer(head)):
        if astral.start() + count >= character:
            break
        column = character - count - 1
    return min(column, len(line))


def to_character(line: str, column: int, encoding: PositionEncoding) -> int:
    """What a client calls a code point column. Past the line's end is the line's end."""
    column = min(max(column, 0), len(line))
    if encoding is PositionEncoding.UTF32 or line.isascii():
        return column
    head = line[:column]
    if encoding is PositionEncoding.UTF8:
        return len(head.encode("utf-8", "surrogatepass"))
    return len(head.encode("utf-16-le", "surrogatepass")) // 2
