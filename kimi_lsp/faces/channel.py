"""Blocking byte ends of a conversation: standard input and output, TCP, a Unix socket. One thread reads, one writes."""

import os
import sys

TYPE_CHECKING = False  # typing costs more to import than all of `start`
if TYPE_CHECKING:
    import socket

_CHUNK_BYTES = 64 * 1024


class Channel:
    """A byte stream, both ways. Reading and writing block; OSError when the other side has gone.

    `is_listening`: whoever was first to connect is on the other side, so be wary of it.
    """

    is_listening = False

    def read(self) -> bytes:
        """The next bytes, as soon as there are any; nothing at the end."""
        raise NotImplementedError  # each kind of channel has its own; `abc` is an import that `start` does without

    def write(self, data: bytes) -> None:
        """Write all of it."""
        raise NotImplementedError  # each kind of channel has its own; `abc` is an import that `start` does without

    def close(self) -> None:
        """End the conversation; a read may be under way, a write may not."""
        raise NotImplementedError  # each kind of channel has its own; `abc` is an import that `start` does without


class Descriptors(Channel):
    """Two file descriptors, which it owns from now on."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd

    def read(self) -> bytes:
        """The next bytes."""
        return os.read(self._read_fd, _CHUNK_BYTES)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        written = os.write(self._write_fd, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self._write_fd, rest) :]

    def close(self) -> None:
        """Close the end that is written to.

        The other one stays: its number must not be given to another file while a thread may wait for it in a read.
        """
        os.close(self._write_fd)


class Socket(Channel):
    """A connected stream socket, which it owns from now on."""

    def __init__(self, connected: "socket.socket", *, is_listening: bool = False) -> None:
        self._socket = connected
        self.is_listening = is_listening

    def read(self) -> bytes:
        """The next bytes."""
        return self._socket.recv(_CHUNK_BYTES)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._socket.sendall(data)

    def close(self) -> None:
        """End the conversation both ways; a read that is under way ends."""
        import socket  # noqa: PLC0415 - only where one is used

        try:  # noqa: SIM105 - contextlib costs more to import than all of this
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other side was first
            pass
        self._socket.close()


def take_stdio() -> Descriptors:
    """Take standard input and output for the conversation.

    After that a stray `print` goes to standard error and standard input is empty, here and in child processes, which
    do not inherit the conversation. A stream that was closed is as good as empty.
    """
    null = os.open(os.devnull, os.O_RDWR)
    while null <= 2:  # it took the place of a closed stream, where a copy of another must not come to lie
        null = os.open(os.devnull, os.O_RDWR)
    read_fd, write_fd = os.dup(0), os.dup(1)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    if sys.platform != "win32":
        os.set_blocking(read_fd, True)  # a parent may have left them otherwise
        os.set_blocking(write_fd, True)
    return Descriptors(read_fd, write_fd)


def connect_tcp(address: str) -> Socket:
    """Connect to a client that listens on `HOST:PORT`. ValueError for a bad address, OSError when nobody is there."""
    import socket  # noqa: PLC0415 - only where one is used

    connected = socket.create_connection(_host_and_port(address), timeout=10)
    connected.settimeout(None)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Socket(connected)


def listen_tcp(address: str) -> Socket:
    """Wait on `HOST:PORT` for one client; port 0 is any free one. Says on standard error where it waits.

    ValueError for a bad address, OSError when it cannot be had.
    """
    import socket  # noqa: PLC0415 - only where one is used

    host, port = _host_and_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=1) as server:
        bound: tuple[str, int] = server.getsockname()[:2]
        sys.stderr.write(f"kimi-lsp lsp: listening on {_address(*bound)}\n")
        sys.stderr.flush()
        connected, _ = server.accept()
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Socket(connected, is_listening=True)


def connect_pipe(path: str) -> Socket:
    """Connect to a client that listens on a Unix socket. OSError when nobody is there or the system has none."""
    import socket  # noqa: PLC0415 - only where one is used

    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this system has no Unix sockets")
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.connect(path)
    except OSError:
        connected.close()
        raise
    return Socket(connected)


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"not HOST:PORT: {address!r}")
    return host, int(port)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
