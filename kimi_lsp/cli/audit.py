"""`kimi-lsp audit`: arguments in, an exit code out. The work is in `run`, imported when it starts."""

from pathlib import Path
from typing import Annotated

import typer


def command(  # noqa: PLR0913 - one parameter an option: typer reads them
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders; the current folder if none.")] = None,
    *,
    depth: Annotated[str | None, typer.Option(help="`local`: no model. `screen`: Kimi reads too.")] = None,
    lane: Annotated[list[str] | None, typer.Option(help="A topic; may be given again. All there are if none.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's id at the endpoint.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The endpoint, up to and including /v1.")] = None,
    budget_usd: Annotated[str | None, typer.Option(help="US dollars that this run may cost.")] = None,
    max_tokens: Annotated[str | None, typer.Option(help="Tokens, sent and received, that this run may use.")] = None,
    output_format: Annotated[
        str, typer.Option("--format", help="text, json, sarif, markdown, rdjson or gitlab.")
    ] = "text",
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    fail_on: Annotated[str | None, typer.Option(help="error, warning, note or never.")] = None,
    changed_since: Annotated[str | None, typer.Option(help="Only files that differ from this git revision.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree that this project's text goes to the endpoint.")] = False,
) -> int:
    """Audit a project: deterministic findings at once, a model's as it writes them. Nothing is changed.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration, 3 incomplete (budget, endpoint,
    a cut answer, Ctrl-C).
    """
    from kimi_lsp.cli.run import Job, run  # noqa: PLC0415 - --help needs nothing of it

    written = {
        "depth": depth,
        "lanes": lane or None,
        "model": model,
        "base_url": base_url,
        "budget.run_usd": budget_usd,
        "budget.run_tokens": max_tokens,
        "fail_on": fail_on,
        "consent": "always" if yes else None,
    }
    return run(Job(paths or [], written, output_format, output, changed_since))
