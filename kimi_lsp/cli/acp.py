"""`kimi-lsp acp`: the ACP agent. Its way in is `kimi_lsp.acp.start`; this is its help, and what a terminal runs."""

from typing import Annotated

import typer

from kimi_lsp.cli import doctor


def command(
    *,
    check: Annotated[bool, typer.Option("--check", help="Say how the agent is set up, and serve nobody.")] = False,
) -> int:
    """Serve an agent panel: audits and answers, on standard input and output."""
    if check:
        return doctor.command()
    from kimi_lsp.acp.start import main  # noqa: PLC0415 - as the other commands: its work loads when it runs

    return main([])
