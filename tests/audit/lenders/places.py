"""Where the lenders of the tests are, and a bound for every wait."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from kimi_lsp.audit.lenders import LentTools, lent_tools
from kimi_lsp.config import McpServer, Secret

_HERE = Path(__file__).parent
_TEST_S = 30.0


def kind(tools: tuple[str, ...] | None = None, **env: str) -> McpServer:
    """The well-behaved lender as a program."""
    own = {name: Secret(value) for name, value in env.items()}
    return McpServer(command=(sys.executable, str(_HERE / "lending.py")), tools=tools, env=own)


def hostile(mode: str, timeout_s: float = 20.0, **env: str) -> McpServer:
    """The lender that misbehaves."""
    own = {name: Secret(value) for name, value in env.items()}
    command = (sys.executable, "-I", str(_HERE / "hostile.py"), mode)
    return McpServer(command=command, timeout_s=timeout_s, env=own)


@asynccontextmanager
async def lent(cwd: Path, **servers: McpServer) -> AsyncGenerator[LentTools]:
    """The tools of some servers; the whole block is bounded."""
    with anyio.fail_after(_TEST_S):
        async with lent_tools(servers, cwd=cwd) as tools:
            yield tools


def told(tools: LentTools) -> list[str]:
    """The notices so far, each as `code: message`."""
    return [f"{notice.code}: {notice.message}" for notice in tools.notices]
