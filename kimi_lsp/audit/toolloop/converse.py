"""One question to a model, from the first round to its answer: stream, run the tools it calls, ask again."""

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import anyio
from anyio import to_thread

from kimi_lsp.audit.toolloop.calls import CallDesk, ToolResult, sound
from kimi_lsp.audit.toolloop.till import prompt_tokens
from kimi_lsp.audit.toolloop.toolbox import LoopLimits, Toolbox
from kimi_lsp.errors import BadRequestError, InternalError, KimiError, LeakError, ModelError, StreamError
from kimi_lsp.model import (
    Answer,
    ChatRequest,
    Completion,
    Endpoint,
    Exchange,
    Finish,
    Message,
    Profile,
    Reasoning,
    Role,
    Sent,
    ToolCall,
    ToolChoice,
    estimate_prompt,
)
from kimi_lsp.usage import Usage
from mcp_tools.redaction import Redactor

REPORT_IT = "Please report it."
MIN_TOKENS = 1_024  # for an answer; with less room a call is not worth making
_log = logging.getLogger(__name__)
_SETTLE_DEADLINE_S = 10.0
_CHARS_PER_TOKEN = 2.5  # few, so that what is counted in characters fits in tokens
_WHOLE = (Finish.STOP, Finish.TOOL_CALLS, Finish.OTHER)  # after these the calls are all that the model wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """A round is paid for and goes out now."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A call that the model asked for, before it runs. Without secrets; its name may be that of no tool."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What a call came to."""

    result: ToolResult


Heard: TypeAlias = "Asked | Reasoning | Answer | Completion | ToolCalled | ToolAnswered"
"""What is heard of a round, in this order; the completion when its stream has ended and not raised."""


@dataclass(slots=True)
class Round:
    """One call to the model: what was asked, what came, what its tools said. It fills while the round runs.

    `reasoning` and `answer` are the model's own pieces: redact them before they are shown or kept. A companion sets
    `is_enough` to end the stream early.
    """

    number: int  # 1-based
    request: ChatRequest
    reasoning: list[str] = field(default_factory=list[str])
    answer: list[str] = field(default_factory=list[str])
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    results: list[ToolResult] = field(default_factory=list[ToolResult])
    sent: Sent | None = None  # the endpoint answered: from here on the call may cost
    completion: Completion | None = None
    error: KimiError | None = None
    is_enough: bool = False
    runs_tools: bool = False  # its calls are run, and another round follows
    is_abandoned: bool = False  # it was given up while the endpoint might have begun to answer

    @property
    def usage(self) -> Usage | None:
        """What it used; None when the endpoint did not begin to answer.

        Of a call that was given up before the answer's head came nobody knows: its prompt is taken as charged.
        """
        if self.sent is None:
            most = Usage(prompt_tokens=estimate_prompt(self.request), is_estimated=True)
            return most if self.is_abandoned else None
        return self.completion.usage if self.completion is not None else Usage()


class Companion(Protocol):
    """Who pays for a conversation, listens to it and writes it down."""

    async def reserve(self, this: Round) -> None:
        """Make sure that a round may be paid for. Raises KimiError when it may not: the conversation ends there."""
        ...

    async def hear(self, this: Round, heard: Heard) -> None:
        """Take in what has just come."""
        ...

    async def settle(self, this: Round) -> None:
        """A round's stream is over, in whatever way. Shielded from cancellation; raises nothing."""
        ...

    async def record(self, this: Round) -> None:
        """A round is over, its tools included. Shielded from cancellation; raises nothing."""
        ...


