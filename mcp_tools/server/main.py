"""The server's command line, shared by `python -m mcp_tools` and `kimi-lsp mcp`."""

import argparse
import logging
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.project.landlock import confine_writes
from mcp_tools.server.options import LOOPBACK, Options, Prepared
from mcp_tools.server.roots import checked_roots

USAGE_EXIT = 2


def parse(arguments: Sequence[str], prog: str) -> Options:
    """The options of a command line. Ends the process with a message and exit code 2 where they make no sense."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve read-only project tools to agents over the Model Context Protocol. "
        "Standard input and output by default; its tools never write, run project code or dial out.",
    )
    parser.add_argument(
        "--root", action="append", type=Path, default=[], metavar="DIR", help="a project; again for more"
    )
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP at /mcp instead")
    parser.add_argument(
        "--host", default=LOOPBACK, help=f"address to bind, {LOOPBACK} by default; others need --token-file"
    )
    parser.add_argument("--port", type=_port, default=0, help="port to bind; a free one by default")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="file with the bearer token; made up and shown once otherwise"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST:PORT", help="a further Host header to accept"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="after which a call is stopped (60)"
    )
    parser.add_argument(
        "--no-structured", action="store_true", help="text alone: no output schemas, no structured content"
    )
    given = parser.parse_args(list(arguments))
    try:
        roots = checked_roots(given.root)
    except ValueError as error:
        parser.error(str(error))
    if not given.http:
        for name in ("port", "token_file", "allow_host"):
            if getattr(given, name):
                parser.error(f"--{name.replace('_', '-')} needs --http")
    return Options(
        roots=roots,
        http=given.http,
        host=given.host,
        port=given.port,
        token_file=given.token_file,
        hosts=tuple(given.allow_host),
        deadline_s=given.timeout,
        with_structure=not given.no_structured,
    )


def plain(options: Options, version: str) -> Prepared:
    """The projects with nothing but defaults."""
    return Prepared(Setup(tuple(RootSetup(str(root)) for root in options.roots)), version)


def main(options: Options, prepared: Prepared, prog: str) -> int:
    """Serve until the client goes or a signal comes; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format=f"{prog}: %(message)s")  # standard error takes any character
    for noisy in ("mcp", "uvicorn", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # what they log may hold what a client sent
    confine_writes(prepared.writable)  # before another thread exists; the workers inherit it
    from mcp_tools.server.serving import UsageError, serve  # noqa: PLC0415 - the SDK takes half a second

    setup = replace(prepared.setup, key=prepared.setup.key or secrets.token_hex(32))
    try:
        return serve(options, replace(prepared, setup=setup), prog)
    except UsageError as error:
        sys.stderr.write(f"{prog}: {error}\n")
        return USAGE_EXIT


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 3_600:
        raise ValueError(text)
    return number
