"""Run the tools of the table on the projects of a set-up: what a worker does."""

from mcp_tools.catalog.handle import CursorError
from mcp_tools.catalog.resources import FILE, PATHS, REPORT, paths_answer, report_answer, text_answer
from mcp_tools.catalog.table import TOOLS
from mcp_tools.catalog.tool import ArgumentError
from mcp_tools.catalog.values import Answer, JsonObject, Setup
from mcp_tools.catalog.view import Memo, RootError, View, signer_of


class Catalog:
    """The tools on these projects. Blocking; safe to use from several threads."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._signer = signer_of(setup)
        self._memo = Memo()

    def call(self, name: str, arguments: JsonObject) -> Answer:
        """Call a tool. What is wrong with the arguments or the project is an answer that says so.

        Raises:
            KeyError: there is no such tool.
        """
        try:
            view = self.view()
            match name:
                case _ if name == REPORT:
                    return report_answer(view, arguments)
                case _ if name == FILE:
                    return text_answer(view, arguments)
                case _ if name == PATHS:
                    return paths_answer(view, arguments)
                case _:
                    return TOOLS[name].answer(view, arguments)
        except (ArgumentError, CursorError, RootError) as error:
            return Answer(str(error) if name.startswith("@") else f"{name}: {error}", {}, is_error=True)

    def view(self) -> View:
        """The projects as they will be at the first look at them."""
        return View(self._setup, self._signer, self._memo)
