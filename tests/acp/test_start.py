"""The first answer, and what may be sent at all. In memory."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import pytest

from kimi_lsp.acp.capabilities import initialize_result
from kimi_lsp.acp.client import Client, client_of
from kimi_lsp.acp.connection import SENT, Connection
from kimi_lsp.acp.start import Handshake, shake_hands
from kimi_lsp.faces.channel import Socket
from tests.fakes.json_value import JsonObject, get

FULL = {"fs": {"readTextFile": True, "writeTextFile": True}, "terminal": True, "auth": {"terminal": True}}


def initialize(number: object = 1, **params: object) -> bytes:
    told = {"protocolVersion": 1, **params}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "initialize", "params": told}).encode() + b"\n"


def answers(sent: bytes) -> tuple[Handshake | None, list[JsonObject]]:
    """Shake hands with a client that sends this and goes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)

        def client() -> None:
            theirs.sendall(sent)
            theirs.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=client)
        thread.start()
        found = shake_hands(Socket(ours))
        thread.join()
        ours.shutdown(socket.SHUT_WR)
        data = b""
        while piece := theirs.recv(65_536):
            data += piece
    return found, [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize("version", [0, 1, 2, 65_535])
def test_every_version_is_answered_with_the_one_that_is_spoken(version: int) -> None:
    _, [answer] = answers(initialize(protocolVersion=version))
    assert get(answer, "result", "protocolVersion") == 1


@pytest.mark.parametrize("version", [None, "1", True, -1, 65_536, 1.5, [1]])
def test_a_version_that_is_none_is_refused_and_the_next_one_is_answered(version: object) -> None:
    found, [refused, answer] = answers(initialize(1, protocolVersion=version) + initialize("two"))
    assert (get(refused, "id"), get(refused, "error", "code")) == (1, -32602)
    assert get(answer, "id") == "two"
    assert found is not None


def test_before_the_first_answer_nothing_else_is_served() -> None:
    lines = (
        b'{"jsonrpc":"2.0","id":1,"method":"session/new","params":{}}\n'
        b'{"jsonrpc":"2.0","id":2,"method":"no/such","params":{}}\n'
        b'{"jsonrpc":"2.0","method":"session/cancel","params":{}}\n'
        b"[]\n7\nnull\n{\n\xff\xfe\n\n"
    )
    found, told = answers(lines + initialize(3))
    codes = [(get(one, "id"), get(one, "error", "code")) for one in told[:-1]]
    assert codes == [(1, -32600), (2, -32601), *[(None, -32600)] * 3, *[(None, -32700)] * 2]
    assert get(told[-1], "result", "protocolVersion") == 1
    assert found is not None


def test_what_follows_the_first_message_is_kept_for_later() -> None:
    rest = b'{"jsonrpc":"2.0","id":2,"method":"session/list","params":{}}'
    found, _ = answers(initialize() + rest + b"\n")
    assert found is not None
    assert found.pending == [rest]


def test_a_client_that_goes_before_it_has_begun_is_no_handshake() -> None:
    assert answers(b"") == (None, [])
    assert answers(b'{"jsonrpc":"2.0"')[0] is None


def test_methods_of_signing_in_are_never_none_and_a_terminal_is_only_named_to_who_has_one() -> None:
    plain, terminal = (cast("JsonObject", initialize_result(offers_terminal=has)) for has in (False, True))
    assert [get(one, "type") for one in cast("list[JsonObject]", plain["authMethods"])] == [None]
    assert [get(one, "type") for one in cast("list[JsonObject]", terminal["authMethods"])] == [None, "terminal"]


def test_what_a_client_says_of_itself_is_taken_or_left() -> None:
    found, _ = answers(initialize(clientInfo={"name": "zed", "version": "1.19"}, clientCapabilities=FULL))
    assert found is not None
    assert client_of(found.params) == Client("zed", "1.19", reads_files=True)
    assert client_of(found.params).line_base == 0
    found, _ = answers(initialize(clientInfo=7, clientCapabilities={"fs": [], "session": {"notices": {}}}))
    assert found is not None
    assert client_of(found.params) == Client(takes_notices=True)
    assert client_of(found.params).line_base == 1


@contextmanager
def connection() -> Generator[Connection]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(initialize())
        found = shake_hands(Socket(ours))
        assert found is not None
        yield Connection(found)


@pytest.mark.parametrize(
    "method", ["fs/write_text_file", "terminal/create", "terminal/kill", "mcp/connect", "_x/y", "session/new", ""]
)
async def test_what_writes_or_runs_cannot_be_sent_at_all(method: str) -> None:
    with connection() as one:
        with pytest.raises(PermissionError):
            one.notify(method, None)
        with pytest.raises(PermissionError):
            await one.request(method, None, object, timeout_s=1)
        assert one.waiting_bytes == 0


def test_what_can_be_sent_is_these_four() -> None:
    assert sorted(SENT) == [
        "elicitation/create",
        "fs/read_text_file",
        "session/request_permission",
        "session/update",
    ]


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    _, told = answers(b'{"jsonrpc":"2.0","id":1,"method":"x/hush-hush","params":{"key":"hush"}}\n{"hush":\n')
    assert "hush" not in json.dumps(told)


def test_nothing_but_json_is_loaded_before_the_answer() -> None:
    def loaded(modules: str) -> set[str]:
        command = [sys.executable, "-c", f"import sys, {modules}; print(*sorted(sys.modules))"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return set(done.stdout.split())

    more = loaded("kimi_lsp.acp.start") - loaded("json, collections.abc")
    ours = (
        "acp",
        "acp.start",
        "acp.capabilities",
        "acp.lines",
        "faces",
        "faces.channel",
        "faces.frames",
        "faces.jsonrpc",
    )
    assert more == {"kimi_lsp", *(f"kimi_lsp.{part}" for part in ours)}
