"""The trees with places agree with the parsers everyone uses, and know where each text stands."""
# ruff: noqa: E501 - a sample stands on one line

import json
import tomllib
from typing import TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.dependency_scan.readers.json_tree import parse_json
from mcp_tools.dependency_scan.readers.toml_tree import parse_toml
from mcp_tools.dependency_scan.readers.tree import MAX_DEPTH, Node
from mcp_tools.dependency_scan.readers.xml_tree import parse_xml
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
from mcp_tools.project import Source
from tests.dependency_scan.readers.samples import SAMPLES

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
_LEAVES = st.one_of(st.booleans(), st.integers(-(10**15), 10**15), _WORDS)
_VALUES: st.SearchStrategy[Value] = st.recursive(
    _LEAVES,
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(_WORDS, below, max_size=4)),
    max_leaves=12,
)
_TABLES: st.SearchStrategy[dict[str, Value]] = st.dictionaries(_WORDS, _VALUES, max_size=5)


def plain(node: Node) -> Value:
    """A tree as the values that it stands for."""
    if isinstance(node.value, dict):
        return {key: plain(below) for key, below in node.value.items()}
    return [plain(below) for below in node.value] if isinstance(node.value, list) else node.value


def texts(node: Node) -> list[Node]:
    """Every node of a tree whose value is a text."""
    found: list[Node] = []
    pending = [node]
    while pending:
        item = pending.pop()
        pending.extend((*item.table.values(), *item.array))
        if isinstance(item.value, str):
            found.append(item)
    return found


def folded(value: Value) -> Value:
    """What tomllib gives, with dates as texts that cannot be told apart."""
    if isinstance(value, dict):
        return {key: folded(below) for key, below in value.items()}
    if isinstance(value, list):
        return [folded(below) for below in value]
    return value if isinstance(value, str | int | float) else "a date"


