"""Find what makes code easy to attack: secrets, injection, unsafe loaders, TLS unchecked, weak hashes, debug modes.

Deterministic and offline. Three engines, one result: the secrets scan of `mcp_tools.redaction` over every text,
tree-sitter queries (data, in `queries/`) with gates for what a query cannot say, and ruff's `S` rules for Python.
"""

from mcp_tools.security_surface.engine import AUTO, scan, scan_source
from mcp_tools.security_surface.live import LiveScan
from mcp_tools.security_surface.rules import RULES

__all__ = ["AUTO", "RULES", "LiveScan", "scan", "scan_source"]
