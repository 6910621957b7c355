"""What the server offers as tools: the rows of the table and rows that somebody adds, strict and in a fixed order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as WireTool

from mcp_tools.catalog import TOOLS, Answer, JsonObject, Tool, input_schema, output_schema
from mcp_tools.catalog.tool import ArgumentError, Described
from mcp_tools.output import printable
from mcp_tools.server.guard import Caller, Guard, refusal

_SHOWN_NAME_CHARS = 60


class ExtraTool(Described, Protocol):
    """A tool that is no row of the table, such as one that asks a model."""

    @property
    def input_schema(self) -> JsonObject:
        """The JSON Schema of its arguments."""
        ...

    @property
    def output_schema(self) -> JsonObject | None:
        """The JSON Schema of its data, None where it has none."""
        ...

    @property
    def is_open_world(self) -> bool:
        """True where it talks to anything beyond this machine."""
        ...

    async def call(self, arguments: JsonObject) -> Answer:
        """Do it. Bad arguments are an answer that says so."""
        ...


@dataclass(frozen=True, slots=True)
class Registry:
    """The tools of one server. The list is made once: its bytes are the same for every client."""

    guard: Guard
    caller: Caller
    extra: Mapping[str, ExtraTool]
    listed: tuple[WireTool, ...]
    with_structure: bool

    async def call(self, name: str, arguments: JsonObject) -> Answer:
        """Call a tool under the guard. Raises MCPError (-32602) for one that does not exist."""
        if (extra := self.extra.get(name)) is not None:
            return await self.guard.call(name, arguments, lambda: extra.call(arguments))
        tool = TOOLS.get(name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {_shown(name)}")
        return await self.guard.call(name, arguments, lambda: self._run(tool, arguments))

    async def _run(self, tool: Tool, arguments: JsonObject) -> Answer:
        try:
            tool.parse(arguments)  # here, so that what is wrong costs no worker
        except ArgumentError as error:
            return refusal(f"{tool.name}: {error}")
        return await self.caller.call(tool.name, arguments, deadline_s=self.guard.limits.deadline_s)

    def result(self, answer: Answer) -> CallToolResult:
        """An answer as the protocol says it."""
        structured = answer.data if self.with_structure and answer.data and not answer.is_error else None
        text = answer.text
        if not self.with_structure and isinstance(report := answer.data.get("report"), str):
            text += f"\nall of it: {report}"  # the one thing that the text alone does not hold
        return CallToolResult(content=[TextContent(text=text)], structured_content=structured, is_error=answer.is_error)


def registry(guard: Guard, caller: Caller, extra: Sequence[ExtraTool] = (), *, with_structure: bool = True) -> Registry:
    """The registry of a server.

    Args:
        guard: stands round every call.
        caller: runs the tools of the table.
        extra: further tools, after those of the table.
        with_structure: offer output schemas and structured content; without, text alone.

    Raises:
        ValueError: two tools have one name.
    """
    names = [*TOOLS, *(tool.name for tool in extra)]
    if len(set(names)) != len(names):
        raise ValueError("two tools have one name")
    listed = [
        *(_of_table(tool, with_structure) for tool in TOOLS.values()),
        *(_of_extra(t, with_structure) for t in extra),
    ]
    return Registry(guard, caller, {tool.name: tool for tool in extra}, tuple(listed), with_structure)


def _of_table(tool: Tool, with_structure: bool) -> WireTool:
    return WireTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=input_schema(tool),
        output_schema=output_schema(tool) if with_structure else None,
        annotations=_hints(is_open_world=False),
    )


def _of_extra(tool: ExtraTool, with_structure: bool) -> WireTool:
    return WireTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema if with_structure else None,
        annotations=_hints(is_open_world=tool.is_open_world),
    )


def _hints(*, is_open_world: bool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=is_open_world
    )


def _shown(name: str) -> str:
    text = printable(name[:_SHOWN_NAME_CHARS])
    return text if len(name) <= _SHOWN_NAME_CHARS else f"{text}…"
