"""A dialogue with the fake endpoint, and what it said."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import anyio

from kimi_lsp.app.session import client
from kimi_lsp.audit import Door, Toolbox
from kimi_lsp.audit.dialogue import Answered, Dialogue, DialogueEvent, DialogueParts, Question, Said
from kimi_lsp.audit.events import ConsentAsker, Noticed
from kimi_lsp.audit.toolloop import LoopLimits
from kimi_lsp.config import Settings
from kimi_lsp.model import Message, Profile
from kimi_lsp.store import Store
from mcp_tools.project import MemoryProject
from mcp_tools.redaction import Redactor
from tests.audit.tool_loop import KEY_BYTES, PROFILE, Shelf, says, settings_for
from tests.cli.harness import APP
from tests.fakes.kimi import FakeKimi

Event = TypeVar("Event")
SECRET = "wq7Tn" + "Lr4Zx9" + "Kd2Vb8Ym"
"""A value that looks like nothing until something says that it is a secret."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All events of one question."""

    events: Sequence[DialogueEvent]

    def of(self, kind: type[Event]) -> list[Event]:
        """Those of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def end(self) -> Answered:
        """The last event, which is the only one of its kind."""
        last = self.events[-1]
        assert isinstance(last, Answered)
        assert self.of(Answered) == [last]
        return last

    @property
    def said(self) -> str:
        """The answer as it streamed."""
        return "".join(event.text for event in self.of(Said))

    @property
    def codes(self) -> list[str]:
        """The codes of the notices."""
        return [event.notice.code for event in self.of(Noticed)]


@dataclass(slots=True)
class Desk:
    """What a dialogue is made with. `remote` names an endpoint that is not this machine; the fake answers for it."""

    kimi: FakeKimi
    folder: Path
    files: Mapping[str, str] = field(default_factory=lambda: {"app.py": APP})
    shelf: Shelf = field(default_factory=lambda: Shelf({"search_text": says("web.py:7: read(ROOT, name)")}))
    store: Store = field(default_factory=lambda: Store.open("sqlite://"))
    profile: Profile = PROFILE
    limits: LoopLimits = field(default_factory=LoopLimits)
    remote: str | None = None
    deny: tuple[str, ...] = ()
    toolbox: Callable[[], AbstractAsyncContextManager[Toolbox]] | None = None  # instead of the shelf

    @property
    def settings(self) -> Settings:
        """What holds."""
        settings = replace(settings_for(self.kimi, self.folder), deny=self.deny)
        return settings if self.remote is None else replace(settings, base_url=self.remote)

    def dialogue(self, settings: Settings | None = None, messages: Sequence[Message] = ()) -> Dialogue:
        """A dialogue that goes on from some messages."""

        @asynccontextmanager
        async def door(redactor: Redactor) -> AsyncGenerator[Door]:
            async with client(settings_for(self.kimi, self.folder), self.profile, redactor.scan) as opened:
                yield opened

        @asynccontextmanager
        async def shelf() -> AsyncGenerator[Toolbox]:
            self.shelf.opened += 1
            try:
                yield self.shelf
            finally:
                self.shelf.closed += 1

        parts = DialogueParts(
            settings=settings or self.settings,
            project=MemoryProject(self.files, "shop"),
            project_key="shop",
            store=lambda: self.store,
            door=door,
            key=lambda purpose: KEY_BYTES,
            toolbox=self.toolbox or shelf,
            limits=self.limits,
        )
        return Dialogue(parts, messages)


async def ask(dialogue: Dialogue, question: Question | str, consent: ConsentAsker | None = None) -> Heard:
    """Ask, and hear it to the end."""
    question = Question(question) if isinstance(question, str) else question
    with anyio.fail_after(30):
        async with dialogue.ask(question, consent) as events:
            return Heard([event async for event in events])
