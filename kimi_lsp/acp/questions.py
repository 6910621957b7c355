"""Plain text is a question: what came along with it is read, the model answers with tools that only read."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import assert_never

from anyio import to_thread

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.commands import Asked, available
from kimi_lsp.acp.homes import Home
from kimi_lsp.acp.panel import Card, Spot
from kimi_lsp.acp.plain import named, plain
from kimi_lsp.acp.scribe import Scribe
from kimi_lsp.acp.session import Session, shortened
from kimi_lsp.app.dialogue import open_dialogue
from kimi_lsp.audit import Noticed
from kimi_lsp.audit.dialogue import (
    Answered,
    Called,
    Calling,
    DialogueEvent,
    Ending,
    Material,
    Question,
    Reasoned,
    Said,
    Used,
)
from kimi_lsp.config import Depth
from kimi_lsp.faces.markup import MARKDOWN, Tamed
from kimi_lsp.store import JsonValue
from mcp_tools.finding import Notice
from mcp_tools.output import printable
from mcp_tools.project import Source

_MESSAGE = "answer"
_MAX_ARGUMENTS = 80
_SEEN = 50  # texts whose secrets are remembered
_REASONS: dict[Ending, p.StopReason] = {
    Ending.CUT: "max_tokens",
    Ending.BUDGET_TOKENS: "max_tokens",
    Ending.BUDGET: "max_turn_requests",
    Ending.FILTERED: "refusal",
}


class Questions:
    """Answers one question of a session."""

    def __init__(self, client: Client, session: Session, scribe: Scribe, homes: Sequence[Home]) -> None:
        self._client = client
        self._session = session
        self._scribe = scribe
        self._homes = homes
        self._cards: dict[int, Card] = {}
        self._tamed: dict[int, Tamed] = {}
        self._told_usd = Decimal(0)

    async def answer(self, asked: Asked, entries: list[JsonValue]) -> p.StopReason:
        """Answer it; what is to be remembered is added to the entries. Raises KimiError."""
        session, home = self._session, self._homes[0]
        materials = await self._materials(asked)
        findings = session.report[1].findings if session.report is not None else ()
        text = asked.text if asked.text.strip() else "What is to be said of what is attached?"
        question = Question(text, tuple(materials), tuple(one for one in findings if one.suppressed is None))
        sessions = [one.session for one in self._homes if one is home or one.depth is not Depth.LOCAL]
        dialogue = await to_thread.run_sync(
            open_dialogue, sessions, home.depth, home.run_usd, session.messages, session.materials
        )
        session.materials = [*session.materials, *materials][-_SEEN:]
        if session.exchanges:
            await to_thread.run_sync(dialogue.restore, session.exchanges)
            session.exchanges = []
        answered: Answered | None = None
        try:
            async with dialogue.ask(question, session.permissions.may_send) as events:
                async for event in events:
                    if isinstance(event, Answered):
                        answered = event
                    else:
                        self._show(event)
                    await self._scribe.ready()
        finally:
            for card in self._cards.values():
                self._scribe.card(card.now("failed", "Stopped."))
            session.purse.cost_usd += dialogue.spent.cost_usd - self._told_usd  # of calls that were given up
        assert answered is not None  # the stream ends with it
        session.messages = dialogue.messages
        if answered.ending is Ending.COMPLETE:
            asked_text = await to_thread.run_sync(dialogue.redacted, text)
            entries.append({"kind": "exchange", "question": asked_text, "answer": answered.text})
        self._tell_end(answered)
        if not session.title:
            self._scribe.title(shortened(text))
        return _REASONS.get(answered.ending, "end_turn")

    def _show(self, event: DialogueEvent) -> None:
        match event:
            case Reasoned():
                self._scribe.think(plain(event.text), f"think-{event.round}")
            case Said():
                tamed = self._tamed.setdefault(event.round, Tamed())
                self._scribe.say(tamed.feed(event.text), f"{_MESSAGE}-{event.round}")
            case Calling():
                self._call(event)
            case Called():
                card = self._cards.pop(event.number)
                status = "failed" if event.is_error else "completed"
                self._scribe.card(card.now(status, MARKDOWN.block(event.text), raw_output={"chars": event.chars}))
            case Used():
                self._told_usd += event.cost_usd
                self._scribe.spent(event.usage, event.context_window, event.cost_usd)
            case Noticed():
                self._notice(event.notice)
            case Answered():
                pass
            case _:
                assert_never(event)

    def _call(self, event: Calling) -> None:
        arguments = printable(event.arguments)
        shown = arguments if len(arguments) <= _MAX_ARGUMENTS else f"{arguments[: _MAX_ARGUMENTS - 1]}…"
        kind = "read" if event.tool == "read_file" else "search"
        title = named(f"{printable(event.tool)} {shown}")
        card = Card(f"tool-{event.number}", title, kind, raw_input={"tool": event.tool, "arguments": arguments})
        self._cards[event.number] = card
        self._scribe.card(card)

    def _notice(self, notice: Notice) -> None:
        if notice.code == "no-model":
            return  # the end says it better
        if notice.code == "conversation-trimmed" and not self._session.first_time(notice.code):
            return
        where = f"{MARKDOWN.code(printable(notice.path))}: " if notice.path is not None else ""
        self._scribe.say(f"> {where}{MARKDOWN.prose(notice.message)}\n\n", "notes")

    def _tell_end(self, answered: Answered) -> None:
        """What a person must know of how it ended."""
        error = answered.error
        line = MARKDOWN.prose(error.line) if error is not None else ""
        match answered.ending:
            case Ending.COMPLETE:
                return
            case Ending.CUT:
                text = "The answer is cut: it used all the tokens that an answer may have."
            case Ending.BUDGET | Ending.BUDGET_TOKENS:
                text = f"Stopped at a ceiling. {line}"
            case Ending.FILTERED:
                text = f"The endpoint filtered this. {line}".rstrip()
            case Ending.DECLINED:
                text = "Nothing was sent: nobody agreed to it."
            case Ending.NO_MODEL:
                commands = ", ".join(f"`/{one.name}`" for one in available())
                text = (
                    "A question needs a model, and none is used here: set a key (`MOONSHOT_API_KEY`) or an endpoint of "
                    f"your own, and choose a depth other than local. Without one there are {commands}."
                )
            case Ending.FAILED:
                text = f"Not answered. {line or 'The answer was empty.'}"
        self._scribe.say(f"\n\n{text}\n", "end")

    # What came along

    async def _materials(self, asked: Asked) -> list[Material]:
        """Attached texts and mentioned files; what cannot be read is said, never passed over."""
        materials = [Material(one.name, one.text, self._inside(one.path)) for one in asked.attached]
        for name in asked.unread:
            self._say_unread(name, "it is no text")
        for link in asked.links:
            relative = self._inside(link.path)
            if link.path is None:
                self._say_unread(link.name, "it is no local file")
            elif relative is None:
                self._say_unread(link.name, "it lies outside the session's folders")
            else:
                material = await self._read(relative, link.path)
                if isinstance(material, Notice):
                    self._say_unread(link.name, material.message)
                else:
                    materials.append(material)
        return materials

    def _inside(self, path: Path | None) -> str | None:
        """A file's path in the first project; None for one that is not within the session's reach."""
        home = self._homes[0]
        if path is None or not path.is_relative_to(home.root):
            return None
        relative = path.relative_to(home.root).as_posix()
        return None if home.session.project.is_excluded(relative) else relative

    async def _read(self, relative: str, path: Path) -> Material | Notice:
        home = self._homes[0]
        texts: dict[str, str] = {}
        if self._client.reads_files:
            limit = home.session.settings.limits.max_file_bytes
            texts = (await self._session.buffers.read(home.session.project, [relative], limit)).texts
        text = texts.get(relative)
        title = f"Read {named(printable(relative))}{'' if text is None else ' (unsaved)'}"
        if text is None:
            source = await to_thread.run_sync(home.session.project.read, relative)
            if not isinstance(source, Source):
                return source
            text = source.text
        self._scribe.card(Card(f"read-{relative}", title, "read", "completed", spots=(Spot(path),)))
        return Material(path.name, text, relative)

    def _say_unread(self, name: str, why: str) -> None:
        self._scribe.say(f"> Not read: {MARKDOWN.code(printable(name))}: {MARKDOWN.prose(why)}.\n\n", "notes")
