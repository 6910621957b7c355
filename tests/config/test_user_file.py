"""The user's own file: where it is found, and everything that can be wrong with it."""

import os
import socket
from pathlib import Path

import pytest

from kimi_lsp.config import load, user_file
from kimi_lsp.errors import ConfigError

_MONEY = "an amount in US dollars from 0 to 1,000,000, with at most 9 decimal places"
_LANES = "a list of lanes (security, dependencies, docs, style, health)"
_NAME = "a name of 1 to 200 printable ASCII characters without spaces"
_TOKENS = "a whole number from 0 to 1,000,000,000,000"


def _error(path: Path, content: str | bytes | None = None) -> str:
    """The line that loading a file with this content ends with, the folder's name taken out."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        load(environ={}, user_file=path)
    assert "\n" not in caught.value.line
    return caught.value.line.replace(str(path.parent) + os.sep, "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("model = 5\n", f"config.toml:1: model: expected {_NAME}, got 5."),
        ("# x\n\nmodle = 'a'\n", "config.toml:3: modle: unknown key. Did you mean 'model'?"),
        ("[bugdet]\nrun_usd = 1\n", "config.toml:1: bugdet: unknown key. Did you mean 'budget'?"),
        ("[budget]\n\nrun_us = 1\n", "config.toml:3: budget.run_us: unknown key. Did you mean 'budget.run_usd'?"),
        ("max_file_bytes = 1\n", "config.toml:1: max_file_bytes: unknown key. Did you mean 'limits.max_file_bytes'?"),
        ("[limits]\ndaily_usd = 1\n", "config.toml:2: limits.daily_usd: unknown key. Did you mean 'budget.daily_usd'?"),
        ("[style]\nzzzz = 1\n", "config.toml:2: style.zzzz: unknown key. Known here: files, sentences."),
        ("budget = 5\n", "config.toml:1: budget: expected a table, got 5."),
        ("budget.run_usd = 'abc'\n", f"config.toml:1: budget.run_usd: expected {_MONEY}, got 'abc'."),
        ("[budget]\nrun_usd = nan\n", f"config.toml:2: budget.run_usd: expected {_MONEY}, got NaN."),
        ("[budget]\nrun_usd = inf\n", f"config.toml:2: budget.run_usd: expected {_MONEY}, got Infinity."),
        ("[budget]\nrun_tokens = true\n", f"config.toml:2: budget.run_tokens: expected {_TOKENS}, got true."),
        ("[budget]\nrun_tokens = '5'\n", f"config.toml:2: budget.run_tokens: expected {_TOKENS}, got '5'."),
        ("trust_env = 'yes'\n", "config.toml:1: trust_env: expected true or false, got 'yes'."),
        ("lanes = 'security'\n", f"config.toml:1: lanes: expected {_LANES}, got 'security'."),
        ("lanes = [1]\n", f"config.toml:1: lanes: expected {_LANES}, got 1."),
        ("exclude = ['']\n", "config.toml:1: exclude: expected a pattern of 1 to 500 printable characters, got ''."),
        (
            'exclude = ["a\\nb"]\n',
            "config.toml:1: exclude: expected a pattern of 1 to 500 printable characters, got 'a\\nb'.",
        ),
        (
            "consent = ['project']\n",
            "config.toml:1: consent: expected an absolute path, or one that begins with ~/, got 'project'.",
        ),
        (
            "[rules]\nweak-hash = 'no'\n",
            "config.toml:2: rules.weak-hash: expected one of off, error, warning, note, got 'no'. Did you mean 'note'?",
        ),
        ("[rules]\n'a b' = 'off'\n", "config.toml:1: rules: expected a rule id, got 'a b'."),
        (
            "[headers]\nHost = 'x'\n",
            "config.toml:1: headers: expected a header name that kimi-lsp does not set itself, got 'Host'.",
        ),
        (
            "date = 2026-01-01\nmodel = 1979-05-27\n",
            f"config.toml:2: model: expected {_NAME}, got 1979-05-27 (1 more).",
        ),
        ("model = \n", "config.toml:1: not TOML: invalid value."),
        ("a = 1\na = 2\n", "config.toml:2: not TOML: cannot overwrite a value."),
        ("a = 1\nb", "config.toml:2: not TOML: expected '=' after a key in a key/value pair."),
        ("x = \0", "config.toml:1: not TOML: invalid value."),
        ('x = 1\n\n\ny = "', "config.toml:4: not TOML: unterminated string."),
        ("\u202e = 1\n", "config.toml:1: not TOML: invalid statement."),
        ("'\u202e' = 1\n", "config.toml:1: '\\u202e': unknown key. Known here: "),
        ("x = " + "[" * 50_000, "config.toml: not usable: nested too deeply."),
        ("x = " + "9" * 5_000, "config.toml: not usable: a number of too many digits."),
        ("x = 1e99999999999999999999", "config.toml: not usable: a number of too many digits."),
        ("a." * 60_000 + "b = 1", "config.toml: not usable: keys of too many parts."),
        ("[" + "a." * 60_000 + "b]", "config.toml: not usable: keys of too many parts."),
        ("x = { " + "a." * 60_000 + "b = 1 }", "config.toml: not usable: keys of too many parts."),
        ('"a,=". ' * 60_000 + "b = 1", "config.toml: not usable: keys of too many parts."),
        ("#" * 500_001, "config.toml: 500,001 characters, the limit is 500,000."),
        (b"model = '\xe9'\n", "config.toml:1: not UTF-8. Save the file as UTF-8."),
        (b"\n\n\xff\xfe", "config.toml:3: not UTF-8. Save the file as UTF-8."),
    ],
)
def test_a_bad_file_is_one_line_that_says_where_what_and_why(tmp_path: Path, text: str | bytes, line: str) -> None:
    found = _error(tmp_path / "config.toml", text)
    assert found.startswith(line) if line.endswith(": ") else found == line


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("\ufeffmodel = 'kimi-k3'\r\n\r\n[budget]\r\nrun_us = 1\r\n".encode())
    with pytest.raises(ConfigError, match=r"config\.toml:4: budget\.run_us: unknown key"):
        load(environ={}, user_file=path)
    path.write_bytes("\ufeffmodel = 'kimi-k3'\r\n".encode())
    assert load(environ={}, user_file=path).settings.model == "kimi-k3"


def test_a_missing_file_a_folder_and_a_socket_are_said(tmp_path: Path) -> None:
    assert _error(tmp_path / "none.toml") == "none.toml: cannot be read: no such file or directory."
    (tmp_path / "folder.toml").mkdir()
    assert _error(tmp_path / "folder.toml") == "folder.toml: expected a file, got a folder or a special file."
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert _error(tmp_path / "s") == "s: expected a file, got a folder or a special file."
    assert _error(tmp_path / "a\0b") == "a\\x00b: not a path."


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _error(tmp_path / "pipe") == "pipe: expected a file, got a folder or a special file."


def test_a_link_loop_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert _error(tmp_path / "loop") == "loop: cannot be read: too many levels of symbolic links."


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    assert _error(path) == "config.toml: 2,000,001 characters, the limit is 500,000."


def test_a_link_to_a_file_is_the_users_own_business(tmp_path: Path) -> None:
    (tmp_path / "dotfiles.toml").write_text("model = 'kimi-k3'\n")
    (tmp_path / "config.toml").symlink_to("dotfiles.toml")
    assert load(environ={}, user_file=tmp_path / "config.toml").settings.model == "kimi-k3"


def test_a_key_that_others_can_read_is_mentioned(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("api_key = 'k'\n")
    path.chmod(0o644)
    assert load(environ={}, user_file=path).notices == (
        f"{path} holds a key and other users of this machine can read it.",
    )
    path.chmod(0o600)
    assert load(environ={}, user_file=path).notices == ()


def test_the_file_is_where_the_variable_or_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file({}) is None
    usual = tmp_path / "kimi-lsp" / "config.toml"
    usual.parent.mkdir()
    usual.symlink_to(tmp_path / "nowhere")
    assert user_file({}) == usual, "a dangling link is an error to report, not a file that is not there"
    assert user_file({"KIMI_LSP_CONFIG": str(tmp_path / "mine.toml")}) == tmp_path / "mine.toml"
    assert user_file({"KIMI_LSP_CONFIG": "~/mine.toml"}) == Path.home() / "mine.toml"


def test_a_relative_file_would_be_the_projects_own() -> None:
    with pytest.raises(ConfigError, match=r"^KIMI_LSP_CONFIG: expected an absolute path"):
        user_file({"KIMI_LSP_CONFIG": ".kimi/config.toml"})
