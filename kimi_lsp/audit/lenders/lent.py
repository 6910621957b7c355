"""The door: start the lenders of a configuration, offer the model their tools, end them all at the end.

Invariants, each with a test: a tool that does not declare that it only reads is never offered and cannot be called; a
lender's failure is a notice and a sentence for the model, never an error of the audit; what is sent to a lender is the
model's own text, in which secrets are placeholders: they are not mapped back, so no secret of a project reaches a
lender. The text that comes back is as untrusted as any: it has not been through redaction.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from kimi_lsp.audit.lenders.definitions import MAX_TOOLS, Offer
from kimi_lsp.audit.lenders.lender import Lender, load_sdk
from kimi_lsp.audit.lenders.replies import ArgumentsError, arguments_of
from kimi_lsp.audit.toolloop.toolbox import ErrorText
from kimi_lsp.config import McpServer
from kimi_lsp.model import ToolSpec
from mcp_tools.finding import Notice


class LentTools:
    """The tools of all lenders, a `Toolbox`. It is fixed once it is there: a tool may fail, none is added."""

    def __init__(self, lenders: Sequence[Lender]) -> None:
        self._lenders = lenders
        offers = [(lender, offer) for lender in lenders for offer in lender.offers]
        self._offers: Mapping[str, tuple[Lender, Offer]] = {
            offer.spec.name: (lender, offer) for lender, offer in offers[:MAX_TOOLS]
        }
        self._left_out = [offer.spec.name for _, offer in offers[MAX_TOOLS:]]

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is offered, at most 64 tools: by lender in the order of the configuration."""
        return tuple(offer.spec for _, offer in self._offers.values())

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was not offered and which lenders failed, so far: it may grow with every call."""
        notices = [notice for lender in self._lenders for notice in lender.notices]
        if self._left_out:
            text = f"{len(self._left_out)} tools of MCP servers are not offered: only {MAX_TOOLS} are, of all servers."
            notices.append(Notice("lender-tool-left-out", text))
        return tuple(notices)

    async def call(self, name: str, arguments: str) -> str:
        """Call a tool.

        Args:
            name: as in `specs`.
            arguments: the model's JSON text. It goes to the lender as it is, placeholders of secrets included.

        Returns:
            At most 16,000 visible characters for the model: the answer, or an `ErrorText` that says why there is none.
        """
        found = self._offers.get(name)
        if found is None:
            return ErrorText("There is no tool of this name.")
        lender, offer = found
        try:
            checked = arguments_of(arguments)
        except ArgumentsError as error:
            return ErrorText(error)
        return await lender.call(offer, checked)


@asynccontextmanager
async def lent_tools(
    servers: Mapping[str, McpServer], *, cwd: Path, trust_env: bool = True
) -> AsyncGenerator[LentTools]:
    """Start the enabled servers side by side and wait until each has said what it lends, or failed to.

    Args:
        servers: by name, from the user's own configuration.
        cwd: the folder that programs run in. Not the audited project: many a program obeys what lies around it.
        trust_env: whether the proxies and certificates that the environment names are used.
    """
    lenders = [Lender(name, server, cwd, trust_env=trust_env) for name, server in servers.items() if server.enabled]
    if not lenders:
        yield LentTools(())
        return
    await anyio.to_thread.run_sync(load_sdk)
    error: Exception | None = None
    async with anyio.create_task_group() as tasks:
        for lender in lenders:
            tasks.start_soon(lender.run)
        for lender in lenders:
            await lender.is_ready.wait()
        try:
            yield LentTools(lenders)
        except Exception as raised:  # noqa: BLE001 - it is the caller's own, and leaves here unwrapped
            error = raised
        finally:
            tasks.cancel_scope.cancel()
    if error is not None:
        raise error
