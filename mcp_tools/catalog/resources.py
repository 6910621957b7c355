"""What the resources of the server need of a project: a whole report, a file's text, paths that begin with a word."""

from typing import Final, cast

from pydantic import Field

from mcp_tools.browse import named, read_lines
from mcp_tools.catalog.page import Room
from mcp_tools.catalog.params import Params, PathText
from mcp_tools.catalog.table import TOOLS
from mcp_tools.catalog.tool import parsed
from mcp_tools.catalog.values import Answer, JsonObject
from mcp_tools.catalog.view import View
from mcp_tools.finding import Notice
from mcp_tools.output import printable

REPORT: Final = "@report"
FILE: Final = "@file"
PATHS: Final = "@paths"
_MAX_LINES = 1_000_000
_MAX_CHARS = 1_000_000
_TOO_LARGE = "too large for a resource: read_file reads it part by part"
_MAX_VALUES = 100


class ReportParams(Params):
    """A report as an answer named it."""

    tool: str
    arguments: dict[str, object]  # the tool's own model checks them
    uri: str


class FileParams(Params):
    """A file."""

    path: PathText


class PathsParams(Params):
    """The beginning of a path."""

    prefix: str = Field(default="", max_length=1_024)


def report_answer(view: View, arguments: JsonObject) -> Answer:
    """All findings of a call, if it still finds what it found when the report was named."""
    params = parsed(ReportParams, arguments)
    kept = cast("JsonObject", {key: value for key, value in params.arguments.items() if key not in ("limit", "cursor")})
    answer = TOOLS[params.tool].answer(view, kept, Room(_MAX_CHARS, None, with_report=True))
    if answer.data.get("report") != params.uri:
        return Answer("expired: the results have changed, run the tool again", {}, is_error=True)
    return answer


def text_answer(view: View, arguments: JsonObject) -> Answer:
    """A file's text, secrets redacted, as it is but for characters that hide; whole, or an error."""
    params = parsed(FileParams, arguments)
    path = named(view.project, params.path)
    excerpt = path if isinstance(path, Notice) else read_lines(view.project, path, max_lines=_MAX_LINES)
    if isinstance(excerpt, Notice):
        return Answer(excerpt.message, {}, is_error=True)
    text = "\n".join(printable(line, keep="\t") for line in excerpt.lines)
    if excerpt.total_lines > len(excerpt.lines) or len(text) > _MAX_CHARS:
        return Answer(_TOO_LARGE, {}, is_error=True)
    return Answer(text, {})


def paths_answer(view: View, arguments: JsonObject) -> Answer:
    """The first listed paths that begin like this, for completion: as answers show them."""
    params = parsed(PathsParams, arguments)
    found = [path for path in map(printable, view.project.listing().paths) if path.startswith(params.prefix)]
    return Answer("\n".join(found[:_MAX_VALUES]), {"total": len(found), "values": [*found[:_MAX_VALUES]]})
