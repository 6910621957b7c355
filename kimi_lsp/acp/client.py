"""What the client can do, from its `initialize`. What does not fit is taken as not said, as the protocol has it."""

import json
from dataclasses import dataclass

from kimi_lsp.faces.jsonrpc import as_object

_ZERO_BASED = ("zed",)  # names of clients that take a line of a tool call's location for a 0-based row


@dataclass(frozen=True, slots=True)
class Client:
    """The client's own word on itself."""

    name: str = ""
    version: str = ""
    reads_files: bool = False
    takes_notices: bool = False

    @property
    def line_base(self) -> int:
        """The number of a file's first line in a tool call's location: 1 by the protocol, 0 in Zed's code."""
        return 0 if self.name.lower().startswith(_ZERO_BASED) else 1


def client_of(params: bytes) -> Client:
    """The client of an `initialize` whose params are these."""
    told: object = json.loads(params)
    return Client(
        name=_text(_at(told, "clientInfo", "name")),
        version=_text(_at(told, "clientInfo", "version")),
        reads_files=_at(told, "clientCapabilities", "fs", "readTextFile") is True,
        takes_notices=as_object(_at(told, "clientCapabilities", "session", "notices")) is not None,
    )


def _at(value: object, *path: str) -> object:
    for name in path:
        value = (as_object(value) or {}).get(name)
    return value


def _text(value: object) -> str:
    return value[:100] if isinstance(value, str) else ""
