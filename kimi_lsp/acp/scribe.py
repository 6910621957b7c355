"""The panel of one turn: sends what is new to the client, and keeps what a later reader of the session gets to see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol, cast

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.panel import Card, Spot
from kimi_lsp.store.chain import JsonValue
from kimi_lsp.usage import Usage

_KEPT_THOUGHT = 20_000  # characters of one piece of reasoning; the trail has all of it
_KEPT_CARD = 4_000
_KEPT_SPOTS = 50


_UNUSED = Usage()


class Way(Protocol):
    """The way to the client."""

    def send(self, update: p.Update) -> None:
        """Send an update of the session."""
        ...

    async def ready(self) -> None:
        """Wait while the client takes less than it is sent."""
        ...


@dataclass(slots=True)
class Purse:
    """What a session has cost."""

    cost_usd: Decimal = Decimal(0)


@dataclass(slots=True)
class Scribe:
    """A `Panel`. `prefix` makes ids of messages and calls unique in the session.

    `clean` takes secrets out of a text: whatever a person typed, a file is called or a model said, none goes out.
    """

    way: Way
    client: Client
    purse: Purse
    prefix: str
    on_title: Callable[[str], object]
    clean: Callable[[str], str] = str
    used: Usage = _UNUSED  # by the calls that were told of
    _texts: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    _cards: dict[str, Card] = field(default_factory=dict[str, Card])
    _order: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    _plan: tuple[p.PlanEntry, ...] = ()

    def say(self, markdown: str, message: str) -> None:
        """Add text to a message."""
        if markdown := self.clean(markdown):
            self._keep("agent", message, markdown)
            self.way.send(p.AgentChunk(p.Text(markdown), self._id(message)))

    def think(self, markdown: str, message: str) -> None:
        """Add text to a piece of reasoning."""
        if markdown := self.clean(markdown):
            self._keep("thought", message, markdown)
            self.way.send(p.ThoughtChunk(p.Text(markdown), self._id(message)))

    def plan(self, entries: Sequence[p.PlanEntry]) -> None:
        """Show the steps."""
        now = tuple(p.PlanEntry(self.clean(one.content), one.priority, one.status) for one in entries)
        if now != self._plan:
            self._plan = now
            self._order["plan", ""] = None
            self.way.send(p.Plan(now))

    def card(self, card: Card) -> None:
        """Show a tool call, or what has changed of it."""
        card = self._cleaned(card)
        before = self._cards.get(card.id)
        self._cards[card.id] = card
        self._order["card", card.id] = None
        if before is None:
            self.way.send(self._call(card))
        elif before != card:
            self.way.send(self._update(before, card))

    def call_id(self, card: Card) -> str:
        """What the client knows a tool call by."""
        return self._id(card.id)

    def spent(self, usage: Usage, size: int, cost_usd: Decimal) -> None:
        """Tell what was spent."""
        self.used += usage
        self.purse.cost_usd += cost_usd
        if size > 0:
            self.way.send(usage_update(min(usage.total_tokens, size), size, self.purse.cost_usd))

    def title(self, text: str) -> None:
        """Name the session."""
        self.on_title(text)

    def notice(self, title: str, text: str) -> None:
        """A word on the side."""
        if self.client.takes_notices:
            self.way.send(p.NoticeUpdate("warning", self.clean(title), self.clean(text) or None))

    async def ready(self) -> None:
        """Wait for a slow client."""
        await self.way.ready()

    def entries(self) -> list[JsonValue]:
        """The turn as it is kept, in the order in which its parts began: no raw input or output, long parts cut."""
        return [self._entry(*key) for key in self._order]

    def _cleaned(self, card: Card) -> Card:
        return replace(
            card,
            title=self.clean(card.title),
            markdown=tuple(map(self.clean, card.markdown)),
            raw_input=cleaned(card.raw_input, self.clean),
            raw_output=cleaned(card.raw_output, self.clean),
        )

    def _keep(self, kind: str, message: str, markdown: str) -> None:
        self._order[kind, message] = None
        self._texts.setdefault((kind, message), []).append(markdown)

    def _entry(self, kind: str, name: str) -> JsonValue:
        if kind == "plan":
            return {"kind": "plan", "entries": [[one.content, one.priority, one.status] for one in self._plan]}
        if kind == "card":
            card = self._cards[name]
            return {
                "kind": "card",
                "id": self._id(card.id),
                "title": card.title,
                "tool": card.kind,
                "status": card.status,
                "markdown": [cut(one, _KEPT_CARD) for one in card.markdown[:_KEPT_SPOTS]],
                "spots": [[str(spot.path), spot.line] for spot in card.spots[:_KEPT_SPOTS]],
            }
        text = "".join(self._texts[kind, name])
        return {"kind": kind, "id": self._id(name), "text": cut(text, _KEPT_THOUGHT) if kind == "thought" else text}

    def _id(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def _call(self, card: Card) -> p.ToolCall:
        return p.ToolCall(
            self._id(card.id),
            card.title,
            card.kind,
            card.status,
            contents(card.markdown),
            places(card.spots, self.client.line_base),
            card.raw_input,
            card.raw_output,
        )

    def _update(self, before: Card, card: Card) -> p.ToolCallUpdate:
        return p.ToolCallUpdate(
            self._id(card.id),
            card.title if card.title != before.title else None,
            card.kind if card.kind != before.kind else None,
            card.status if card.status != before.status else None,
            contents(card.markdown) if card.markdown != before.markdown else None,
            places(card.spots, self.client.line_base) if card.spots != before.spots else None,
            card.raw_input if card.raw_input != before.raw_input else None,
            card.raw_output if card.raw_output != before.raw_output else None,
        )


def cleaned(value: object, clean: Callable[[str], str]) -> object:
    """The same for all texts of a JSON value, but for names of members, which are ours."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {name: cleaned(one, clean) for name, one in cast("dict[str, object]", value).items()}
        case list() | tuple():
            return [cleaned(one, clean) for one in cast("Sequence[object]", value)]
        case _:
            return value


def usage_update(used: int, size: int, cost_usd: Decimal) -> p.UsageUpdate:
    """The update that tells what was spent."""
    return p.UsageUpdate(used, size, p.Cost(float(cost_usd), "USD"))


def contents(markdown: Sequence[str]) -> tuple[p.Content, ...]:
    """Blocks of a tool call."""
    return tuple(p.Content(p.Text(one)) for one in markdown)


def places(spots: Sequence[Spot], line_base: int) -> tuple[p.Place, ...]:
    """Places as the client counts its lines. A path that is no text cannot be said in JSON and is left out."""
    return tuple(
        p.Place(str(spot.path), None if spot.line is None else spot.line + line_base)
        for spot in spots
        if _is_text(str(spot.path))
    )


def cut(text: str, max_chars: int) -> str:
    """A text as long as it may be. A fence that is open where it is cut is closed."""
    if len(text) <= max_chars:
        return text
    shown = text[:max_chars]
    fence = "\n```" if shown.count("\n```") % 2 or (shown.startswith("```") and not shown.count("\n```")) else ""
    return f"{shown}{fence}\n… {len(text) - max_chars:,} more characters; the trail has all of them"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
