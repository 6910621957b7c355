"""Questions to the person: whether text may leave, and whether that much may be spent."""

from collections.abc import Callable

import anyio

from kimi_lsp.acp.connection import Connection
from kimi_lsp.acp.panel import Card, Panel
from kimi_lsp.acp.protocol import Content, PermissionAnswer, PermissionOption, RequestPermission, Text, ToolCallRef
from kimi_lsp.audit import Agreement, Outgoing
from kimi_lsp.faces.asking import RequestError
from kimi_lsp.faces.outgoing import question

DEADLINE_S = 900.0  # for a person to decide
_SEND = (
    PermissionOption("send-once", "Send it this time", "allow_once"),
    PermissionOption("send-always", "Send, and remember for this project", "allow_always"),
    PermissionOption("no", "Do not send", "reject_once"),
)
_SPEND = (
    PermissionOption("spend-once", "Spend it this time", "allow_once"),
    PermissionOption("spend-always", "Do not ask again in this session", "allow_always"),
    PermissionOption("no", "Only what needs no model", "reject_once"),
)


class Permissions:
    """Asks for one session. What was agreed to in words that named the money is not asked for twice in a turn."""

    def __init__(self, connection: Connection, session_id: str, new_id: Callable[[], str]) -> None:
        """Set up; `new_id` names tool calls."""
        self._connection = connection
        self._session_id = session_id
        self._new_id = new_id
        self._panel: Panel | None = None
        self._one = anyio.Lock()
        self._spends_always = False
        self._has_agreed = False

    def begin_turn(self, panel: Panel) -> None:
        """Forget what was agreed to for a turn, and show the questions of the next one."""
        self._panel = panel
        self._has_agreed = False

    async def may_send(self, outgoing: Outgoing) -> Agreement:
        """Ask whether a project's text may go to an endpoint. A `ConsentAsker`."""
        agreed = await self._ask(f"Send to {outgoing.endpoint}?", outgoing, _SEND)
        self._has_agreed = agreed is not Agreement.NO
        return agreed

    async def may_spend(self, outgoing: Outgoing) -> Agreement:
        """Ask whether that much may be spent. A `ConsentAsker`."""
        if self._spends_always or self._has_agreed:
            return Agreement.ONCE
        agreed = await self._ask(f"Spend up to ${outgoing.max_cost_usd:.2f}?", outgoing, _SPEND)
        self._spends_always = agreed is Agreement.ALWAYS
        self._has_agreed = agreed is not Agreement.NO
        return agreed

    async def _ask(self, title: str, outgoing: Outgoing, options: tuple[PermissionOption, ...]) -> Agreement:
        """Ask. Anything but a yes is a no: an error, a strange answer, silence, a closed box."""
        card = Card(self._new_id(), title, "fetch", "pending", (question(outgoing),), raw_input=_facts(outgoing))
        assert self._panel is not None
        self._panel.card(card)
        chosen: PermissionOption | None = None
        try:
            async with self._one:
                chosen = await self._choice(card, options)
        finally:
            told = "no answer" if chosen is None else chosen.name
            has_agreed = chosen is not None and chosen.kind.startswith("allow")
            self._panel.card(card.now("completed" if has_agreed else "failed", f"{question(outgoing)}\n\n{told}."))
        if chosen is None or not has_agreed:
            return Agreement.NO
        return Agreement.ALWAYS if chosen.kind == "allow_always" else Agreement.ONCE

    async def _choice(self, card: Card, options: tuple[PermissionOption, ...]) -> PermissionOption | None:
        text = (Content(Text(card.markdown[0])),)
        assert self._panel is not None
        call = ToolCallRef(self._panel.call_id(card), card.title, card.kind, "pending", text, card.raw_input)
        try:
            answer = await self._connection.request(
                "session/request_permission",
                RequestPermission(self._session_id, call, options),
                PermissionAnswer,
                timeout_s=DEADLINE_S,
            )
        except (RequestError, TimeoutError):
            return None
        if answer.outcome.outcome != "selected":
            return None
        return next((one for one in options if one.option_id == answer.outcome.option_id), None)


def _facts(outgoing: Outgoing) -> dict[str, object]:
    return {
        "endpoint": outgoing.endpoint,
        "model": outgoing.model,
        "files": outgoing.files,
        "bytes": outgoing.bytes,
        "requests": outgoing.requests,
        "maxCostUsd": float(outgoing.max_cost_usd),
        "tools": list(outgoing.tools),
    }
