"""What the documentation says of the settings is what they are."""

import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from kimi_lsp.config import Options, ProjectOptions, load, project_options
from kimi_lsp.config.options import keys
from kimi_lsp.config.table import settings_table
from kimi_lsp.model.profiles import profile_for

_PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_table_in_the_documentation_is_the_generated_one() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    written = page.split("<!-- settings -->\n")[1]
    assert written == settings_table(), "run: python -m kimi_lsp.config.table"


def test_every_setting_is_described() -> None:
    assert all(about.text.endswith(".") for _, about in keys(Options))
    assert {key for key, _ in keys(ProjectOptions)} <= {key for key, _ in keys(Options)}


def _examples(kind: str) -> list[str]:
    blocks = _PAGE.read_text(encoding="utf-8").split("```toml\n")[1:]
    return [text for block in blocks if (text := block.partition("```")[0]).startswith(f"# {kind}")]


def test_the_examples_in_the_documentation_are_valid(tmp_path: Path) -> None:
    assert (len(_examples("config.toml")), len(_examples("kimi.toml"))) == (3, 1)
    for number, text in enumerate(_examples("config.toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        resolved = load(environ={}, user_file=path)
        assert resolved.notices == ()
        assert profile_for(resolved.settings.model, resolved.settings.base_url, resolved.settings.profile)
    for text in _examples("kimi.toml"):
        assert project_options(text, "kimi.toml").model_fields_set >= set(tomllib.loads(text))


@pytest.mark.parametrize(
    "banned", ["openai", "rich", "typer", "sqlalchemy", "pathspec", "tree_sitter", "anyio", "httpx2"]
)
def test_importing_the_configuration_imports_nothing_heavy_but_pydantic(banned: str) -> None:
    assert banned not in _imported()


@cache
def _imported() -> frozenset[str]:
    code = "import sys, kimi_lsp.config; print(*{name.partition('.')[0] for name in sys.modules})"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, timeout=60
    )
    return frozenset(done.stdout.split())
