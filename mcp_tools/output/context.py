"""What a report is rendered with: the format, the tool that speaks, the sources it may quote."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mcp_tools.output.escape import safe_uri
from mcp_tools.project import Source


class Format(StrEnum):
    """A form of report."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    RDJSON = "rdjson"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """Who speaks: a name, a version, and the URI of a page about it."""

    name: str
    version: str
    uri: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a report does not say itself.

    Args:
        tool: who speaks.
        sources: the text of a path as it was when the findings were made; None when it cannot be had. Called once a
            path and a report.
        help_base: the URI below which the rules' pages lie; empty when there is none.
        category: tells the analyses of one commit apart in SARIF.
        facts: ordered label and value pairs about the run, such as `("cost", "$0.0123 of $1.00")`.
        with_suppressed: list suppressed findings in JSON and SARIF, marked as such. GitHub's code scanning does not
            read the mark and opens an alert for each: False for what is uploaded there. The other formats never list
            them, they count them.
    """

    tool: ToolInfo
    sources: Callable[[str], Source | None]
    help_base: str
    category: str = "kimi-lsp"
    facts: tuple[tuple[str, str], ...] = ()
    with_suppressed: bool = True

    def help_uri(self, help_path: str) -> str | None:
        """The absolute URI of a rule's page."""
        return f"{self.help_base.rstrip('/')}/{safe_uri(help_path)}" if self.help_base else None
