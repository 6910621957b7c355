"""Keep secrets from leaving: find them, refuse the files made for them, swap them for placeholders and back."""

from mcp_tools.redaction.deny import is_denied
from mcp_tools.redaction.find import find_secrets, mask
from mcp_tools.redaction.redactor import Redacted, Redactor
from mcp_tools.redaction.secret import Secret

__all__ = ["Redacted", "Redactor", "Secret", "find_secrets", "is_denied", "mask"]
