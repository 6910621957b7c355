"""Which files are listed: git itself is the oracle."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_tools.project import DiskProject
from mcp_tools.project.patterns import Patterns

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
Tree = dict[str, str]  # the text of each file, by path


@dataclass(frozen=True, slots=True)
class Git:
    """A repository without files of its own, and a folder to fill."""

    repository: Path
    folder: Path

    def files(self, tree: Mapping[str, str]) -> set[str]:
        """Put a tree into the folder, and say what `git ls-files` lists of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for path, text in tree.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode("utf-8", "surrogateescape"))
        command = ["git", f"--git-dir={self.repository}", f"--work-tree={self.folder}", "-c", "core.quotePath=false"]
        done = subprocess.run(
            [*command, "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.repository), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", "--bare", str(folder / "repository")], check=True, timeout=60)
    return Git(folder / "repository", folder / "tree")


_names = st.sampled_from([*"a b ab ba a.b b.a aa é #a !a [a] a\\ * \udcff A".split(), " a", "a "])
_plain = "a b * ** / /** **/ /**/ ? [ab] [!a] [a-b] [^b] [[:alpha:]] [[:punct:]] []a] [ ] ! \\ # . é - \\* A \udcff"
_pieces = st.sampled_from([*_plain.split(), " ", "\\ ", "\t"])
_odd_lines = st.sampled_from(["", *"! / // \\ a\\ [z-a] !/ ** *a*a*b a**/b a/**/b ***/a".split()])
_paths = st.lists(_names, min_size=1, max_size=4).map("/".join)
_lines = st.lists(_pieces, max_size=7).map("".join) | _odd_lines
_ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
_ignores = st.tuples(
    st.sampled_from(["", "\ufeff"]), st.lists(st.tuples(_lines, _ends), min_size=1, max_size=5), _lines
).map(lambda parts: parts[0] + "".join(line + end for line, end in parts[1]) + parts[2])


@st.composite
def _trees(draw: st.DrawFn) -> Tree:
    tree: Tree = {}
    for path in draw(st.lists(_paths, min_size=1, max_size=10)):
        parts = path.split("/")
        above = ["/".join(parts[:stop]) for stop in range(1, len(parts))]
        if not any(folder in tree for folder in above) and not any(known.startswith(path + "/") for known in tree):
            tree[path] = ""
    folders = sorted({path.rpartition("/")[0] for path in tree} | {""})
    for folder in draw(st.lists(st.sampled_from(folders), min_size=1, max_size=3, unique=True)):
        tree[f"{folder}/.gitignore" if folder else ".gitignore"] = draw(_ignores)
    return tree


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW, derandomize=True)
@given(trees=st.lists(_trees(), min_size=1, max_size=5))
def test_a_listing_is_what_git_lists(git: Git, trees: list[Tree]) -> None:
    """Of untracked files: git also lists a tracked file that ignore rules match, which this view leaves out."""
    forest = {f"{number}/{path}": text for number, tree in enumerate(trees) for path, text in tree.items()}
    expected = git.files(forest)
    assert set(DiskProject(git.folder).listing().paths) == expected
    for number in range(len(trees)):
        top = f"{number}/"
        listed = {top + path for path in DiskProject(git.folder / top).listing().paths}
        assert listed == {path for path in expected if path.startswith(top)}


def test_an_ignored_file_that_git_tracks_is_not_listed_unless_it_is_named(git: Git, tmp_path: Path) -> None:
    for command in (["init", "-q"], ["add", "-f", "a.log"]):
        (tmp_path / "a.log").write_text("")
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert DiskProject(tmp_path).listing().paths == (".gitignore",)
    assert DiskProject(tmp_path, ["a.log"]).listing().paths == ("a.log",)


_KNOWN: list[tuple[str, list[str], list[str]]] = [
    ("a", ["a", "x/a", "a/b"], ["ab", "A"]),
    ("/a", ["a", "a/b"], ["x/a"]),
    ("a/", ["a/b", "x/a/b"], ["a", "x/a"]),
    ("a/b", ["a/b", "a/b/c"], ["x/a/b", "b"]),
    ("a/*", ["a/b", "a/b/c"], ["a", "x/a/b"]),
    ("**/a", ["a", "x/y/a"], ["xa"]),
    ("a/**", ["a/b", "a/b/c"], ["a"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]),
    ("*.p?", ["a.py", "x/.pz"], ["a.p", "a.pyc"]),
    ("[!a-c]x", ["dx"], ["ax", "x"]),
    ("[-a]x", ["-x", "ax"], ["bx"]),
    ("[[:digit:]-a]", ["1", "-", "a"], ["A", "2a"]),  # after a class there is no range
    ("[a-]", ["a", "-"], ["b"]),
    (r"[\]a]", ["]", "a"], ["\\"]),
    (r"\!a", ["!a"], ["a"]),
    (r"\#a", ["#a"], ["a"]),
    ("a ", ["a"], ["a "]),
    (r"a\ ", ["a "], ["a"]),
    ("#a", [], ["#a", "a"]),
    ("", [], ["a"]),
    ("é?", ["éa"], ["éé", "é"]),  # a question mark is one byte
]


@pytest.mark.parametrize(("line", "covered", "others"), _KNOWN)
def test_a_pattern_covers_what_it_should(line: str, covered: list[str], others: list[str]) -> None:
    patterns = Patterns([line])
    assert [path for path in (*covered, *others) if patterns.covers(path)] == covered


def test_the_nearest_ignore_file_decides(tmp_path: Path) -> None:
    for path in ("a.log", "keep.log", "sub/a.log", "sub/keep.log", "sub/deep/a.log", "sub/deep/keep.log"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / ".gitignore").write_text("*.log\n.gitignore\n")
    (tmp_path / "sub" / ".gitignore").write_text("!keep.log\n")
    (tmp_path / "sub" / "deep" / ".gitignore").write_text("keep.*\n!a.log\n")
    assert DiskProject(tmp_path).listing().paths == ("sub/deep/a.log", "sub/keep.log")


def test_the_last_line_that_matches_decides_and_an_excluded_folder_stays_excluded() -> None:
    patterns = Patterns(["*.log", "!keep.log", "build/", "!build/keep.py", "keep.log/"])
    assert [path for path in ("a.log", "keep.log", "build/keep.py", "keep.log/a") if patterns.covers(path)] == [
        "a.log",
        "build/keep.py",
        "keep.log/a",
    ]
    assert patterns.verdict("build/keep.py", is_folder=False) is False
    assert patterns.verdict("other", is_folder=False) is None


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 60 + "b", "a" * 250),
        ("[ab]*" * 60 + "c", "ab" * 120),
        ("**/*a*a*a/" * 20 + "**/b", "/".join(["a" * 40] * 40)),
        ("**/" * 100 + "b", "/".join("a" * 100)),
        ("*/" * 99 + "b", "/".join("a" * 100)),
    ],
)
def test_no_pattern_takes_more_than_linear_time(line: str, path: str) -> None:
    """A pattern that backtracks would not come to an end here: the number of ways to match is astronomic."""
    assert not Patterns([line]).covers(path)


def test_any_line_of_text_is_a_pattern() -> None:
    assert not Patterns(["\ud800", "\0", "a\0b", "[\ud800]"]).covers("b")
    assert Patterns(["a\0b"]).covers("a"), "git reads a line up to its first NUL"
