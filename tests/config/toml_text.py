"""Plain values as TOML text, for tests."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast


def to_toml(values: Mapping[str, object], above: str = "") -> str:
    """A document that reads back as these values: texts, numbers, switches, lists of texts, and tables of them."""
    plain, tables = "", ""
    for key, value in values.items():
        if isinstance(value, Mapping):
            name = above + _key(key)
            tables += f"[{name}]\n{to_toml(cast('Mapping[str, object]', value), name + '.')}"
        else:
            plain += f"{_key(key)} = {_value(value)}\n"
    return plain + tables


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Decimal():
            return f"{value:.9f}"
        case str():
            return _text(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, cast('Sequence[object]', value)))}]"
        case _:
            raise TypeError(type(value))


def _text(text: str) -> str:
    """A basic string, every character that is not plain ASCII written by its number."""
    plain = (char if char.isalnum() and char.isascii() else f"\\U{ord(char):08x}" for char in text)
    return f'"{"".join(plain)}"'
