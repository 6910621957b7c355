"""`kimi-lsp tool NAME`: one of the project tools, its whole answer. The options are the tool's own parameters."""

import typer


def command(context: typer.Context) -> int:
    """Run one read-only project tool: `tool --list` says which, `tool NAME --help` what it takes.

    The same tools that agents get over MCP, with whole answers: no pages, no caps.
    """
    from kimi_lsp.cli.tool_run import run  # noqa: PLC0415 - --help needs nothing of it

    return run(context.args)
