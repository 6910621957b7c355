"""Look at a project: which files there are, what stands in one, where a text stands. Secrets are never shown."""

from mcp_tools.browse.excerpt import Excerpt, read_lines
from mcp_tools.browse.fence import fence, nonce
from mcp_tools.browse.files import FileEntry, Files, list_files
from mcp_tools.browse.places import Chosen, choose, named, outside, refused
from mcp_tools.browse.search import Match, Matches, search

__all__ = [
    "Chosen",
    "Excerpt",
    "FileEntry",
    "Files",
    "Match",
    "Matches",
    "choose",
    "fence",
    "list_files",
    "named",
    "nonce",
    "outside",
    "read_lines",
    "refused",
    "search",
]
