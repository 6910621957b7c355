"""`kimi-lsp rules`: what can be found, and each rule's page."""

from typing import Annotated

import typer

from kimi_lsp.errors import UsageError

app = typer.Typer(help="The rules: what is looked for, and why.", no_args_is_help=True)


@app.command("list")
def list_rules() -> None:
    """Every rule with its level and lane."""
    from kimi_lsp.app.rules import all_rules  # noqa: PLC0415 - loads when the command runs

    for rule in all_rules():
        typer.echo(f"{rule.id:32} {rule.level:8} {rule.lane:13} {rule.summary}")


@app.command("show")
def show(rule_id: Annotated[str, typer.Argument(metavar="RULE")]) -> None:
    """A rule's page: what it finds, what it does not, and what to do."""
    import difflib  # noqa: PLC0415 - loads when the command runs

    from kimi_lsp.app.rules import all_rules  # noqa: PLC0415 - loads when the command runs
    from mcp_tools.rules import page  # noqa: PLC0415 - loads when the command runs

    text = page(rule_id)
    if text is None:
        near = difflib.get_close_matches(rule_id, [rule.id for rule in all_rules()], n=1)
        raise UsageError(f"no rule {rule_id!r}", hint=f"Did you mean {near[0]!r}?" if near else "`rules list` has all.")
    typer.echo(text)
