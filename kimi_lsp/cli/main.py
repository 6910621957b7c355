"""The command and its sub-commands. Each sub-command's own work is imported when it runs."""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from kimi_lsp import __version__
from kimi_lsp.cli import acp, audit, budget, doctor, lsp, mcp, rules, tool, trail
from kimi_lsp.cli.exits import Exit
from kimi_lsp.errors import KimiError

# Commands with a parser of their own: their options depend on more than this file.
_RAW: dict[str, object] = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

app = typer.Typer(
    name="kimi-lsp",
    help="A read-only AI engineering auditor: it reads, reasons and reports, and never writes a file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit")(audit.command)
app.command("lsp")(lsp.command)
app.command("acp")(acp.command)
app.command("mcp", context_settings=_RAW)(mcp.command)
app.command("tool", context_settings=_RAW)(tool.command)
app.command("doctor")(doctor.command)
app.add_typer(rules.app, name="rules")
app.add_typer(trail.app, name="trail")
app.add_typer(budget.app, name="budget")


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction] - typer holds it
    *, version: bool = typer.Option(False, "--version", "-V", help="Print the version.", is_eager=True)
) -> None:
    if version:
        typer.echo(f"kimi-lsp {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run a command line. What a user can mend is one line on standard error and exit code 2, never a traceback."""
    try:
        result: object = app(list(arguments), standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return Exit.INCOMPLETE
    except TyperException as error:
        sys.stderr.write(f"kimi-lsp: {error.format_message()} (--help says what there is)\n")
        return Exit.USAGE
    except KimiError as error:
        sys.stderr.write(f"kimi-lsp: {error.line}\n")
        return Exit.USAGE
    except BrokenPipeError:
        # The reader went away. The interpreter would complain about it once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.INCOMPLETE
    return result if isinstance(result, int) else Exit.CLEAN
