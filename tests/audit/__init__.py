"""Tests of `kimi_lsp.audit`."""
