"""Plain clients for the fakes' own tests: one request over httpx2, or over a bare socket to see every byte."""

import json
import socket
from dataclasses import dataclass

import httpx2

from tests.fakes.json_value import Json, JsonObject
from tests.fakes.kimi import FakeKimi

TIMEOUT_S = 10.0


def client() -> httpx2.Client:
    """A plain HTTP client: no proxy, no redirects, and no TLS set-up (which costs more than a request)."""
    return httpx2.Client(trust_env=False, verify=False, timeout=TIMEOUT_S)


def hello(text: str = "hello") -> JsonObject:
    """The smallest sound request body, without its model."""
    return {"messages": [{"role": "user", "content": text}], "max_completion_tokens": 1000}


def headers(kimi: FakeKimi) -> dict[str, str]:
    """What a client must send."""
    return {"authorization": f"Bearer {kimi.key}"} if kimi.key else {}


def ask(kimi: FakeKimi, body: JsonObject | None = None, /, **changes: Json) -> httpx2.Response:
    """POST a chat completion. `changes` replace members of the smallest sound body, None included."""
    whole: JsonObject = {"model": kimi.profile.models[0].id, **(hello() if body is None else body), **changes}
    with client() as http:
        return http.post(f"{kimi.base_url}/chat/completions", json=whole, headers=headers(kimi))


def get(kimi: FakeKimi, path: str) -> httpx2.Response:
    """GET a route below /v1."""
    with client() as http:
        return http.get(f"{kimi.base_url}{path}", headers=headers(kimi))


def error_of(response: httpx2.Response) -> tuple[int, str, str]:
    """Status, type and message of an error answer."""
    error = response.json()["error"]
    return response.status_code, error.get("type", "-"), error["message"]


def data_lines(text: str) -> list[str]:
    """The payloads of a stream's `data:` lines."""
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data:")]


def chunks(response: httpx2.Response) -> list[Json]:
    """The JSON of every event; the stream must end with [DONE]."""
    *events, last = data_lines(response.text)
    assert last == "[DONE]"
    return [json.loads(event) for event in events]


@dataclass(frozen=True, slots=True)
class Raw:
    """All bytes of a response, and how the connection ended: `end`, `reset` or `open` (nothing more came in time)."""

    data: bytes
    ending: str

    @property
    def head(self) -> str:
        """The status line and headers."""
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def http_chunks(self) -> list[bytes]:
        """The HTTP chunks of the body, the empty last one included when it came."""
        rest = self.data.partition(b"\r\n\r\n")[2]
        found: list[bytes] = []
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            found.append(rest[:length])
            rest = rest[length + 2 :]
        return found


def request_bytes(kimi: FakeKimi, *, stream: bool = True) -> bytes:
    """A chat completion request as bytes."""
    body = json.dumps({"model": kimi.profile.models[0].id, "stream": stream, **hello()}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {kimi.key}\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def raw(kimi: FakeKimi, *, stream: bool = True, quiet_s: float = TIMEOUT_S) -> Raw:
    """Send one request over a bare socket and read until the server ends it, resets it or is quiet for `quiet_s`."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", kimi.port), TIMEOUT_S) as link:
        link.sendall(request_bytes(kimi, stream=stream))
        link.settimeout(quiet_s)
        while True:
            try:
                data = link.recv(65536)
            except ConnectionResetError:
                return Raw(bytes(received), "reset")
            except TimeoutError:
                return Raw(bytes(received), "open")
            if not data:
                return Raw(bytes(received), "end")
            received += data
