"""Tools that MCP servers of the user's own configuration lend to a review. Importing this imports no SDK.

The only place on the client's side that knows the `mcp` SDK. What a lender says is a stranger's text: it is bounded,
made printable and handed on as data; whoever sends it to a model redacts it first, as any text.
"""

from kimi_lsp.audit.lenders.lent import LentTools, lent_tools

__all__ = ["LentTools", "lent_tools"]
