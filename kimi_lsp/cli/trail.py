"""`kimi-lsp trail`: read and verify the record of what was sent, reasoned, answered and decided."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kimi_lsp.cli.exits import Exit
from kimi_lsp.errors import UsageError

app = typer.Typer(help="What was sent, reasoned, answered and decided.", no_args_is_help=True)


@app.command("list")
def list_records(
    *,
    run_id: Annotated[str | None, typer.Option("--run", help="Only one audit.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only records behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
) -> None:
    """One line a record."""
    from kimi_lsp.app.session import open_store, user_settings  # noqa: PLC0415 - loads when the command runs
    from mcp_tools.output import printable  # noqa: PLC0415 - loads when the command runs

    with open_store(user_settings(os.environ)) as store:
        for record in store.trail.records(run_id, after_seq=after, limit=limit):
            what = " ".join(str(record.body.get(name, "")) for name in ("status", "path", "model", "cost_usd"))
            call = f"{record.run_id}/{record.body.get('call', '')}"
            typer.echo(printable(f"{record.seq:6} {record.ts} {record.kind} {call} {what}"))


@app.command("show")
def show(
    record_id: Annotated[str, typer.Argument(metavar="RUN/CALL", help="As a finding names it, or a record's hash.")],
) -> None:
    """One record whole, with its reasoning and answer."""
    from kimi_lsp.app.session import find_record, open_store, user_settings  # noqa: PLC0415 - loads when the command runs
    from mcp_tools.output import printable  # noqa: PLC0415 - loads when the command runs

    with open_store(user_settings(os.environ)) as store:
        record = find_record(store, record_id)
        if record is None:
            raise UsageError(f"the trail has no record {record_id!r}", hint="`trail list` has all.")
        typer.echo(json.dumps(record.sealed, indent=2, ensure_ascii=True))
        for name, digest in record.contents.items():
            text = store.trail.content(digest)
            typer.echo(f"\n--- {name} ({'erased' if text is None else f'{len(text):,} characters'})")
            for line in (text or "").split("\n"):
                typer.echo(printable(line))


@app.command("verify")
def verify(
    *,
    head: Annotated[
        str | None, typer.Option(help="A head that a report printed: proves that no end is missing.")
    ] = None,
    exported: Annotated[Path | None, typer.Option("--file", help="An exported trail, instead of your own.")] = None,
) -> int:
    """Check the whole chain, your own or an exported one; exit code 1 when it is broken."""
    from kimi_lsp.app.session import open_store, user_settings  # noqa: PLC0415 - loads when the command runs
    from kimi_lsp.store import Head, verify_export  # noqa: PLC0415 - loads when the command runs

    try:
        expected = None if head is None else Head.parse(head)
    except ValueError as error:
        raise UsageError(f"--head: {error}") from None
    if exported is not None:
        try:
            with exported.open(encoding="utf-8", errors="surrogateescape") as lines:
                result = verify_export(lines, expected)
        except OSError as error:
            raise UsageError(f"--file {exported}: {(error.strerror or 'cannot be read').lower()}") from None
    else:
        with open_store(user_settings(os.environ)) as store:
            result = store.trail.verify(expected)
    if not result.is_ok:
        typer.echo(f"BROKEN: {result.problem}")
        return Exit.FINDINGS
    erased = f", {len(result.erased)} texts erased on record" if result.erased else ""
    typer.echo(f"{result.checked} records in an unbroken chain{erased}; head {result.head}")
    return Exit.CLEAN


@app.command("export")
def export() -> None:
    """Every record as a line of JSON, for a place that you do not control."""
    from kimi_lsp.app.session import open_store, user_settings  # noqa: PLC0415 - loads when the command runs

    with open_store(user_settings(os.environ)) as store:
        for line in store.trail.export():
            sys.stdout.write(line.rstrip("\n") + "\n")
