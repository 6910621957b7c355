"""The tools that the model may call while it reviews: those of the project, and those of servers the user named."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_lsp.audit.toolloop import Composite, ProjectToolbox, Toolbox
from kimi_lsp.config import Settings
from mcp_tools.catalog.values import Answer, JsonObject, RootSetup, Setup
from mcp_tools.workers import WorkerError

if TYPE_CHECKING:  # loads when a model is given tools
    from mcp_tools.workers import Pool

_DEADLINE_S = 25.0  # within the tool loop's own
_WORKERS = 2


@asynccontextmanager
async def review_tools(root: Path, settings: Settings) -> AsyncGenerator[Toolbox]:
    """The toolbox of one audit. What may not be read or sent is not there for the tools either.

    Args:
        root: the project, absolute.
        settings: what holds for it.
    """
    from kimi_lsp.audit.lenders import lent_tools  # noqa: PLC0415 - most audits give the model no tools
    from mcp_tools.catalog import TOOLS, input_schema  # noqa: PLC0415 - as above
    from mcp_tools.workers import Pool  # noqa: PLC0415 - as above

    limits = settings.limits
    hidden = (*settings.exclude, *settings.deny)
    setup = Setup((RootSetup(str(root), hidden),), max_file_bytes=limits.max_file_bytes, max_files=limits.max_files)
    rows = [(tool.name, tool.description, input_schema(tool)) for tool in TOOLS.values()]
    neutral = Path(tempfile.gettempdir())
    async with (
        Pool(setup, size=_WORKERS) as pool,
        lent_tools(settings.mcp_servers, cwd=neutral, trust_env=settings.trust_env) as lent,
    ):
        own = ProjectToolbox(_Caller(pool).call, rows)
        yield Composite([own, lent])


class _Caller:
    """Runs a tool in a worker; what goes wrong is an answer."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def call(self, name: str, arguments: JsonObject) -> Answer:
        try:
            return await self._pool.call(name, arguments, deadline_s=_DEADLINE_S)
        except WorkerError as error:
            return Answer(f"{name}: {error}", {}, is_error=True)
