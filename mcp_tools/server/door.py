"""Who may speak over HTTP: the options, and the checks that a request's first lines must pass. No I/O."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mcp_types import INVALID_REQUEST

from mcp_tools.server.token import check_token, is_same_token
from mcp_tools.server.wire import MAX_MESSAGE_BYTES, TOO_LONG, Refused

PATH: Final = "/mcp"
"""The only path there is."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Where to listen, whom to let in, and what one client may take. `port` 0 is any free one.

    `hosts`: values of the Host header that are accepted beside the loopback names of a loopback address, exactly:
    `audit.example:8443`. Any other address needs at least one. Raises ValueError, also for a bad or missing token.
    """

    token: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    hosts: tuple[str, ...] = ()
    max_body_bytes: int = MAX_MESSAGE_BYTES
    max_connections: int = 64
    max_sessions: int = 256
    session_idle_s: float = 1800
    header_timeout_s: float = 10
    body_timeout_s: float = 10

    def __post_init__(self) -> None:
        if self.host != "localhost":
            try:
                ipaddress.ip_address(self.host)
            except ValueError:
                raise ValueError("the address to listen on is an IP address or localhost") from None
        if not self.token and not self.is_loopback:
            raise ValueError("an address that others can reach needs a token")
        check_token(self.token)
        if not self.is_loopback and not self.hosts:
            raise ValueError("an address that others can reach needs the host names by which they reach it")
        if not 0 <= self.port < 65536:
            raise ValueError("a port is a number from 0 to 65535")
        for host in self.hosts:
            if not _HOST.fullmatch(host.lower()):
                raise ValueError("a host is NAME or NAME:PORT, without wildcards")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """The IP address to bind."""
        return "127.0.0.1" if self.host == "localhost" else self.host


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body: method, the path as it was sent, and header fields by lower-case name."""

    method: str
    path: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def has(self, name: bytes) -> bool:
        """Whether a field is there."""
        return any(key == name for key, _ in self.fields)

    def one(self, name: bytes) -> bytes:
        """The value of a field that is there once; nothing where it is missing or repeated."""
        values = [value for key, value in self.fields if key == name]
        return values[0] if len(values) == 1 else b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to answer instead: an HTTP status, the JSON-RPC error, further header fields."""

    status: int
    why: Refused
    fields: tuple[tuple[bytes, bytes], ...] = ()


class Door:
    """Lets a request in, or says why not. The order of the checks: whoever has no business here learns the least."""

    def __init__(self, options: HttpOptions, port: int) -> None:
        self._options = options
        own = set(_with_port({"localhost", "127.0.0.1", "[::1]", bracketed(options.address)}, port))
        own = own if options.is_loopback else set[str]()
        self._hosts = frozenset(host.lower().encode() for host in own.union(options.hosts))
        self._origins = frozenset(f"http://{host}".encode() for host in own)
        self._checks = (self._names, self._path, self._token, self._method, self._form, self._size)

    def refusal(self, head: Head) -> Refusal | None:
        """What is wrong with a request; None when its body may be read."""
        return next((refusal for check in self._checks if (refusal := check(head)) is not None), None)

    def _names(self, head: Head) -> Refusal | None:
        if head.one(b"host").lower() not in self._hosts:
            return Refusal(421, refused("unknown host"))
        if head.has(b"origin") and head.one(b"origin") not in self._origins:
            return Refusal(403, refused("unknown origin"))
        return None

    def _path(self, head: Head) -> Refusal | None:
        return None if head.path == PATH.encode() else Refusal(404, refused(f"there is only {PATH}"))

    def _token(self, head: Head) -> Refusal | None:
        scheme, _, token = head.one(b"authorization").partition(b" ")
        if scheme.lower() == b"bearer" and is_same_token(self._options.token, token.strip(b" ")):
            return None
        return Refusal(401, refused("a bearer token is needed"), ((b"www-authenticate", b"Bearer"),))

    def _method(self, head: Head) -> Refusal | None:
        if head.method in ("GET", "POST", "DELETE"):
            return None
        return Refusal(405, refused("unknown method"), ((b"allow", b"GET, POST, DELETE"),))

    def _form(self, head: Head) -> Refusal | None:
        if head.method != "POST":
            has_body = head.one(b"content-length").strip(b"0") or head.has(b"transfer-encoding")
            return Refusal(400, refused("no body is expected")) if has_body else None
        if head.one(b"content-type").partition(b";")[0].strip().lower() != b"application/json":
            return Refusal(415, refused("the content type is application/json"))
        if head.has(b"content-encoding"):
            return Refusal(415, refused("compressed bodies are not supported"))
        return None

    def _size(self, head: Head) -> Refusal | None:
        length = head.one(b"content-length") or b"0"
        is_fine = length.isdigit() and len(length) <= 12 and int(length) <= self._options.max_body_bytes
        return None if is_fine else Refusal(413, TOO_LONG)


def refused(reason: str) -> Refused:
    """A fixed reason as a JSON-RPC error."""
    return Refused(INVALID_REQUEST, f"Invalid request: {reason}")


def bracketed(address: str) -> str:
    """An IP address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def _with_port(hosts: set[str], port: int) -> Iterable[str]:
    """Names as a client writes them, which leaves the port out where it is the scheme's own."""
    for host in hosts:
        yield f"{host}:{port}"
        if port == 80:
            yield host
