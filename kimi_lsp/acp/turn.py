"""One turn: what was asked is carried out, shown, and ended with an honest stop reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import anyio
from anyio import to_thread

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.commands import Asked
from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.homes import Home, Homes
from kimi_lsp.acp.keeper import Keeper
from kimi_lsp.acp.scribe import Scribe
from kimi_lsp.acp.session import Session, shortened
from kimi_lsp.errors import KimiError
from kimi_lsp.store import JsonValue

_ANSWER = "answer"
_TOLD = frozenset({"health", "explain", "report", "budget"})  # commands that audit nothing


@dataclass(slots=True)
class Desk:
    """What all turns work with."""

    connection: Connection
    client: Client
    keeper: Keeper
    homes: Homes


@dataclass(slots=True, eq=False)
class Turn:
    """A turn of a session. `stop` may be called at any time; the turn then ends as cancelled, soon."""

    desk: Desk
    session: Session
    asked: Asked
    scribe: Scribe
    before: "Turn | None" = None  # the one before it, until that is kept
    saved: anyio.Event = field(default_factory=anyio.Event)  # it is kept, or will not be
    entries: list[JsonValue] = field(default_factory=list[JsonValue])  # beside what the scribe keeps
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _spent_before: Decimal = Decimal(0)

    def stop(self) -> None:
        """End it: streams, tools and questions to the client with it."""
        self._scope.cancel()

    async def run(self) -> p.Turn:
        """Carry it out. What goes wrong is said in the panel; nothing is raised but cancellation from outside."""
        self._spent_before = self.session.purse.cost_usd
        reason: p.StopReason = "cancelled"
        with self._scope:
            reason = await self._carried_out()
        if self._scope.cancelled_caught:
            reason = "cancelled"
        return p.Turn(reason, {"kimi-lsp/usage": self._usage()})

    def _usage(self) -> dict[str, object]:
        """What the turn has used: all of the money, and the tokens of the calls that were not given up."""
        cost, used = self.session.purse.cost_usd - self._spent_before, self.scribe.used
        return {
            "costUsd": float(cost),
            "promptTokens": used.prompt_tokens,
            "cachedTokens": used.cached_tokens,
            "completionTokens": used.completion_tokens,
            "reasoningTokens": used.reasoning_tokens,
            "estimated": used.is_estimated,
        }

    async def _carried_out(self) -> p.StopReason:
        self.session.permissions.begin_turn(self.scribe)
        homes: Sequence[Home] = ()
        try:
            homes = await to_thread.run_sync(self.desk.homes.open, self.session)
            return await self._answered(homes)
        except (KimiError, OSError) as error:
            line = error.line if isinstance(error, KimiError) else "the folder cannot be read"
            self.scribe.say(f"Not done: {line}\n", _ANSWER)
            return "end_turn"
        finally:
            for home in homes:
                home.session.close()

    async def _answered(self, homes: Sequence[Home]) -> p.StopReason:
        await self._said_first(homes)
        if self.asked.command is None:
            return await self._question(homes)
        if self.asked.command.name in _TOLD:
            await self._words(homes, self.asked.command.name)
            return "end_turn"
        return await self._audit(homes)

    # What the next three need loads when a turn wants it: a client waits for its session, not for these.

    async def _question(self, homes: Sequence[Home]) -> p.StopReason:
        from kimi_lsp.acp.questions import Questions  # noqa: PLC0415 - see above

        questions = Questions(self.desk.client, self.session, self.scribe, homes)
        return await questions.answer(self.asked, self.entries)

    async def _audit(self, homes: Sequence[Home]) -> p.StopReason:
        from kimi_lsp.acp.audits import Audits, Wanted  # noqa: PLC0415 - see above

        audits = Audits(self.desk.client, self.session, self.scribe, homes)
        try:
            return await audits.run(Wanted.of(self.asked, self.session))
        finally:
            self.entries += audits.entries

    async def _words(self, homes: Sequence[Home], name: str) -> None:
        from kimi_lsp.acp.words import Words  # noqa: PLC0415 - see above

        words = Words(self.desk.keeper, self.session, self.scribe, homes)
        match name:
            case "health":
                await words.health()
            case "explain":
                await words.explain(self.asked.words)
            case "report":
                words.report()
            case _:
                await words.budget()
        if not self.session.title:
            self.scribe.title(shortened(self.asked.text))

    async def _said_first(self, homes: Sequence[Home]) -> None:
        """What a person should know once: settings that were passed over, servers that are not used."""
        session = self.session
        for home in homes:
            for text in home.session.resolved.notices:
                if session.first_time(text):
                    self.scribe.say(f"> {text}\n\n", "note")
        if session.servers and not homes[0].session.settings.client_mcp_servers and session.first_time("servers"):
            names = ", ".join(session.servers)
            self.scribe.say(
                f"> The editor passed MCP servers along ({names}). They are not used: set `client_mcp_servers` in your "
                "own configuration to let the model call those of their tools that only read.\n\n",
                "note",
            )
        if not session.is_kept and session.first_time("kept"):
            self.scribe.say("> The state directory cannot be used: this session ends with the process.\n\n", "note")
