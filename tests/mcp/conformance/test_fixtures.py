"""The product's registry, guard and transport with the fixtures that the suites want: nothing fails unexpectedly."""

from pathlib import Path

import pytest

from mcp_tools.catalog import Answer, JsonObject
from tests.mcp.clients.agents import CONFORMANCE, start
from tests.mcp.conformance.fixture_server import build
from tests.mcp.conformance.serving import listening
from tests.mcp.conformance.suite import run

OLD, NEW = CONFORMANCE
NOT_SCORED = "tasks-"  # an extension, which neither the SDK nor this server has
EXPECTED = Path(__file__).with_name("expected-failures.yml")


class Nobody:
    """Runs no tool: the fixtures are called, not the table's."""

    async def call(self, name: str, arguments: JsonObject, *, deadline_s: float) -> Answer:
        """Say so."""
        return Answer(
            f"{name} with {len(arguments)} arguments within {deadline_s} s is not for here", {}, is_error=True
        )


@pytest.mark.parametrize(
    ("suite", "arguments", "checks"),
    [(OLD, "--suite all", 30), (NEW, "--requirements 2025-11-25", 65), (NEW, "--requirements 2026-07-28", 130)],
)
async def test_nothing_fails_that_is_not_expected_to(suite: str, arguments: str, checks: int, tmp_path: Path) -> None:
    program = start(suite)
    options = (*arguments.split(), "--expected-failures", str(EXPECTED))
    async with listening(build(Nobody())) as url:
        outcome = await run(program, url, tmp_path, *options)

    assert outcome.code == 0, outcome.words
    failed = {check.scenario for check in outcome.failures if not check.scenario.startswith(NOT_SCORED)}
    assert failed <= expected(), outcome.words
    assert outcome.passed >= checks, outcome.words


def expected() -> set[str]:
    """The scenarios in the list of expected failures."""
    lines = (line.strip() for line in EXPECTED.read_text("utf-8").splitlines())
    return {line.removeprefix("- ") for line in lines if line.startswith("- ")}
