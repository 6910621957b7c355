"""The ACP agent."""
