"""Read text that was meant to be JSON: what `json` refuses, and what is left of a broken object. Never raises."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_MAX_DEPTH = 64
_MAX_DIGITS = 18


def relaxed(text: str) -> Value:
    """The value of a text as JSON; else with comments, trailing commas, other quotation marks and Python's words.

    None stands for `null` and for a text that is no value at all: a caller that wants an object sees neither.
    """
    try:
        value: Value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _Reader(text).value()
    return value


class _BrokenError(ValueError):
    """The text is no value under the relaxed rules either."""


_SPACE = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BARE = re.compile(r"[^\s,:\[\]{}\"'`]+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(?:[eE][+-]?\d{1,3})?")
_STRINGS = {mark: re.compile(rf"{mark}((?:[^{mark}\\]|\\.)*){mark}", re.DOTALL) for mark in "\"'`"}
_CONSTANTS: Mapping[str, Value] = {"true": True, "false": False}
_NOTHING = frozenset(("null", "none", "undefined", "nan", "nil"))


class _Reader:
    """A recursive descent over one text, with a bounded depth."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self) -> Value:
        try:
            value = self._value(0)
            self._skip()
        except _BrokenError:
            return None
        return value if self._at == len(self._text) else None

    def _skip(self) -> str:
        """Pass over white space and comments; the next character, or nothing at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            raise _BrokenError
        mark = self._skip()
        if mark == "{":
            return dict(self._pairs(depth))
        if mark == "[":
            return list(self._items(depth))
        return self._string(mark) if mark in _STRINGS else _constant(self._bare())

    def _items(self, depth: int) -> Iterator[Value]:
        self._at += 1
        while (mark := self._skip()) != "]":
            if mark == ",":
                self._at += 1
                continue
            yield self._value(depth + 1)
            self._end_of_item("]")
        self._at += 1

    def _pairs(self, depth: int) -> Iterator[tuple[str, Value]]:
        self._at += 1
        while (mark := self._skip()) != "}":
            if mark == ",":
                self._at += 1
                continue
            key = self._string(mark) if mark in _STRINGS else self._bare()
            if self._skip() != ":":
                raise _BrokenError
            self._at += 1
            yield key, self._value(depth + 1)
            self._end_of_item("}")
        self._at += 1

    def _end_of_item(self, close: str) -> None:
        if self._skip() not in (",", close):
            raise _BrokenError

    def _string(self, mark: str) -> str:
        match = _STRINGS[mark].match(self._text, self._at) if mark else None
        if match is None:
            raise _BrokenError
        self._at = match.end()
        return unescape(match[1])

    def _bare(self) -> str:
        match = _BARE.match(self._text, self._at)
        if match is None:
            raise _BrokenError
        self._at = match.end()
        return match[0]


def _constant(word: str) -> Value:
    low = word.lower()
    if low in _NOTHING:
        return None
    if low in _CONSTANTS:
        return _CONSTANTS[low]
    number = _NUMBER.fullmatch(word)
    if number is None or len(word) > _MAX_DIGITS:
        return word
    return float(word) if number[1] or "e" in low else int(word)


_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'", "`": "`"}


def unescape(text: str) -> str:
    """The text of a string's inside. An escape that JSON does not know stands as it was written."""
    return _ESCAPE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, match[0])


_QUOTED_KEY = re.compile(r"(?<!\\)([\"'`])([A-Za-z_][\w \-]{0,40})\1\s{0,64}:")
_BARE_KEY = re.compile(r"(?:^\s*\{|[,\n{])\s{0,64}()([A-Za-z_]\w{0,40})\s{0,64}:")
_FILLED = re.compile(r"\s*([\"'`])((?:.*[^\\])?(?:\\\\)*)\1[\s,}\]]*", re.DOTALL)
_OPEN = re.compile(r"\s*([\"'`]{3}|[\"'`]|)")


def salvage(text: str, known: Mapping[str, str], *, is_cut: bool) -> dict[str, Value]:
    """The fields of an object that no rule reads: what stands between one known key and the next.

    Args:
        text: from the object's brace on; strings may hold quotation marks that nobody escaped.
        known: the normalised keys that count.
        is_cut: the text ends too early, so that its last value counts only where a quotation mark closes it.

    Returns:
        Values by key as written; the first of two with the same key. Numbers stand as text.
    """
    pattern = _QUOTED_KEY if _QUOTED_KEY.search(text) else _BARE_KEY
    keys = [match for match in pattern.finditer(text) if normal(match[2]) in known]
    fields: dict[str, Value] = {}
    for index, match in enumerate(keys):
        is_last = index + 1 == len(keys)
        value = text[match.end() : len(text) if is_last else keys[index + 1].start()]
        filled = _FILLED.fullmatch(value)
        if is_last and is_cut and (filled is None or value.rstrip()[-1:] not in "\"'`,}]"):
            continue
        fields.setdefault(match[2], unescape(filled[2]) if filled else _unclosed(value, is_last=is_last))
    return fields


def _unclosed(value: str, *, is_last: bool) -> str:
    opened = _OPEN.match(value)
    body = value[opened.end() if opened else 0 :]
    return unescape(body.rstrip(" \t\r\n,}]" if is_last else " \t\r\n,"))


def normal(key: str) -> str:
    """A key as it is compared: `start_line`, `startLine` and `Start-Line` are one."""
    return key.replace("_", "").replace("-", "").replace(" ", "").lower()
