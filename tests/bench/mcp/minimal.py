"""The SDK's own low-level server with one tool and nothing round it: `python minimal.py [RESULT]`.

The tool answers what the file RESULT holds: the `result` of a `tools/call` as JSON. The SDK's stdio transport serves.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

_Context = ServerRequestContext[Any, Any]
_TOOL = types.Tool(name="say", description="Says it.", input_schema={"type": "object"})


def _server(result: types.CallToolResult) -> Server[Any]:
    async def list_tools(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_TOOL])

    async def call_tool(_: _Context, __: types.CallToolRequestParams) -> types.CallToolResult:
        content = [types.TextContent(text=block.text) for block in result.content if block.type == "text"]
        return types.CallToolResult(content=[*content], structured_content=result.structured_content)

    return Server("minimal", version="1", on_list_tools=list_tools, on_call_tool=call_tool)


async def _main(result: types.CallToolResult) -> None:
    server = _server(result)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    said = Path(sys.argv[1]).read_text("utf-8") if len(sys.argv) > 1 else '{"content": []}'
    asyncio.run(_main(types.CallToolResult.model_validate_json(said)))
