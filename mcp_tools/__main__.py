"""`python -P -m mcp_tools`: the MCP server alone, with no configuration, no model and no state.

Without `-P` Python looks for modules in the current folder first, which may be somebody's project: the next lines take
that back before anything is imported from there. Only a project's own `mcp_tools` would still come first.
"""

import os
import sys

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is an import
if not sys.flags.safe_path and sys.path and os.path.abspath(sys.path[0]) != _OURS:  # noqa: PTH100 - as above
    del sys.path[0]


def main() -> int:
    """Serve the projects that the command line names."""
    from importlib import metadata  # noqa: PLC0415 - not before the path is safe

    from mcp_tools.server.main import main as serve  # noqa: PLC0415 - as above
    from mcp_tools.server.main import parse, plain  # noqa: PLC0415 - as above

    prog = "python -P -m mcp_tools"
    options = parse(sys.argv[1:], prog)
    return serve(options, plain(options, metadata.version("kimi-lsp")), prog)


if __name__ == "__main__":
    sys.exit(main())
