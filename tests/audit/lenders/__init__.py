"""Tests of the lenders: MCP servers of others, kind and hostile, over real pipes and sockets."""
