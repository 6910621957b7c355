"""Lays what a user wrote over a frozen value: each key a field of it, each value of the field's type."""

import dataclasses
import difflib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, cast

from kimi_lsp.errors import ConfigError
from kimi_lsp.usage import Prices

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")
_PRICES = {
    "input_usd": "input",
    "cached_input_usd": "cached_input",
    "output_usd": "output",
    "cache_write_usd": "cache_write",
}
_MAX_USD = Decimal(1_000_000)


def apply(value: _T, overrides: Mapping[str, object]) -> _T:
    """A copy of a value with some fields replaced; `*_usd` keys go into its `prices`.

    Raises:
        ConfigError: an unknown key (the message names the nearest one), or a value of another type.
    """
    current = {field.name: cast("object", getattr(value, field.name)) for field in dataclasses.fields(value)}
    prices = current.pop("prices", None)
    known = [*current, *(_PRICES if isinstance(prices, Prices) else ())]
    changes: dict[str, object] = {}
    for key, raw in overrides.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)
            raise ConfigError(f"Unknown model profile key {key!r}.", hint=f"Did you mean {near[0]!r}?" if near else "")
        if key in current:
            changes[key] = _as_type_of(key, current[key], raw)
        elif isinstance(prices, Prices):
            prices = dataclasses.replace(prices, **{_PRICES[key]: _dollars(key, raw)})
            is_stated = {"input_usd", "output_usd"} <= overrides.keys()
            changes["prices"] = dataclasses.replace(prices, is_assumed=prices.is_assumed and not is_stated)
    return dataclasses.replace(value, **changes)


def _as_type_of(key: str, current: object, raw: object) -> object:
    wanted, value = _converted(current, raw)
    if value is None:
        raise ConfigError(f"Model profile key {key!r} must be {wanted}, not {raw!r}.")
    return value


def _converted(current: object, raw: object) -> tuple[str, object]:
    """What a field takes, in words, and the value as that; None where it is something else."""
    match current:
        case bool():
            return "true or false", raw if isinstance(raw, bool) else None
        case int():
            is_count = isinstance(raw, int) and not isinstance(raw, bool) and raw > 0
            return "a whole number above 0", raw if is_count else None
        case StrEnum():
            members = {member.value: member for member in type(current)}
            return "one of " + ", ".join(members), members.get(raw) if isinstance(raw, str) else None
        case str():
            return "a string", raw if isinstance(raw, str) else None
        case _:
            items = cast("list[object] | tuple[object, ...]", raw) if isinstance(raw, list | tuple) else None
            is_text = items is not None and all(isinstance(item, str) for item in items)
            return "a list of strings", tuple(items) if items is not None and is_text else None


def _dollars(key: str, raw: object) -> Decimal:
    """A price: a number or a decimal string, from 0 up."""
    if isinstance(raw, int | float | str | Decimal) and not isinstance(raw, bool):
        try:
            amount = Decimal(str(raw))
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_finite() and 0 <= amount <= _MAX_USD:
            return amount
    raise ConfigError(f"Model profile key {key!r} must be dollars for a million tokens, 0 or more, not {raw!r}.")
