"""`kimi-lsp doctor`: check what an audit stands on, and say what to do."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kimi_lsp.cli.exits import Exit


def command(
    path: Annotated[Path, typer.Argument(help="A project.")] = Path(),
    *,
    model: Annotated[str | None, typer.Option(help="The model's id at the endpoint.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The endpoint, up to and including /v1.")] = None,
) -> int:
    """Check configuration, state directory, programs, key, endpoint, model and balance. Sends nothing of the project.

    Exit codes: 0 all is well or only warned of, 2 something an audit needs is missing.
    """
    import anyio  # noqa: PLC0415 - --help does not need it

    from kimi_lsp.app.doctor import State, examine  # noqa: PLC0415 - loads when the command runs
    from kimi_lsp.app.session import open_session  # noqa: PLC0415 - loads when the command runs
    from kimi_lsp.config import flag_options  # noqa: PLC0415 - loads when the command runs
    from mcp_tools.output import printable  # noqa: PLC0415 - loads when the command runs

    session = open_session([path], os.environ, flag_options({"model": model, "base_url": base_url}))

    async def look() -> bool:
        is_well = True
        async for check in examine(session):
            is_well &= check.state is not State.FAIL
            typer.echo(printable(f"{check.state:5} {check.name}: {check.message}"))
            if check.hint:
                typer.echo(printable(f"      -> {check.hint}"))
        return is_well

    try:
        return Exit.CLEAN if anyio.run(look) else Exit.USAGE
    finally:
        session.close()
