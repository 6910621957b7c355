"""A session: what a client opened, what was chosen for it, and what its turns have left."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_lsp.acp.buffers import Buffers
from kimi_lsp.acp.permission import Permissions
from kimi_lsp.acp.scribe import Purse
from kimi_lsp.config import McpServer
from mcp_tools.finding import Report

if TYPE_CHECKING:
    from kimi_lsp.acp.turn import Turn
    from kimi_lsp.audit.dialogue import Material
    from kimi_lsp.model import Message

MAX_TITLE = 80


@dataclass(slots=True, eq=False)
class Session:
    """One conversation. `is_kept` is False when the store cannot be used: then it ends with the process."""

    id: str
    cwd: str  # as the client said it
    roots: tuple[Path, ...]  # resolved; the first is the working folder
    permissions: Permissions
    buffers: Buffers
    servers: dict[str, McpServer] = field(default_factory=dict[str, McpServer])
    values: dict[str, str] = field(default_factory=dict[str, str])
    purse: Purse = field(default_factory=Purse)
    title: str = ""
    turns: int = 0
    turn: "Turn | None" = None  # the one that runs
    last_turn: "Turn | None" = None  # the same, or the last one that ran
    messages: "tuple[Message, ...]" = ()  # what was said in questions and answers, redacted
    materials: "list[Material]" = field(default_factory=list["Material"])  # what came with the last questions
    exchanges: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # of an earlier process
    report: tuple[Path, Report] | None = None  # the last audit's: the project's root and what it found
    is_kept: bool = True
    told: set[str] = field(default_factory=set[str])  # what is said once in a session

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.roots[0]

    def first_time(self, what: str) -> bool:
        """True once for a thing that is said once."""
        if what in self.told:
            return False
        self.told.add(what)
        return True


def shortened(text: str) -> str:
    """A title: the text on one line, as long as one may be."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1].rstrip()}…"
