import pytest

from mcp_tools.finding import Notice
from mcp_tools.project import MemoryProject, Source
from mcp_tools.project.several import SeveralProjects, names_of

BOTH = SeveralProjects(
    {"web": MemoryProject({"src/a.js": "a", "README.md": "w"}), "api": MemoryProject({"README.md": "p", "x.py": b"\0"})}
)


def test_each_project_lies_below_its_name() -> None:
    assert BOTH.listing().paths == ("api/README.md", "api/x.py", "web/README.md", "web/src/a.js")


def test_a_text_has_the_path_it_is_read_by() -> None:
    source = BOTH.read("web/src/a.js")
    assert isinstance(source, Source)
    assert (source.path, source.text, source.language) == ("web/src/a.js", "a", "javascript")


@pytest.mark.parametrize("path", ["web", "web/", "README.md", "other/README.md", "web/../api/README.md", "/web/a", ""])
def test_what_lies_in_no_project_cannot_be_read(path: str) -> None:
    assert isinstance(BOTH.read(path), Notice)


def test_a_notice_names_the_path_from_here() -> None:
    notice = BOTH.read("api/x.py")
    assert isinstance(notice, Notice)
    assert notice.path == "api/x.py"


def test_folders_of_one_name_are_told_apart() -> None:
    assert list(names_of(["/a/web", "/b/web", "/c/api/"])) == ["web", "web-2", "api"]
    assert list(names_of(["/x/app-2", "/y/app", "/z/app"])) == ["app-2", "app", "app-3"]
    assert list(names_of(["/x/app", "/y/app", "/z/app-2"])) == ["app", "app-2", "app-2-2"]


def test_a_name_is_one_path_segment() -> None:
    with pytest.raises(ValueError, match="not a path segment"):
        SeveralProjects({"a/b": MemoryProject({})})
