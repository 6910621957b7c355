"""`kimi-lsp budget`: what was spent, what is reserved, what the ceilings are."""

import os
from decimal import Decimal
from typing import Annotated

import typer

from kimi_lsp.errors import UsageError
from kimi_lsp.store import JsonValue, Period

app = typer.Typer(help="What was spent and what may be.", no_args_is_help=True)


@app.command("show")
def show() -> None:
    """Spending of today and this week (UTC) beside its ceilings, and calls that never settled."""
    from kimi_lsp.app.session import open_store, user_settings  # noqa: PLC0415 - loads when the command runs

    settings = user_settings(os.environ)
    with open_store(settings) as store:
        budget = settings.budget
        rows: tuple[tuple[str, Period, Decimal | None, int | None], ...] = (
            ("today", "day", budget.daily_usd, budget.daily_tokens),
            ("this week", "week", budget.weekly_usd, budget.weekly_tokens),
            ("in all", "all", None, None),
        )
        for name, since, usd, tokens in rows:
            spent = store.ledger.spending(since=since)
            of_usd = f" of ${usd}" if usd is not None else ""
            of_tokens = f" of {tokens:,}" if tokens is not None else ""
            line = f"{name:10} ${spent.cost_usd:.4f}{of_usd}, {spent.tokens:,}{of_tokens} tokens, {spent.calls} calls"
            if spent.estimated_calls:
                line += f" ({spent.estimated_calls} estimated)"
            typer.echo(line)
        for open_call in store.ledger.open_reservations():
            typer.echo(
                f"unsettled  #{open_call.id} ${open_call.cost_usd:.4f}, {open_call.tokens:,} tokens, "
                f"since {open_call.reserved_at}, {open_call.model}: {open_call.label}"
            )


@app.command("release")
def release(number: Annotated[int, typer.Argument(metavar="N", help="As `budget show` names it.")]) -> None:
    """Give back what a call that never settled holds, when you know that it was not charged."""
    from kimi_lsp.app.session import open_store, user_settings  # noqa: PLC0415 - loads when the command runs

    with open_store(user_settings(os.environ)) as store:
        for open_call in store.ledger.open_reservations():
            if open_call.id == number:
                store.ledger.release(open_call)
                body: dict[str, JsonValue] = {
                    "call": number,
                    "cost_usd": str(open_call.cost_usd),
                    "label": open_call.label,
                }
                store.trail.append("reservation-released", body, run_id=open_call.run_id)
                typer.echo(f"released ${open_call.cost_usd:.4f}")
                return
    raise UsageError(f"no unsettled call #{number}", hint="`budget show` has all.")
