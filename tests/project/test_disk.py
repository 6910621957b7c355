"""A project on disk: nothing outside it, nothing but regular files, and a notice for all that is not read."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from mcp_tools.finding import Notice
from mcp_tools.project import DiskProject, Limits, Source

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="POSIX files")


def _fill(root: Path, *paths: str, text: str = "x\n") -> None:
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _codes(project: DiskProject) -> dict[str | None, str]:
    return {notice.path: notice.code for notice in project.listing().notices}


def _code(project: DiskProject, path: str) -> str:
    notice = project.read(path)
    assert isinstance(notice, Notice), notice
    return notice.code


def _text(project: DiskProject, path: str) -> str:
    source = project.read(path)
    assert isinstance(source, Source), source
    return source.text


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside")
    _fill(folder, "secret.txt", "deep/secret.txt", text="not yours\n")
    return folder


def test_links_are_listed_as_notices_and_never_read(tmp_path: Path, outside: Path) -> None:
    _fill(tmp_path, "a/real.py")
    links = {
        "file": tmp_path / "a" / "real.py",
        "folder": tmp_path / "a",
        "out": outside / "secret.txt",
        "out-folder": outside,
        "loop": tmp_path / "loop",
        "up": Path(".."),
        "dangling": Path("nowhere"),
    }
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    project = DiskProject(tmp_path)
    assert project.listing().paths == ("a/real.py",)
    assert _codes(project) == dict.fromkeys(sorted(links), "link-not-followed")
    for name in links:
        assert _code(project, name) == "link-not-followed"
    assert _code(project, "out-folder/secret.txt") == "link-not-followed"
    assert _code(project, "folder/real.py") == "link-not-followed"
    assert _code(project, "up/x") == "link-not-followed"


def test_a_root_that_is_a_link_is_resolved_once(tmp_path: Path) -> None:
    _fill(tmp_path, "real/a.py")
    (tmp_path / "link").symlink_to("real")
    project = DiskProject(tmp_path / "link")
    assert project.name == "real"
    assert _text(project, "a.py") == "x\n"


def test_a_file_that_becomes_a_link_between_listing_and_reading_is_not_followed(tmp_path: Path, outside: Path) -> None:
    _fill(tmp_path, "a.py", "folder/secret.txt")
    project = DiskProject(tmp_path)
    assert project.listing().paths == ("a.py", "folder/secret.txt")
    (tmp_path / "a.py").unlink()
    (tmp_path / "a.py").symlink_to(outside / "secret.txt")
    (tmp_path / "folder" / "secret.txt").unlink()
    (tmp_path / "folder").rmdir()
    (tmp_path / "folder").symlink_to(outside)
    assert _code(project, "a.py") == "link-not-followed"
    assert _code(project, "folder/secret.txt") == "link-not-followed"


def test_pipes_sockets_and_devices_are_notices(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        project = DiskProject(tmp_path)
        assert _codes(project) == {"pipe": "special-file", "socket": "special-file"}
        assert _code(project, "pipe") == _code(project, "socket") == "special-file"


def test_a_device_is_a_notice(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs the right to make devices")
    project = DiskProject(tmp_path)
    assert _codes(project) == {"null": "special-file"}
    assert _code(project, "null") == "special-file"


def test_a_pipe_keeps_its_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(writer, b"a message for its reader")
        assert _code(DiskProject(tmp_path), "pipe") == "special-file"
        assert os.read(reader, 100) == b"a message for its reader"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("path", ["", ".", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a\0b", "./..", "//"])
def test_a_path_outside_the_project_is_never_read(tmp_path: Path, path: str) -> None:
    _fill(tmp_path, "a/b")
    project = DiskProject(tmp_path)
    assert _code(project, path) == "outside-project"
    assert project.real_path(path) is None


@pytest.mark.parametrize("path", ["a.py", "./a.py", ".//a.py", "././a.py"])
def test_a_path_that_is_not_canonical_is_the_same_file(tmp_path: Path, path: str) -> None:
    _fill(tmp_path, "a.py")
    project = DiskProject(tmp_path)
    assert project.read(path) is project.read("a.py")
    assert project.real_path(path) == str(tmp_path.resolve() / "a.py")


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    _fill(tmp_path, "a/b.py")
    project = DiskProject(tmp_path)
    assert _code(project, "none.py") == "no-such-file"
    assert _code(project, "a/none/x.py") == "no-such-file"
    assert _code(project, "a") == "special-file"
    assert _code(project, "a/b.py/c") == "unreadable-file"
    assert _code(project, "n" * 300) == "unreadable-file"


def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    _fill(tmp_path, "a.py")
    with pytest.raises(NotADirectoryError):
        DiskProject(tmp_path / "a.py")
    with pytest.raises(FileNotFoundError):
        DiskProject(tmp_path / "none")


def test_an_empty_tree_is_an_empty_listing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    listing = DiskProject(tmp_path).listing()
    assert (listing.paths, listing.notices, listing.ignored) == ((), (), 0)


def test_a_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m\n.py")
    (tmp_path / name).write_bytes(b"x = 1\n")
    project = DiskProject(tmp_path)
    assert project.listing().paths == (name,)
    source = project.read(name)
    assert isinstance(source, Source)
    assert os.fsencode(source.path) == b"caf\xe9 \x1b[31m\n.py"
    assert source.fingerprint("rule", None) != source.fingerprint("other", None)


def test_a_huge_sparse_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(1 << 30)
    project = DiskProject(tmp_path)
    notice = project.read("huge.py")
    assert notice == Notice("file-too-large", "not read: 1,073,741,824 bytes, the limit is 1,000,000", "huge.py")


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    _fill(tmp_path, "fits.py", text="a" * 10)
    _fill(tmp_path, "over.py", text="a" * 11)
    project = DiskProject(tmp_path, limits=Limits(max_file_bytes=10))
    assert _text(project, "fits.py") == "a" * 10
    assert _code(project, "over.py") == "file-too-large"


def test_a_file_that_says_it_is_empty_and_is_not_is_cut_off_at_the_limit() -> None:
    project = DiskProject("/proc/self", limits=Limits(max_file_bytes=4))
    assert _code(project, "status") == "file-too-large"


def test_a_text_stays_the_same_for_as_long_as_the_view_lives(tmp_path: Path) -> None:
    _fill(tmp_path, "a.py", text="before\n")
    project = DiskProject(tmp_path)
    assert _text(project, "a.py") == "before\n"
    _fill(tmp_path, "a.py", text="after\n")
    assert _text(project, "a.py") == "before\n"
    assert _text(DiskProject(tmp_path), "a.py") == "after\n"


def test_the_scope_says_what_is_listed(tmp_path: Path, outside: Path) -> None:
    _fill(tmp_path, "a/one.py", "a/two.py", "b/three.py", "b/ignored.log", "build/out.py", "top.py")
    _fill(tmp_path, ".gitignore", text="*.log\nbuild/\n")
    (tmp_path / "link").symlink_to(outside)

    def listed(*scope: str) -> tuple[tuple[str, ...], dict[str | None, str]]:
        project = DiskProject(tmp_path, scope)
        return project.listing().paths, _codes(project)

    assert listed("a") == listed("a/") == listed("./a") == (("a/one.py", "a/two.py"), {})
    assert listed("b") == (("b/three.py",), {})
    assert listed("b/ignored.log") == (("b/ignored.log",), {}), "a file that is named itself"
    assert listed("build") == (("build/out.py",), {}), "a folder that is named itself"
    assert listed("top.py", "a/two.py", "a/two.py") == (("a/two.py", "top.py"), {})
    assert listed("none.py", "../x", "/etc", "link", "link/secret.txt") == (
        (),
        {
            "none.py": "no-such-file",
            "../x": "outside-project",
            "/etc": "outside-project",
            "link": "link-not-followed",
            "link/secret.txt": "link-not-followed",
        },
    )
    assert (
        listed(".")[0] == listed("")[0] == listed()[0] == (".gitignore", "a/one.py", "a/two.py", "b/three.py", "top.py")
    )


def test_ignore_rules_of_the_folders_above_hold_in_a_scope(tmp_path: Path) -> None:
    _fill(tmp_path, "a/b/x.log", "a/b/y.tmp", "a/b/z.py")
    _fill(tmp_path, ".gitignore", text="*.log\n")
    _fill(tmp_path, "a/.gitignore", text="*.tmp\n")
    assert DiskProject(tmp_path, ["a/b"]).listing().paths == ("a/b/z.py",)
    assert DiskProject(tmp_path, ["a/b"]).listing().ignored == 2


def test_the_repositorys_own_exclude_file_holds_and_gitignore_has_the_last_word(tmp_path: Path) -> None:
    _fill(tmp_path, "a.log", "b.log")
    _fill(tmp_path, ".git/info/exclude", text="*.log\n")
    _fill(tmp_path, ".gitignore", text="!b.log\n.gitignore\n")
    assert DiskProject(tmp_path).listing().paths == ("b.log",)


@pytest.mark.parametrize("pattern", ["secret/", "secret", "/secret", "s*t/", "secret/**", "**/secret"])
def test_what_is_excluded_is_neither_listed_nor_read(tmp_path: Path, pattern: str) -> None:
    _fill(tmp_path, "secret/deep/a.py", "secret/b.py", "open.py")
    for scope in ((), ("secret",), ("secret/deep",), ("secret/b.py",)):
        project = DiskProject(tmp_path, scope, exclude=[pattern])
        assert "secret/b.py" not in project.listing().paths
        assert "secret/deep/a.py" not in project.listing().paths
        assert _code(project, "secret/deep/a.py") == _code(project, "./secret/b.py") == "excluded"
        assert project.is_excluded("secret/b.py")
        assert _text(project, "open.py") == "x\n"


def test_folders_of_tools_and_of_other_peoples_code_are_passed_over(tmp_path: Path) -> None:
    _fill(tmp_path, "node_modules/a.js", ".git/config", "env/pyvenv.cfg", "env/lib/a.py", "pkg/__pycache__/a.py")
    _fill(tmp_path, "sub/.git", "sub/a.py", "CVS", "src/node_modules")
    listing = DiskProject(tmp_path).listing()
    assert listing.paths == ("CVS", "src/node_modules", "sub/a.py"), "a file of such a name is a file"
    assert listing.ignored == 5


def test_the_number_of_files_is_capped_with_a_notice(tmp_path: Path) -> None:
    _fill(tmp_path, *(f"{folder}/{number}.py" for folder in "abc" for number in range(4)))
    exact = DiskProject(tmp_path, limits=Limits(max_files=12)).listing()
    assert (len(exact.paths), exact.notices) == (12, ())
    cut = DiskProject(tmp_path, limits=Limits(max_files=5)).listing()
    assert cut.paths == ("a/0.py", "a/1.py", "a/2.py", "a/3.py", "b/0.py")
    assert cut.notices == (Notice("too-many-files", "only the first 5 files were listed", incomplete=True),)


def test_deep_nesting_ends_in_a_notice(tmp_path: Path) -> None:
    deep = "/".join("d" * 12)
    _fill(tmp_path, f"{deep}/a.py", "d/b.py")
    project = DiskProject(tmp_path, limits=Limits(max_depth=10))
    assert project.listing().paths == ("d/b.py",)
    assert _codes(project) == {"/".join("d" * 11): "too-deep"}
    assert DiskProject(tmp_path, limits=Limits(max_depth=12)).listing().paths == ("d/b.py", f"{deep}/a.py")


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "binary", "unreadable lines"])
def test_an_ignore_file_that_is_none_does_not_stop_the_listing(tmp_path: Path, outside: Path, kind: str) -> None:
    _fill(tmp_path, "a/x.py", "a/y.log")
    path = tmp_path / "a" / ".gitignore"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            (outside / "rules").write_text("*.py\n")
            path.symlink_to(outside / "rules")
        case "binary":
            path.write_bytes(bytes(range(256)) + b"\n*.log\n")
        case _:
            path.write_bytes(b"!\n\\\n[z-a]\n[[:nothing:]]\n\xff\xfe\n*.log\n")
    paths = DiskProject(tmp_path).listing().paths
    assert "a/x.py" in paths
    assert ("a/y.log" in paths) is (kind in ("folder", "pipe", "link"))


def test_where_an_ignore_file_cannot_be_used_nothing_below_it_is_read(tmp_path: Path) -> None:
    _fill(tmp_path, "a/x.py", "a/b/z.py", "c/x.py", "d/x.py", "top.py")
    _fill(tmp_path, "a/.gitignore", text="#" * ((1 << 20) + 1))
    _fill(tmp_path, "c/.gitignore", text="a*b\n" * 2_001)
    _fill(tmp_path, "d/.gitignore", text="a*b\n" * 2_000)
    project = DiskProject(tmp_path)
    assert project.listing().paths == ("d/.gitignore", "d/x.py", "top.py")
    assert [(notice.code, notice.path, notice.incomplete) for notice in project.listing().notices] == [
        ("ignore-file-too-large", "a/.gitignore", True),
        ("ignore-file-too-large", "c/.gitignore", True),
    ]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    _fill(tmp_path, "a/b/c.py", "big.py", text="x" * 20)
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (Path.iterdir would count its own)

    before = count()
    for _ in range(200):
        project = DiskProject(tmp_path, limits=Limits(max_file_bytes=10))
        project.listing()
        for path in ("a/b/c.py", "big.py", "link", "link/b", "pipe", "none", "a/none/x", "a", "big.py/x", "../x"):
            project.read(path)
    assert count() == before


def test_a_folder_of_many_entries_is_listed_in_a_stable_order(tmp_path: Path) -> None:
    names = [f"{number:03}.py" for number in range(200)]
    _fill(tmp_path, *reversed(names))
    assert list(DiskProject(tmp_path).listing().paths) == names


def test_files_are_selected_by_gitignore_style_patterns(tmp_path: Path) -> None:
    _fill(tmp_path, "requirements.txt", "sub/requirements-dev.txt", "docs/a.md", "docs/deep/b.md", "c.md")
    project = DiskProject(tmp_path)
    assert [source.path for source in project.files("requirements*.txt")] == [
        "requirements.txt",
        "sub/requirements-dev.txt",
    ]
    assert [source.path for source in project.files("docs/")] == ["docs/a.md", "docs/deep/b.md"]
    assert [source.path for source in project.files("*.md", "!c.md")] == ["docs/a.md", "docs/deep/b.md"]
    assert len(list(project.files())) == 5


def test_a_size_is_known_of_regular_files_alone(tmp_path: Path, outside: Path) -> None:
    _fill(tmp_path, "a.py", "skipped/b.py", ".git/config", text="four")
    (tmp_path / "link").symlink_to(outside / "secret.txt")
    (tmp_path / "out").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe")
    project = DiskProject(tmp_path, exclude=["skipped/"])
    paths = (
        "a.py",
        "./a.py",
        "skipped/b.py",
        "link",
        "out/secret.txt",
        "pipe",
        "skipped",
        "none",
        "../x",
        "/etc/passwd",
    )
    expected = [4, 4, *[None] * 8]
    assert [project.size(path) for path in paths] == expected
    assert project.listing().paths == ("a.py",)
    assert [project.size(path) for path in paths] == expected


def test_a_file_of_any_size_up_to_the_limit_is_read_whole(tmp_path: Path) -> None:
    for size in (0, 1, 65_535, 65_536, 65_537, 200_000):
        (tmp_path / "a").write_bytes(b"x" * size)
        assert len(_text(DiskProject(tmp_path, limits=Limits(max_file_bytes=200_000)), "a")) == size
    (tmp_path / "a").write_bytes(b"x" * 200_001)
    assert _code(DiskProject(tmp_path, limits=Limits(max_file_bytes=200_000)), "a") == "file-too-large"
