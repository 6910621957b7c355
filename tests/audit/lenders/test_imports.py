"""What lenders must not cost those who have none."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]


def test_importing_the_lenders_imports_no_sdk() -> None:
    code = "import sys, kimi_lsp.audit.lenders, kimi_lsp.config; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=_ROOT
    )
    assert not {"mcp", "mcp_types", "httpx2", "openai", "starlette", "uvicorn"} & set(done.stdout.split())
