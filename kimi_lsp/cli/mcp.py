"""`kimi-lsp mcp`: the MCP server with the configuration that holds for its projects."""

import typer


def command(context: typer.Context) -> int:
    """Serve the project tools to other agents: `mcp --help` has the options."""
    from kimi_lsp.cli.mcp_run import run  # noqa: PLC0415 - --help needs nothing of it

    return run(context.args)
