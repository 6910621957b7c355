import subprocess
import sys

import pytest

SDKS = ("openai", "httpx2", "sqlalchemy", "mcp", "acp", "pygls", "lsprotocol", "watchfiles")
TERMINAL = ("typer", "rich")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded after some code ran in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_version_is_answered_before_anything_is_imported() -> None:
    code = "import sys; sys.argv = ['kimi-lsp', '--version']; from kimi_lsp.__main__ import main; assert main() == 0"
    assert not loaded_by(code) & {*SDKS, *TERMINAL, "pydantic", "mcp_tools", "asyncio"}


@pytest.mark.parametrize(
    "package", ["mcp_tools.project", "mcp_tools.redaction", "mcp_tools.output", "mcp_tools.security_surface"]
)
def test_a_tool_imports_no_sdk_and_no_terminal(package: str) -> None:
    assert not loaded_by(f"import {package}") & {*SDKS, *TERMINAL, "kimi_lsp"}


@pytest.mark.parametrize("package", ["kimi_lsp.audit", "kimi_lsp.app.session", "kimi_lsp.store", "kimi_lsp.model"])
def test_the_core_imports_no_sdk_before_it_is_needed(package: str) -> None:
    assert not loaded_by(f"import {package}") & {*SDKS, *TERMINAL}


@pytest.mark.parametrize("face", ["kimi_lsp.acp.server", "kimi_lsp.lsp.server"])
def test_a_face_of_an_editor_serves_before_any_sdk_is_loaded(face: str) -> None:
    assert not loaded_by(f"import {face}") & ({*SDKS, *TERMINAL} - {"watchfiles"})


def test_the_command_line_imports_no_sdk_to_show_its_help() -> None:
    assert not loaded_by("from kimi_lsp.cli.main import run; run(['audit', '--help'])") & set(SDKS)


def test_an_audit_at_depth_local_never_loads_the_model_client() -> None:
    code = (
        "import os, tempfile; os.environ['KIMI_LSP_STATE_DIR'] = tempfile.mkdtemp(); root = tempfile.mkdtemp()\n"
        "from kimi_lsp.cli.main import run; assert run(['audit', root]) == 0"
    )
    assert not loaded_by(code) & {"openai", "httpx2", "mcp", "acp", "pygls"}
