"""Readers: the text of a manifest or lockfile to its dependencies, each with its place. Pure; they never raise."""

from mcp_tools.dependency_scan.readers.gather import MAX_DEPENDENCIES, Opener
from mcp_tools.dependency_scan.readers.registry import MAX_CHARS, Reader, read_file, reader_of

__all__ = ["MAX_CHARS", "MAX_DEPENDENCIES", "Opener", "Reader", "read_file", "reader_of"]
