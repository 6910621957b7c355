"""Canonical JSON and the chain's rules, without a database."""

import json
from collections import UserDict, deque
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.store import Head, JsonValue
from kimi_lsp.store.chain import canonical, digest_of, joined, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters(codec=None))  # also halves of surrogate pairs


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value(value: JsonValue) -> None:
    assert parse(canonical(value)) == value
    assert canonical(parse(canonical(value))) == canonical(value)


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_makes_no_difference(value: dict[str, int]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


@given(ANY_TEXT)
def test_every_text_can_be_written_as_utf_8_and_read_back(text: str) -> None:
    line = canonical([joined(text)])
    assert line.encode().decode() == line
    assert json.loads(line) == [joined(text)]
    assert digest_of(joined(text)) == digest_of(joined(joined(text)))


def test_the_form_is_the_one_that_others_can_recompute() -> None:
    value: JsonValue = {"ž": [1, True, None], "a": {"c": "é\n\0", "b": "審\U0001f600"}, "half": "\ud83d"}
    assert canonical(value) == '{"a":{"b":"審\U0001f600","c":"é\\n\\u0000"},"half":"\\ud83d","ž":[1,true,null]}'


def test_tuples_and_other_containers_are_lists_and_objects() -> None:
    value = cast("JsonValue", UserDict[str, object]({"x": (1, deque([2]))}))
    assert canonical(value) == '{"x":[1,[2]]}'


def _deep(levels: int) -> JsonValue:
    value: Sequence[JsonValue] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [0.5, float("nan"), [1, {"x": 1.0}], {1: "x"}, b"bytes", {1, 2}, object(), _deep(100_000)],
    ids=["float", "nan", "inner float", "number key", "bytes", "set", "object", "deep"],
)
def test_what_a_record_cannot_hold_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="record"):
        canonical(cast("JsonValue", value))


@pytest.mark.parametrize("text", ["1.5", "NaN", "Infinity", "[1e3]", "{", "", "[" * 100_000, "1" * 5000])
def test_what_is_no_canonical_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_a_head_reads_back_from_a_report() -> None:
    head = Head(12, "ab" * 32)
    assert str(head) == "12:" + "ab" * 32
    assert Head.parse(f" {head}\n") == head


@pytest.mark.parametrize("text", ["", "12", "12:", "12:xyz", "-1:" + "0" * 64, "01:" + "0" * 64, "1:" + "A" * 64])
def test_what_is_no_head_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not the head of a trail"):
        Head.parse(text)
