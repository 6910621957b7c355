import json
from pathlib import Path

import jsonschema
import pytest

from kimi_lsp.cli.main import run
from tests.cli.harness import APP


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "app.py").write_text("def go(name):\n    eval(name)\n    exec(name)\n")
    (root / "vendor.py").write_text("eval(input())\n")
    (root / "kimi.toml").write_text('exclude = ["vendor.py"]\n')
    return root


def test_findings_come_whole_and_in_every_format(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("text", "json", "sarif", "markdown", "rdjson", "gitlab"):
        assert run(["tool", "security_surface", "--root", str(project), "--format", name]) == 0
        out = capsys.readouterr().out
        assert "code-injection" in out, name
        if name not in {"text", "markdown"}:
            json.loads(out)


def test_the_projects_own_configuration_holds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["tool", "list_files", "--root", str(project), "--format", "json"])
    listed = json.loads(capsys.readouterr().out)
    assert [item["path"] for item in listed["files"]] == ["kimi.toml", "pkg/app.py"]


def test_a_folder_below_the_project_is_held_to_its_configuration(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".git").mkdir()
    (project / "kimi.toml").write_text('exclude = ["/pkg/app.py"]\n')
    (project / "pkg" / "other.py").write_text("")
    run(["tool", "list_files", "--root", str(project / "pkg"), "--format", "json"])
    assert [item["path"] for item in json.loads(capsys.readouterr().out)["files"]] == ["other.py"]


def test_parameters_are_options(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ["--root", str(project)]
    assert run(["tool", "search_text", *root, "--query", "EVAL", "--no-case-sensitive", "--context", "1"]) == 0
    assert "pkg/app.py:2:" in capsys.readouterr().out
    assert run(["tool", "read_file", *root, "--path", "pkg/app.py", "--start-line", "2", "--max-lines", "1"]) == 0
    assert "lines 2-2 of" in capsys.readouterr().out
    assert run(["tool", "security_surface", *root, "--paths", "pkg", "--paths", "vendor.py"]) == 0


def test_what_is_wrong_is_one_line_and_exit_code_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ["--root", str(project)]
    for arguments, said in (
        (["tool", "write_file"], "no tool"),
        (["tool", "read_file", *root, "--path", "missing"], "no such file"),
        (["tool", "read_file", *root, "--path", "x", "--max-lines", "0"], "max_lines"),
        (["tool", "read_file", *root, "--path", "x", "--format", "sarif"], "has text and json"),
        (["tool", "list_files", "--root", "/"], "no project"),
    ):
        assert run(arguments) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    with pytest.raises(SystemExit, match="2"):
        run(["tool", "read_file", *root, "--write", "x"])


def test_help_is_made_from_the_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(["tool", "search_text", "--help"])
    out = capsys.readouterr().out
    assert "--no-case-sensitive" in out
    assert "--limit" not in out
    assert run(["tool", "--list"]) == 0
    assert "security_surface" in capsys.readouterr().out


def test_an_answer_has_no_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}.py").write_text(APP)
    assert run(["tool", "list_files", "--root", str(tmp_path), "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["returned"] == listed["total"] == 300
    assert "next_cursor" not in listed
    jsonschema.validate(listed["total"], {"type": "integer"})
