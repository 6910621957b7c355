"""What a server is asked to do. Values only: nothing of the SDK loads with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_tools.catalog.values import Setup

if TYPE_CHECKING:
    from mcp_tools.server.registry import ExtraTool

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    roots: tuple[Path, ...]
    http: bool = False
    host: str = LOOPBACK
    port: int = 0
    token_file: Path | None = None
    hosts: tuple[str, ...] = ()
    deadline_s: float = 60.0
    with_structure: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is served: the projects, further tools, and the folders in which those may write."""

    setup: Setup
    version: str
    extra: tuple["ExtraTool", ...] = ()
    writable: tuple[Path, ...] = ()
