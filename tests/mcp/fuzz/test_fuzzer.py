"""mcp-fuzzer against every tool, with a limit of the address space."""

import json
import sys
from pathlib import Path

from mcp_tools.catalog import TOOLS
from tests.fakes.json_value import Json, get
from tests.mcp.clients import world as worlds
from tests.mcp.clients.agents import FUZZER, start
from tests.mcp.clients.world import words
from tests.mcp.fuzz import limited
from tests.mcp.fuzz.memory import watched

ADDRESS_SPACE = 1 << 30
MAX_MIB = 200
RUNS = 10
BAD = ("crashed", "exceptions", "anomaly")


def test_every_tool_survives_the_fuzzer_and_stays_small(tmp_path: Path) -> None:
    world = worlds.make(tmp_path)
    command = (sys.executable, str(limited.__file__), str(ADDRESS_SPACE), "--root", str(world.root))
    with watched(str(world.root)) as peak:
        done = world.run(
            start(FUZZER),
            *("--mode", "tools", "--phase", "both", "--runs", str(RUNS), "--seed", "1"),
            *("--protocol", "stdio", "--endpoint", " ".join(command), "--timeout", "20"),
            *("--no-network", "--no-corpus", "--output-dir", str(tmp_path / "report")),
        )
    world.wait_until_gone()

    assert done.code == 0, words(done)
    report = json.loads((tmp_path / "report" / "run_summary.json").read_text("utf-8"))
    by_name = get(report, "tools", "by_name")
    assert isinstance(by_name, dict)
    assert set(by_name) == set(TOOLS)
    assert {name: _bad(outcome) for name, outcome in by_name.items() if _bad(outcome)} == {}
    assert all(get(outcome, "total_runs") == 2 * RUNS for outcome in by_name.values()), words(done)
    assert peak.processes >= 2, "the server and a worker were not seen: nor was their memory"
    assert peak.mib < MAX_MIB


def _bad(outcome: Json) -> dict[str, Json]:
    return {name: count for name in BAD if (count := get(outcome, "outcomes", name)) != 0}
