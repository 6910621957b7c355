"""JSON values as types, and the few ways the fakes walk them."""

import json
from collections.abc import Iterator
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]


def parse(data: bytes) -> Json:
    """Read one UTF-8 JSON document. Raises ValueError when it is none."""
    return json.loads(data.decode("utf-8"))


def compact(value: Json) -> str:
    """Write without spaces and without escaping what UTF-8 can say, as Moonshot does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def get(value: Json, *path: str | int) -> Json:
    """What lies at a path of keys and indexes; None where it leads nowhere."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value


def items(value: Json) -> list[Json]:
    """The elements of an array; none for anything else."""
    return value if isinstance(value, list) else []


def strings(value: Json) -> Iterator[str]:
    """Every string of a document, keys included, depth first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
