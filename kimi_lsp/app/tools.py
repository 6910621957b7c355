"""The tools that the model may call while it reviews: those of the project, and those of servers the user named."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from kimi_lsp.app.lend import reviewers_setup
from kimi_lsp.audit.toolloop import Composite, ProjectToolbox, Toolbox
from kimi_lsp.config import Settings
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.workers import WorkerError

if TYPE_CHECKING:  # loads when a model is given tools
    from mcp_tools.catalog.values import Setup
    from mcp_tools.workers import Pool

_DEADLINE_S = 25.0  # within the tool loop's own
_WORKERS = 2


@asynccontextmanager
async def review_tools(root: Path, settings: Settings) -> AsyncGenerator[Toolbox]:
    """The toolbox of one audit. What may not be read or sent is not there for the tools either.

    Args:
        root: the project, absolute.
        settings: what holds for it.

    Raises:
        StoreError: the state directory cannot be used.
    """
    async with open_tools(reviewers_setup(root, settings), settings) as toolbox:
        yield toolbox


@asynccontextmanager
async def open_tools(setup: "Setup", settings: Settings) -> AsyncGenerator[Toolbox]:
    """The tools of the project for a model, and those of the servers that the settings name.

    Args:
        setup: the projects, without what may not go to a model.
        settings: what holds for all of them.

    Raises:
        StoreError: the state directory cannot be used.
    """
    from kimi_lsp.audit.lenders import lent_tools  # noqa: PLC0415 - most audits give the model no tools
    from mcp_tools.catalog import TOOLS, input_schema  # noqa: PLC0415 - as above
    from mcp_tools.workers import Pool  # noqa: PLC0415 - as above

    rows = [(tool.name, tool.description, input_schema(tool)) for tool in TOOLS.values()]
    neutral = await to_thread.run_sync(_neutral_folder, settings)
    async with (
        Pool(setup, size=_WORKERS) as pool,
        lent_tools(settings.mcp_servers, cwd=neutral, trust_env=settings.trust_env) as lent,
    ):
        own = ProjectToolbox(_Caller(pool).call, rows)
        yield Composite([own, lent])


async def project_tool(setup: "Setup", name: str, arguments: JsonObject) -> Answer:
    """Run one tool of the projects for a person. What goes wrong is an answer; KeyError when there is no such tool."""
    from mcp_tools.workers import Pool  # noqa: PLC0415 - as above

    async with Pool(setup, size=1) as pool:
        return await _Caller(pool).call(name, arguments)


def _neutral_folder(settings: Settings) -> Path:
    """Where programs of the user's servers run: not in the project, nor where others may put something in their way.

    The system's own place for such folders would be asked by writing there, which an MCP server has given up.
    """
    from kimi_lsp.store.files import private_folder  # noqa: PLC0415 - as above

    folder = settings.state_dir / "servers"
    private_folder(folder)
    return folder


class _Caller:
    """Runs a tool in a worker; what goes wrong is an answer."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def call(self, name: str, arguments: JsonObject) -> Answer:
        try:
            return await self._pool.call(name, arguments, deadline_s=_DEADLINE_S)
        except WorkerError as error:
            return Answer(f"{name}: {error}", {}, is_error=True)
