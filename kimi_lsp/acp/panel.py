"""What a turn shows in the client's panel: text, thoughts, the plan, tool calls, money. One place sends and remembers.

Everything that is given here is shown to a person as it is: it is redacted, and what a file or a model said is escaped
or fenced where it could be markup.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from kimi_lsp.acp.protocol import PlanEntry, ToolKind, ToolStatus
from kimi_lsp.usage import Usage


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file: its absolute path and a 0-based line."""

    path: Path
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A tool call as it is now. `markdown` are its content blocks; `raw_input` and `raw_output` are for programs.

    `raw_input` never holds content of a file or a key. What a client shows of `raw_output` differs, so nothing stands
    there alone.
    """

    id: str
    title: str
    kind: ToolKind = "other"
    status: ToolStatus = "in_progress"
    markdown: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()
    raw_input: object = None
    raw_output: object = None

    def now(self, status: ToolStatus, *markdown: str, title: str | None = None, raw_output: object = None) -> "Card":
        """The card in another state."""
        return replace(
            self, status=status, markdown=markdown or self.markdown, title=title or self.title, raw_output=raw_output
        )


class Panel(Protocol):
    """Where a turn writes. Nothing here waits or raises; `ready` is where a turn waits for a slow client."""

    def say(self, markdown: str, message: str) -> None:
        """Add text to a message of the agent's; one `message` id is one message."""
        ...

    def think(self, markdown: str, message: str) -> None:
        """Add text to a piece of reasoning; the same of its id."""
        ...

    def plan(self, entries: Sequence[PlanEntry]) -> None:
        """Show the steps, all of them."""
        ...

    def card(self, card: Card) -> None:
        """Show a tool call, or what has become of it: only what changed is sent."""
        ...

    def call_id(self, card: Card) -> str:
        """What the client knows a tool call by, for a question that is about it."""
        ...

    def spent(self, usage: Usage, size: int, cost_usd: Decimal) -> None:
        """Tell what was spent.

        Args:
            usage: of the last call, or of the last few.
            size: the model's window, in tokens; 0 where it is not known: then nothing is shown.
            cost_usd: of this call alone; the panel adds up what the session has cost.
        """
        ...

    def title(self, text: str) -> None:
        """Name the session."""
        ...

    def notice(self, title: str, text: str) -> None:
        """A word on the side, for a client that shows such; for others, nothing."""
        ...

    async def ready(self) -> None:
        """Wait while the client takes less than it is sent."""
        ...
