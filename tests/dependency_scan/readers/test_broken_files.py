"""Whatever a file holds: nothing is raised, what was read is right, and what was not is said."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_tools.dependency_scan.readers import MAX_CHARS, MAX_DEPENDENCIES, read_file, reader_of
from mcp_tools.dependency_scan.values import FileRead
from mcp_tools.finding import Notice
from mcp_tools.project import Source, decode
from tests.dependency_scan.readers.reading import check_places
from tests.dependency_scan.readers.samples import SAMPLES

_PATHS = sorted(SAMPLES)
_MARKS = "\"'[]{}()<>=,.:;#@!\\/|>-+*&%$`~^? \t\r\n\x00\ufeff\U0001f600a0"


def _closed(path: str) -> Notice:
    return Notice("no-such-file", "not read: no such file", path)


def _read(path: str, text: str) -> FileRead:
    source = Source(path, text)
    found = read_file(source, _closed)
    assert found is not None
    for item in (*found.dependencies, *found.recorded, *found.indexes):
        assert source.region(*source.span(item.region)) == item.region
    return found


@pytest.mark.parametrize("path", _PATHS)
def test_the_small_files_are_read_without_a_word(path: str) -> None:
    found = _read(path, SAMPLES[path])
    assert found.dependencies
    assert found.notices == ()
    assert reader_of(path) is not None
    check_places(Source(path, SAMPLES[path]), found)


@pytest.mark.parametrize("path", _PATHS)
def test_a_file_cut_at_any_place_is_read_up_to_there(path: str) -> None:
    whole = {item.name for item in _read(path, SAMPLES[path]).dependencies}
    for stop in range(len(SAMPLES[path])):
        found = _read(path, SAMPLES[path][:stop])
        assert len(found.dependencies) <= len(whole) + 2, stop


_STRUCTURED = [
    path
    for path in _PATHS
    if SAMPLES[path].lstrip().startswith(("{", "<"))
    or path in ("uv.lock", "Cargo.lock", "poetry.lock", "pyproject.toml")
]


@pytest.mark.parametrize("path", _STRUCTURED)
def test_a_merge_conflict_makes_the_answer_incomplete(path: str) -> None:
    text = SAMPLES[path].replace("{", "{\n<<<<<<< HEAD\n", 1).replace("<d", "\n<<<<<<< HEAD\n<d", 1)
    text = text if text != SAMPLES[path] else "<<<<<<< HEAD\n" + text
    assert any(notice.incomplete for notice in _read(path, text).notices)


@pytest.mark.parametrize("path", _PATHS)
def test_a_root_of_the_wrong_kind_is_said_or_empty(path: str) -> None:
    for text in ("[1, 2]", "3", '"text"', "null", "", "\n\n", "\ufeff"):
        assert len(_read(path, text).dependencies) <= 2


@pytest.mark.parametrize("path", [path for path in _PATHS if SAMPLES[path].startswith("{")])
def test_values_of_the_wrong_type_are_said(path: str) -> None:
    found = 0
    for right in ('"1.0.0"', "[", "{"):
        text = SAMPLES[path]
        at = text.rfind(right)
        if at > 0:
            wrong = (
                text[:at]
                + {'"1.0.0"': "[]", "[": "[[{}], 7, ", "{": '{"x": [1, {"y": null}], "z": 3, '}[right]
                + text[at + len(right) :]
            )
            _read(path, wrong)
            found += 1
    assert found


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_file_with_anything_changed_in_it_raises_nothing(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_PATHS))
    text = SAMPLES[path]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        upto = data.draw(st.integers(at, min(len(text), at + 8)))
        text = text[:at] + data.draw(st.text(_MARKS, max_size=6)) + text[upto:]
    _read(path, text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(_PATHS), st.text(max_size=60))
def test_any_text_at_all_raises_nothing(path: str, text: str) -> None:
    _read(path, text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_PATHS), st.binary(max_size=60))
def test_bytes_that_are_no_utf_8_raise_nothing(path: str, data: bytes) -> None:
    decoded = decode(path, SAMPLES[path].encode() + data)
    if isinstance(decoded, Source):
        assert read_file(decoded, _closed) is not None


_REPEATED = [
    "[",
    "{",
    '{"a":',
    '"',
    " ",
    "\n",
    "#",
    "\\",
    "a.",
    "a=",
    "- ",
    "\t",
    "(",
    "<a>",
    "&a [*a,",
    "-r a\n",
    "\ud800",
    "${a}",
    "a==1;(",
    "a[",
    "a v1.0.0\n",
    "[[a]]\n",
    "    a (1)\n",
    "FROM ",
    "via\n# ",
]


@pytest.mark.parametrize("path", _PATHS)
def test_one_thing_over_and_over_costs_no_more_than_its_length(path: str) -> None:
    for unit in _REPEATED:
        _read(path, unit * (8_000 // len(unit)))
        _read(path, SAMPLES[path] + unit * (8_000 // len(unit)))


def test_more_dependencies_than_anyone_has_are_cut_and_said() -> None:
    text = "".join(f"e.example/m{number} v1.0.0 h1:x=\n" for number in range(MAX_DEPENDENCIES + 5))
    found = read_file(Source("go.sum", text), _closed)
    assert found is not None
    assert len(found.dependencies) == MAX_DEPENDENCIES
    assert [(notice.code, notice.incomplete) for notice in found.notices] == [("too-many-dependencies", True)]


def test_a_file_longer_than_is_read_is_said() -> None:
    found = _read("package.json", " " * (MAX_CHARS + 1))
    assert [(notice.code, notice.incomplete) for notice in found.notices] == [("file-too-large", True)]


def test_a_thousand_problems_are_said_in_a_bounded_number_of_notices() -> None:
    found = _read("requirements.txt", "%%\n" * 1_000)
    assert len(found.notices) <= 60
    assert found.notices[-1].code == "too-many-notices"


def test_includes_that_go_round_or_on_and_on_come_to_an_end() -> None:
    def chain(path: str) -> Source:
        number = int(path.partition(".")[0].removeprefix("r"))
        return Source(path, f"a{number}==1\n-r r{number + 1}.txt\n-r r{number // 2}.txt\n-r requirements.txt\n")

    found = read_file(Source("requirements.txt", "-r r1.txt\n"), chain)
    assert found is not None
    assert 10 < len(found.included) < 40
    assert any(notice.code == "include-not-followed" for file in found.included for notice in file.notices)


def test_a_name_nobody_reads_has_no_reader() -> None:
    for path in (
        "README.md",
        "src/main.py",
        "lock",
        "notpackage.json",
        "workflows/ci.yml",
        "mypyproject.toml",
        "x.txt",
    ):
        assert reader_of(path) is None, path
    for path in (
        "a/b/requirements-dev.txt",
        "requirements/base.in",
        "Api.Dockerfile",
        "Containerfile",
        "x/gems.locked",
    ):
        assert reader_of(path) is not None, path
