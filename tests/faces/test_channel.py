"""The byte ends: what is written arrives whole, ends are seen, standard streams are taken for good."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from kimi_lsp.faces.channel import Channel, Descriptors, Socket, connect_pipe, connect_tcp, listen_tcp

BOUND_S = 20
LARGE = bytes(range(256)) * 4096  # more than any pipe or socket holds


def read_all(channel: Channel) -> bytes:
    parts: list[bytes] = []
    with contextlib.suppress(OSError):  # it was closed between two reads
        while data := channel.read():
            parts.append(data)
    return b"".join(parts)


def read_in_thread(channel: Channel) -> "tuple[threading.Thread, list[bytes]]":
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(read_all(channel)), daemon=True)
    thread.start()
    return thread, found


def test_descriptors_carry_bytes_whole_until_the_end() -> None:
    (read_one, write_one), (read_other, write_other) = os.pipe(), os.pipe()
    ours, theirs = Descriptors(read_one, write_other), Descriptors(read_other, write_one)
    thread, found = read_in_thread(theirs)
    ours.write(LARGE)
    ours.close()
    thread.join(BOUND_S)
    assert found == [LARGE]
    theirs.close()
    assert ours.read() == b""
    os.close(read_one)
    with pytest.raises(OSError, match="pipe"):
        Descriptors(read_other, _broken_pipe()).write(b"x")
    os.close(read_other)


def _broken_pipe() -> int:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    return write_fd


def test_a_socket_carries_bytes_whole_and_its_close_ends_a_read() -> None:
    one, other = socket.socketpair()
    ours, theirs = Socket(one), Socket(other)
    thread, found = read_in_thread(theirs)
    ours.write(LARGE)
    waiting, nothing = read_in_thread(ours)
    theirs.close()
    waiting.join(BOUND_S)
    thread.join(BOUND_S)
    assert not waiting.is_alive()
    assert nothing == [b""]
    assert b"".join(found) == LARGE[: len(b"".join(found))]
    ours.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_client_that_waits_on_tcp_is_connected_to(host: str) -> None:
    family = socket.AF_INET6 if "[" in host else socket.AF_INET
    try:
        server = socket.create_server((host.strip("[]"), 0), family=family)
    except OSError:
        pytest.skip("no such address here")
    with server:
        channel = connect_tcp(f"{host}:{server.getsockname()[1]}")
        peer, _ = server.accept()
    with peer:
        peer.sendall(b"hello")
        assert channel.read() == b"hello"
        channel.write(b"there")
        assert peer.recv(100) == b"there"
        assert not channel.is_listening
        channel.close()


def test_one_client_is_waited_for_on_tcp(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found: list[Socket] = []
    thread = threading.Thread(target=lambda: found.append(listen_tcp(f"127.0.0.1:{port}")), daemon=True)
    thread.start()
    peer = _connected(port)
    thread.join(BOUND_S)
    with peer:
        found[0].write(b"hello")
        assert peer.recv(100) == b"hello"
        assert found[0].is_listening
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=BOUND_S)
        found[0].close()
    assert capsys.readouterr().err == f"kimi-lsp lsp: listening on 127.0.0.1:{port}\n"


def _connected(port: int) -> socket.socket:
    for _ in range(100_000):  # until the thread listens
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=BOUND_S)
        except ConnectionRefusedError:
            continue
    pytest.fail("nobody listens")


def test_a_client_that_waits_on_a_unix_socket_is_connected_to() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = str(Path(folder) / "s")
        server.bind(path)
        server.listen()
        channel = connect_pipe(path)
        peer, _ = server.accept()
        with peer:
            channel.write(b"hello")
            assert peer.recv(100) == b"hello"
        channel.close()
        with pytest.raises(FileNotFoundError):
            connect_pipe(path + "2")


@pytest.mark.parametrize(
    "address", ["", "localhost", ":80", "localhost:", "localhost:http", "[::1]", "[]:80", "h:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not HOST:PORT"):
        connect_tcp(address)


_TAKEN = """
import os, subprocess, sys
from kimi_lsp.faces.channel import take_stdio
channel = take_stdio()
print("stray")
sys.stdout.flush()
os.system("echo child; cat")
subprocess.run([sys.executable, "-c", "import os; os.write(1, b'more'); print(os.listdir('/proc/self/fd'))"])
channel.write(channel.read().upper())
"""


def test_after_the_streams_are_taken_nothing_else_gets_into_the_conversation() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TAKEN], input=b"hello", capture_output=True, timeout=BOUND_S, check=True
    )
    assert done.stdout == b"HELLO"
    assert done.stderr.startswith(b"stray\nchild\nmore['0', '1', '2'")
    assert done.stderr.count(b"'") == 8  # the child holds its three streams and the listing, nothing of ours


_BARE = """
import os
os.close(2)
os.set_blocking(0, False)
from kimi_lsp.faces.channel import take_stdio
channel = take_stdio()
os.fstat(2)  # nothing else can come to lie there
print("stray", flush=True)
channel.write(b"ready")
channel.write(channel.read().upper())
"""


def test_streams_are_taken_even_where_there_is_no_standard_error_and_where_they_do_not_block() -> None:
    command = [sys.executable, "-c", _BARE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
        assert process.communicate(b"hello", timeout=BOUND_S)[0] == b"HELLO"
    assert process.returncode == 0
