"""Judges every line between an ACP client and our agent: its form, the schema, and the order the protocol demands."""

import json
import math
from dataclasses import dataclass, field
from typing import Literal, NoReturn, cast

from tests.acp.clients.agents import schema_file
from tests.acp.schema import Kind, Place, Schema, Side, load
from tests.fakes.json_value import Json, JsonObject, get

Sender = Literal["client", "agent"]
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
WITHIN_A_TURN = frozenset(
    "user_message_chunk agent_message_chunk agent_thought_chunk tool_call tool_call_update plan".split()
)
OFFERED_BY = {  # methods of a client that it must have offered, and the capability that does
    "fs/read_text_file": ("fs", "readTextFile"),
    "fs/write_text_file": ("fs", "writeTextFile"),
    "terminal/create": ("terminal",),
    "terminal/output": ("terminal",),
    "terminal/release": ("terminal",),
    "terminal/wait_for_exit": ("terminal",),
    "terminal/kill": ("terminal",),
}
_HANDLER: dict[Sender, Side] = {"client": "agent", "agent": "client"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message and who sent it."""

    sender: Sender
    message: JsonObject

    @property
    def method(self) -> str | None:
        """The method of a request or a notification."""
        method = self.message.get("method")
        return method if isinstance(method, str) else None


@dataclass(slots=True)
class _Session:
    """What is known of a session of this connection."""

    is_open: bool = False  # not while the load that may open it is under way
    turns: int = 0  # prompts and loads that are not answered yet
    calls: set[str] = field(default_factory=set[str])


class FrameCheck:
    """Takes the lines of one connection in the order in which they passed. AssertionError at the first that is wrong.

    Both ways: UTF-8, one JSON object a line without doubled keys or numbers that JSON has not, the version, a method of
    the protocol (or `_extension`), params, results by the request they answer, and each request answered once.
    Of the agent more is asked: no field that the schema has not, no method that the client did not offer, no update of
    a session before its `session/new` is answered, none of a turn's when no turn or load is open, and no tool call that
    is updated or asked about before it was told, or told twice.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        """Without a schema, the one that `.ci/agents.py` has installed; the test ends where it is not there."""
        self.frames: list[Frame] = []
        self._schema = schema or load(schema_file())
        self._waiting: dict[Sender, dict[str, list[Frame]]] = {"client": {}, "agent": {}}  # requests by who sent them
        self._sessions: dict[str, _Session] = {}
        self._offered: Json = {}
        self._unreadable = 0

    def client(self, line: bytes | str) -> JsonObject:
        """Judge a line of the client."""
        return self._judge("client", line)

    def agent(self, line: bytes | str) -> JsonObject:
        """Judge a line of the agent."""
        return self._judge("agent", line)

    def bad_input(self, line: bytes | str) -> None:
        """Take a line of the client that is wrong on purpose. What answers it is judged as any other."""
        try:
            message = _parse(line)
        except AssertionError:
            self._unreadable += 1
            return
        if isinstance(message.get("method"), str) and _is_id(message.get("id")) and "id" in message:
            self._remember(Frame("client", message))
        else:
            self._unreadable += 1

    @property
    def unanswered(self) -> list[Frame]:
        """Requests of either side that nobody has answered."""
        return [frame for waiting in self._waiting.values() for frames in waiting.values() for frame in frames]

    def _judge(self, sender: Sender, line: bytes | str) -> JsonObject:
        message = _parse(line)
        frame = Frame(sender, message)
        self.frames.append(frame)
        if message.get("jsonrpc") != "2.0":
            _wrong(frame, "no jsonrpc 2.0")
        if "method" in message:
            self._judge_call(frame)
        else:
            self._judge_answer(frame)
        return message

    def _judge_call(self, frame: Frame) -> None:
        message, method = frame.message, frame.method
        if method is None:
            _wrong(frame, "its method is no text")
        _only(frame, {"jsonrpc", "id", "method", "params"})
        kind: Kind = "Request" if "id" in message else "Notification"
        if not method.startswith("_"):
            side: Side = "protocol" if method.startswith("$/") else _HANDLER[frame.sender]
            place = Place(side, method, kind)
            if place not in self._schema.names:
                _wrong(frame, f"the protocol has no {kind.lower()} of that name")
            self._hold(frame, place, message.get("params", {}))
        if kind == "Request":
            if not _is_id(message["id"]):
                _wrong(frame, "its id is neither text nor a whole number")
            if self._waiting[frame.sender].get(_key(message["id"])):
                _wrong(frame, "its id is in use")
            self._remember(frame)
        if frame.sender == "agent":
            self._judge_agent_call(frame, method)

    def _judge_agent_call(self, frame: Frame, method: str) -> None:
        offer = OFFERED_BY.get(method)
        if offer is not None and get(self._offered, *offer) is not True:
            _wrong(frame, "the client has not offered it")
        if method == "session/update":
            self._judge_update(frame)
        elif method.startswith(("fs/", "session/", "terminal/")):
            session = self._session(frame)
            if session is None:
                _wrong(frame, "there is no such session")
            call = get(frame.message, "params", "toolCall", "toolCallId")
            if method == "session/request_permission" and call not in session.calls:
                _wrong(frame, "the tool call it is about has not been told")

    def _judge_update(self, frame: Frame) -> None:
        session = self._session(frame)
        if session is None:
            _wrong(frame, "there is no such session, or it has not been answered yet")
        kind, call = (get(frame.message, "params", "update", key) for key in ("sessionUpdate", "toolCallId"))
        if kind in WITHIN_A_TURN and not session.turns:
            _wrong(frame, "no turn and no load is open")
        if kind == "tool_call":
            if call in session.calls:
                _wrong(frame, "this tool call has been told before")
            session.calls.add(str(call))
        if kind == "tool_call_update" and call not in session.calls:
            _wrong(frame, "this tool call has not been told")

    def _judge_answer(self, frame: Frame) -> None:
        message = frame.message
        if ("result" in message) == ("error" in message) or "id" not in message:
            _wrong(frame, "it is neither a call nor an answer")
        _only(frame, {"jsonrpc", "id", "result", "error"})
        if "error" in message and (problem := self._schema.error_violation(message["error"])):
            _wrong(frame, problem)
        if message["id"] is None:
            if self._unreadable == 0 or get(message, "error", "code") not in (PARSE_ERROR, INVALID_REQUEST):
                _wrong(frame, "it answers no request")
            self._unreadable -= 1
            return
        asker: Sender = "agent" if frame.sender == "client" else "client"
        waiting = self._waiting[asker].get(_key(message["id"]))
        if not waiting:
            _wrong(frame, "no request of that id waits for an answer")
        request = waiting.pop(0)
        self._settle(request, message)
        method = request.method or ""
        if "result" in message and not method.startswith("_"):
            place = Place(_HANDLER[asker], method, "Response")
            if place not in self._schema.names:
                _wrong(frame, f"{method} is none of the protocol's and got a result")
            self._hold(frame, place, message["result"])

    def _hold(self, frame: Frame, place: Place, value: Json) -> None:
        """Hold what a message carries against the schema."""
        problem = self._schema.violation(place, value, is_closed=frame.sender == "agent")
        if problem is not None:
            _wrong(frame, problem)

    def _remember(self, request: Frame) -> None:
        """A request waits for its answer from now on."""
        message = request.message
        self._waiting[request.sender].setdefault(_key(message["id"]), []).append(request)
        identifier = get(message, "params", "sessionId")
        if request.sender == "agent" or not isinstance(identifier, str):
            return
        if request.method == "session/load":
            self._sessions.setdefault(identifier, _Session()).calls.clear()  # it is told anew
        if request.method in ("session/load", "session/prompt") and identifier in self._sessions:
            self._sessions[identifier].turns += 1

    def _settle(self, request: Frame, answer: JsonObject) -> None:
        """What an answer to a request of the client makes of the sessions."""
        if request.sender == "agent":
            return
        is_done, identifier = "result" in answer, get(request.message, "params", "sessionId")
        if request.method == "initialize" and is_done:
            self._offered = get(request.message, "params", "clientCapabilities")
        if request.method == "session/new" and is_done:
            identifier = get(answer, "result", "sessionId")
        if not isinstance(identifier, str):
            return
        if request.method in ("session/new", "session/resume", "session/load") and is_done:
            self._sessions.setdefault(identifier, _Session()).is_open = True
        session = self._sessions.get(identifier)
        if session is not None and request.method in ("session/load", "session/prompt"):
            session.turns -= 1
        has_ended = request.method in ("session/close", "session/delete") and is_done
        if has_ended or (request.method == "session/load" and session is not None and not session.is_open):
            self._sessions.pop(identifier, None)

    def _session(self, frame: Frame) -> _Session | None:
        return self._sessions.get(str(get(frame.message, "params", "sessionId")))


def _parse(line: bytes | str) -> JsonObject:
    """A line as the object it must be."""
    text = line
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AssertionError(f"not UTF-8: {line!r:.200}") from error
    text = text.removesuffix("\n").removesuffix("\r")
    assert "\n" not in text, f"more than one line: {text:.200}"
    try:
        message: object = json.loads(text, object_pairs_hook=_fields, parse_constant=_constant, parse_float=_float)
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"not JSON ({error}): {text:.200}") from error
    assert isinstance(message, dict), f"no object: {text:.200}"
    return cast("JsonObject", message)


def _fields(pairs: list[tuple[str, Json]]) -> JsonObject:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _is_id(value: Json) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _key(value: Json) -> str:
    """An id: 1 and "1" are two."""
    return json.dumps(value)


def _only(frame: Frame, allowed: set[str]) -> None:
    more = frame.message.keys() - allowed
    if more:
        _wrong(frame, f"it has {', '.join(sorted(more))} beside what belongs to JSON-RPC")


def _wrong(frame: Frame, problem: str) -> NoReturn:
    text = json.dumps(frame.message, ensure_ascii=False)
    raise AssertionError(f"{problem}: {frame.sender} sent {text:.600}")
