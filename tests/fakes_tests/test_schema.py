"""The MFJS dialect: what Moonshot's validator refuses, and what it lets pass."""

import pytest

from tests.fakes.json_value import Json, JsonObject
from tests.fakes.schema import violation

P = "properties.p"
NOTHING: JsonObject = {}
NODE: Json = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
DEFS: JsonObject = {"Node": NODE}
EMPTY_DEFS: JsonObject = {"A": NOTHING}


def root(**members: Json) -> JsonObject:
    return {"type": "object", "properties": {}, **members}


def prop(**schema: Json) -> JsonObject:
    return root(properties={"p": schema})


@pytest.mark.parametrize(
    "schema",
    [
        root(),
        prop(type="string", enum=["a", "b"]),
        prop(type=["string", "null"]),
        prop(anyOf=[{"type": "string"}, {"type": "null"}], description="Either."),
        prop(type="array", items={"type": "integer"}),
        prop(type="object", additionalProperties=NOTHING),
        prop(type="string", format="date", pattern="^a$"),
        root(properties={"head": {"$ref": "#/$defs/Node"}}, **{"$defs": DEFS}),
        root(properties={"self": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}),
        root(properties={"p": {"type": "integer"}}, required=["p"], additionalProperties=False),
    ],
)
def test_a_schema_inside_the_dialect_passes(schema: JsonObject) -> None:
    assert violation(schema) is None


REFUSED: list[tuple[Json, str, str]] = [
    ("x", "root", "schema must be an object"),
    (root(**{"$schema": "draft"}), "root", "$schema is not supported"),
    (root(properties={"p": True}), P, "schema must be an object"),
    (prop(description="No type."), P, "type is not defined"),
    (prop(enum=["a"]), P, "type is not defined"),
    (prop(type="text"), P, "type must be one of the seven JSON Schema types"),
    (prop(type="array", items=[{"type": "string"}]), P, "items must be an object"),
    (prop(type="array", items=NOTHING), f"{P}.items", "type is not defined"),
    (
        prop(type="string", anyOf=[{"type": "string"}]),
        P,
        "when using anyOf, type should be defined in anyOf items instead of the parent schema",
    ),
    (prop(anyOf=[{"enum": ["a"]}]), f"{P}.anyOf.[0]", "type is not defined"),
    (prop(anyOf=[]), P, "anyOf must have at least one item"),
    (prop(type="string", enum=[]), P, "enum array cannot be empty"),
    (prop(type="string", enum=["a", 1]), P, "enum values must be literals of one type"),
    (root(required=["p"]), "root", "required property 'p' is not defined in properties"),
    (
        root(properties={"required": {"type": "string"}}),
        "root",
        "property name 'required' is reserved for JSON Schema keywords",
    ),
    (prop(**{"$ref": "#/$defs/Gone"}), P, "$defs not found for reference: #/$defs/Gone"),
    (prop(**{"$ref": "other.json"}), P, "references must start with #/$defs/"),
    (prop(**{"$ref": 1}), P, "$ref must be a string"),
    (prop(**{"$ref": "#", "minLength": 1}), P, "keyword 'minLength' is not allowed at the same level as $ref"),
    (
        prop(**{"$ref": "#", "type": "object"}),
        P,
        "when using $ref, type should be defined in the referenced schema instead of the parent schema",
    ),
    (prop(type="object", **{"$defs": NOTHING}), P, "$defs is only allowed at the root"),
    (root(**{"$defs": EMPTY_DEFS}), "$defs.A", "type is not defined"),
    (prop(type="object", additionalProperties={"enum": ["a"]}), f"{P}.additionalProperties", "type is not defined"),
]


@pytest.mark.parametrize(("schema", "path", "message"), REFUSED)
def test_a_schema_outside_the_dialect_is_named_with_its_path(schema: Json, path: str, message: str) -> None:
    assert violation(schema) == f"At path '{path}': {message}"
