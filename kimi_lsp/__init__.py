"""kimi-lsp: a bounded, read-only AI engineering auditor. This module holds the version and imports nothing."""

__version__ = "0.1.0"