def quoted(value: Value) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {quoted(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(quoted, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(_VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_json_is_what_the_standard_library_reads(value: Value, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    for loose in (False, True):
        document = parse_json(Source("a.json", text), loose=loose)
        assert plain(document.root) == value
        assert not document.notices
        for node in texts(document.root):
            assert json.loads(f'"{text[node.start : node.stop]}"') == node.value


@given(_TABLES)
def test_toml_is_what_the_standard_library_reads(table: dict[str, Value]) -> None:
    text = "".join(f"{json.dumps(key, ensure_ascii=False)} = {quoted(value)}\n" for key, value in table.items())
    document = parse_toml(Source("a.toml", text))
    assert plain(document.root) == tomllib.loads(text)
    assert not document.notices
    for node in texts(document.root):
        assert text[node.start - 1] == text[node.stop] == '"'


@given(_TABLES, st.booleans())
def test_yaml_is_what_pyyaml_reads(table: dict[str, Value], is_flow: bool) -> None:
    text = yaml.safe_dump(table, default_flow_style=is_flow, allow_unicode=True)
    documents = parse_yaml(Source("a.yaml", text))
    expected: object = yaml.load(text, Loader=yaml.BaseLoader)  # pyright: ignore[reportUnknownMemberType]
    assert _as_written(plain(documents[0].root)) == expected
    assert not documents[0].notices


def _as_written(value: Value) -> Value:
    """Words of YAML as the texts that BaseLoader leaves them."""
    if isinstance(value, dict):
        return {key: _as_written(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_as_written(below) for below in value]
    return {True: "true", False: "false", None: ""}.get(value, value) if isinstance(value, bool | None) else value


TOML = """\
# all kinds
title = 'lit\\eral' # a comment
"quoted key" = "esc \\u00e9 \\" \\\\ \\n"
a.b."c d".'e' = 1
multi = \"\"\"
first \\
    second ""\\" \"\"\"\"\"
raw = '''
x '' \\y'''
numbers = [1_000, 0xff, 0o17, 0b1, -1.5e3, +inf, 1e5]
when = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5, 1979-05-27, 07:32:00]
nested = [ [1, 2], ["a", 'b',], # inner
  { x = { y = [ { z = 1 } ] } },
]
[table.sub]
key = true
[[list.of]]
n = 1
[list.of.child]
m = 2
[[list.of]]
n = 3
[[list.of.deep]]
[ table . "other" ]
inline = { a.b = 1, a.c = "]" }
empty = {}
none = []
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_toml_text_with_everything_in_it_is_read_whole(line_end: str) -> None:
    text = TOML.replace("\n", line_end)
    document = parse_toml(Source("a.toml", text))
    assert not document.notices
    mine = plain(document.root)
    assert isinstance(mine, dict)
    mine["when"] = ["a date" for _ in range(4)]
    assert mine == folded(tomllib.loads(text))


def test_an_opaque_array_stays_the_text_it_is() -> None:
    text = 'a = 1\nwheels = [\n    { hash = "x" },\n]\nnext = "here"\n'
    root = parse_toml(Source("a.toml", text), frozenset({"wheels"})).root
    assert plain(root) == {"a": 1, "wheels": ' [\n    { hash = "x" },\n]', "next": "here"}
    odd = 'wheels = [ "]", # ]\n ["x"]\n]\nnext = 1\n'
    assert plain(parse_toml(Source("a.toml", odd), frozenset({"wheels"})).root) == tomllib.loads(odd)


@given(st.data())
def test_a_changed_toml_text_that_is_still_toml_is_read_the_same(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([SAMPLES["uv.lock"], SAMPLES["Cargo.toml"], SAMPLES["pyproject.toml"], TOML]))
    at = data.draw(st.integers(0, len(text)))
    upto = data.draw(st.integers(at, min(len(text), at + 6)))
    changed = text[:at] + data.draw(st.text("\"'[]{}=,.#\\\n a1", max_size=4)) + text[upto:]
    document = parse_toml(Source("a.toml", changed))
    try:
        expected = tomllib.loads(changed)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    assert not [notice for notice in document.notices if notice.incomplete], changed
    assert _without_dates(plain(document.root)) == _without_dates(folded(expected))


def _without_dates(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _without_dates(below) for key, below in value.items() if key != "when"}
    return [_without_dates(below) for below in value] if isinstance(value, list) else value


def test_comments_and_trailing_commas_are_json_only_where_they_are_allowed() -> None:
    text = '{"a": [1, 2,], /* b */ "c": {"d": "e",}, // f\n}'
    assert plain(parse_json(Source("bun.lock", text), loose=True).root) == {"a": [1, 2], "c": {"d": "e"}}
    strict = parse_json(Source("package.json", text))
    assert [notice.incomplete for notice in strict.notices] == [True]


@pytest.mark.parametrize(
    "text",
    [
        '{"a" 1}',
        '{"a": 1,, "b": 2}',
        '{"a": 01x}',
        "[1}",
        '{"a": 1} {',
        "{'a': 1}",
        "[1 2]",
        '{"a": "\n"}',
        '{,"a": 1}',
        '["\\x"]',
        "[,1]",
        "{1: 2}",
    ],
)
def test_text_that_is_not_json_is_said(text: str) -> None:
    document = parse_json(Source("package.json", text))
    assert [notice.code for notice in document.notices] == ["not-parsed"]


def test_what_stands_before_an_error_is_kept() -> None:
    document = parse_json(Source("package.json", '{"a": {"b": "1", "c": "2",\n<<<<<<< HEAD\n'))
    assert plain(document.root) == {"a": {"b": "1", "c": "2"}}
    assert [notice.message for notice in document.notices] == [
        "not read to its end: JSON, line 2: a merge conflict is not resolved"
    ]
    toml = parse_toml(Source("a.toml", 'a = 1\n<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> other\n[c]\nd = "e"\n'))
    assert plain(toml.root) == {"a": 1, "b": 3, "c": {"d": "e"}}
    assert "merge conflict" in toml.notices[-1].message
    broken = parse_yaml(Source("a.yaml", "a: 1\nb:\n  c: 2\n d: [\n"))[0]
    assert plain(broken.root) == {"a": "1", "b": {"c": "2"}}
    assert broken.notices[0].incomplete


def test_of_a_key_that_stands_twice_the_last_counts_and_a_notice_says_so() -> None:
    for document in (
        parse_json(Source("a", '{"a": "1", "b": "x", "a": "2", "a": "3"}')),
        parse_toml(Source("a", 'a = "1"\nb = "x"\na = "2"\na = "3"\n')),
        parse_yaml(Source("a", 'a: "1"\nb: x\na: "2"\na: "3"\n'))[0],
    ):
        assert plain(document.root) == {"b": "x", "a": "3"}
        assert [(notice.code, notice.incomplete) for notice in document.notices] == [("duplicate-key", False)]
        assert "and 1 more" in document.notices[0].message


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused_and_not_felt(opening: str) -> None:
    deep = opening * 100_000
    for document in (
        parse_json(Source("a", deep)),
        parse_yaml(Source("a", deep))[0],
        parse_toml(Source("a", "a = " + deep.replace(":", "="))),
    ):
        assert f"{MAX_DEPTH} deep" in document.notices[0].message or "nesting depth" in document.notices[0].message
    assert "deep" in parse_xml(Source("a", "<a>" * 100_000)).notices[0].message
    assert "deep" in parse_toml(Source("a", "a" + ".a" * 20_000 + " = 1\n")).notices[0].message


def test_yaml_aliases_are_shared_and_never_copied() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    root = parse_yaml(Source("a.yaml", laughs))[0].root
    assert root.at("a59").array[0].value is root.at("a58").value
    own = parse_yaml(Source("a.yaml", "a: &a [*a, 1]\n"))[0]
    assert plain(own.root) == {"a": [None, "1"]}


def test_yaml_tags_make_no_objects_and_documents_are_kept_apart() -> None:
    documents = parse_yaml(Source("a.yaml", "a: !!python/object/apply:os.system ['echo']\n---\nb: 1.10\n? [x]\n: y\n"))
    assert [plain(document.root) for document in documents] == [{"a": ["echo"]}, {"b": "1.10", "\x00": "y"}]


def test_xml_with_a_document_type_is_refused_before_it_can_define_an_entity() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    document = parse_xml(Source("pom.xml", bomb))
    assert document.root is None
    assert "document type" in document.notices[0].message
    assert "undefined entity" in parse_xml(Source("pom.xml", "<a>&b;</a>")).notices[0].message


def test_xml_places_are_those_of_the_text() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>\n<é:a xmlns:é="u">\n  <b c = \'x>y\' d="1">\U0001f600 <!-- no --></b>\n  <e/>\n</é:a>'
    document = parse_xml(Source("pom.xml", text))
    assert document.root is not None
    below = document.root.child("b")
    assert below is not None
    assert (document.root.name, below.text) == ("a", "\U0001f600")
    assert text[slice(*document.text_place(below))] == "\U0001f600"
    assert text[slice(*document.attribute_place(below, "c"))] == "x>y"
    assert text[slice(*document.attribute_place(below, "d"))] == "1"
