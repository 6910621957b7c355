"""Run one project tool for a terminal: parameters as options, the answer in a format."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo

from kimi_lsp import __version__
from kimi_lsp.app.lend import open_roots, tools_setup
from kimi_lsp.cli.exits import Exit
from kimi_lsp.errors import UsageError
from mcp_tools.catalog import TOOLS, Catalog, Json, JsonObject, Tool
from mcp_tools.catalog.findings import at_least
from mcp_tools.catalog.page import Room
from mcp_tools.catalog.scans import source_of
from mcp_tools.catalog.tool import ArgumentError
from mcp_tools.finding import Report
from mcp_tools.output import Context, Format, ToolInfo, render
from mcp_tools.output.jsontext import dumps
from mcp_tools.server.roots import checked_roots

_URI = "https://github.com/kimi-lsp/kimi-lsp"
_OF_PAGES = frozenset({"limit", "cursor"})  # a terminal gets whole answers


def run(arguments: Sequence[str]) -> int:
    """Run it. Raises UsageError and ConfigError for what the user has to mend."""
    if not arguments or arguments[0] in ("--list", "-l"):
        _write("\n".join(f"{tool.name:18} {tool.title}" for tool in TOOLS.values()))
        return Exit.CLEAN
    name = arguments[0]
    tool = TOOLS.get(name)
    if tool is None:
        raise UsageError(f"no tool {name!r}", hint=f"Known: {', '.join(TOOLS)}.")
    parser = _parser(tool)
    given = parser.parse_args(list(arguments[1:]))
    named: dict[str, object] = vars(given)
    folders = checked_roots_of(cast("list[Path]", named.pop("root")))
    fmt = cast("str", named.pop("format"))
    values = {key: cast("Json", value) for key, value in named.items() if value is not None}
    sessions = open_roots(folders, os.environ)
    try:
        return _run(tool, values, fmt, Catalog(tools_setup(folders, sessions)))
    finally:
        for session in sessions:
            session.close()


def checked_roots_of(folders: Sequence[Path]) -> tuple[Path, ...]:
    """The roots that may be looked at. Raises UsageError."""
    try:
        return checked_roots(folders)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _run(tool: Tool, arguments: JsonObject, fmt: str, catalog: Catalog) -> int:
    view = catalog.view()
    try:
        outcome = tool.outcome(view, arguments)
        if isinstance(outcome, Report):
            report = at_least(outcome, str(arguments.get("min_severity", "note")))
            about = ToolInfo(f"kimi-lsp {tool.name}", __version__, _URI)
            context = Context(about, lambda path: source_of(view.project, path), f"{_URI}/blob/main/docs")
            _write(render(report, Format(fmt), context))
            return Exit.CLEAN if report.is_complete else Exit.INCOMPLETE
        if fmt not in (Format.TEXT, Format.JSON):
            raise UsageError(f"--format {fmt}: {tool.name} has text and json")
        answer = tool.answer(view, arguments, Room(None, None))
    except ArgumentError as error:
        raise UsageError(f"{tool.name}: {error}") from None
    if answer.is_error:
        raise UsageError(answer.text)
    _write(answer.text if fmt == Format.TEXT else dumps(answer.data, 2))
    return Exit.CLEAN


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()


def _parser(tool: Tool) -> argparse.ArgumentParser:
    """A parser of a tool's parameters. Bounds are the model's: it says what is wrong with a value."""
    parser = argparse.ArgumentParser(
        prog=f"kimi-lsp tool {tool.name}", description=tool.description, allow_abbrev=False
    )
    parser.add_argument(
        "--root", action="append", type=Path, default=[], metavar="DIR", help="the project; the current folder if none"
    )
    parser.add_argument(
        "--format", default=Format.TEXT.value, choices=[each.value for each in Format], help="of the answer"
    )
    for name, field in tool.params.model_fields.items():
        if name not in _OF_PAGES:
            _add(parser, name, field)
    return parser


def _add(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    flag, kind = f"--{name.replace('_', '-')}", _kind(field)
    about = field.description or ""
    if kind is bool:
        parser.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=about)
    elif get_origin(kind) is list:
        parser.add_argument(flag, dest=name, action="append", default=None, help=f"{about} May be given again.")
    elif get_origin(kind) is Literal:
        parser.add_argument(flag, dest=name, choices=get_args(kind), default=None, help=about)
    else:
        of = int if kind is int else str
        parser.add_argument(flag, dest=name, type=of, default=None, required=field.is_required(), help=about)


def _kind(field: FieldInfo) -> object:
    """A field's type without None."""
    annotation: object = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        real = [each for each in get_args(annotation) if each is not NoneType]
        return cast("object", real[0])
    return annotation
