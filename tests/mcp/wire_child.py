"""A small server process for the tests of the transports: `python -m tests.mcp.wire_child stdio|sdk|http [TOKEN]`."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from mcp_tools.server.http import HttpOptions, serve_http
from mcp_tools.server.stdio import serve_stdio

Context = ServerRequestContext[Any, Any]
Arguments = dict[str, Any]


async def _echo(ctx: Context, arguments: Arguments) -> str:
    return str(arguments.get("text", ""))


async def _sleep(ctx: Context, arguments: Arguments) -> str:
    await ctx.session.report_progress(0.5)
    _say("sleeping")
    try:
        await anyio.sleep(float(arguments.get("seconds", 60)))
    finally:
        _say("woken")
    return "slept"


async def _surrogate(ctx: Context, arguments: Arguments) -> str:
    await ctx.session.report_progress(0.5, message="bad\udcff")
    return "bad\udcff.py \ud800 \\udc80"


async def _crash(ctx: Context, arguments: Arguments) -> str:
    raise RuntimeError("a secret: " + str(Path.cwd()))


async def _leave(ctx: Context, arguments: Arguments) -> str:
    raise SystemExit(3)


async def _huge(ctx: Context, arguments: Arguments) -> str:
    return "x" * int(arguments["chars"])


async def _noise(ctx: Context, arguments: Arguments) -> str:
    print("noise of a print")
    os.write(1, b"noise of a descriptor\n")
    await asyncio.to_thread(subprocess.run, ["/bin/sh", "-c", "echo noise of a child; cat"], check=True, timeout=10)
    return "quiet"


_TOOLS: dict[str, Callable[[Context, Arguments], Awaitable[str]]] = {
    "echo": _echo,
    "sleep": _sleep,
    "surrogate": _surrogate,
    "crash": _crash,
    "leave": _leave,
    "huge": _huge,
    "noise": _noise,
}


def build() -> Server[Any]:
    """The server."""

    async def list_tools(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[types.Tool(name=name, description=name, input_schema={"type": "object"}) for name in _TOOLS]
        )

    async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        text = await _TOOLS[params.name](ctx, params.arguments or {})
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])

    return Server("wire", version="1", on_list_tools=list_tools, on_call_tool=call_tool)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _serve(kind: str, token: str) -> None:
    server = build()
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_at_sigterm, group.cancel_scope)
        if kind == "http":
            await serve_http(server, HttpOptions(token=token), on_start=_say)
        elif kind == "stdio":
            await serve_stdio(server)
        else:
            from mcp.server.stdio import stdio_server

            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())
        group.cancel_scope.cancel()


async def _stop_at_sigterm(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()


if __name__ == "__main__":
    anyio.run(_serve, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
