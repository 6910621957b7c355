from pathlib import Path

import pytest

from kimi_lsp.config import Depth
from kimi_lsp.lsp.client_settings import ClientSettings
from kimi_lsp.lsp.workspace import Workspace


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"KIMI_LSP_STATE_DIR": str(tmp_path / "state"), "KIMI_LSP_CONFIG": str(tmp_path / "config.toml")}


@pytest.fixture
def workspace(tmp_path: Path, environ: dict[str, str]) -> Workspace:
    (tmp_path / "config.toml").write_text("")
    for folder in ("mono/.git", "mono/app/src", "mono/lib/.git", "plain/deep"):
        (tmp_path / folder).mkdir(parents=True)
    return Workspace(environ)


def test_a_file_belongs_to_the_innermost_repository_around_it(tmp_path: Path, workspace: Workspace) -> None:
    workspace.set_folders([tmp_path / "mono" / "app"])
    home = workspace.home_of(tmp_path / "mono" / "app" / "src" / "a.py")
    assert home.root == tmp_path / "mono"
    assert home.relative(tmp_path / "mono" / "app" / "src" / "a.py") == "app/src/a.py"
    assert workspace.home_of(tmp_path / "mono" / "lib" / "b.py").root == tmp_path / "mono" / "lib"


def test_without_a_mark_the_open_folder_is_the_project_and_without_one_the_files_own(
    tmp_path: Path, workspace: Workspace
) -> None:
    workspace.set_folders([tmp_path / "plain"])
    assert workspace.home_of(tmp_path / "plain" / "deep" / "a.py").root == tmp_path / "plain"
    workspace.set_folders([])
    assert workspace.home_of(tmp_path / "plain" / "deep" / "a.py").root == tmp_path / "plain" / "deep"
    assert workspace.primary() is None


def test_a_file_in_a_folder_that_is_not_there_yet_belongs_to_the_project_around_it(
    tmp_path: Path, workspace: Workspace
) -> None:
    home = workspace.home_of(tmp_path / "plain" / "new" / "dir" / "a.py")
    assert home.session is not None
    assert home.relative(tmp_path / "plain" / "new" / "dir" / "a.py") == "new/dir/a.py"


def test_a_project_is_opened_once_and_anew_when_it_is_forgotten(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "mono" / "a.py"
    first = workspace.home_of(path)
    assert workspace.home_of(path) is first
    (tmp_path / "mono" / "kimi.toml").write_text('exclude = ["a.py"]\n')
    workspace.forget(first.root)
    second = workspace.home_of(path)
    assert second.is_ignored("a.py")
    assert not first.is_ignored("a.py")


def test_a_configuration_that_is_wrong_is_a_problem_of_its_project_alone(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "mono" / "kimi.toml").write_text('depht = "local"\n')
    home = workspace.home_of(tmp_path / "mono" / "a.py")
    assert home.session is None
    assert home.problem is not None
    assert "depht" in home.problem.line
    assert home.is_ignored("a.py")
    assert workspace.home_of(tmp_path / "plain" / "a.py").session is not None


def test_what_git_ignores_is_ignored(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "mono" / ".gitignore").write_text("build/\n*.gen.py\n")
    home = workspace.home_of(tmp_path / "mono" / "a.py")
    assert [home.is_ignored(path) for path in ("a.py", "build/a.py", "x/y.gen.py", "build")] == [
        False,
        True,
        True,
        False,  # a file of that name
    ]


def test_an_audit_that_is_asked_for_uses_the_model_where_there_is_one(
    tmp_path: Path, workspace: Workspace, environ: dict[str, str]
) -> None:
    root = tmp_path / "mono"
    assert workspace.wants_model(workspace.home_of(root)) is Depth.LOCAL
    keyed = Workspace({**environ, "KIMI_LSP_API_KEY": "x" * 20})
    assert keyed.wants_model(keyed.home_of(root)) is Depth.SCREEN
    local = Workspace({**environ, "KIMI_LSP_API_KEY": "x" * 20, "KIMI_LSP_DEPTH": "local"})
    assert local.wants_model(local.home_of(root)) is Depth.LOCAL


def test_the_clients_depth_counts_and_a_project_can_still_lower_it(
    tmp_path: Path, environ: dict[str, str], workspace: Workspace
) -> None:
    del workspace
    keyed = Workspace({**environ, "KIMI_LSP_API_KEY": "x" * 20})
    assert keyed.set_client(ClientSettings(depth="dual"))
    assert keyed.wants_model(keyed.home_of(tmp_path / "mono")) is Depth.DUAL
    (tmp_path / "mono" / "kimi.toml").write_text('depth = "local"\n')
    keyed.forget()
    assert keyed.wants_model(keyed.home_of(tmp_path / "mono")) is Depth.LOCAL
    assert not keyed.set_client(ClientSettings(depth="dual", debounce_ms=1))
