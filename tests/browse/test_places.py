"""Which files a caller means, and which paths are refused whatever system they are written for."""

import pytest

from mcp_tools.browse import choose, outside
from mcp_tools.browse.places import named, refused
from mcp_tools.finding import Notice
from mcp_tools.project import MemoryProject

_TREE = MemoryProject(
    dict.fromkeys(
        (
            "!odd.txt", "README.md", "[id].py", "bad\udcff.py", "docs/a.md", "src/a.py", "src/deep/b.py",
            "src/deep/er/c.py", "src.py", "srcs/d.py", "two\nlines.py", "~/home.py",
        ),
        "x\n",
    )
)  # fmt: skip


def _paths(*patterns: str, max_depth: int | None = None) -> list[str]:
    return list(choose(_TREE, patterns, max_depth=max_depth).paths)


def _codes(*patterns: str) -> list[tuple[str, str | None]]:
    return [(notice.code, notice.path) for notice in choose(_TREE, patterns).notices]


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../../etc/passwd", "a/../../b", "..", "../proj-secret/x", "a\0b", "C:\\Windows\\win.ini",
        "C:x", "c:/x", "\\\\srv\\share", "//srv/share", "a\\b", "..\\new", "file:///etc/passwd", "file:///c%3A/x",
        "https://a/b", "a.txt::$DATA", "a.txt:$DATA", "CON", "src/nul", "com1", "LPT9.", "/", "!/etc/passwd", "!../a",
    ],
)  # fmt: skip
def test_what_is_no_relative_path_is_outside_the_project(path: str) -> None:
    notice = Notice("outside-project", "not read: no relative path inside the project", path)
    assert outside(path) == notice
    assert outside(path, is_windows=True) == notice


@pytest.mark.parametrize(
    "path", ["name:b.txt", "nul.txt", "aux/x.py", "name.", "name ", "GIT~1/config", "CREDEN~1.JSO", "a\\xff.py"]
)
def test_windows_refuses_names_that_mean_something_else_there(path: str) -> None:
    assert outside(path, is_windows=False) is None
    assert outside(path, is_windows=True) is not None


@pytest.mark.parametrize(
    "path", ["~", "~root/x", "$HOME/x", "..%2f..%2fetc", "a/./b", "...", "a..b", ".", "src/", "-x"]
)
def test_nothing_is_expanded_or_decoded(path: str) -> None:
    assert outside(path) is None
    assert outside(path, is_windows=True) is None or path == "..."


def test_a_folder_or_file_is_meant_by_its_name_before_a_glob_is() -> None:
    assert _paths("src") == _paths("./src/") == ["src/a.py", "src/deep/b.py", "src/deep/er/c.py"]
    assert _paths("src.py") == ["src.py"]
    assert _paths("[id].py") == ["[id].py"]
    assert _paths("!odd.txt") == ["!odd.txt"]
    assert _paths("~") == ["~/home.py"]
    assert _paths() == _paths(".") == list(_TREE.listing().paths)


def test_a_glob_without_a_slash_holds_at_any_depth() -> None:
    assert _paths("*.md") == ["README.md", "docs/a.md"]
    assert _paths("b.py") == ["src/deep/b.py"]
    assert _paths("src/*.py") == ["src/a.py"]
    assert _paths("src/**/*.py", "docs") == ["docs/a.md", "src/a.py", "src/deep/b.py", "src/deep/er/c.py"]


def test_a_pattern_after_an_exclamation_mark_takes_files_away() -> None:
    assert _paths("src", "!src/deep") == ["src/a.py"]
    assert _paths("!*.py") == ["!odd.txt", "README.md", "docs/a.md"]
    assert _codes("!/etc") == [("outside-project", "/etc")]


def test_depth_counts_from_the_folder_that_was_named() -> None:
    assert _paths("src", max_depth=1) == ["src/a.py"]
    assert _paths("src", max_depth=2) == ["src/a.py", "src/deep/b.py"]
    assert _paths("src/**/*.py", max_depth=1) == ["src/a.py"]
    assert _paths("src/deep/b.py", max_depth=1) == ["src/deep/b.py"]
    assert "src/a.py" not in _paths(max_depth=1)
    assert "src.py" in _paths(max_depth=1)


def test_a_name_is_found_as_an_answer_showed_it() -> None:
    assert _paths(r"bad\xff.py") == ["bad\udcff.py"]
    assert _paths(r"two\nlines.py") == ["two\nlines.py"]
    assert named(_TREE, r"bad\xff.py") == "bad\udcff.py"
    assert named(_TREE, "bad\udcff.py") == "bad\udcff.py"


def test_what_means_nothing_is_said() -> None:
    assert _codes("none", "src/*.rs", "../x") == [
        ("no-such-file", "none"), ("no-such-file", "src/*.rs"), ("outside-project", "../x"),
    ]  # fmt: skip


def test_many_stars_are_matched_in_no_time() -> None:
    tree = MemoryProject(dict.fromkeys((f"{'a/' * 60}{number}.py" for number in range(200)), ""))
    assert choose(tree, ["**/" * 50 + "*z", "*a" * 200]).paths == ()
    assert len(choose(tree, ["**/" * 50 + "*"]).paths) == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (".git/config", "repository-internals"),
        ("a/.GIT/x", "repository-internals"),
        (".g\u200cit/config", "repository-internals"),
        ("git~1/config", "repository-internals"),
        (".hg/hgrc", "repository-internals"),
        (".env", "secrets-file"),
        ("a/ID_RSA", "secrets-file"),
        ("a/id_r\u017fa", "secrets-file"),
        ("server.pem", "secrets-file"),
        (".npmrc", "secrets-file"),
        (".gitignore", None),
        ("src/git/config", None),
        (".env.example", None),
    ],
)
def test_stores_of_version_control_and_secrets_files_are_refused_in_any_spelling(path: str, code: str | None) -> None:
    notice = refused(path)
    assert (notice.code if notice else None) == code
