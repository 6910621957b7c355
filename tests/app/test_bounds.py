"""A session that is bound to a folder neither lists nor reads what lies outside of it."""

from pathlib import Path

import pytest

from kimi_lsp.app.session import open_session
from kimi_lsp.app.target import outside_of
from kimi_lsp.config import flag_options
from mcp_tools.finding import Notice
from mcp_tools.project import Source

FILES = (
    "a/b c[x]/in.py",
    "a/b c[x]/deep/er.py",
    "a/b cx/out.py",
    "a/other.py",
    "top.py",
    "b/a/b c[x]/no.py",
    "!/in.py",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n", "utf-8")
    (root / ".git").mkdir()
    return root


def test_only_the_folder_is_there_and_the_project_is_still_the_whole_one(tree: Path) -> None:
    session = open_session([tree / "a/b c[x]"], {}, within=tree / "a/b c[x]")
    assert session.project.root == tree
    assert session.project.listing().paths == ("a/b c[x]/deep/er.py", "a/b c[x]/in.py")
    assert isinstance(session.project.read("a/b c[x]/deep/er.py"), Source)
    for outside in ("top.py", "a/other.py", "a/b cx/out.py", "b/a/b c[x]/no.py"):
        assert isinstance(session.project.read(outside), Notice), outside


def test_a_folder_whose_name_is_a_pattern_is_only_itself(tree: Path) -> None:
    session = open_session([tree / "!"], {}, within=tree / "!")
    assert session.project.listing().paths == ("!/in.py",)
    assert isinstance(session.project.read("top.py"), Notice)


def test_what_the_user_leaves_out_stays_out_and_nothing_outside_is_taken_in_again(tree: Path) -> None:
    flags = flag_options({"exclude": ["deep/", "!top.py", "!/a/other.py"]})
    session = open_session([tree / "a/b c[x]"], {}, flags, within=tree / "a/b c[x]")
    assert session.project.listing().paths == ("a/b c[x]/in.py",)
    assert isinstance(session.project.read("a/b c[x]/deep/er.py"), Notice)
    assert isinstance(session.project.read("top.py"), Notice)
    assert isinstance(session.project.read("a/other.py"), Notice)


def test_a_project_as_a_whole_has_no_bounds(tree: Path) -> None:
    assert outside_of(tree, tree) == ()
    assert outside_of(tree.parent, tree) == ("*",)
    assert len(open_session([tree], {}, within=tree).project.listing().paths) == len(FILES)
