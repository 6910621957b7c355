"""TOML's words and escapes as values."""

import re
from typing import Final

_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|[ \t]*\r?\n[ \t\r\n]*|(.))", re.DOTALL
)
_LETTERS: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_INTEGER = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_BASED = re.compile(r"0(?:x[0-9A-Fa-f_]{1,16}|o[0-7_]{1,24}|b[01_]{1,70})")
_FLOAT = re.compile(r"[+-]?(?:inf|nan|[0-9](?:_?[0-9])*(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].*)?|[0-9]{2}:[0-9]{2}.*", re.DOTALL)
_MAX_DIGITS = 40


def scalar(word: str) -> int | float | bool | str | None:
    """The value of an unquoted word; a date or time stays a text; None when it is no TOML value."""
    if word in ("true", "false"):
        return word == "true"
    if _MOMENT.fullmatch(word):
        return word
    if len(word) > _MAX_DIGITS:
        return None
    if _INTEGER.fullmatch(word):
        return int(word.replace("_", ""))
    if _BASED.fullmatch(word):
        return int(word.replace("_", ""), 0)
    return float(word.replace("_", "")) if _FLOAT.fullmatch(word) else None


def unescaped(raw: str) -> str:
    """The text that a basic string stands for; an escape that TOML lacks stays as written."""
    return _ESCAPE.sub(_letter, raw)


def _letter(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    if digits is not None:
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else escape[0]
    if escape[4] is None:
        return ""
    return _LETTERS.get(escape[4], escape[0])
