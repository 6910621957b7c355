"""Deterministic, offline, read-only project tools. Usable alone; knows nothing of `kimi_lsp` or of any model."""
