"""Reports for people, programs and platforms: text, JSON, SARIF 2.1.0, Markdown, rdjson, GitLab code quality.

Rendering is pure but for the sources it asks the context for. It never raises for what a report or a source holds, the
result can always be encoded as UTF-8, and the same input gives the same bytes.
"""

from mcp_tools.output.context import Context, Format, ToolInfo
from mcp_tools.output.escape import printable, safe_uri
from mcp_tools.output.render import render
from mcp_tools.output.text import finding_text, summary_text

__all__ = ["Context", "Format", "ToolInfo", "finding_text", "printable", "render", "safe_uri", "summary_text"]
