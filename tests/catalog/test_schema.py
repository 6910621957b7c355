import json

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.model.schema import normalise
from mcp_tools.catalog import TOOLS, Json, JsonObject, input_schema, output_schema


def test_every_input_schema_is_an_object_that_takes_nothing_it_does_not_name() -> None:
    for tool in TOOLS.values():
        schema = input_schema(tool)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", tool.name
        assert schema["additionalProperties"] is False, tool.name


def test_every_number_and_text_and_list_has_bounds() -> None:
    for tool in TOOLS.values():
        properties = input_schema(tool)["properties"]
        assert isinstance(properties, dict)
        for name, schema in properties.items():
            assert isinstance(schema, dict)
            match schema["type"]:
                case "integer":
                    assert {"minimum", "maximum"} <= schema.keys(), (tool.name, name)
                case "string":
                    assert schema.keys() & {"maxLength", "pattern", "enum"}, (tool.name, name)
                case "array":
                    assert "maxItems" in schema, (tool.name, name)
                case kind:
                    assert kind == "boolean", (tool.name, name)


def test_no_schema_has_titles_references_or_nulls() -> None:
    for tool in TOOLS.values():
        for schema in (input_schema(tool), output_schema(tool)):
            text = json.dumps(schema)
            assert '"title":' not in text
            assert "$ref" not in text
            assert '"null"' not in text


def test_a_schema_survives_what_moonshot_wants_of_it() -> None:
    for tool in TOOLS.values():
        before = input_schema(tool)
        after = normalise(json.loads(json.dumps(before)))
        assert after["type"] == "object"
        assert set(_names(after)) == set(_names(before)), tool.name
        assert set(_required(after)) == set(_required(before)), tool.name
        assert normalise(after) == after


@given(st.sampled_from(sorted(TOOLS)), st.data())
def test_arguments_that_the_schema_takes_are_taken(name: str, data: st.DataObject) -> None:
    tool = TOOLS[name]
    schema = input_schema(tool)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    arguments: JsonObject = {}
    for each, about in properties.items():
        if each in _required(schema) or data.draw(st.booleans()):
            assert isinstance(about, dict)
            arguments[each] = data.draw(_value(about))  # a value of the schema
    jsonschema.validate(arguments, schema, cls=jsonschema.Draft202012Validator)
    tool.parse(arguments)


def _value(about: JsonObject) -> st.SearchStrategy[Json]:
    match about:
        case {"enum": list() as words}:
            return st.sampled_from(words)
        case {"type": "integer", "minimum": int() as low, "maximum": int() as high}:
            return st.integers(low, high)
        case {"type": "boolean"}:
            return st.booleans()
        case {"pattern": str() as pattern}:
            return st.from_regex(pattern.replace("$", r"\Z"))
        case {"type": "array"}:
            return st.lists(st.text(min_size=1, max_size=20), max_size=4).map(lambda words: [*words])
        case _:
            return st.text(min_size=1, max_size=50)


def _names(schema: JsonObject) -> list[str]:
    properties = schema.get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _required(schema: JsonObject) -> list[str]:
    required = schema.get("required", [])
    assert isinstance(required, list)
    return [str(name) for name in required]
