"""Serve the project tools with the user's and the projects' settings."""

import os
from collections.abc import Sequence

from kimi_lsp import __version__
from kimi_lsp.app.lend import open_roots, private_state, tools_setup
from kimi_lsp.app.review import review_tool
from mcp_tools.server.main import main, parse
from mcp_tools.server.options import Prepared

_PROG = "kimi-lsp mcp"


def run(arguments: Sequence[str]) -> int:
    """Serve. Raises UsageError and ConfigError for what the user has to mend."""
    options = parse(arguments, _PROG)
    sessions = open_roots(options.roots, os.environ)
    try:
        setup = tools_setup(options.roots, sessions, for_models=True)
        extra = review_tool(options.roots[0], os.environ, sessions[0].settings) if len(sessions) == 1 else None
        if extra is None:
            return main(options, Prepared(setup, __version__), _PROG)
        writable = (private_state(sessions[0]),)  # the ledger and the trail
        return main(options, Prepared(setup, __version__, (extra,), writable), _PROG)
    finally:
        for session in sessions:
            session.close()
