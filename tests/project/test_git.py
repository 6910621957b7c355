import os
import subprocess
from pathlib import Path

import pytest

from mcp_tools.project import DiskProject
from mcp_tools.project.git import GitError, changed_since, find_program, lines_changed_since, text_at

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "same.py").write_text("x = 1\n")
    (tmp_path / "edited.py").write_text("y = 1\n")
    (tmp_path / "ends.py").write_bytes(b"a = 1\nb = 2\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "é.py").write_text("z = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "edited.py").write_text("y = 2\n")
    (tmp_path / "ends.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    (tmp_path / "added.py").write_text("n = 1\n")
    return tmp_path


def test_edited_and_added_files_have_changed_and_line_ends_have_not(repository: Path) -> None:
    assert changed_since(DiskProject(repository), "HEAD") == ("added.py", "edited.py")


def test_changed_lines_are_named_by_file_and_a_new_file_is_new(repository: Path) -> None:
    (repository / "same.py").write_text("x = 1\nw = 2\n")
    changed = lines_changed_since(DiskProject(repository), "HEAD")
    assert changed == {"added.py": None, "edited.py": [(0, 0)], "same.py": [(1, 1)]}


def test_the_text_of_a_commit_can_be_had_and_what_is_not_there_is_none(repository: Path) -> None:
    assert text_at(repository, "edited.py", "HEAD") == "y = 1\n"
    assert text_at(repository / "sub", "é.py", "HEAD") == "z = 1\n"
    assert text_at(repository, "added.py", "HEAD") is None
    assert text_at(repository, "edited.py", "no-such") is None


def test_a_project_below_the_top_of_the_work_tree_has_its_own_paths(repository: Path) -> None:
    (repository / "sub" / "é.py").write_text("z = 2\n")
    assert changed_since(DiskProject(repository / "sub"), "HEAD") == ("é.py",)


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "-x", "", "HEAD:same.py"])
def test_a_revision_that_is_none_is_one_line(repository: Path, revision: str) -> None:
    with pytest.raises(GitError, match="git knows no commit"):
        changed_since(DiskProject(repository), revision)
    assert not (repository / "x").exists()


def test_a_folder_without_git_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(GitError) as error:
        changed_since(DiskProject(tmp_path), "HEAD")
    assert "\n" not in str(error.value)


def test_nothing_that_the_repository_configures_is_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    proof = tmp_path_factory.mktemp("proof") / "ran"
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {proof}\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "filter.evil.clean", "core.editor"):
        git(repository, "config", key, str(trap))
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(repository, "config", "diff.evil.textconv", str(trap))
    hook = repository / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(trap.read_text())
    hook.chmod(0o755)
    assert "edited.py" in changed_since(DiskProject(repository), "HEAD")
    assert not proof.exists()


def test_environment_variables_of_git_have_no_effect(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/nowhere/x")
    assert changed_since(DiskProject(repository), "HEAD") == ("added.py", "edited.py")


def test_a_program_inside_the_project_is_never_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([".", str(tmp_path)]))
    monkeypatch.chdir(tmp_path)
    assert find_program("git", tmp_path) is None
