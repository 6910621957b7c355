"""A conversation with a model about one project: paid for, redacted, recorded, helped by tools that only read."""

import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from anyio import to_thread
from anyio.abc import ObjectSendStream

from kimi_lsp.audit.consent import may_leave
from kimi_lsp.audit.dialogue.listener import Listener
from kimi_lsp.audit.dialogue.prompt import MAX_MATERIAL_CHARS, SYSTEM, question_text
from kimi_lsp.audit.dialogue.values import Answered, DialogueEvent, Ending, Material, Question
from kimi_lsp.audit.events import ConsentAsker, Noticed, Outgoing, Spent
from kimi_lsp.audit.select import secret_files
from kimi_lsp.audit.stream import streamed
from kimi_lsp.audit.toolloop import (
    REPORT_IT,
    Door,
    LoopLimits,
    Talk,
    Till,
    Toolbox,
    converse,
    prompt_tokens,
)
from kimi_lsp.config import Settings
from kimi_lsp.errors import BudgetError, ContentFilterError, InternalError, KimiError, TokenBudgetError
from kimi_lsp.model import ChatRequest, Finish, Message, Profile, Role, Thinking
from kimi_lsp.store import Ceilings, Store
from kimi_lsp.usage import Usage
from mcp_tools.finding import Notice
from mcp_tools.project import Patterns, Project
from mcp_tools.redaction import Redacted, Redactor, is_denied

_log = logging.getLogger(__name__)
_ANSWER_TOKENS = 16_384  # reasoning and answer of one call
_CHARS_PER_TOKEN = 3.0


@dataclass(frozen=True, slots=True)
class DialogueParts:
    """What a dialogue is made with: see `kimi_lsp.audit.Parts`. Without a door there is no model to ask."""

    settings: Settings
    project: Project
    project_key: str
    store: Callable[[], Store]
    door: Callable[[Redactor], AbstractAsyncContextManager[Door]] | None
    key: Callable[[str], bytes]  # 32 bytes for a purpose, the same on every call
    toolbox: Callable[[], AbstractAsyncContextManager[Toolbox]]
    limits: LoopLimits = field(default_factory=LoopLimits)
    others: tuple[tuple[Project, str, Settings], ...] = ()  # further projects that the tools read: key and settings


