"""The protocol's JSON schema, a validator for each message; one kind takes no field that the specification has not."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tests.fakes.json_value import Json, JsonObject, get, items

Side = Literal["agent", "client", "protocol"]
Kind = Literal["Request", "Response", "Notification"]
_NESTED = ("properties", "patternProperties")
_BESIDE = ("allOf", "anyOf", "oneOf", "then")


@dataclass(frozen=True, slots=True)
class Place:
    """Which message: who handles the method, its name, and which way it goes."""

    side: Side
    method: str
    kind: Kind


class Judge(Protocol):
    """The part of a validator that is used here."""

    def iter_errors(self, instance: object) -> Iterator[ValidationError]:
        """What is wrong with a value."""
        ...


class Schema:
    """What each message must look like."""

    def __init__(self, document: JsonObject) -> None:
        definitions = document["$defs"]
        assert isinstance(definitions, dict)
        self.names = {place: name for name, one in definitions.items() for place in _places(name, one)}
        document = cast("JsonObject", _told_apart(document))
        self._documents = {False: document, True: cast("JsonObject", _closed(document))}
        self._judges: dict[tuple[str, bool], Judge] = {}

    def violation(self, place: Place, value: Json, *, is_closed: bool) -> str | None:
        """What is wrong with the params or the result of a message; None when nothing is. KeyError: no such message.

        is_closed: no fields but those of the schema are taken either. The specification reserves them all, extensions
        belong under `_meta`.
        """
        return self._violation(self.names[place], value, is_closed=is_closed)

    def error_violation(self, value: Json) -> str | None:
        """What is wrong with the error of a response."""
        return self._violation("Error", value, is_closed=True)

    def _violation(self, name: str, value: Json, *, is_closed: bool) -> str | None:
        judge = self._judges.get((name, is_closed))
        if judge is None:
            schema = {"$ref": f"#/$defs/{name}", "$defs": self._documents[is_closed]["$defs"]}
            judge = cast("Judge", Draft202012Validator(schema))
            self._judges[name, is_closed] = judge
        found = max(_leaves(judge.iter_errors(value)), key=lambda error: len(error.absolute_path), default=None)
        return None if found is None else f"{name}{found.json_path.removeprefix('$')}: {found.message:.400}"


@cache
def load(path: Path) -> Schema:
    """Read a schema file of the protocol."""
    return Schema(cast("JsonObject", json.loads(path.read_text("utf-8"))))


def _places(name: str, definition: Json) -> Iterator[Place]:
    side, method = get(definition, "x-side"), get(definition, "x-method")
    for kind in ("Request", "Response", "Notification"):
        if isinstance(method, str) and name.endswith(kind):
            yield Place(cast("Side", side), method, kind)


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """What went wrong, down to the single fields."""
    for error in errors:
        if error.context:
            yield from _leaves(error.context)
        else:
            yield error


def _told_apart(schema: Json) -> Json:
    """The same schema, where the field that tells variants apart picks the one to look at.

    It takes and refuses the same, faster, and an error is that of the variant which was meant.
    """
    if isinstance(schema, list):
        return [_told_apart(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _told_apart(value) for key, value in schema.items()}
    field, variants = get(made, "discriminator", "propertyName"), items(made.get("oneOf"))
    values = [get(variant, "properties", field, "const") for variant in variants] if isinstance(field, str) else []
    if not isinstance(field, str) or not values or None in values:
        return made
    del made["oneOf"], made["discriminator"]
    made["allOf"] = [
        *items(made.get("allOf")),
        {"properties": {field: {"enum": values}}, "required": [field]},
        *(
            {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": variant}
            for value, variant in zip(values, variants, strict=True)
        ),
    ]
    return made


def _closed(schema: Json) -> Json:
    """The same schema, where each value within a message has the fields that are described, and no other.

    Only where a value begins, not in the parts a type is put together from: those see a part of its fields each.
    """
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: JsonObject = {}
    for key, value in schema.items():
        if key in _NESTED and isinstance(value, dict):
            made[key] = {name: _shut(one) for name, one in value.items()}
        elif key == "$defs" and isinstance(value, dict):
            made[key] = {
                name: _shut(one) if "x-method" in cast("JsonObject", one) else _closed(one)
                for name, one in value.items()
            }
        elif key in ("items", "additionalProperties"):
            made[key] = _shut(value)
        elif key in _BESIDE:
            made[key] = _closed(value)
        else:
            made[key] = value
    return made


def _shut(schema: Json) -> Json:
    """A schema of a whole value, without room for other fields; one that describes none stays as it is."""
    closed = _closed(schema)
    if isinstance(closed, dict) and ({"$ref", "properties", *_BESIDE} & closed.keys()):
        return {**closed, "unevaluatedProperties": False}
    return closed
