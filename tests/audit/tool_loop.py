"""A toolbox in memory, and an auditor that may use it against the fake endpoint."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from kimi_lsp.app.session import client
from kimi_lsp.audit import AuditEvent, Auditor, AuditRequest, Door, Found, Noticed, Parts, Toolbox
from kimi_lsp.audit.toolloop import LoopLimits
from kimi_lsp.config import Depth, Secret, Settings
from kimi_lsp.model import JsonObject, Profile, ToolSpec, profile_for
from kimi_lsp.store import Store
from mcp_tools.finding import Lane, Notice
from mcp_tools.project import MemoryProject
from mcp_tools.redaction import Redactor
from tests.cli.harness import APP, KEY
from tests.fakes.json_value import get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script, ToolCall

PROJECT = MemoryProject({"app.py": APP}, "shop")
KEY_BYTES = b"k" * 32
PROFILE = profile_for("kimi-k2.6", "https://api.moonshot.ai/v1")
REQUEST = AuditRequest(PROJECT, "shop", depth=Depth.SCREEN)
SEARCH: JsonObject = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}

Tool = Callable[[str], Awaitable[str]]


class Shelf:
    """Tools from functions of the arguments' text; remembers its calls."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self.calls: list[tuple[str, str]] = []
        self.notices: tuple[Notice, ...] = ()
        self.opened = 0
        self.closed = 0

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """One spec a function."""
        return tuple(ToolSpec(name, f"What {name} knows.", SEARCH) for name in self._tools)

    async def call(self, name: str, arguments: str) -> str:
        """Run one."""
        self.calls.append((name, arguments))
        return await self._tools[name](arguments)

    @asynccontextmanager
    async def open(self, request: AuditRequest) -> AsyncGenerator[Toolbox]:
        """As an audit opens it."""
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1


def says(text: str) -> Tool:
    """A tool that always says the same."""

    async def tool(arguments: str) -> str:
        return text

    return tool


def asks(*calls: ToolCall, reasoning: str = "I need the caller.", **more: Any) -> Script:
    """An answer that calls tools."""
    return Script(reasoning=reasoning, tool_calls=calls, **more)


def search(query: str = "read(") -> ToolCall:
    """A sound call of `search_text`."""
    return ToolCall("search_text", json.dumps({"query": query}))


def settings_for(kimi: FakeKimi, tmp_path: Path) -> Settings:
    """Settings that screen with the fake."""
    return Settings(
        tmp_path,
        base_url=kimi.base_url,
        model="kimi-k2.6",
        api_key=Secret(KEY),
        depth=Depth.SCREEN,
        lanes=(Lane.SECURITY,),
    )


def auditor(
    settings: Settings,
    store: Store,
    shelf: Shelf | None,
    limits: LoopLimits | None = None,
    profile: Profile = PROFILE,
    through: Callable[[Door], Door] = lambda door: door,
) -> Auditor:
    """An auditor whose model may use a shelf. `through` wraps the way to the model."""

    @asynccontextmanager
    async def door(redactor: Redactor) -> AsyncGenerator[Door]:
        async with client(settings, profile, redactor.scan) as opened:
            yield through(opened)

    def opened(redactor: Redactor) -> AbstractAsyncContextManager[Door]:
        return door(redactor)

    parts = Parts(settings, store=lambda: store, door=opened, key=lambda purpose: KEY_BYTES)
    if shelf is not None:
        parts = replace(parts, toolbox=shelf.open)
    if limits is not None:
        parts = replace(parts, tool_limits=limits)
    return Auditor(parts)


async def all_events(one: Auditor, request: AuditRequest = REQUEST) -> Sequence[AuditEvent]:
    """Every event of an audit."""
    with anyio.fail_after(30):
        async with one.audit(request) as events:
            return [event async for event in events]


def found(events: Sequence[AuditEvent]) -> list[str]:
    """The rules that the model found."""
    return [event.finding.rule.id for event in events if isinstance(event, Found) and event.finding.origin.model]


def notices(events: Sequence[AuditEvent]) -> list[str]:
    """The notices' messages."""
    return [event.notice.message for event in events if isinstance(event, Noticed)]


def roles(chat: Recorded) -> list[Any]:
    """Who speaks in a request."""
    return [get(message, "role") for message in items(get(chat.json, "messages"))]


def results(chat: Recorded) -> list[str]:
    """The texts of the tools in a request."""
    return [str(get(one, "content")) for one in items(get(chat.json, "messages")) if get(one, "role") == "tool"]
