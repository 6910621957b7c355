"""Goes along with one question: pays for its calls, lets out what is heard on whole lines, writes it down."""

import re
from collections.abc import Awaitable, Callable

from anyio import to_thread

from kimi_lsp.audit.dialogue.prompt import prompt_version
from kimi_lsp.audit.dialogue.values import Called, Calling, DialogueEvent, Reasoned, Said, Used
from kimi_lsp.audit.events import Spent
from kimi_lsp.audit.toolloop import (
    Door,
    Heard,
    Paid,
    Round,
    Till,
    ToolAnswered,
    ToolCalled,
    round_body,
    round_contents,
)
from kimi_lsp.audit.whole_lines import WholeLines
from kimi_lsp.errors import StoreError
from kimi_lsp.model import Answer, Completion, Reasoning
from kimi_lsp.store import JsonValue, Store
from kimi_lsp.usage import Usage
from mcp_tools.redaction import Redactor

_SHOWN_CHARS = 4_000  # of what a tool said
_QUOTES = re.compile(r"\A<<<DATA [0-9a-f]+\n|\nDATA [0-9a-f]+>>>(?=\n\[.*\]\Z|\Z)")


class Listener:
    """The companion of one question's conversation."""

    def __init__(
        self,
        till: Till,
        store: Store,
        redactor: Redactor,
        run_id: str,
        project_key: str,
        door: Door,
        emit: Callable[[DialogueEvent], Awaitable[None]],
    ) -> None:
        self._till = till
        self._store = store
        self._redactor = redactor
        self._run_id = run_id
        self._project_key = project_key
        self._door = door
        self._emit = emit
        self._paid: list[Paid] = []
        self._reasoning = self._answer = WholeLines(redactor)
        self._said: list[str] = []
        self._calls = self._answers = 0
        self._untold: list[Used] = []
        self.store_error: StoreError | None = None

    @property
    def text(self) -> str:
        """The answer of the last round, redacted, as far as it came."""
        return "".join(self._said)

    @property
    def spent(self) -> Spent:
        """What the question has cost so far."""
        return self._till.spent

    @property
    def records(self) -> tuple[str, ...]:
        """Its calls, as the trail knows them."""
        return tuple(f"{self._run_id}/{paid.number}" for paid in self._paid)

    async def reserve(self, this: Round) -> None:
        """Reserve the most that the round can cost. Raises BudgetError, StoreError."""
        await self.tell_used()
        self._paid.append(await self._till.reserve(this.request, self._redactor.redact("a question")))
        self._reasoning, self._answer = WholeLines(self._redactor), WholeLines(self._redactor)
        self._said = []

    async def hear(self, this: Round, heard: Heard) -> None:
        """Let it out."""
        await self.tell_used()
        match heard:
            case Reasoning():
                await self._reason(this, heard.text)
            case Answer():
                await self._say(this, heard.text)
            case Completion():
                await self._reason(this, "", is_end=True)
                await self._say(this, "", is_end=True)
            case ToolCalled():
                self._calls += 1
                await self._emit(Calling(self._calls, heard.call.name, heard.call.arguments))
            case ToolAnswered():
                self._answers += 1
                result = heard.result
                text = _QUOTES.sub("", result.text)
                shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}\n…"
                await self._emit(Called(self._answers, result.call.name, result.chars, result.is_error, shown))
            case _:
                pass

    async def settle(self, this: Round) -> None:
        """Tell the ledger what it cost."""
        usage = this.usage
        try:
            await self._till.settle(self._paid[-1], usage)
        except StoreError as error:
            self.store_error = error
        if usage is not None:
            window = self._door.endpoint.profile.context_window
            self._untold.append(Used(usage, self._till.cost_usd(usage), window))

    async def tell_used(self) -> None:
        """Say what calls have used. Not as they settle: then nobody may be there to hear it, and it would wait."""
        while self._untold:
            await self._emit(self._untold.pop(0))

    async def record(self, this: Round) -> None:
        """Write the round into the trail."""
        try:
            await to_thread.run_sync(self._record, this)
        except StoreError as error:
            self.store_error = error

    def _record(self, this: Round) -> None:
        usage = this.usage or Usage()
        body: dict[str, JsonValue] = {
            "call": self._paid[-1].number,
            "project": self._project_key,
            "model": self._door.endpoint.model,
            "endpoint": self._door.endpoint.netloc,
            "status": "called tools" if this.runs_tools else "answered" if self.text.strip() else "no answer",
            "thinking": this.request.thinking.value,
            "prompt_version": prompt_version(),
            "redactions": dict(self._redactor.counts),
            "earlier_calls": [paid.number for paid in self._paid[:-1]],
            **round_body(this, usage, self._till.cost_usd(usage), self._redactor),
        }
        asked = {f"message {n}": one.content for n, one in enumerate(this.request.messages, start=1)}
        self._store.trail.append(
            "dialogue-call", body, {**asked, **round_contents(this, self._redactor)}, run_id=self._run_id
        )

    async def _reason(self, this: Round, text: str, *, is_end: bool = False) -> None:
        if shown := self._reasoning.feed(text, is_end=is_end):
            await self._emit(Reasoned(shown, this.number))

    async def _say(self, this: Round, text: str, *, is_end: bool = False) -> None:
        if shown := self._answer.feed(text, is_end=is_end):
            self._said.append(shown)
            await self._emit(Said(shown, this.number))
