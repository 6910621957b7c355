"""A dialogue about the projects of some sessions."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from anyio import to_thread

from kimi_lsp.app.lend import questioners_setup
from kimi_lsp.app.session import Session
from kimi_lsp.app.tools import open_tools
from kimi_lsp.audit.dialogue import Dialogue, DialogueParts, Material
from kimi_lsp.audit.toolloop import Toolbox
from kimi_lsp.config import Depth
from kimi_lsp.model import Message
from kimi_lsp.store import install_key


def open_dialogue(
    sessions: Sequence[Session],
    depth: Depth,
    run_usd: Decimal | None = None,
    messages: Sequence[Message] = (),
    seen: Sequence[Material] = (),
) -> Dialogue:
    """A dialogue about the first session's project, whose tools read those of all of them.

    Args:
        sessions: at least one; they stay open as long as a question is being answered.
        depth: LOCAL asks no model.
        run_usd: can lower the ceiling of one question.
        messages: what was said before.
        seen: what came with it.
    """
    first = sessions[0]
    settings = first.settings if run_usd is None else first.with_budget(run_usd)

    @asynccontextmanager
    async def toolbox() -> AsyncGenerator[Toolbox]:
        setup = await to_thread.run_sync(questioners_setup, sessions)
        async with open_tools(setup, settings) as opened:
            yield opened

    parts = DialogueParts(
        settings=settings,
        project=first.project,
        project_key=first.key,
        store=first.store,
        door=first.door if depth is not Depth.LOCAL else None,
        key=lambda purpose: install_key(settings.state_dir, purpose),
        toolbox=toolbox,
        others=tuple((one.project, one.key, one.settings) for one in sessions[1:]),
    )
    return Dialogue(parts, messages, seen)
