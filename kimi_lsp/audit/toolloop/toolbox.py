"""What a model may call, and how much of it. Knows no tool by name."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kimi_lsp.model import ToolSpec
from mcp_tools.finding import Notice

_MAX_TOOLS = 128  # Moonshot takes no more


class ErrorText(str):
    """A tool's answer that says what went wrong: text for the model like any other, counted as an error."""

    __slots__ = ()


class Toolbox(Protocol):
    """Read-only tools. Several calls may run at once."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What is offered; the same for as long as the toolbox is open. Names are unique."""
        ...

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is not offered or has failed so far, for the user."""
        ...

    async def call(self, name: str, arguments: str) -> str:
        """Run a tool of `specs` and give the text for the model, an `ErrorText` where the call went wrong.

        `arguments` is a JSON object: the model's, its keys in order, secrets as placeholders. A bad call raises
        nothing; cancellation passes.
        """
        ...


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Where a conversation with tools is cut. After the last round with tools comes one without, for the answer."""

    max_rounds: int = 6  # answers that may call tools
    max_calls_per_round: int = 8
    max_result_chars: int = 16_000  # of one tool's answer
    max_total_chars: int = 80_000  # of all of them
    call_deadline_s: float = 30

    def __post_init__(self) -> None:
        """Reject what would be no limit, or no loop."""
        for name in ("max_rounds", "max_calls_per_round", "max_result_chars", "max_total_chars", "call_deadline_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0")


class Composite:
    """Several toolboxes as one. Of two tools with one name the first holds; more than 128 are not offered."""

    def __init__(self, boxes: Iterable[Toolbox]) -> None:
        """Take the specs as they are now."""
        self._boxes = tuple(boxes)
        self._homes: dict[str, Toolbox] = {}
        specs: list[ToolSpec] = []
        for box in self._boxes:
            for spec in box.specs:
                if spec.name not in self._homes and len(specs) < _MAX_TOOLS:
                    self._homes[spec.name] = box
                    specs.append(spec)
        self._specs = tuple(specs)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools of all of them."""
        return self._specs

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices of all of them."""
        return tuple(notice for box in self._boxes for notice in box.notices)

    async def call(self, name: str, arguments: str) -> str:
        """Pass a call on to the toolbox whose tool it is."""
        home = self._homes.get(name)
        return ErrorText("there is no such tool") if home is None else await home.call(name, arguments)


def offer_version(specs: Sequence[ToolSpec]) -> str:
    """A digest of all that a model is told of some tools; empty when there are none."""
    if not specs:
        return ""
    told = sorted([spec.name, spec.description, spec.parameters] for spec in specs)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
