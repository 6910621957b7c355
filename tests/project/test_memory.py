"""Texts in memory, alone and over a project on disk."""

from pathlib import Path

import pytest

from mcp_tools.finding import Notice
from mcp_tools.project import DiskProject, MemoryProject, Overlay, Project, Source


def _text(project: Project, path: str) -> str:
    source = project.read(path)
    return source.text if isinstance(source, Source) else f"({source.code})"


def test_a_memory_project_is_the_texts_it_was_given() -> None:
    project = MemoryProject({"b/c.py": "x\n", "a.md": "# é\n".encode("utf-16"), "bin": b"\0"}, "mine")
    assert (project.name, project.listing().paths) == ("mine", ("a.md", "b/c.py", "bin"))
    assert [_text(project, path) for path in ("a.md", "b/c.py", "./b//c.py", "bin", "none", "/b/c.py", "")] == [
        "# é\n", "x\n", "x\n", "(binary-file)", "(no-such-file)", "(no-such-file)", "(no-such-file)",
    ]  # fmt: skip
    assert [source.path for source in project.files("*.py", "*.md", "bin")] == ["a.md", "b/c.py"]
    assert project.real_path("b/c.py") is None


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "./a", "a//b", "a/", "a\0"])
def test_a_memory_project_takes_no_path_that_a_project_cannot_have(path: str) -> None:
    with pytest.raises(ValueError, match="not a project-relative path"):
        MemoryProject({path: ""})


def test_unsaved_text_goes_before_the_text_below_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("saved\n")
    (tmp_path / "b.py").write_text("saved\n")
    (tmp_path / "big.py").write_bytes(b"\0")
    base = DiskProject(tmp_path)
    overlay = Overlay(base, {"a.py": "unsaved\n", "new/c.py": "new\n", "../out.py": "x", "/abs.py": "x"})
    assert overlay.listing().paths == ("a.py", "b.py", "big.py", "new/c.py")
    assert [_text(overlay, path) for path in ("a.py", "./a.py", "b.py", "new/c.py", "../out.py", "big.py")] == [
        "unsaved\n", "unsaved\n", "saved\n", "new\n", "(outside-project)", "(binary-file)",
    ]  # fmt: skip
    assert _text(base, "a.py") == "saved\n"
    assert overlay.name == base.name
    assert overlay.real_path("a.py") is overlay.real_path("./a.py") is overlay.real_path("new/c.py") is None
    assert overlay.real_path("b.py") == str(tmp_path.resolve() / "b.py")


def test_an_overlay_follows_the_base_in_what_is_listed_and_why_not(tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to("nowhere")
    (tmp_path / "other.py").symlink_to("nowhere")
    base = DiskProject(tmp_path)
    overlay = Overlay(base, {"link.py": "unsaved\n"})
    assert [notice.path for notice in base.listing().notices] == ["link.py", "other.py"]
    assert [notice.path for notice in overlay.listing().notices] == ["other.py"]


def test_unsaved_text_of_an_excluded_path_stays_excluded(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.py").write_text("saved\n")
    overlay = Overlay(DiskProject(tmp_path, exclude=["secret/"]), {"secret/a.py": "unsaved\n", "secret/new.py": "n\n"})
    assert overlay.listing().paths == ()
    assert _text(overlay, "secret/a.py") == _text(overlay, "secret/new.py") == "(excluded)"
    assert overlay.is_excluded("secret/new.py")
    again = Overlay(overlay, {"secret/a.py": "unsaved\n"})
    assert _text(again, "secret/a.py") == "(excluded)"


def test_a_notice_names_the_path() -> None:
    assert MemoryProject({}).read("a") == Notice("no-such-file", "not read: no such file", "a")


def test_a_size_is_what_was_given_or_what_unsaved_text_takes_up() -> None:
    project = MemoryProject({"a.py": "é\n", "bin": b"\0\0", "odd": "\udcff"})
    assert [project.size(path) for path in ("a.py", "./a.py", "bin", "odd", "none", "/a.py")] == [
        3,
        3,
        2,
        3,
        None,
        None,
    ]
    overlay = Overlay(project, {"a.py": "four", "new": ""})
    assert [overlay.size(path) for path in ("a.py", "new", "bin", "none")] == [4, 0, 2, None]
