"""The server as it is: no check fails of any scenario that asks for nothing it has not, and every message is valid.

The other scenarios call tools, resources and prompts that a suite names; `test_fixtures.py` has those.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.server.app import build
from mcp_tools.workers import Pool
from tests.mcp.clients import world as worlds
from tests.mcp.clients.agents import CONFORMANCE, start
from tests.mcp.conformance.serving import listening
from tests.mcp.conformance.suite import run

_OLD, _NEW = CONFORMANCE
_LISTS = {"completion-complete", "tools-list", "resources-list", "prompts-list"}
_HANDSHAKE = {*_LISTS, "server-initialize", "ping", "dns-rebinding-protection", "server-sse-multiple-streams"}
_NO_TOOL_FOR_IT = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
}
"""Checks of `server-stateless` that call a tool by name."""


@dataclass(frozen=True, slots=True)
class Case:
    """A run of a suite, and the scenarios of it that ask for nothing."""

    suite: str
    arguments: tuple[str, ...]
    scenarios: frozenset[str]


CASES = (
    Case(_OLD, ("--suite", "all"), frozenset(_HANDSHAKE)),
    Case(_NEW, ("--requirements", "2025-11-25"), frozenset({*_HANDSHAKE, "server-session-lifecycle"})),
    Case(
        _NEW,
        ("--requirements", "2026-07-28"),
        frozenset(
            {
                *_LISTS,
                "dns-rebinding-protection",
                "server-sse-multiple-streams",
                "server-stateless",
                "sep-2164-resource-not-found",
                "caching",
                "http-header-validation",
                "input-required-result-unsupported-methods",
                "input-required-result-ignore-extra-params",
                "input-required-result-missing-input-response",
                "input-required-result-validate-input",
            }
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.suite, *case.arguments)))
async def test_no_check_fails_that_needs_no_fixture(
    case: Case, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = start(case.suite)
    world = worlds.make(tmp_path_factory.mktemp("world"))
    async with (
        Pool(Setup((RootSetup(str(world.root)),), key="5e" * 32), size=1) as pool,
        listening(build(pool, version="1")) as url,
    ):
        outcome = await run(program, url, tmp_path, *case.arguments)

    passed = {check.scenario for check in outcome.checks if check.status == "SUCCESS"}
    assert case.scenarios <= passed, outcome.words
    failures = [check for check in outcome.failures if check.id not in _NO_TOOL_FOR_IT]
    assert [check for check in failures if check.scenario in case.scenarios] == []
    assert [check for check in failures if check.id == "wire-schema-valid"] == []
