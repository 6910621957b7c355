"""The tests of kimi-lsp; `tests.fakes` stands in for Moonshot alone, `tests.bench` measures."""
