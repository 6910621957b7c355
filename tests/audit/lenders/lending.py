"""A lender as most are: the SDK's own low-level server, over stdio as a program and over HTTP as an ASGI app."""

import json
import os
from pathlib import Path

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}}
_READS = types.ToolAnnotations(read_only_hint=True)


def _tool(name: str, hints: types.ToolAnnotations | None, description: str = "A tool.") -> types.Tool:
    return types.Tool(name=name, description=description, input_schema=_TEXT, annotations=hints)


TOOLS = [
    _tool("echo", _READS, "Says what it was told."),
    _tool("unmarked", None),
    _tool("writes", types.ToolAnnotations(read_only_hint=False)),
    _tool("destroys", types.ToolAnnotations(read_only_hint=True, destructive_hint=True)),
    _tool("surroundings", _READS),
    _tool("parts", _READS),
    _tool("fails", _READS),
    _tool("refuses", _READS),
    _tool("asks back", _READS),
]


class Lending:
    """What the server has; `tools` may be changed while it runs, and `calls` are those it got."""

    def __init__(self) -> None:
        self.tools = list(TOOLS)
        self.calls: list[str] = []
        self.server: Server[object] = Server("lending", version="1", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(
        self, _context: ServerRequestContext[object], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self.tools)

    async def _call(
        self, _context: ServerRequestContext[object], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        self.calls.append(params.name)
        match params.name:
            case "surroundings":
                found = {"cwd": str(Path.cwd()), "names": sorted(os.environ), "own": os.environ.get("LENDER_OWN")}
                return types.CallToolResult(content=[], structured_content=found)
            case "parts":
                return types.CallToolResult(content=_PARTS, structured_content={"n": 1})
            case "fails":
                return types.CallToolResult(content=[types.TextContent(text="no such page")], is_error=True)
            case "refuses":
                raise ValueError("a detail that is nobody's business")
            case "asks back":
                request = types.ListRootsRequest()
                return types.InputRequiredResult(input_requests={"roots": request}, request_state="x")
            case _:
                text = json.dumps(params.arguments, sort_keys=True)
                return types.CallToolResult(content=[types.TextContent(text=text)])


_PARTS: list[types.ContentBlock] = [
    types.TextContent(text="first"),
    types.ImageContent(data="AAAA", mime_type="image/png"),
    types.AudioContent(data="AAAA", mime_type="audio/wav"),
    types.ResourceLink(name="page", uri="file:///etc/passwd"),
    types.EmbeddedResource(resource=types.TextResourceContents(uri="docs://a", text="second")),
    types.EmbeddedResource(resource=types.BlobResourceContents(uri="docs://b", blob="AAAA")),
]


async def main() -> None:
    """Serve standard input and output."""
    server = Lending().server
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
