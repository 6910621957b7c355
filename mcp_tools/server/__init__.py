"""The MCP server: the table of tools for any agent, over stdio and streamable HTTP, in both protocol eras."""
