"""Arguments on their way out, answers on their way in."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.audit.lenders.program import child_environment, program_path
from kimi_lsp.audit.lenders.replies import (
    MAX_REPLY_CHARS,
    ArgumentsError,
    Reply,
    arguments_of,
    capped,
    embedded,
    told,
    unseen,
)
from kimi_lsp.audit.lenders.watch import MAX_BYTES, Watch
from kimi_lsp.audit.toolloop.toolbox import ErrorText

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), _values, max_size=4))
def test_arguments_are_what_the_model_wrote(value: dict[str, object]) -> None:
    assert arguments_of(json.dumps(value)) == value


@given(st.text())
def test_any_text_is_arguments_or_refused(text: str) -> None:
    try:
        arguments = arguments_of(text)
    except ArgumentsError:
        return
    assert json.loads(text if text.strip() else "{}") == arguments


def test_no_arguments_are_an_empty_object() -> None:
    assert arguments_of(" ") == {}


@given(st.lists(st.text(), max_size=4), _values, st.booleans())
def test_any_answer_is_bounded_visible_text(texts: list[str], structured: object, is_error: bool) -> None:
    text = told(Reply(tuple(texts), json.loads(json.dumps(structured)), is_error))
    assert 0 < len(text) <= MAX_REPLY_CHARS
    assert isinstance(text, ErrorText) is is_error
    text.encode()
    assert not {"\x1b", "\u202e", "\u200b", "\r", "\0"} & set(text)


@pytest.mark.parametrize("text", ["x" * 16_000, "\x1b" * 4_000, "\x1b" * 4_001, "x" * 16_001, "\u202e" * 1_000_000])
def test_a_cut_is_said(text: str) -> None:
    shown = capped(text)
    assert len(shown) <= MAX_REPLY_CHARS
    assert ("[cut here: about " in shown) is (text not in ("x" * 16_000, "\x1b" * 4_000))


def test_structured_content_that_the_text_repeats_is_said_once() -> None:
    assert told(Reply(('{\n  "a": [1]\n}',), {"a": [1]})) == '{\n  "a": [1]\n}'
    assert told(Reply(("One.",), {"a": [1]})) == 'One.\n{"a": [1]}'
    assert told(Reply((), {"a": "ü\u202e"})) == '{"a": "ü\\u{202e}"}'
    assert told(Reply(("[" * 100_000,), {"a": 1})).endswith("more characters]")


def test_an_empty_answer_says_so() -> None:
    assert told(Reply()) == told(Reply(("",))) == "The tool gave no text."


def test_a_name_inside_an_answer_forges_no_line() -> None:
    assert unseen("link", "a\nb", "") == "[link, a\\nb: not shown]"
    assert embedded("u\n[x", "text") == "[u\\n[x]\ntext"
    assert len(unseen("link", "x" * 10_000)) < 400


def test_the_first_fault_is_told_once() -> None:
    heard: list[str] = []
    watch = Watch(lambda: heard.append(watch.fault))
    assert watch.take(MAX_BYTES, 1)
    watch.renew()
    assert watch.take(MAX_BYTES, 1)
    assert not watch.take(1, 1)
    watch.blame("later")
    assert heard == [watch.fault] == ["sent far more than it was asked for"]


def test_a_program_is_found_in_absolute_folders_of_path_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("project", "bin"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "server").write_text("")
    (tmp_path / "bin" / "server").chmod(0o755)
    (tmp_path / "project" / "server").chmod(0o755)
    monkeypatch.chdir(tmp_path / "project")
    environ = {"PATH": f".::{tmp_path / 'none'}:{tmp_path / 'bin'}:relative"}
    assert program_path("server", environ) == str(tmp_path / "bin" / "server")
    assert program_path("server", {"PATH": "."}) is None
    assert program_path("server", {"PATH": ""}) is None
    assert program_path(str(tmp_path / "bin" / "server"), {}) == str(tmp_path / "bin" / "server")
    assert child_environment(environ, {})["PATH"] == f"{tmp_path / 'none'}:{tmp_path / 'bin'}"


def test_a_servers_own_variables_come_last() -> None:
    environ = {"HOME": "/home/me", "PATH": "/bin", "SECRET": "x"}
    assert dict(child_environment(environ, {"PATH": "/mine", "A": "1"})) == {
        "HOME": "/home/me",
        "PATH": "/mine",
        "A": "1",
    }
