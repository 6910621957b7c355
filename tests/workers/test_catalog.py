"""The real worker: the catalog's tools behind the pool, with all its rights given up."""

from pathlib import Path

import anyio

from mcp_tools.catalog.values import RootSetup, Setup
from mcp_tools.workers import Pool
from tests.workers.pools import WAIT_S

CODE = "import subprocess\n\n\ndef go(x):\n    subprocess.run('ls ' + x, shell=True)\n    assert x\n    exec(x)\n"


async def test_a_tool_of_the_catalog_answers_from_a_confined_worker_and_its_ruff_runs(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CODE)
    with anyio.fail_after(WAIT_S):
        async with Pool(Setup((RootSetup(str(tmp_path)),)), size=1) as pool:
            listing = await pool.call("list_files", {}, deadline_s=WAIT_S)
            scan = await pool.call("security_surface", {}, deadline_s=WAIT_S)
            refused = await pool.call("list_files", {"no_such": 1}, deadline_s=WAIT_S)
    assert not listing.is_error, listing.text
    assert "app.py" in listing.text
    assert not scan.is_error, scan.text
    assert "app.py:5" in scan.text
    assert "ruff" not in scan.text, scan.text  # no notice that it could not be used
    assert refused.is_error
    assert "no_such" in refused.text
