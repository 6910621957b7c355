"""The server and its peers: how each is started and told what to look for."""

import importlib.util
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from tests.fakes.json_value import Json
from tests.lsp.raw import RawClient

_PEERS = Path(__file__).parent / "peers"
_BIN = Path(sys.executable).parent
SERVER: Final = (sys.executable, str(_BIN / "kimi-lsp"), "lsp")  # what an editor starts
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Server:
    """A server to measure. `options`: its initializationOptions; `settings`: what it gets when it asks."""

    name: str
    command: tuple[str, ...]
    options: Json = None
    settings: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @asynccontextmanager
    async def session(self, root: Path, env: Mapping[str, str] | None = None) -> AsyncGenerator[RawClient]:
        """Start it, greet it, and kill it at the end."""
        environment = {**private(root), **(env or {})}
        async with RawClient.start(self.command, env=environment, settings=self.settings) as client:
            await client.initialize(root=root, options=self.options)
            yield client


def ours(debounce_ms: int, trigger: str = "off") -> Server:
    """Kimi's server with a debounce of its deterministic tools: 0 excludes the debounce from a measurement.

    It is told at the start and again when it asks, as editors do.
    """
    settings: Json = {"debounceMs": debounce_ms, "trigger": trigger}
    return Server("ours", SERVER, options={"kimi": settings}, settings={"kimi": settings})


def pylsp() -> Server:
    """python-lsp-server with pyflakes, which finds the undefined name of the line; its debounce is 500 ms."""
    assert importlib.util.find_spec("pyflakes"), "python-lsp-server finds nothing without pyflakes"
    return Server("pylsp", (str(_BIN / "pylsp"),))


# The security rules, as ours; F and E9 would be another program's work.
RUFF: Final = Server(
    "ruff server",
    (str(_BIN / "ruff"), "server"),
    options={"settings": {"configurationPreference": "editorOnly", "lint": {"select": ["S"]}}},
)
PYGLS: Final = Server("bare pygls", (sys.executable, str(_PEERS / "pygls_echo.py")))
MUTE_PYGLS: Final = Server("pygls, no diagnostics", (*PYGLS.command, "mute"))
LOOP: Final = Server("bare loop", (sys.executable, str(_PEERS / "stdlib_loop.py")))


def rotated(values: Sequence[_Value], number: int) -> Sequence[_Value]:
    """The values in the order of a round: each is first once in a while, so that none has the better place."""
    start = number % len(values)
    return [*values[start:], *values[:start]]


def private(root: Path) -> dict[str, str]:
    """Variables for a server of ours that reads nothing of the person who runs the bench and keeps nothing."""
    state = root.parent / f"{root.name}-state"
    return {
        "KIMI_LSP_STATE_DIR": str(state),
        "KIMI_LSP_DEPTH": "local",
        "XDG_CONFIG_HOME": str(state / "config"),
        "XDG_STATE_HOME": str(state / "xdg"),
    }
