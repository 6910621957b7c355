"""The table of tools: one description, one parameter model and one function each, for MCP, a model and the terminal.

What it exports is loaded when it is first named: whoever needs the values alone pays for nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_tools.catalog.run import Catalog
    from mcp_tools.catalog.table import TOOLS
    from mcp_tools.catalog.tool import Tool, input_schema, output_schema
    from mcp_tools.catalog.values import Answer, Json, JsonObject, RootSetup, Setup, setup_json, setup_of

__all__ = [
    "TOOLS",
    "Answer",
    "Catalog",
    "Json",
    "JsonObject",
    "RootSetup",
    "Setup",
    "Tool",
    "input_schema",
    "output_schema",
    "setup_json",
    "setup_of",
]

_HOMES = {"Catalog": "run", "TOOLS": "table", "Tool": "tool", "input_schema": "tool", "output_schema": "tool"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'values')}"), name)
