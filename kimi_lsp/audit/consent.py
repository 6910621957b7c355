"""Whether text may go to an endpoint and whether that much may be spent: one rule for audits and dialogues."""

from dataclasses import replace
from pathlib import Path

from anyio import to_thread

from kimi_lsp.audit.events import Agreement, ConsentAsker, Outgoing
from kimi_lsp.config import Settings
from kimi_lsp.store import Store


async def may_leave(
    settings: Settings, store: Store, project_key: str, outgoing: Outgoing, ask: ConsentAsker | None
) -> bool:
    """Say whether somebody agreed: the endpoint is this machine, the configuration, an earlier yes, or one now.

    Raises StoreError.
    """
    if settings.is_loopback or settings.consent.covers(Path(project_key)):
        return True
    if await to_thread.run_sync(store.consents.has, project_key, outgoing.endpoint):
        return True
    said = await ask(outgoing) if ask is not None else Agreement.NO
    if said in (False, Agreement.NO):
        return False
    if said is not Agreement.ONCE:
        await to_thread.run_sync(store.consents.give, project_key, outgoing.endpoint)
    return True


async def may_spend(settings: Settings, outgoing: Outgoing, ask: ConsentAsker | None) -> bool:
    """Say whether somebody agreed to the most that this can cost, where that is a lot and one can ask."""
    most = min(outgoing.max_cost_usd, settings.budget.run_usd)
    if ask is None or most <= settings.ask_above_usd:
        return True
    return await ask(replace(outgoing, max_cost_usd=most)) not in (False, Agreement.NO)
