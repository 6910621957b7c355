"""`kimi-lsp lsp`: the language server. Its way in is `kimi_lsp.lsp.start`; this is its help."""

from typing import Annotated

import typer


def command(
    *,
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on standard input and output (the default).")] = False,
    tcp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Connect to a client that listens.")] = None,
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Wait for one client.")] = None,
    pipe: Annotated[str | None, typer.Option(metavar="PATH", help="Connect to a Unix socket.")] = None,
    log_level: Annotated[str, typer.Option(help="error, warning, info or debug.")] = "info",
) -> int:
    """Serve an editor: findings inline while editing, audits on demand."""
    from kimi_lsp.lsp.start import main  # noqa: PLC0415 - as the other commands: its work loads when it runs

    arguments = ["--log-level", log_level]
    for name, value in (("--tcp", tcp), ("--listen", listen), ("--pipe", pipe)):
        arguments += [name, value] if value is not None else []
    return main([*arguments, *(["--stdio"] if stdio else [])])
