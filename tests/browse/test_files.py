"""The list of files."""

from mcp_tools.browse import FileEntry, list_files
from mcp_tools.project import MemoryProject, Overlay


def test_files_have_sizes_and_languages() -> None:
    project = MemoryProject({"a.py": "é\n", "b": b"\0" * 7, "c/Dockerfile": ""})
    assert list_files(project).files == (
        FileEntry("a.py", 3, "python"),
        FileEntry("b", 7, None),
        FileEntry("c/Dockerfile", 0, "dockerfile"),
    )


def test_unsaved_text_has_the_size_it_would_be_saved_with() -> None:
    overlay = Overlay(MemoryProject({"a.py": "x", "b.py": "yy"}), {"a.py": "four", "new.py": ""})
    assert [(item.path, item.size_bytes) for item in list_files(overlay).files] == [
        ("a.py", 4), ("b.py", 2), ("new.py", 0),
    ]  # fmt: skip


def test_an_empty_project_has_no_files_and_nothing_to_say() -> None:
    files = list_files(MemoryProject({}))
    assert (files.files, files.notices, files.ignored) == ((), (), 0)
