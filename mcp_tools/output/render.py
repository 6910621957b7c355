"""One door to every format. A format's module is imported when it is asked for."""

from mcp_tools.finding import Report
from mcp_tools.output.context import Context, Format
from mcp_tools.output.text import render_text


def render(report: Report, fmt: Format, context: Context) -> str:
    """The report in a format, ending with a line end."""
    match fmt:
        case Format.TEXT:
            return render_text(report, context)
        case Format.JSON:
            from mcp_tools.output.document import render_json  # noqa: PLC0415 - pydantic costs more than a small report

            return render_json(report, context)
        case Format.SARIF:
            from mcp_tools.output.sarif import render_sarif  # noqa: PLC0415 - with its kin, for one importing style

            return render_sarif(report, context)
        case Format.MARKDOWN:
            from mcp_tools.output.markdown import render_markdown  # noqa: PLC0415 - loads with its format

            return render_markdown(report, context)
        case Format.RDJSON:
            from mcp_tools.output.rdjson import render_rdjson  # noqa: PLC0415 - loads with its format

            return render_rdjson(report, context)
        case Format.GITLAB:
            from mcp_tools.output.gitlab import render_gitlab  # noqa: PLC0415 - loads with its format

            return render_gitlab(report, context)
