"""The way in: `initialize` is answered before anything heavy loads, and what comes before it gets its error."""

import json
import socket
import subprocess
import sys
import threading

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import converters, types

from kimi_lsp.faces.channel import Socket
from kimi_lsp.faces.frames import FrameReader, framed
from kimi_lsp.faces.jsonrpc import as_object
from kimi_lsp.lsp import capabilities, protocol, start
from kimi_lsp.lsp.start import Handshake, main, shake_hands
from tests.fakes.json_value import Json, JsonObject, compact, get, parse

BOUND_S = 20
INITIALIZE: JsonObject = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}


def greet(*messages: "Json | bytes", is_listening: bool = False) -> tuple[list[Json], Handshake | None]:
    """What is answered to these messages, all sent at once before the end of the stream, and what comes of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        bodies = (body if isinstance(body, bytes) else framed(compact(body).encode()) for body in messages)
        ours.sendall(b"".join(bodies))
        ours.shutdown(socket.SHUT_WR)
        handshake = shake_hands(Socket(theirs, is_listening=is_listening), "debug")
        theirs.shutdown(socket.SHUT_WR)
        ours.settimeout(BOUND_S)
        said = b""
        while data := ours.recv(65536):
            said += data
    events = FrameReader().feed(said)
    return [parse(event) for event in events if isinstance(event, bytes)], handshake


def initialize(params: Json) -> JsonObject:
    return {**INITIALIZE, "params": params}


def test_initialize_is_answered_and_all_that_follows_is_kept() -> None:
    later: JsonObject = {"jsonrpc": "2.0", "method": "initialized", "params": {}}
    params: JsonObject = {"capabilities": {"a": 1}, "rootUri": None, "processId": 7, "clientInfo": {"name": "é\u2028"}}
    answers, handshake = greet(initialize(params), later, framed(b"{"), b"Content-Length: 9\r\n\r\n{")
    assert answers == [{"jsonrpc": "2.0", "id": 1, "result": capabilities.initialize_result("utf-16")}]
    assert handshake is not None
    assert json.loads(handshake.params) == params
    assert (handshake.encoding, handshake.log_level) == ("utf-16", "debug")
    assert handshake.pending == [compact(later).encode(), b"{"]
    assert handshake.reader.feed(b'"a":1234}') == [b'{"a":1234']
    assert handshake.end_process is None


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        (b"{", -32700, None),
        (b"\xff", -32700, None),
        (b"[" * 100_000, -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"a":NaN}}}', -32700, None),
        (compact([INITIALIZE]).encode(), -32600, None),
        (b"7", -32600, None),
        (b'{"jsonrpc":"2.0","id":1}', -32600, 1),
        (b'{"id":"x","method":"initialize","params":{"capabilities":{}}}', -32600, "x"),
        (b'{"jsonrpc":"2.0","id":null,"method":"initialize","params":{"capabilities":{}}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":4,"method":"textDocument/hover"}', -32002, 4),
        (b'{"jsonrpc":"2.0","id":"s","method":"shutdown"}', -32002, "s"),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', -32602, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}', -32602, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":null}}', -32602, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"rootUri":7}}', -32602, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"a":1e999}}}', -32602, 1),
    ],
    ids=lambda value: repr(value)[:70],
)
def test_what_is_no_initialize_gets_its_error_and_it_may_be_tried_again(
    body: bytes, code: int, request_id: int | str | None
) -> None:
    answers, handshake = greet(framed(body), INITIALIZE)
    assert (get(answers[0], "id"), get(answers[0], "error", "code")) == (request_id, code)
    assert "result" in (answers[1] if isinstance(answers[1], dict) else {})
    assert handshake is not None


@pytest.mark.parametrize(
    "body",
    [
        {"jsonrpc": "2.0", "method": "initialized"},
        {"jsonrpc": "2.0", "method": "initialize", "params": {"capabilities": {}}},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 7},
        {"jsonrpc": "2.0", "id": 1, "result": None},
    ],
)
def test_notifications_and_answers_before_initialize_are_dropped(body: JsonObject) -> None:
    answers, handshake = greet(body, INITIALIZE)
    assert len(answers) == 1
    assert handshake is not None


def test_exit_and_the_end_of_the_stream_end_it() -> None:
    assert greet({"jsonrpc": "2.0", "method": "exit"}, INITIALIZE) == ([], None)
    assert greet() == ([], None)
    assert greet(b"Content-Length: 5\r\n\r\n{") == ([], None)


def test_damaged_frames_are_answered_and_passed_over() -> None:
    answers, handshake = greet(b"Content-Length: x\r\n\r\n{}", INITIALIZE)
    assert get(answers[0], "error", "code") == -32700
    assert handshake is not None


def test_a_web_page_cannot_speak_to_a_server_that_listens() -> None:
    body = compact(INITIALIZE)
    http = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    assert greet(http.encode(), is_listening=True) == ([], None)
    assert greet(INITIALIZE, is_listening=True)[1] is not None


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-16", "utf-8"], "utf-16"),
        (["utf-32", "utf-8"], "utf-32"),
        (["utf-7", 8, None, ["utf-8"], "utf-32"], "utf-32"),
        (["utf-7"], "utf-16"),
        ([], "utf-16"),
        (None, "utf-16"),
        ("utf-8", "utf-16"),
    ],
)
def test_the_clients_first_encoding_that_we_know_is_used(offered: Json, chosen: str) -> None:
    answers, handshake = greet(initialize({"capabilities": {"general": {"positionEncodings": offered}}}))
    assert get(answers[0], "result", "capabilities", "positionEncoding") == chosen
    assert handshake is not None
    assert handshake.encoding == chosen


def test_lone_surrogates_in_the_params_are_replaced() -> None:
    body = (
        rb'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"clientInfo":{"name":"\ud800"}}}'
    )
    handshake = greet(framed(body))[1]
    assert handshake is not None
    params = msgspec.json.decode(handshake.params, type=protocol.InitializeParams)
    assert params.client_info is not None
    assert params.client_info.name == "\ufffd"


_SCALARS: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
_ANY = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=2), st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2))
_TEXT = st.none() | st.text(max_size=5)
_FOLDER = st.fixed_dictionaries({"uri": st.text(max_size=5) | _ANY}, optional={"name": st.text(max_size=5) | _ANY})
_PARAMS = _ANY | st.fixed_dictionaries(
    {"capabilities": st.dictionaries(st.text(max_size=3), _ANY, max_size=2) | _ANY},
    optional={
        "processId": st.none() | st.integers() | _ANY,
        "clientInfo": st.none()
        | _ANY
        | st.fixed_dictionaries({}, optional={"name": st.text(max_size=5) | _ANY, "version": _TEXT | _ANY}),
        "rootUri": _TEXT | _ANY,
        "rootPath": _TEXT | _ANY,
        "locale": _TEXT | _ANY,
        "workspaceFolders": st.none() | st.lists(_FOLDER | _ANY, max_size=2) | _ANY,
        "initializationOptions": _ANY,
    },
)


@given(_PARAMS)
@example({"capabilities": {}, "processId": True})
@example({"capabilities": {}, "workspaceFolders": [{"uri": "file:///a"}, {"name": "b"}]})
def test_what_is_answered_is_exactly_what_the_server_can_read(params: object) -> None:
    def readable() -> bool:
        try:
            msgspec.json.decode(json.dumps(params).encode(), type=protocol.InitializeParams)
        except msgspec.ValidationError:
            return False
        return as_object((as_object(params) or {}).get("capabilities")) is not None

    assert start.fits(params) == readable()


@pytest.mark.parametrize("encoding", capabilities.ENCODINGS)
def test_the_answer_is_one_that_the_specification_knows(encoding: str) -> None:
    result = capabilities.initialize_result(encoding)
    converter = converters.get_converter()
    typed = converter.structure(result, types.InitializeResult)
    assert converter.unstructure(typed, types.InitializeResult) == result


def test_nothing_but_json_is_loaded_before_the_answer() -> None:
    script = "import sys, {}; print(*sorted(sys.modules))"

    def loaded(modules: str) -> set[str]:
        command = [sys.executable, "-c", script.format(modules)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_S, check=True)
        return set(done.stdout.split())

    more = loaded("kimi_lsp.lsp.start") - loaded("json, collections.abc")
    ours = ("lsp", "lsp.start", "lsp.capabilities", "faces", "faces.channel", "faces.frames", "faces.jsonrpc")
    assert more == {"kimi_lsp", *(f"kimi_lsp.{part}" for part in ours)}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--stdoi"], "unknown option '--stdoi'"),
        (["file.py"], "unknown option 'file.py'"),
        (["--stdio=1"], "unknown option '--stdio'"),
        (["--tcp"], "--tcp needs a value"),
        (["--pipe="], "--pipe needs a value"),
        (["--log-level", "loud"], "the log level is one of error, warning, info, debug"),
        (["--stdio", "--pipe", "p"], "--stdio and --pipe exclude each other"),
        (["--tcp", "nowhere"], "not HOST:PORT: 'nowhere'"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"kimi-lsp lsp: {complaint}\n\n{start.USAGE}"


def test_help_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == start.USAGE


def test_a_client_that_is_not_there_is_an_end_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--log-level=debug", "--pipe", "/no/such/socket"]) == 1
    assert capsys.readouterr().err == "kimi-lsp lsp: No such file or directory\n"


def test_a_client_that_is_gone_before_the_answer_ends_it() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(framed(b"{") * 3)
        ours.close()
        codes: list[Handshake | str | None] = []

        def shake() -> None:
            try:
                codes.append(shake_hands(Socket(theirs)))
            except OSError:
                codes.append("gone")

        thread = threading.Thread(target=shake, daemon=True)
        thread.start()
        thread.join(BOUND_S)
    assert codes == ["gone"]
