"""Benchmarks: `python -m tests.bench NAME [--quick]`. Each module has `run(quick)` that yields Figures."""
