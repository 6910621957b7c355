"""What a lender declares, and what of it a model is offered."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.audit.lenders.definitions import Definition, described, digest_of, offered_name, select
from kimi_lsp.model import Json, JsonObject, normalise

_MOONSHOT = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{2,63}")
_LENDER = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
_OBJECT: JsonObject = {"type": "object"}


def _defined(name: str = "read", schema: JsonObject | None = None, *, reads_only: bool = True) -> Definition:
    return Definition(name, "A tool.", _OBJECT if schema is None else schema, reads_only, digest_of({"name": name}))


@given(_LENDER, st.text())
def test_any_name_becomes_one_that_moonshot_takes(lender: str, tool: str) -> None:
    name = offered_name(lender, tool)
    assert _MOONSHOT.fullmatch(name)
    assert name.startswith(f"{lender}__")


@given(_LENDER, st.lists(st.text(max_size=80), unique=True, max_size=20))
def test_two_tools_get_two_names(lender: str, tools: list[str]) -> None:
    assert len({offered_name(lender, tool) for tool in tools}) == len(tools)


def test_tools_of_two_lenders_never_share_a_name() -> None:
    assert offered_name("a", "b__c") != offered_name("a-b", "c")


@given(st.text())
def test_a_description_is_short_and_can_be_seen(text: str) -> None:
    shown = described(text)
    assert len(shown) <= 600
    assert all(char == "\n" or char.isprintable() or char.isspace() or not char.isascii() for char in shown)
    shown.encode()


def test_what_is_not_declared_to_only_read_is_left_out_first() -> None:
    chosen = select("docs", [_defined("a"), _defined("b", reads_only=False), _defined("c")], ("a", "b", "d"))
    assert [offer.tool for offer in chosen.offers] == ["a"]
    assert chosen.left_out == ("b: not declared to only read", "d: it has none of that name")


def test_a_tool_that_is_declared_twice_is_offered_once_as_first_declared() -> None:
    chosen = select("docs", [_defined("a"), _defined("a", {"type": "object", "title": "x"})], None)
    assert [offer.spec.parameters for offer in chosen.offers] == [_OBJECT]
    assert chosen.left_out == ("a: its name is taken",)


def test_many_names_in_a_reason_are_counted() -> None:
    chosen = select("docs", [_defined(f"t{number}", {"type": "array"}) for number in range(9)], None)
    assert chosen.left_out == ("t0, t1, t2, t3, t4 and 4 more: its parameters are no object",)


def test_a_declaration_is_known_by_all_that_it_says() -> None:
    one: JsonObject = {"name": "a", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
    assert digest_of(one) == digest_of(dict(reversed(one.items())))
    assert digest_of(one) != digest_of({**one, "title": ""})


_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["#/$defs/a", "#/$defs/b", "#"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ref", "$defs", "properties", "items", "type", "anyOf", "a", "b"]) | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(_json, st.dictionaries(st.sampled_from("ab"), _json))
def test_whatever_the_parameters_what_is_offered_stays_small_and_visible(node: Json, defs: dict[str, Json]) -> None:
    schema: JsonObject = {"type": "object", "properties": {"x": node}, "$defs": defs}
    for offer in select("docs", [_defined(schema=schema)], None).offers:
        text = json.dumps(offer.spec.parameters, ensure_ascii=False)
        assert len(text) <= 24_000
        text.encode()
        assert len(json.dumps(normalise(offer.spec.parameters))) <= 10 * 24_000


def test_references_that_multiply_are_measured_without_following_them_all() -> None:
    doubling: JsonObject = {
        f"d{n}": {"properties": {key: {"$ref": f"#/$defs/d{n + 1}"} for key in "abcd"}} for n in range(50)
    }
    schema: JsonObject = {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": doubling}
    assert len(json.dumps(schema)) < 8_000
    (reason,) = select("docs", [_defined(schema=schema)], None).left_out
    assert reason == "read: its parameters grow too large when their references are followed"
