"""Ruff as an engine: isolated from the project, bounded, and never needed for the rest of the scan."""

import os
import sys
from pathlib import Path

import pytest

from mcp_tools.finding import Finding, Notice
from mcp_tools.project import DiskProject, MemoryProject, Overlay, Source
from mcp_tools.security_surface import scan
from mcp_tools.security_surface.ruff import Ruff, find_ruff, ruff_on
from mcp_tools.security_surface.ruff_codes import CODES, DROPPED
from mcp_tools.security_surface.rules import RULES

ALIASED = "from tempfile import mktemp as name_for\n\npath = name_for()\n"  # only ruff sees this one


def program(folder: Path, body: str) -> str:
    """A program that stands in for ruff."""
    file = folder / "ruff"
    file.write_text(f"#!{sys.executable}\n{body}\n")
    file.chmod(0o755)
    return str(file)


def findings(items: list[Finding | Notice]) -> list[Finding]:
    return [item for item in items if isinstance(item, Finding)]


def notices(items: list[Finding | Notice]) -> list[Notice]:
    return [item for item in items if isinstance(item, Notice)]


def test_what_ruff_alone_sees_is_reported_and_named() -> None:
    (finding,) = scan(MemoryProject({"app.py": ALIASED}))
    assert isinstance(finding, Finding)
    assert (finding.rule.id, finding.origin.tool, finding.evidence) == ("insecure-temp-file", "ruff S306", "name_for()")
    assert finding.fingerprint


def test_where_both_agree_there_is_one_finding_that_names_both() -> None:
    text = "import subprocess\ndef f(x):\n    subprocess.run(\n        f'ls {x}',\n        shell=True,\n    )\n"
    (finding,) = scan(MemoryProject({"app.py": text}))
    assert isinstance(finding, Finding)
    assert finding.origin.tool == "security_surface, ruff S602"
    assert finding.confidence == "high"


def test_without_ruff_the_scan_goes_on_and_says_so_once() -> None:
    project = MemoryProject({f"{name}.py": "def f(x):\n    eval(x)\n" for name in "abc"})
    items = list(scan(project, ruff="/no/such/ruff"))
    assert len(findings(items)) == 3
    assert {notice.code for notice in notices(items)} == {"ruff-unavailable"}
    assert not any(notice.incomplete for notice in notices(items))


def test_no_ruff_is_no_notice_when_none_is_wanted() -> None:
    assert list(scan(MemoryProject({"app.py": ALIASED}), ruff=None)) == []


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a #! line")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise SystemExit(2)", "exit code 2"),
        ("print('no json')", "unknown form"),
        ("print('{\"code\": 3}')", "unknown form"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ("import sys\nwhile True: sys.stdout.write('x' * 1_000_000)", "too much output"),
    ],
)
def test_a_failing_ruff_is_a_notice_and_the_rest_stands(tmp_path: Path, body: str, reason: str) -> None:
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    tree.mkdir()
    tools.mkdir()
    (tree / "app.py").write_text("def f(x):\n    eval(x)\n")
    items = list(scan(DiskProject(tree), ruff=program(tools, body)))
    assert [finding.rule.id for finding in findings(items)] == ["code-injection"]
    assert [notice.code for notice in notices(items)] == ["ruff-unavailable"]
    assert reason in notices(items)[0].message


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a #! line")
def test_a_ruff_that_hangs_is_ended_at_its_deadline(tmp_path: Path) -> None:
    source = Source("app.py", ALIASED, "python")
    (tmp_path / "app.py").write_text(ALIASED)
    hanging = program(tmp_path, "import os, time\nos.fork()\ntime.sleep(600)")
    runner = Ruff(hanging, DiskProject(tmp_path), [source], deadline_s=0.3)
    answer = runner.answer()
    runner.close()
    assert answer.hits == {}
    assert ["took longer" in notice.message for notice in answer.notices] == [True]


def test_the_projects_own_configuration_and_markers_do_not_steer_ruff(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"# ruff: noqa\n# flake8: noqa\n{ALIASED}")
    (tmp_path / "ruff.toml").write_text('exclude = ["*"]\n[lint]\nignore = ["S"]\n')
    (tmp_path / ".gitignore").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert [finding.origin.tool for finding in findings(list(scan(DiskProject(tmp_path))))] == ["ruff S306"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_strange_names_reach_ruff(tmp_path: Path) -> None:
    names = [b"-.py", b"--config=x.py", b"@args.py", b"a b\n.py", b"caf\xe9.py", "naïve.py".encode(), b"*.py"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text(ALIASED)
    found = findings(list(scan(DiskProject(tmp_path))))
    assert {os.fsencode(finding.location.path) for finding in found} == set(names)


def test_unsaved_text_is_what_ruff_reads(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ALIASED)
    overlay = Overlay(DiskProject(tmp_path), {"app.py": "\n\n" + ALIASED, "new.py": "x = 1\n"})
    (finding,) = scan(overlay)
    assert isinstance(finding, Finding)
    assert finding.location.region is not None
    assert finding.location.region.start_line == 4


def test_a_file_that_shrank_since_it_was_read_gives_no_finding_outside_its_text(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("x = 1\n")
    project = DiskProject(tmp_path)
    assert isinstance(project.read("app.py"), Source)
    file.write_text("# longer\n" * 10 + ALIASED)
    assert list(scan(project)) == []


def test_a_text_that_is_no_python_three_is_said_so() -> None:
    items = list(scan(MemoryProject({"old.py": "print 'x'\nexec code in scope\n"})))
    assert [(notice.code, notice.path) for notice in notices(items)] == [("ruff-unavailable", "old.py")]


def test_a_ruff_inside_the_project_or_at_a_relative_path_is_not_run(tmp_path: Path) -> None:
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    for folder in (tree / "bin", tools):
        folder.mkdir(parents=True)
        program(folder, "")
    both = os.pathsep.join((str(tree / "bin"), ".", "bin", str(tools)))
    assert ruff_on(both, tree) == str(tools / "ruff")
    assert ruff_on(str(tree / "bin"), tree) is None
    assert ruff_on("bin", tree) is None
    assert ruff_on("", tree) is None


def test_the_installed_ruff_is_found() -> None:
    found = find_ruff(MemoryProject({}))
    assert found is not None
    assert Path(found).is_file()


def test_every_code_is_either_asked_for_under_a_known_rule_or_dropped_for_a_reason() -> None:
    assert not set(CODES) & set(DROPPED)
    assert {code.rule for code in CODES.values()} <= set(RULES)
    assert all(row.why for row in CODES.values())
    assert all(DROPPED.values())
