"""Which ACP clients are here: those that `.ci/agents.py` installed."""

from pathlib import Path

from tests.mcp.clients.agents import folder, start

ACPX, TYPESCRIPT, CHUK = "acpx-0.19.1", "acp-sdk-2.4.0", "chuk-acp-0.3.2"
PYTHON = ("acp-python-0.12.1", "acp-python-1.0.0rc3")


def schema_file() -> Path:
    """The newest stable schema of the protocol. Skips or fails the test, as `start` does, where it is not here."""
    start(TYPESCRIPT)
    return folder() / TYPESCRIPT / "node_modules" / "@agentclientprotocol" / "sdk" / "schema" / "v1" / "schema.json"


__all__ = ["ACPX", "CHUK", "PYTHON", "TYPESCRIPT", "schema_file", "start"]