class Door(Protocol):
    """A way to a model: the Kimi client, or a script in a test."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the model is asked, and what it can do and costs."""
        ...

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[Exchange]:
        """Send a request; its events follow."""
        ...


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that has ended. `messages` are all of it, the last answer too: a next question goes behind them.

    The last round says how it ended: its `error`, or its `completion`.
    """

    rounds: tuple[Round, ...]
    messages: tuple[Message, ...]


async def converse(
    door: Door,
    request: ChatRequest,
    companion: Companion,
    redactor: Redactor,
    *,
    call_timeout_s: float,
    key: bytes,
    toolbox: Toolbox | None = None,
    limits: LoopLimits | None = None,
) -> Talk:
    """Ask, and let the model call tools until it answers or a limit is reached; then it is asked once more, without.

    Without a toolbox it is one round, and the request goes out as it is. With one, the request must offer its tools.
    Every result goes back redacted and quoted as data; reasoning goes back with the calls, as Kimi's models want it.

    Args:
        door: the way to the model.
        request: the question. While tools may be called its schema is not sent: on a server of one's own the grammar
            that enforces it leaves no way to write a call. The last round without tools has it.
        companion: pays, listens and records, for each round.
        redactor: the one whose `scan` guards the door.
        call_timeout_s: of one round's stream.
        key: 32 bytes that no tool knows; the same key makes the same conversation the same bytes.
        toolbox: what the model may call.
        limits: where it is cut.

    Raises nothing but cancellation, which stops stream and tools at once.
    """
    limits = limits or LoopLimits()
    desk: CallDesk | None = None
    if toolbox is not None and request.tools:
        desk = CallDesk(toolbox, redactor, limits, key, _room_chars(request, door.endpoint.profile))
    messages, rounds = request.messages, list[Round]()
    while True:
        may_call = desk is not None and len(rounds) < limits.max_rounds and desk.has_room
        this = Round(len(rounds) + 1, _request(request, messages, door.endpoint.profile, may_call=may_call))
        rounds.append(this)
        try:
            _check_room(this, door.endpoint.profile)
            await companion.reserve(this)
        except KimiError as error:
            this.error = error
            break
        try:
            try:
                await _stream(door, this, companion, call_timeout_s)
            except BaseException:
                this.is_abandoned = True
                raise
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_DEADLINE_S):
                    await companion.settle(this)
            if desk is not None and may_call and _wants_tools(this):
                this.runs_tools = True
                await _run_tools(desk, this, companion, redactor)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_DEADLINE_S):
                await companion.record(this)
        if not this.runs_tools or this.error is not None:
            break
        messages = (*messages, *await to_thread.run_sync(_said, this, redactor))
    last = () if rounds[-1].completion is None else await to_thread.run_sync(_said, rounds[-1], redactor)
    return Talk(tuple(rounds), (*messages, *last))


def _request(request: ChatRequest, messages: tuple[Message, ...], profile: Profile, *, may_call: bool) -> ChatRequest:
    """The request of a round. Its answer gets what the conversation so far has left of the window."""
    if not request.tools:
        return request
    schema, choice = (None, ToolChoice.AUTO) if may_call else (request.schema, ToolChoice.NONE)
    this = replace(request, messages=messages, schema=schema, tool_choice=choice)
    room = profile.context_window - prompt_tokens(this)
    return replace(this, max_tokens=max(min(request.max_tokens, room), 1))


def _check_room(this: Round, profile: Profile) -> None:
    """Raise BadRequestError when a conversation has outgrown the model's window."""
    if this.number > 1 and this.request.max_tokens < min(MIN_TOKENS, profile.max_output_tokens):
        raise BadRequestError("the conversation does not fit the model's context window any more")


def _room_chars(request: ChatRequest, profile: Profile) -> int:
    """Characters of tool results that may come beside a request: half of what it leaves, the rest is for reasoning."""
    return max(int((profile.context_window - prompt_tokens(request)) / 2 * _CHARS_PER_TOKEN), 0)


async def _stream(door: Door, this: Round, companion: Companion, timeout_s: float) -> None:
    """Send the request and read the answer as it comes. The client asks again where that helps."""
    try:
        with anyio.fail_after(timeout_s):
            await companion.hear(this, Asked())
            async with door.stream(this.request) as exchange:
                this.sent = exchange.sent
                try:
                    async for event in exchange:
                        match event:
                            case Reasoning():
                                this.reasoning.append(event.text)
                                await companion.hear(this, event)
                            case Answer():
                                this.answer.append(event.text)
                                await companion.hear(this, event)
                            case ToolCall():
                                this.calls.append(event)
                            case _:
                                pass
                        if this.is_enough:
                            break
                finally:
                    this.completion = completion = exchange.completion
            await companion.hear(this, completion)
            if not this.is_enough:
                this.error = completion.error
    except TimeoutError:
        this.error = StreamError(f"no end of the answer after {timeout_s:g} s")
    except (ModelError, LeakError) as error:
        this.error = error
    except Exception as error:  # noqa: BLE001 - a defect on one answer must not take other conversations with it
        this.error = _defect(error)


def _wants_tools(this: Round) -> bool:
    """Whether the model waits for the results of its calls. Calls of an answer that was cut do not run."""
    completion = this.completion
    is_whole = completion is not None and this.error is None and completion.finish in _WHOLE
    return is_whole and not this.is_enough and bool(this.calls)


async def _run_tools(desk: CallDesk, this: Round, companion: Companion, redactor: Redactor) -> None:
    """Run the calls of a round and tell of them. What a tool does wrong is its answer; what we do wrong is an error."""
    try:
        this.calls = await to_thread.run_sync(sound, this.calls, redactor)
        for call in this.calls:
            await companion.hear(this, ToolCalled(call))
        this.results = await desk.answer(this.calls)
        for result in this.results:
            await companion.hear(this, ToolAnswered(result))
    except Exception as error:  # noqa: BLE001 - as above
        this.error = _defect(error)


def _defect(error: Exception) -> InternalError:
    _log.debug("a conversation broke", exc_info=True)
    return InternalError(f"a defect of kimi-lsp ({type(error).__name__})", hint=REPORT_IT)


def _said(this: Round, redactor: Redactor) -> Sequence[Message]:
    """What a round adds to the conversation: the model's message and what its tools said. In a thread."""
    answer, reasoning = redactor.redact("".join(this.answer)), "".join(this.reasoning)
    calls = tuple(result.call for result in this.results)
    if not calls and not answer.strip():
        return ()
    own = Message(Role.ASSISTANT, answer, redactor.redact(reasoning) if reasoning else None, calls)
    return (own, *(Message(Role.TOOL, result.text, tool_call_id=result.call.id) for result in this.results))
