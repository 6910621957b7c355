"""The SARIF 2.1.0 schema as a check."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import jsonschema


class _Checker(Protocol):
    def iter_errors(self, instance: object) -> Iterator[jsonschema.ValidationError]: ...


@cache
def _checker() -> _Checker:
    schema: object = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    return cast("_Checker", jsonschema.Draft202012Validator(cast("dict[str, object]", schema)))


def schema_errors(text: str) -> list[str]:
    """What the schema has against a log; nothing when it is valid."""
    return [f"{error.json_path}: {error.message}" for error in _checker().iter_errors(json.loads(text))]
