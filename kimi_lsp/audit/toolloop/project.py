"""The project tools for a model: rows of the catalog become tool specs, calls go to whoever runs the catalog."""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING, cast

from kimi_lsp.audit.toolloop.toolbox import ErrorText
from kimi_lsp.model import JsonObject, ToolSpec
from mcp_tools.finding import Notice

if TYPE_CHECKING:  # the catalog is heavy, and only the caller needs it
    from mcp_tools.catalog.values import Answer

Caller = Callable[[str, JsonObject], Awaitable["Answer"]]
"""Runs one tool of the catalog, killed at a deadline. KeyError: no such tool."""

ToolRow = tuple[str, str, JsonObject]
"""A tool's name, its description, and the JSON Schema of its arguments."""


class ProjectToolbox:
    """The tools of the catalog that a model may use."""

    def __init__(self, caller: Caller, rows: Iterable[ToolRow], allowed: Collection[str] | None = None) -> None:
        """Offer the rows whose name is in `allowed`; all of them when it is None.

        Raises ValueError for a name that no endpoint takes.
        """
        self._caller = caller
        self._specs = tuple(ToolSpec(*row) for row in rows if allowed is None or row[0] in allowed)
        self._names = frozenset(spec.name for spec in self._specs)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools, in the catalog's order."""
        return self._specs

    @property
    def notices(self) -> tuple[Notice, ...]:
        """None: what a tool left out stands in its answer."""
        return ()

    async def call(self, name: str, arguments: str) -> str:
        """Run a tool. Its text alone is for the model: the same page as JSON would only cost more."""
        if name not in self._names:
            return ErrorText("there is no such tool")
        try:
            parsed: object = json.loads(arguments)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            return ErrorText("the arguments are no JSON object")
        try:
            answer = await self._caller(name, cast("JsonObject", parsed))
        except KeyError:
            return ErrorText("there is no such tool")
        return ErrorText(answer.text) if answer.is_error else answer.text