class Dialogue:
    """One conversation. One question at a time.

    `messages` is what was said so far, redacted, without the system text; another dialogue about the same project goes
    on from there when it is given them.
    """

    def __init__(self, parts: DialogueParts, messages: Sequence[Message] = (), seen: Sequence[Material] = ()) -> None:
        """Set up; `seen` came with earlier questions: its secrets are known in later answers too."""
        self._parts = parts
        self._seen = tuple(seen)
        self._listener: Listener | None = None
        self.messages: tuple[Message, ...] = tuple(messages)

    @property
    def spent(self) -> Spent:
        """What the last question has cost, also one that was cancelled."""
        return self._listener.spent if self._listener is not None else Spent()

    def restore(self, exchanges: Sequence[tuple[str, str]]) -> None:
        """Go on from questions and answers of an earlier process. They were redacted then, and are once more."""
        redactor = self._knowing()
        said: list[Message] = []
        for question, answer in exchanges:
            if question.strip() and answer.strip():
                said.append(Message(Role.USER, redactor.redact(question)))
                said.append(Message(Role.ASSISTANT, redactor.redact(answer)))
        self.messages = tuple(said)

    def redacted(self, text: str) -> str:
        """A text as it may be kept for `restore`."""
        return self._knowing().redact(text)

    def _knowing(self) -> Redactor:
        """A redactor that knows the secrets of the projects and of what came along. Reads the disk."""
        redactor = Redactor(self._parts.key(f"redaction {self._parts.project_key}"))
        self._learn(redactor, ())
        return redactor

    def _learn(self, redactor: Redactor, materials: Sequence[Material]) -> None:
        projects = (self._parts.project, *(project for project, _, _ in self._parts.others))
        for project in projects:
            for source in secret_files(project, project.listing().paths):
                redactor.learn(source.text, source.path)
        for material in (*self._seen, *materials):
            redactor.learn(material.text, material.path or material.name)

    @asynccontextmanager
    async def ask(
        self, question: Question, consent: ConsentAsker | None
    ) -> AsyncGenerator[AsyncIterator[DialogueEvent]]:
        """Ask. Events are read inside the block; leaving it early cancels everything, sockets and tools included.

        The last event is `Answered`. What the endpoint, the tools or the store do wrong is in it or comes as a notice.
        """
        self._listener = None

        async def run(send: ObjectSendStream[DialogueEvent]) -> None:
            await self._run(question, consent, send)

        async with streamed(run) as events:
            yield events

    async def _run(
        self, question: Question, consent: ConsentAsker | None, send: ObjectSendStream[DialogueEvent]
    ) -> None:
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
        async with send:
            try:
                answered = await self._answered(question, consent, run_id, send.send)
            except KimiError as error:
                answered = Answered("", _ending(error), run_id, error=error)
            except Exception as error:  # noqa: BLE001 - a defect costs the question, not who asked
                _log.debug("a dialogue broke", exc_info=True)
                defect = InternalError(f"a defect of kimi-lsp ({type(error).__name__})", hint=REPORT_IT)
                answered = Answered("", Ending.FAILED, run_id, error=defect)
            await send.send(answered)

    async def _answered(
        self,
        question: Question,
        consent: ConsentAsker | None,
        run_id: str,
        emit: Callable[[DialogueEvent], Awaitable[None]],
    ) -> Answered:
        parts = self._parts
        if parts.door is None:
            await emit(Noticed(Notice("no-model", "no model is configured", incomplete=True)))
            return Answered("", Ending.NO_MODEL, run_id)
        store = await to_thread.run_sync(parts.store)
        key = await to_thread.run_sync(parts.key, f"redaction {parts.project_key}")
        came_along = question.materials  # also what is not sent: its secrets may stand in the question
        question, refused = self._allowed(question)
        for notice in refused:
            await emit(Noticed(notice))
        redactor = Redactor(key)
        async with parts.door(redactor) as door, self._opened_tools(emit) as toolbox:
            room = _room_chars(door.endpoint.profile)
            question, cut = _fitted(question, room)
            for notice in cut:
                await emit(Noticed(notice))
            text = await to_thread.run_sync(self._prepared, question, came_along, redactor, key)
            request, dropped = self._request(Message(Role.USER, text), door, toolbox, key)
            if dropped:
                told = f"the conversation is long: its {dropped} oldest questions are no longer before the model"
                await emit(Noticed(Notice("conversation-trimmed", told)))
            outgoing = self._outgoing(question, request, door)
            if not await self._may_leave(store, outgoing, consent):
                return Answered("", Ending.DECLINED, run_id)
            till = self._till(store, run_id, door)
            listener = self._listener = Listener(till, store, redactor, run_id, parts.project_key, door, emit)
            talk = await converse(
                door,
                request,
                listener,
                redactor,
                call_timeout_s=parts.settings.limits.call_timeout_s,
                key=key,
                toolbox=toolbox,
                limits=parts.limits,
            )
            await listener.tell_used()
        return self._closed(talk, request, listener, run_id)

    @asynccontextmanager
    async def _opened_tools(self, emit: Callable[[DialogueEvent], Awaitable[None]]) -> AsyncGenerator[Toolbox | None]:
        """The tools; None after a notice when they cannot be had: the model still has what it is shown."""
        async with AsyncExitStack() as stack:
            toolbox: Toolbox | None = None
            try:
                toolbox = await stack.enter_async_context(self._parts.toolbox())
            except Exception as error:  # noqa: BLE001 - whatever it is, it costs the tools and not the answer
                _log.debug("the tools did not open", exc_info=True)
                line = error.line if isinstance(error, KimiError) else f"a defect ({type(error).__name__})"
                await emit(Noticed(Notice("tools-unavailable", f"the model has no tools: {line}", incomplete=True)))
            for notice in toolbox.notices if toolbox is not None else ():
                await emit(Noticed(notice))
            yield toolbox
            for notice in toolbox.notices if toolbox is not None else ():
                await emit(Noticed(notice))

    async def _may_leave(self, store: Store, outgoing: Outgoing, consent: ConsentAsker | None) -> bool:
        """Say whether somebody agreed for every project: the tools read all of them."""
        parts = self._parts
        if not await may_leave(parts.settings, store, parts.project_key, outgoing, consent):
            return False
        for project, key, settings in parts.others:
            if not await may_leave(settings, store, key, replace(outgoing, project=project.name), consent):
                return False
        return True

    def _allowed(self, question: Question) -> tuple[Question, list[Notice]]:
        """The question without what may not go to a model: materials, and findings on such files."""
        denied = Patterns(self._parts.settings.deny)
        kept: list[Material] = []
        refused: list[Notice] = []
        for material in question.materials:
            path = material.path
            if path is not None and (is_denied(path) or denied.covers(path) or self._parts.project.is_excluded(path)):
                refused.append(Notice("denied-path", "never sent to a model", path, incomplete=True))
            elif path is None and is_denied(material.name):
                refused.append(Notice("denied-path", "never sent to a model", material.name, incomplete=True))
            else:
                kept.append(material)
        findings = tuple(
            one for one in question.findings if not (is_denied(one.location.path) or denied.covers(one.location.path))
        )
        return Question(question.text, tuple(kept), findings), refused

    def _prepared(self, question: Question, came_along: Sequence[Material], redactor: Redactor, key: bytes) -> Redacted:
        """The question's text, when redaction knows the secrets of what may be read. In a thread."""
        self._learn(redactor, came_along)
        self._seen = (*self._seen, *came_along)
        redactor.learn(question.text)
        self.messages = tuple(_again(message, redactor) for message in self.messages)
        return question_text(question, redactor, key)

    def _request(self, asked: Message, door: Door, toolbox: Toolbox | None, key: bytes) -> tuple[ChatRequest, int]:
        """The first request, with as much of what was said before as half of the model's window holds."""
        parts, profile = self._parts, door.endpoint.profile
        redactor = Redactor(b"\0" * 32)
        system = Message(Role.SYSTEM, redactor.redact(SYSTEM))
        before, dropped = self.messages, 0
        while True:
            request = ChatRequest(
                (system, *before, asked),
                min(_ANSWER_TOKENS, profile.max_output_tokens),
                Thinking(parts.settings.thinking.value),
                tools=toolbox.specs if toolbox is not None else (),
                cache_key=f"dialogue-{key.hex()[:12]}",
            )
            if not before or prompt_tokens(request) <= profile.context_window / 2:
                return request, dropped
            later = next((n for n, one in enumerate(before) if n > 0 and one.role is Role.USER), len(before))
            before, dropped = before[later:], dropped + 1

    def _outgoing(self, question: Question, request: ChatRequest, door: Door) -> Outgoing:
        """What would leave: the most, if every round used its whole allowance."""
        profile, limits = door.endpoint.profile, self._parts.limits
        rounds = 1 + (limits.max_rounds if request.tools else 0)
        results = int(limits.max_total_chars / _CHARS_PER_TOKEN) if request.tools else 0
        prompt = prompt_tokens(request) + results + request.max_tokens * (rounds - 1)
        most = Usage(
            prompt_tokens=min(prompt, profile.context_window) * rounds, completion_tokens=request.max_tokens * rounds
        )
        return Outgoing(
            project=self._parts.project.name,
            endpoint=self._parts.settings.endpoint_host,
            model=door.endpoint.model,
            files=len(question.materials),
            bytes=len(request.messages[-1].content.encode("utf-8", "surrogatepass")),
            requests=rounds,
            max_cost_usd=min(profile.prices.cost_usd(most), self._parts.settings.budget.run_usd),
            tools=tuple(spec.name for spec in request.tools),
        )

    def _till(self, store: Store, run_id: str, door: Door) -> Till:
        budget = self._parts.settings.budget
        ceilings = Ceilings(
            run_tokens=budget.run_tokens,
            run_usd=budget.run_usd,
            day_tokens=budget.daily_tokens,
            day_usd=budget.daily_usd,
            week_tokens=budget.weekly_tokens,
            week_usd=budget.weekly_usd,
        )
        return Till(store, run_id, door.endpoint, self._parts.settings.endpoint_host, ceilings)

    def _closed(self, talk: Talk, request: ChatRequest, listener: Listener, run_id: str) -> Answered:
        """Remember what was said, when there is an answer, and say how it ended."""
        last, text = talk.rounds[-1], listener.text
        error, completion = last.error or listener.store_error, last.completion
        if error is not None:
            ending = _ending(error)
        elif completion is not None and completion.finish is Finish.CONTENT_FILTER:
            ending = Ending.FILTERED
        elif completion is not None and completion.finish is Finish.LENGTH:
            ending = Ending.CUT
        elif text.strip() and completion is not None and completion.is_whole and not last.calls:
            ending = Ending.COMPLETE
        else:
            ending = Ending.FAILED
        if ending is Ending.COMPLETE or (ending is Ending.CUT and text.strip()):
            self.messages = talk.messages[1:]  # without the system text, and without what was dropped
        return Answered(text, ending, run_id, listener.spent, listener.records, error)


