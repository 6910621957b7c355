"""Tests of `mcp_tools.output`."""
