"""What a raw ACP client sends, takes and answers: lines as messages, blocks, capabilities. No I/O, no judgement."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.fakes.json_value import Json, JsonObject, get, items

SENT: Final = frozenset({"session/update", "session/request_permission", "fs/read_text_file", "elicitation/create"})
FULL: Final[JsonObject] = {
    "fs": {"readTextFile": True, "writeTextFile": True},
    "terminal": True,
    "auth": {"terminal": True},
    "elicitation": {"form": {}, "url": {}},
    "session": {"configOptions": {"boolean": {}}, "notices": {}, "compaction": {}},
}
"""The capabilities of a client that can do everything."""


Answer = Callable[[Json], Json]  # the params of an agent's request to its result; may raise NoAnswer or Refusal


class NoAnswer(Exception):  # noqa: N818 - it is no error: the client keeps its peace
    """Raised by an Answer: the agent's request stays unanswered (`RawAgent.answer` does it later)."""


class Refusal(Exception):  # noqa: N818 - what the client says, not what went wrong here
    """Raised by an Answer: the agent's request is answered with an error."""

    def __init__(self, code: int, message: str = "refused by the test client") -> None:
        super().__init__(message)
        self.code = code


class ErrorAnswer(AssertionError):  # noqa: N818 - as above
    """The agent answered with an error. An AssertionError, as a call is meant to succeed."""

    def __init__(self, method: str, error: Json, more: str = "") -> None:
        super().__init__(f"{method}: {error}{more}")
        self.code = get(error, "code")
        self.error = error


@dataclass(frozen=True, slots=True)
class Frame:
    """One message from the agent. `at`: `time.perf_counter()` seconds when its last byte was read."""

    number: int
    at: float
    line: bytes
    body: JsonObject

    @property
    def method(self) -> str | None:
        """The method of a request or notification; None for a response."""
        method = self.body.get("method")
        return method if isinstance(method, str) else None

    @property
    def session(self) -> str | None:
        """The session of an update or a request."""
        session = self.get("params", "sessionId")
        return session if isinstance(session, str) else None

    @property
    def kind(self) -> str | None:
        """The kind of a `session/update`; None for anything else."""
        kind = self.get("params", "update", "sessionUpdate")
        return kind if self.method == "session/update" and isinstance(kind, str) else None

    @property
    def text(self) -> str:
        """The text of a chunk; empty for anything else."""
        text = self.get("params", "update", "content", "text")
        return text if isinstance(text, str) else ""

    @property
    def error_code(self) -> Json:
        """The code of an error response, or None."""
        return self.get("error", "code")

    def is_response_to(self, request_id: Json) -> bool:
        """Whether it answers that request; None is the id of an error about a line that could not be read."""
        return "method" not in self.body and "id" in self.body and _is_same(self.body["id"], request_id)

    def get(self, *path: str | int) -> Json:
        """What lies at a path of the body."""
        return get(self.body, *path)


def text_block(text: str) -> Json:
    """A block of text."""
    return {"type": "text", "text": text}


def read_line(line: bytes) -> JsonObject:
    """A line of the agent's as a JSON-RPC 2.0 message. AssertionError or ValueError for anything else."""
    body: Json = json.loads(line.decode("utf-8", "strict"), parse_constant=_no_constant, object_pairs_hook=_unique)
    assert isinstance(body, dict), "no object"
    assert body.get("jsonrpc") == "2.0", "jsonrpc is not 2.0"
    if "method" in body:
        assert isinstance(body["method"], str), "the method is no string"
        assert not {"result", "error"} & body.keys(), "a request and a response at once"
        assert "id" not in body or _is_id(body["id"]), "the id is none"
        return body
    assert ("result" in body) != ("error" in body), "not one of result and error"
    assert "id" in body, "a response without an id"
    assert _is_id(body["id"]) or (body["id"] is None and "error" in body), "the id is none"
    if "error" in body:
        code, message = get(body, "error", "code"), get(body, "error", "message")
        assert type(code) is int, "the error's code is no integer"
        assert isinstance(message, str), "the error's message is no string"
    return body


def _is_id(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and one == other


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    assert len(found) == len(pairs), "a key stands twice"
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def texts(values: Json, *path: str | int) -> list[str]:
    """The strings at a path of each element of an array; what is no string is left out."""
    found = (get(value, *path) for value in items(values))
    return [text for text in found if isinstance(text, str)]


def allowed(params: Json) -> Json:
    """An Answer to `session/request_permission`: the first option that allows."""
    return choosing("allow_once", "allow_always")(params)


def choosing(*kinds: str) -> Answer:
    """An Answer to `session/request_permission`: the first option of one of these kinds."""

    def answer(params: Json) -> Json:
        offered = get(params, "options")
        assert isinstance(offered, list)
        option = next(one for one in offered if get(one, "kind") in kinds)
        return {"outcome": {"outcome": "selected", "optionId": get(option, "optionId")}}

    return answer
