"""What a raw LSP client sends and takes: frames, messages, ranges, the capabilities it tells. No I/O."""

from dataclasses import dataclass, field
from typing import Final

from tests.fakes.json_value import Json, JsonObject, compact, get, items

CAPABILITIES: Final[JsonObject] = {
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True, "codeDescriptionSupport": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "source"]}}},
    },
    "window": {"workDoneProgress": True, "showMessage": {}, "showDocument": {"support": True}},
}


class ResponseError(AssertionError):
    """The server answered with an error. An AssertionError, as a call is meant to succeed."""

    def __init__(self, method: str, error: Json) -> None:
        super().__init__(f"{method}: {error}")
        self.code = get(error, "code")
        self.error = error


@dataclass(frozen=True, slots=True)
class Message:
    """One message from the server. `at`: `time.perf_counter()` seconds when its last byte was read."""

    number: int
    at: float
    body: JsonObject

    @property
    def method(self) -> str | None:
        """The method of a request or notification; None for a response."""
        method = self.body.get("method")
        return method if isinstance(method, str) else None

    @property
    def params(self) -> Json:
        """The parameters, or None."""
        return self.body.get("params")

    @property
    def error_code(self) -> Json:
        """The code of an error response, or None."""
        return get(self.body, "error", "code")

    def is_response_to(self, request_id: Json) -> bool:
        """Whether it answers that request; `None` is the id of an error about a message that could not be read."""
        return "method" not in self.body and "id" in self.body and self.body["id"] == request_id

    def is_publish_for(self, uri: str) -> bool:
        """Whether it publishes that document's diagnostics."""
        return self.method == "textDocument/publishDiagnostics" and self.get("params", "uri") == uri

    @property
    def diagnostics(self) -> list[Json]:
        """What a publish holds."""
        return items(self.get("params", "diagnostics"))

    def get(self, *path: str | int) -> Json:
        """What lies at a path of the body."""
        return get(self.body, *path)


@dataclass(slots=True)
class Frames:
    """Cuts the server's bytes into bodies. Strict: what is not exactly a frame is an AssertionError."""

    _bytes: bytearray = field(default_factory=bytearray)
    _length: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes in, give the bodies that they complete."""
        self._bytes += data
        bodies: list[bytes] = []
        while True:
            if self._length is None:
                head, end, _ = self._bytes.partition(b"\r\n\r\n")
                if not end:
                    assert len(head) < 4096, f"no frame: {bytes(head[:200])!r}"
                    return bodies
                rows = [row.split(b": ", 1) for row in bytes(head).split(b"\r\n")]
                assert all(len(row) == 2 for row in rows), f"no header: {bytes(head)!r}"
                self._length = int(dict(rows)[b"Content-Length"])
                del self._bytes[: len(head) + 4]
            if len(self._bytes) < self._length:
                return bodies
            bodies.append(bytes(self._bytes[: self._length]))
            del self._bytes[: self._length]
            self._length = None

    @property
    def rest(self) -> bytes:
        """Bytes that are no whole message yet."""
        return bytes(self._bytes)


def frame(body: "Json | bytes") -> bytes:
    """A message as it goes over the wire: a JSON value, or bytes as they are."""
    data = body if isinstance(body, bytes) else compact(body).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(data), data)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> Json:
    """A content change: lines and characters count from 0, characters in the units agreed upon."""
    return {"range": span(start, end), "text": text}


def span(start: tuple[int, int], end: tuple[int, int]) -> Json:
    """A range."""
    (first, first_character), (last, last_character) = start, end
    return {
        "start": {"line": first, "character": first_character},
        "end": {"line": last, "character": last_character},
    }
