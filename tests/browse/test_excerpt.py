"""Some lines of a file."""

import hashlib

import pytest

from mcp_tools.browse import Excerpt, read_lines
from mcp_tools.finding import Notice
from mcp_tools.project import MemoryProject, Source
from tests.browse.secrets import PEM, TOKEN


class _Watched(MemoryProject):
    """Remembers what was read."""

    reads: tuple[str, ...] = ()

    def read(self, path: str) -> Source | Notice:
        self.reads = (*self.reads, path)
        return super().read(path)


def _read(text: str | bytes, path: str = "a.py", *, start_line: int = 1, max_lines: int = 200) -> Excerpt:
    excerpt = read_lines(MemoryProject({path: text}), path, start_line=start_line, max_lines=max_lines)
    assert isinstance(excerpt, Excerpt)
    return excerpt


def test_an_excerpt_says_where_it_stands_and_what_the_whole_is() -> None:
    assert _read("one\r\ntwo\rthree\nfour\n", start_line=2, max_lines=2) == Excerpt(
        "a.py", "python", 2, ("two", "three"), 4, hashlib.sha256(b"one\ntwo\nthree\nfour\n").hexdigest(), "utf-8"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("\n", ("",)),
        ("a", ("a",)),
        ("a\n", ("a",)),
        ("a\n\n", ("a", "")),
        ("\f\u2028\x85\n", ("\f\u2028\x85",)),
    ],
)
def test_lines_are_what_line_ends_close_and_what_follows_the_last(text: str, lines: tuple[str, ...]) -> None:
    excerpt = _read(text)
    assert (excerpt.lines, excerpt.total_lines) == (lines, len(lines))


def test_past_the_end_there_are_no_lines() -> None:
    excerpt = _read("a\nb\n", start_line=3)
    assert (excerpt.first_line, excerpt.lines, excerpt.total_lines) == (3, (), 2)
    assert _read("a\nb\n", start_line=-5, max_lines=1).lines == ("a",)
    assert _read("a\nb\n", max_lines=-1).lines == ()
    assert _read("a\n", start_line=10**30, max_lines=10**30).lines == ()


def test_other_encodings_are_read_and_binary_files_are_not() -> None:
    assert (_read("é\n".encode("utf-16")).lines, _read("é\n".encode("utf-16")).encoding) == (("é",), "utf-16-le")
    assert (_read(b"\xe9\n").lines, _read(b"\xe9\n").encoding) == (("é",), "latin-1")
    assert read_lines(MemoryProject({"a": b"x\0y"}), "a") == Notice("binary-file", "not read: binary", "a")


def test_a_secret_is_replaced_and_counted() -> None:
    excerpt = _read(f'a = 1\ntoken = "{TOKEN}"\nagain("{TOKEN}")\n')
    assert excerpt.lines == ("a = 1", 'token = "[redacted:github-token]"', 'again("[redacted:github-token]")')
    assert excerpt.redactions == {"github-token": 2}
    assert _read(f'a = 1\ntoken = "{TOKEN}"\n', max_lines=1).redactions == {}


def test_the_hash_of_a_file_with_a_secret_tells_nothing_about_it() -> None:
    other = TOKEN[:-6] + "xY9zW8"
    assert _read(f'token = "{TOKEN}"\n').sha256 == _read(f'token = "{other}"\n').sha256


def test_a_private_key_keeps_its_lines_and_is_one_secret() -> None:
    excerpt = _read(f"key = '''\n{PEM}\n'''\nb = 2\n")
    assert excerpt.total_lines == len(PEM.split("\n")) + 3
    assert excerpt.lines[2] == "[redacted:private-key]"
    assert excerpt.lines[-1] == "b = 2"
    assert excerpt.redactions == {"private-key": 1}
    assert not any(row in "\n".join(excerpt.lines) for row in PEM.split("\n")[1:-1])


def test_a_private_key_in_a_string_literal_becomes_one_word() -> None:
    literal = PEM.replace("\n", "\\n")
    assert "[redacted:private-key]" in _read(f'key = "{literal}"\n').lines[0]
    assert _read(f'key = "{literal}"\n').lines[0].count("[redacted:") == 1


@pytest.mark.parametrize("path", [".env", "deploy/id_rsa", "a.pem", ".npmrc", ".git/config", "a/.git/hooks/x"])
def test_a_refused_file_is_not_even_opened(path: str) -> None:
    project = _Watched({path: "x\n"})
    notice = read_lines(project, path)
    assert isinstance(notice, Notice)
    assert notice.code in {"secrets-file", "repository-internals"}
    assert project.reads == ()


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "", ".", "a\0b", "CON"])
def test_a_path_outside_is_not_even_tried(path: str) -> None:
    project = _Watched({"a.py": "x\n"})
    notice = read_lines(project, path)
    assert isinstance(notice, Notice)
    assert (notice.code, notice.path) == ("outside-project", path)
    assert project.reads == ()


@pytest.mark.parametrize("path", ["~", "~root/x", "none.py", "..%2f..%2fetc/passwd"])
def test_a_strange_name_is_a_name(path: str) -> None:
    assert read_lines(MemoryProject({}), path) == Notice("no-such-file", "not read: no such file", path)
