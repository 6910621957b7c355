"""Messages: lines cut at any place, hostile JSON refused in a fixed text, and whatever is answered can be written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from mcp_tools.server.wire import LineReader, Refused, parse, render, sendable


def _line(**fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **fields}).encode()


@given(st.lists(st.binary(max_size=12), max_size=12), st.data())
def test_lines_are_the_same_wherever_the_bytes_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader = LineReader(8)
    seen: list[bytes | None] = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        seen += reader.feed(whole[start:end])
    seen += reader.end()
    expected = [line if len(line) <= 8 else None for line in whole.split(b"\n")]
    assert seen == (expected if expected[-1] != b"" else expected[:-1])


def test_a_line_that_is_too_long_is_told_once_and_not_kept() -> None:
    reader = LineReader(1000)
    told = [line for _ in range(1000) for line in reader.feed(b"x" * 999)]
    assert told == [None]
    assert list(reader.feed(b"tail\nnext\n")) == [b"next"]


def test_the_four_kinds_of_messages_are_read() -> None:
    assert parse(_line(id=1, method="ping")) == JSONRPCRequest(jsonrpc="2.0", id=1, method="ping")
    assert parse(_line(id="a", method="x", params={"y": [1]})) == JSONRPCRequest(
        jsonrpc="2.0", id="a", method="x", params={"y": [1]}
    )
    assert parse(_line(method="n", params=None)) == JSONRPCNotification(jsonrpc="2.0", method="n")
    assert parse(_line(id=1, result={})) == JSONRPCResponse(jsonrpc="2.0", id=1, result={})
    error = {"code": 1, "message": "m"}
    assert parse(_line(id=None, error=error)) == JSONRPCError(
        jsonrpc="2.0", id=None, error=ErrorData(code=1, message="m")
    )


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"} trailing',
        b"\xef\xbb\xbf{}",
        b"[" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\\udcff"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}',
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":-Infinity}}',
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":' + b"9" * 5000 + b"}}",
        '{"jsonrpc":"2.0","id":1,"method":"x"}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_a_parse_error_without_an_id(line: bytes) -> None:
    assert parse(line) == Refused(-32700, "Parse error: a message is one JSON object in UTF-8")


@pytest.mark.parametrize("number", [b"1e999", b"-1E+999", b"1" * 400 + b".5"])
def test_a_number_that_is_an_infinity_once_read_is_a_parse_error(number: bytes) -> None:
    line = b'{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":[{"b":' + number + b"}]}}"
    assert parse(line) == Refused(-32700, "Parse error: a number is out of range", 7)


def test_text_that_looks_like_a_large_number_is_text() -> None:
    assert isinstance(parse(_line(id=1, method="x", params={"sha": "3e12345", "n": 1e100})), JSONRPCRequest)


@pytest.mark.parametrize("line", [b"[]", _line(id=1, method="ping").join([b"[", b"]"]), b"1", b'"x"', b"null", b"true"])
def test_what_is_no_object_is_an_invalid_request(line: bytes) -> None:
    refused = parse(line)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.id) == (-32600, None)


@pytest.mark.parametrize("bad", [None, True, 1.0, 1.5, [], {}, "x" * 257, 2**63, -(2**63) - 1])
def test_an_id_that_cannot_be_one_is_an_invalid_request(bad: object) -> None:
    refused = parse(_line(id=bad, method="ping"))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.id) == (-32600, None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method": 1}, -32600),
        ({"method": ""}, -32600),
        ({"method": "x" * 129}, -32600),
        ({}, -32600),
        ({"method": "x", "jsonrpc": "1.0"}, -32600),
        ({"method": "x", "params": []}, -32602),
        ({"method": "x", "params": "text"}, -32602),
        ({"method": "initialize", "params": {"protocolVersion": "9" * 65}}, -32602),
        ({"method": "x", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "9" * 65}}}, -32602),
    ],
)
def test_a_request_with_something_wrong_is_refused_under_its_own_id(fields: dict[str, Any], code: int) -> None:
    refused = parse(_line(**{"id": 5, **fields}))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.id) == (code, 5)


@pytest.mark.parametrize("fields", [{"result": 5}, {"result": {}}, {"id": 1, "error": "x"}, {"id": True, "result": {}}])
def test_a_malformed_response_is_dropped_without_a_word(fields: dict[str, Any]) -> None:
    assert parse(_line(**fields)) is None


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    message = parse(b'{"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"b"}')
    assert message == JSONRPCRequest(jsonrpc="2.0", id=2, method="b")


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    message = parse(b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"path":"bad\xff.py"}}')
    assert message == JSONRPCRequest(jsonrpc="2.0", id=1, method="x", params={"path": "bad\ufffd.py"})


def test_a_message_of_very_many_values_is_refused() -> None:
    refused = parse(_line(id=1, method="x", params={"a": [[]] * 200_000}))
    assert refused == Refused(-32600, "Invalid request: the message holds too many values")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    message = parse(data)
    if isinstance(message, Refused):
        assert render(message.answer()) is not None


def test_lone_surrogates_are_visible_on_the_wire() -> None:
    line = render(JSONRPCResponse(jsonrpc="2.0", id="\udcff", result={"bad\udcff": ["\ud800", "\\udcff", "ü"]}))
    assert line is not None
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "id": "\\xff",
        "result": {"bad\\xff": ["\\u{d800}", "\\udcff", "ü"]},
    }


def test_a_result_that_is_no_json_fails_its_request() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    for result in ({"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": {1}}, loop, deep):
        line = render(JSONRPCResponse(jsonrpc="2.0", id=3, result=result))
        assert line is not None
        assert json.loads(line) == {
            "jsonrpc": "2.0",
            "id": 3,
            "error": {"code": -32603, "message": "Internal error: the result cannot be sent"},
        }
    while deep:  # or its end would be too deep for the interpreter, too
        deep = deep.pop("a")


def test_a_notification_that_cannot_be_written_is_dropped() -> None:
    assert render(JSONRPCNotification(jsonrpc="2.0", method="n", params={"a": float("nan")})) is None


def test_an_error_whose_data_cannot_be_written_is_still_an_error() -> None:
    error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=1, message="m", data=float("nan")))
    line = render(error)
    assert line is not None
    assert json.loads(line)["error"]["code"] == -32603
    assert json.loads(line)["id"] is None


_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates, too
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXT, _TREES, max_size=4))
def test_every_json_value_goes_out_as_one_line_and_comes_back(result: dict[str, Any]) -> None:
    line = render(JSONRPCResponse(jsonrpc="2.0", id=1, result=result))
    assert line is not None
    assert b"\n" not in line
    assert json.loads(line)["result"] == json.loads(json.dumps(sendable(result)))
    assert sendable(sendable(result)) == sendable(result)


def test_a_result_that_is_fine_is_itself() -> None:
    result = {"a": "ü"}
    assert sendable(result) is result
    assert sendable({"a": "\udcff"}) == {"a": "\\xff"}
    with pytest.raises(MCPError):
        sendable({"a": float("nan")})
