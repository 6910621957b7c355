"""JSON Schemas of parameter and result models as agents need them: no titles, short, the same bytes every time."""

from typing import cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from mcp_tools.catalog.values import Json, JsonObject

_PROSE = ("title", "description")


class _Bare(GenerateJsonSchema):
    """pydantic's schema without the titles that it makes of names."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Never: a name is title enough."""
        del schema
        return False


def input_schema_of(model: type[BaseModel]) -> JsonObject:
    """The schema of a tool's arguments: an object that takes nothing it does not name. `null` is simply leaving out.

    Lengths of the texts in a list are checked but not told: agents would pay for them with every request.
    """
    schema = _object(_made(model, "validation"))
    properties = schema.get("properties")
    assert isinstance(properties, dict)
    kept = {key: value for key, value in schema.items() if key not in _PROSE}
    return {**kept, "properties": {name: _brief(about) for name, about in properties.items()}}


def output_schema_of(model: type[BaseModel]) -> JsonObject:
    """The schema of a tool's answer: the properties that it always has and their types, one level deep.

    What lies below is described by the model itself (`mcp_tools.catalog.documents`); told in full it would make the
    list of tools half as long again, and agents read it with every request.
    """
    schema = _object(_made(model, "serialization"))
    properties, definitions = schema.get("properties"), schema.get("$defs", {})
    assert isinstance(properties, dict)
    assert isinstance(definitions, dict)
    always = {name: about for name, about in properties.items() if model.model_fields[name].is_required()}
    return {"type": "object", "properties": {name: _type(about, definitions) for name, about in always.items()}}


def _made(model: type[BaseModel], mode: JsonSchemaMode) -> JsonObject:
    return cast("JsonObject", model.model_json_schema(schema_generator=_Bare, mode=mode))


def _object(schema: Json) -> JsonObject:
    result = _without_null(schema)
    if not isinstance(result, dict):
        raise TypeError("a tool's schema is an object")
    return result


def _without_null(node: Json) -> Json:
    """`anyOf: [X, null]` with a null default is X that may be left out."""
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    choices = node.get("anyOf")
    if isinstance(choices, list):
        real = [choice for choice in choices if choice != {"type": "null"}]
        if len(real) == 1 < len(choices) and isinstance(real[0], dict):
            rest = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
            return _without_null({**real[0], **rest})
    return {key: _without_null(value) for key, value in node.items()}


def _brief(about: Json) -> Json:
    if not isinstance(about, dict) or about.get("type") != "array":
        return about
    return {**about, "items": _type(about.get("items"))}


def _type(about: Json, definitions: JsonObject | None = None) -> JsonObject:
    """The type alone, also behind a reference. Raises TypeError where there is none: a schema must not say less."""
    if isinstance(about, dict) and isinstance(reference := about.get("$ref"), str):
        about = (definitions or {}).get(reference.rpartition("/")[2])
    kind = about.get("type") if isinstance(about, dict) else None
    if not isinstance(kind, str):
        raise TypeError("a property has one type")
    return {"type": kind}