def _room_chars(profile: Profile) -> int:
    """Characters of what comes along with a question: a quarter of the window, so that tools and answers have room."""
    return int(profile.context_window / 4 * _CHARS_PER_TOKEN)


def _fitted(question: Question, room: int) -> tuple[Question, list[Notice]]:
    """The question with its materials cut to what there is room for, and a notice for each that was cut."""
    kept: list[Material] = []
    notices: list[Notice] = []
    for material in question.materials:
        text = material.text[: max(min(room, MAX_MATERIAL_CHARS), 0)]
        room -= len(text)
        if len(text) < len(material.text):
            told = f"only the first {len(text):,} of its {len(material.text):,} characters were sent"
            notices.append(Notice("material-cut", told, material.path or material.name, incomplete=True))
        if text or not material.text:
            kept.append(replace(material, text=text))
    return replace(question, materials=tuple(kept)), notices


def _again(message: Message, redactor: Redactor) -> Message:
    """A message of before, without what has become known as a secret since: the guard would hold it back for ever."""
    return replace(
        message,
        content=redactor.redact(message.content),
        reasoning=None if message.reasoning is None else redactor.redact(message.reasoning),
        tool_calls=tuple(replace(call, arguments=redactor.redact(call.arguments)) for call in message.tool_calls),
    )


def _ending(error: KimiError) -> Ending:
    if isinstance(error, BudgetError):
        return Ending.BUDGET_TOKENS if isinstance(error, TokenBudgetError) else Ending.BUDGET
    if isinstance(error, ContentFilterError):
        return Ending.FILTERED
    return Ending.FAILED
