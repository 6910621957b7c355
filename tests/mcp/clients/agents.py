"""Which agents and suites are here: those that `.ci/agents.py` installed."""

import os
from pathlib import Path

import pytest

CONFORMANCE = ("conformance-0.1.16", "conformance-0.2.0-alpha.12")
INSPECTOR, FUZZER = "inspector-2.12.0", "mcp-fuzzer-0.7.0"
KIMI_CODE, GEMINI, CLAUDE = "kimi-code-2.1.0", "gemini-cli-0.61.0", "claude-code-2.1.197"


def folder() -> Path:
    """Where they are looked for: KIMI_TEST_AGENTS, else the folder that `.ci/agents.py` fills."""
    return Path(os.environ.get("KIMI_TEST_AGENTS") or Path.home() / ".cache" / "kimi-lsp-ci" / "agents")


def start(name: str) -> str:
    """The program that starts one, or the end of the test: skipped, failed where KIMI_TEST_REQUIRE_AGENTS=1."""
    path = folder() / name / "start"
    if path.is_file():
        return str(path)
    reason = f"no {name} in {folder()}: run `python3 .ci/agents.py`"
    if os.environ.get("KIMI_TEST_REQUIRE_AGENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
