"""Tests of the store: ledger, trail, cache, consents, verdicts, and what becomes of them when things break."""
