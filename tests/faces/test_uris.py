"""URIs and paths: files there and back, everything else is a name and no file."""

import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.faces.uris import local_path, path_of, uri_of

_part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
_bytes = st.binary(min_size=1, max_size=12).filter(lambda raw: not {b"/"[0], 0} & set(raw) and raw not in {b".", b".."})


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
@given(st.lists(st.one_of(_part, _bytes.map(os.fsdecode)), max_size=4))
def test_any_posix_name_goes_there_and_back(parts: list[str]) -> None:
    path = Path("/", *parts)
    uri = uri_of(path)
    assert path_of(uri) == path
    assert uri.isascii()


@given(st.lists(_part.filter(lambda name: not set('\\<>:"|?*') & set(name) and min(name) >= " "), max_size=4))
@pytest.mark.parametrize("root", ["C:\\", "\\\\server\\share\\", "\\\\wsl.localhost\\Ubuntu\\"])
def test_any_windows_name_goes_there_and_back(root: str, parts: list[str]) -> None:
    path = PureWindowsPath(root, *parts)
    assert PureWindowsPath(local_path(uri_of(path), is_windows=True) or "") == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file:/a/b.py", "/a/b.py"),
        ("FILE://LOCALHOST/a", "/a"),
        ("file:///a%20b/%C3%A9.py", "/a b/é.py"),
        ("file:///a b/é.py", "/a b/é.py"),
        ("file:///a%23%3F%25", "/a#?%"),
        ("file:///a%zz", "/a%zz"),
        ("file:///%ff.py", "/\udcff.py"),
        ("file:////a", "/a"),
        ("file:///a/...", "/a/..."),
        ("file:///c%3A/x", "/c:/x"),
        ("file:///line%0Aend", "/line\nend"),
        ("file:///", "/"),
    ],
)
def test_a_file_uri_is_a_path(uri: str, path: str) -> None:
    assert local_path(uri, is_windows=False) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/x/y.py", r"c:\x\y.py"),
        ("file:///C:/x", r"C:\x"),
        ("file:///c:", "c:\\"),
        ("file://server/share/x", r"\\server\share\x"),
        ("file:////server/share/x", r"\\server\share\x"),
        ("file://localhost/d:/x", r"d:\x"),
        ("file:///c:/a%5Cb", r"c:\a\b"),
    ],
)
def test_a_drive_or_a_share_is_a_path_on_windows(uri: str, path: str) -> None:
    assert local_path(uri, is_windows=True) == path


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "untitled:Untitled-1",
        "git:/a/b.py?%7B%22path%22%3A%22a%22%7D",
        "vscode-notebook-cell:/a/b.ipynb#W0",
        "https://evil.example/a.py",
        "http://file:///a",
        "jar:file:///a.jar!/b",
        "/a/b.py",
        "file:",
        "file:a.py",
        "file://",
        "file://a.py",
        "file:///a.py?x=1",
        "file:///a.py#L3",
        "file:///a/../../etc/passwd",
        "file:///a/%2e%2E/b",
        "file:///a%00.py",
        "file:///a\x00.py",
        "file:///a\n.py",
        "file:///\ud800",
        " file:///a",
    ],
)
@pytest.mark.parametrize("is_windows", [False, True])
def test_what_is_no_plain_file_has_no_path(uri: str, is_windows: bool) -> None:
    assert local_path(uri, is_windows=is_windows) is None


def test_another_machine_has_no_path_on_posix() -> None:
    assert local_path("file://server/share/x", is_windows=False) is None


@pytest.mark.parametrize(
    "uri",
    [
        "file:///a/b",
        "file:///c%3Ax",
        "file:///c:/a.py:stream",
        "file:///c:/con%3F",
        "file:///c:/a%5C..%5Cb",
        "file://./pipe/x",
        "file:////%3F/c:/x",
        "file://server",
        "file://server/",
        "file:///c:/%ff",
    ],
)
def test_a_device_a_stream_or_a_relative_path_is_no_path_on_windows(uri: str) -> None:
    assert local_path(uri, is_windows=True) is None


@given(st.text(max_size=40) | st.text(st.sampled_from("file:/.%2eC0\\?#\ud800 ")).map(lambda rest: f"file:{rest}"))
def test_no_text_makes_it_raise_or_leave_an_absolute_path(uri: str) -> None:
    posix, windows = local_path(uri, is_windows=False), local_path(uri, is_windows=True)
    assert posix is None or (PurePosixPath(posix).is_absolute() and ".." not in PurePosixPath(posix).parts)
    assert windows is None or (PureWindowsPath(windows).is_absolute() and ".." not in PureWindowsPath(windows).parts)


def test_uris_are_spelled_as_vs_code_spells_them() -> None:
    assert uri_of(PurePosixPath("/a b/é(1)/c:d~_-.py")) == "file:///a%20b/%C3%A9%281%29/c%3Ad~_-.py"
    assert uri_of(PureWindowsPath(r"C:\x\y z.py")) == "file:///c%3A/x/y%20z.py"
    assert uri_of(PureWindowsPath(r"\\server\share\x")) == "file://server/share/x"
    with pytest.raises(ValueError, match="absolute"):
        uri_of(PurePosixPath("a.py"))
