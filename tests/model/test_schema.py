import copy
from collections.abc import Iterator
from typing import cast

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from referencing.exceptions import Unresolvable

from kimi_lsp.model import Json, JsonObject, normalise


def test_a_schema_as_pydantic_writes_it_loses_its_references_and_its_optional_types() -> None:
    schema: JsonObject = {
        "$schema": "https://json-schema.example/draft",
        "$defs": {"Level": {"enum": ["high", "low"], "title": "Level"}},
        "title": "Findings",
        "type": "object",
        "properties": {
            "level": {"$ref": "#/$defs/Level", "description": "how bad"},
            "line": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None},
            "pair": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}]},
            "note": {"type": ["string", "null"], "minLength": 1, "description": "free"},
            "only": {"allOf": [{"$ref": "#/$defs/Level"}], "title": "Only"},
            "extra": True,
        },
        "required": ["level"],
        "additionalProperties": False,
    }
    before = copy.deepcopy(schema)
    assert normalise(schema) == snapshot(
        {
            "title": "Findings",
            "type": "object",
            "properties": {
                "level": {"enum": ["high", "low"], "title": "Level", "description": "how bad", "type": "string"},
                "line": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None},
                "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
                "note": {"description": "free", "anyOf": [{"minLength": 1, "type": "string"}, {"type": "null"}]},
                "only": {"enum": ["high", "low"], "title": "Only", "type": "string"},
                "extra": {
                    "anyOf": [
                        {"type": "string"},
                        {"type": "number"},
                        {"type": "boolean"},
                        {"type": "object"},
                        {"type": "array"},
                        {"type": "null"},
                    ]
                },
            },
            "required": ["level"],
            "additionalProperties": False,
        }
    )
    assert schema == before


def test_a_type_beside_alternatives_moves_into_them() -> None:
    schema: JsonObject = {"properties": {"p": {"type": "string", "anyOf": [{"minLength": 2}, {"type": "null"}, True]}}}
    assert normalise(schema)["properties"] == snapshot(
        {"p": {"anyOf": [{"minLength": 2, "type": "string"}, {"type": "null"}, {"type": "string"}]}}
    )


def test_a_definition_that_recurses_stays_a_reference() -> None:
    schema: JsonObject = {
        "definitions": {
            "Node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/definitions/Node"}, "leaf": {"$ref": "#/definitions/Leaf"}},
            },
            "Leaf": {"const": 1},
        },
        "type": "object",
        "properties": {"root": {"$ref": "#/definitions/Node"}},
    }
    assert normalise(schema) == snapshot(
        {
            "type": "object",
            "properties": {"root": {"$ref": "#/$defs/Node"}},
            "$defs": {
                "Node": {
                    "type": "object",
                    "properties": {"next": {"$ref": "#/$defs/Node"}, "leaf": {"const": 1, "type": "number"}},
                }
            },
        }
    )


def test_a_root_that_is_a_reference_or_refers_to_itself_is_an_object() -> None:
    by_name: JsonObject = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
    }
    itself: JsonObject = {"type": "object", "properties": {"again": {"$ref": "#"}}}
    loop: JsonObject = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    for schema in (by_name, itself, loop):
        check(normalise(schema))


def test_alternatives_at_the_root_become_one_object() -> None:
    schema: JsonObject = {
        "$defs": {
            "A": {
                "type": "object",
                "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}},
                "required": ["kind", "x"],
            }
        },
        "oneOf": [
            {"$ref": "#/$defs/A"},
            {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]},
        ],
    }
    assert normalise(schema) == snapshot(
        {
            "required": ["kind"],
            "type": "object",
            "properties": {
                "kind": {"anyOf": [{"const": "a", "type": "string"}, {"const": "b", "type": "string"}]},
                "x": {"type": "integer"},
            },
        }
    )


def test_definitions_that_multiply_do_not_explode() -> None:
    definitions: JsonObject = {
        f"D{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/D{level + 1}"} for name in ("a", "b", "c")},
        }
        for level in range(30)
    }
    result = normalise({"type": "object", "properties": {"top": {"$ref": "#/$defs/D0"}}, "$defs": definitions})
    check(result)
    assert sum(1 for _ in schemas(result)) < 100_000


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"type": "array", "items": {"type": "string"}},
        {"properties": {"p": False, "q": {"$ref": "https://elsewhere.example/x"}, "r": {"$ref": 7}, "type": {}}},
        {"properties": {"p": {"enum": []}, "q": {"type": []}, "r": {"anyOf": []}, "$ref": {"type": "string"}}},
        {"$ref": "#/nowhere"},
        {"properties": {"p": {"default": {"$ref": "#/x"}, "enum": [{"$ref": "#/$defs/x"}]}}},
        {"anyOf": "no list", "properties": []},
    ],
)
def test_odd_schemas_come_out_as_objects(odd: JsonObject) -> None:
    check(normalise(odd))


