"""The read-only view of a tree that every tool works on: DiskProject, Overlay, MemoryProject, Source."""

from mcp_tools.project.base import Listing, Project, inside, select
from mcp_tools.project.decode import decode
from mcp_tools.project.disk import DiskProject, Limits
from mcp_tools.project.language import CODE, language_of
from mcp_tools.project.memory import MemoryProject, Overlay
from mcp_tools.project.patterns import Patterns
from mcp_tools.project.source import Source

__all__ = [
    "CODE",
    "DiskProject",
    "Limits",
    "Listing",
    "MemoryProject",
    "Overlay",
    "Patterns",
    "Project",
    "Source",
    "decode",
    "inside",
    "language_of",
    "select",
]
