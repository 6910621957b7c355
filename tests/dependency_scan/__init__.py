"""Tests of `mcp_tools.dependency_scan`."""