def schemas(schema: Json, *, is_property: bool = False) -> Iterator[tuple[JsonObject, bool]]:
    """Every schema within a schema, and whether it is a property's."""
    if not isinstance(schema, dict):
        return
    yield schema, is_property
    for key in ("properties", "patternProperties", "$defs"):
        if isinstance(inner := schema.get(key), dict):
            for value in inner.values():
                yield from schemas(value, is_property=key == "properties")
    for key in ("anyOf", "allOf", "prefixItems"):
        if isinstance(branches := schema.get(key), list):
            for value in branches:
                yield from schemas(value)
    for key in ("items", "additionalProperties", "not"):
        yield from schemas(schema.get(key))


def check(schema: JsonObject) -> None:
    """Moonshot's rules."""
    assert schema["type"] == "object"
    for inner, is_property in schemas(schema):
        assert not {"$schema", "definitions", "oneOf"} & inner.keys()
        assert not isinstance(inner.get("items"), list)
        assert not ("anyOf" in inner and "type" in inner)
        assert isinstance(inner.get("type", ""), str)
        if is_property:
            assert any(key in inner for key in ("type", "anyOf", "$ref", "allOf")), inner


NAMES = st.sampled_from(["a", "b", "type", "$ref", "items"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "bb"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
REFERENCES = st.sampled_from(["#/$defs/A", "#/$defs/B", "#", "#/$defs/missing", "#/properties/a"])


def _larger(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "properties": st.dictionaries(NAMES, inner | st.booleans(), max_size=3),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": inner | st.booleans(),
            "items": inner | st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner | st.booleans(), min_size=1, max_size=3),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "enum": st.lists(SCALARS, min_size=1, max_size=3),
            "minLength": st.integers(0, 2),
            "minimum": st.integers(-2, 2),
            "maxItems": st.integers(0, 2),
            "description": st.just("d"),
        },
    )


SCHEMAS = st.recursive(
    st.fixed_dictionaries({"type": TYPES}) | REFERENCES.map(lambda pointer: {"$ref": pointer}), _larger, max_leaves=8
)


@st.composite
def roots(draw: st.DrawFn) -> JsonObject:
    root = {"type": "object", "properties": draw(st.dictionaries(NAMES, SCHEMAS, max_size=3))}
    root |= {
        "$defs": {"A": draw(SCHEMAS), "B": draw(SCHEMAS)},
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }
    return cast("JsonObject", root)


@given(roots())
def test_every_schema_comes_out_by_the_rules_and_stays_the_same_the_second_time(schema: JsonObject) -> None:
    once = normalise(schema)
    check(once)
    assert normalise(once) == once


@given(roots(), st.dictionaries(NAMES, VALUES, max_size=3))
def test_what_was_valid_stays_valid(schema: JsonObject, value: JsonObject) -> None:
    assume(not loops(schema))
    try:
        was_valid = is_valid(value, schema)
    except Unresolvable:
        return
    assert is_valid(value, normalise(schema)) or not was_valid


def loops(root: JsonObject) -> bool:
    """Whether some reference leads back to itself without descending into the value: no validator survives that."""
    defs, properties = root["$defs"], root["properties"]
    assert isinstance(defs, dict)
    assert isinstance(properties, dict)
    places = {"#": root, "#/properties/a": properties.get("a"), "#/$defs/A": defs["A"], "#/$defs/B": defs["B"]}
    for start in places:
        seen, todo = set[str](), [start]
        while todo:
            found = set(in_place(places.get(todo.pop()))) - seen
            seen |= found
            todo += found
        if start in seen:
            return True
    return False


def in_place(schema: Json) -> Iterator[str]:
    """The references that are followed for the very value that the schema judges."""
    if isinstance(schema, list):
        for branch in schema:
            yield from in_place(branch)
    if isinstance(schema, dict):
        if isinstance(pointer := schema.get("$ref"), str):
            yield pointer
        for key in ("anyOf", "oneOf", "allOf"):
            yield from in_place(schema.get(key))


def is_valid(value: JsonObject, schema: JsonObject) -> bool:
    try:
        jsonschema.validate(value, _modern_object(schema), cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError:
        return False
    return True


def _modern_object(schema: JsonObject) -> JsonObject:
    modern = _modern(schema)
    assert isinstance(modern, dict)
    return modern


def _modern(schema: Json) -> Json:
    """The same schema with lists of items as the current draft spells them, which is the one jsonschema judges by."""
    if isinstance(schema, list):
        return [_modern(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        ("prefixItems" if key == "items" and isinstance(value, list) else key): _modern(value)
        for key, value in schema.items()
    }
