"""From an answer and its fault to the steps that put it on a socket. Pure: no clock, no socket."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, zip_longest

from tests.fakes.dialects import Answer, call_deltas, name_last, without_index
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.json_value import JsonObject, compact
from tests.fakes.script import Script

FOREVER = 1 << 62
BROKEN_JSON = '{"id":"chatcmpl-broken","choices":[{'
BAD_UTF8 = '{"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}]}'
PARTIAL_EVENT = b'data: {"id":"chatcmpl-torn","choices":[{"index":0,"delta":{"content":"half a li'


@dataclass(frozen=True, slots=True)
class Send:
    """One write (on a stream: one HTTP chunk). `ends_event`: the event it belongs to is complete with it."""

    data: bytes
    answer: str = ""
    reasoning: str = ""
    ends_event: bool = True


@dataclass(frozen=True, slots=True)
class Stall:
    """Say nothing more and keep the connection."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Abort the connection: TCP RST."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection (FIN) although the body is not complete."""


Step = Send | Stall | Reset | HangUp


def shaped(script: Script) -> Script:
    """The script with those faults applied that only change what is said."""
    fault = script.fault
    match fault.kind if fault else None:
        case FaultKind.EMPTY_LENGTH:
            return replace(script, content="", tool_calls=(), finish_reason="length")
        case FaultKind.UNKNOWN_FINISH:
            return replace(script, finish_reason=(fault and fault.text) or "unexpected_state")
        case FaultKind.FILTERED_FINISH:
            return replace(script, finish_reason="content_filter")
        case FaultKind.SPLIT_NEWLINE:
            return replace(script, newline="\r\n")
        case _:
            return script


def stream(answer: Answer) -> Iterator[Step]:
    """The steps of a streamed answer. The end of the iterator is the clean end of the body."""
    script = answer.script
    steps = _faulty(answer, _sends(answer))
    if script.segment_bytes:
        size = script.segment_bytes
        return _cut(steps, lambda data: range(size, len(data), size))
    kind = script.fault.kind if script.fault else None
    if kind is FaultKind.SPLIT_CHARACTER:
        return _cut(steps, lambda data: [at for at in range(1, len(data)) if data[at] & 0xC0 == 0x80])
    if kind is FaultKind.SPLIT_NEWLINE:
        return _cut(steps, lambda data: [at for at in range(1, len(data)) if data[at - 1 : at + 1] == b"\r\n"])
    return steps


def whole(answer: Answer) -> tuple[bytes, list[Step]]:
    """The body of an answer in one piece, and the steps that send it (or fail to)."""
    fault = answer.script.fault
    body = compact(answer.whole()).encode()
    match fault.kind if fault else None:
        case FaultKind.MALFORMED_JSON:
            body = body[:-2]
        case FaultKind.INVALID_UTF8:
            body = body.replace(b"assistant", b"assist\xff\xfe", 1)
        case FaultKind.ERROR_OBJECT | FaultKind.ERROR_TEXT:
            body = compact(_in_band(fault)).encode()
        case FaultKind.NULL_CHOICES:
            body = compact(answer.null_choices().body).encode()
        case FaultKind.RESET:
            return body, [Send(body[: len(body) // 2]), Reset()]
        case FaultKind.HANG_UP | FaultKind.TORN_EVENT | FaultKind.NO_DONE:
            return body, [Send(body[: len(body) // 2]), HangUp()]
        case FaultKind.STALL:
            return body, [Send(body[: len(body) // 2]), Stall()]
        case _:
            pass
    return body, [Send(body, answer.content, answer.script.reasoning)]


def _sends(answer: Answer) -> Iterator[Send]:
    """The events of a sound stream, [DONE] last."""
    newline = answer.script.newline
    comment = answer.profile.comment
    if comment:
        yield Send(f": {comment}{newline}{newline}".encode())
    for event in answer.events(_tool_deltas(answer)):
        yield Send(_frame(compact(event.body), newline), event.answer, event.reasoning)
    yield Send(_frame("[DONE]", newline))


def _tool_deltas(answer: Answer) -> Iterator[JsonObject]:
    calls = call_deltas(answer)
    fault = answer.script.fault
    match fault.kind if fault else None:
        case FaultKind.TOOLS_INTERLEAVED:
            rows = zip_longest(*calls)
            return (delta for row in rows for delta in row if delta is not None)
        case FaultKind.TOOLS_NAME_LAST:
            return chain.from_iterable(name_last(call) for call in calls)
        case FaultKind.TOOLS_NO_INDEX:
            return (without_index(delta) for call in calls for delta in call)
        case _:
            return chain.from_iterable(calls)


def _faulty(answer: Answer, sends: Iterator[Send]) -> Iterator[Step]:
    """The stream with its fault at its place."""
    fault = answer.script.fault
    newline = answer.script.newline
    match fault.kind if fault else None:
        case FaultKind.NO_DONE:
            return iter(list(sends)[:-1][: fault.after(FOREVER) if fault else 0])
        case FaultKind.COMMENTS:
            comment = f": {(fault and fault.text) or 'keepalive'}{newline}{newline}".encode()
            return (replace(send, data=comment + send.data) for send in sends)
        case _:
            step = _in_place(answer, fault)
            return sends if fault is None or step is None else _with(sends, fault, step)


def _with(sends: Iterator[Send], fault: Fault, step: Step) -> Iterator[Step]:
    """The stream up to the fault, the fault, and what follows unless the fault ends it."""
    number = 0
    for number, send in enumerate(chain(sends, (None,))):
        if number == fault.after():
            yield step
            if fault.kind in _ENDS:
                return
        if send is not None:
            yield send
    if number < fault.after():
        raise LookupError(f"{fault} was never reached: the stream has {number} events")


def _in_place(answer: Answer, fault: Fault | None) -> Step | None:
    """What stands in the stream where the fault is."""
    kind = fault.kind if fault else None
    newline = answer.script.newline
    if kind in _CONNECTION:
        return _CONNECTION[kind]
    match kind:
        case FaultKind.TORN_EVENT:
            return Send(PARTIAL_EVENT)
        case FaultKind.MALFORMED_JSON:
            return Send(_frame((fault and fault.text) or BROKEN_JSON, newline))
        case FaultKind.INVALID_UTF8:
            return Send(_frame(BAD_UTF8, newline).replace(b"@", b"\xff\xc3"))
        case FaultKind.EMPTY_DATA:
            return Send(f"event: ping{newline}data:{newline}{newline}".encode())
        case FaultKind.ERROR_OBJECT | FaultKind.ERROR_TEXT:
            return Send(_frame(compact(_in_band(fault)), newline))
        case FaultKind.NULL_CHOICES:
            return Send(_frame(compact(answer.null_choices().body), newline))
        case _:
            return None


_CONNECTION: dict[FaultKind | None, Step] = {
    FaultKind.RESET: Reset(),
    FaultKind.HANG_UP: HangUp(),
    FaultKind.STALL: Stall(),
}
_ENDS = frozenset({*_CONNECTION, FaultKind.TORN_EVENT, FaultKind.ERROR_OBJECT, FaultKind.ERROR_TEXT})


def _in_band(fault: Fault | None) -> JsonObject:
    message = (fault and fault.text) or "The engine failed while it was answering"
    if fault and fault.kind is FaultKind.ERROR_TEXT:
        return {"error": message}
    return {"error": {"message": message, "type": "server_error", "code": 500}}


def _frame(text: str, newline: str) -> bytes:
    return f"data: {text}{newline}{newline}".encode()


def _cut(steps: Iterator[Step], places: Callable[[bytes], Sequence[int]]) -> Iterator[Step]:
    """The same bytes in more writes. What an event says is counted with its last piece."""
    for step in steps:
        if not isinstance(step, Send):
            yield step
            continue
        borders = [0, *places(step.data), len(step.data)]
        for start, end in pairwise(borders):
            is_last = end == len(step.data)
            data = step.data[start:end]
            yield replace(step, data=data) if is_last else Send(data, ends_event=False)
