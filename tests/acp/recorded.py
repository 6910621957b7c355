"""A way to the client that writes down what is sent."""

import json
from dataclasses import dataclass, field

import msgspec

from kimi_lsp.acp import protocol as p
from tests.fakes.json_value import JsonObject


def as_json(update: p.Update) -> JsonObject:
    """An update as a client reads it."""
    return json.loads(json.dumps(msgspec.to_builtins(update)))


@dataclass
class Recorded:
    """Updates as JSON, in order."""

    updates: list[JsonObject] = field(default_factory=list[JsonObject])

    def send(self, update: p.Update) -> None:
        self.updates.append(as_json(update))

    async def ready(self) -> None:
        """A client that keeps up."""

    def states(self, call: str) -> list[str]:
        """What became of a tool call."""
        return [
            str(one.get("status", "pending"))
            for one in self.updates
            if one.get("toolCallId") == call and (one["sessionUpdate"] == "tool_call" or "status" in one)
        ]
