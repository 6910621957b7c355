"""Tests of `mcp_tools.security_surface` and of the rule pages, whose examples are its labelled set."""
