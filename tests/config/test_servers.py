"""`[mcp_servers.NAME]`: what can be said of a server, and every way to say it wrongly."""

import traceback
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.config import McpServer, Secret, load, project_options
from kimi_lsp.config.servers import KEYS
from kimi_lsp.errors import ConfigError

_CANARY = "can" + "ary-19c4"
_KNOWN = "command, url, env, headers, tools, timeout_s, enabled"
_PROGRAM = "an absolute path, or the name of a program on PATH"
_URL = "an http(s) URL without user, query or fragment, such as https://mcp.example/mcp"


def _file(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def _line(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(environ={}, user_file=_file(folder, text))
    assert _CANARY not in "".join(traceback.format_exception(caught.value))
    return caught.value.line.replace(f"{folder}/", "")


def test_a_program_and_a_url_are_read_whole(tmp_path: Path) -> None:
    text = f"""
        [mcp_servers.docs]
        command = ["npx", "-y", "docs-server", "--läuft"]
        tools = ["search", "read", "search"]
        timeout_s = 2.5
        [mcp_servers.docs.env]
        DOCS_KEY = "{_CANARY}"
        [mcp_servers.issue-tracker]
        url = "http://127.0.0.1:8931/mcp"
        headers = {{ Authorization = "Bearer {_CANARY}" }}
        enabled = false
        """
    resolved = load(environ={}, user_file=_file(tmp_path, text))
    assert dict(resolved.settings.mcp_servers) == {
        "docs": McpServer(
            command=("npx", "-y", "docs-server", "--läuft"),
            env={"DOCS_KEY": Secret(_CANARY)},
            tools=("search", "read"),
            timeout_s=2.5,
        ),
        "issue-tracker": McpServer(
            url="http://127.0.0.1:8931/mcp", headers={"Authorization": Secret(f"Bearer {_CANARY}")}, enabled=False
        ),
    }
    assert _CANARY not in repr(resolved)
    assert resolved.notices == ()


def test_an_absolute_program_is_one() -> None:
    program = str(Path("/opt/server").absolute())
    assert McpServer(command=(program,)).timeout_s == 25.0


def test_every_key_is_a_field_of_the_value() -> None:
    assert list(KEYS) == [field.name for field in fields(McpServer)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[mcp_servers.docs]\ncomand = ['x']\n",
            f"2: mcp_servers.docs.comand: expected one of {_KNOWN}, got an unknown key. Did you mean 'command'?",
        ),
        ("[mcp_servers.docs]\n", "1: mcp_servers.docs: expected either a command or a url, got neither."),
        (
            "[mcp_servers.docs]\ncommand = ['x']\nurl = 'https://mcp.example'\n",
            "1: mcp_servers.docs: expected either a command or a url, got both.",
        ),
        (
            "[mcp_servers.Docs]\ncommand = ['x']\n",
            "1: mcp_servers: expected names of a letter and up to 30 of a-z, 0-9 and '-', such as docs, got 'Docs'.",
        ),
        (
            "mcp_servers = 1\n",
            "1: mcp_servers: expected a table of MCP servers, each [mcp_servers.NAME], got something else.",
        ),
        (
            "mcp_servers.docs = 'x'\n",
            "1: mcp_servers.docs: expected a table with a command or a url, got something else.",
        ),
        (
            "[mcp_servers.docs]\ncommand = 'npx docs'\n",
            "2: mcp_servers.docs.command: expected a program and its arguments, a list of texts, got 'npx docs'.",
        ),
        (
            "[mcp_servers.docs]\ncommand = []\n",
            "2: mcp_servers.docs.command: expected a program and its arguments, a list of texts, got an empty list.",
        ),
        *[
            (
                f"[mcp_servers.docs]\ncommand = ['{program}']\n",
                f"2: mcp_servers.docs.command: expected {_PROGRAM}, got '{program}'.",
            )
            for program in ("./server", "bin/server", "..", "", " ", "~/server")
        ],
        (
            "[mcp_servers.docs]\nurl = 'http://mcp.example/mcp'\n",
            "2: mcp_servers.docs.url: expected https, or http on this machine, got 'http://mcp.example/mcp'.",
        ),
        ("[mcp_servers.docs]\nurl = 'mcp.example'\n", f"2: mcp_servers.docs.url: expected {_URL}, got 'mcp.example'."),
        (
            f"[mcp_servers.docs]\nurl = 'https://mcp.example/?key={_CANARY}'\n",
            f"2: mcp_servers.docs.url: expected {_URL}, got a URL with a '?' or '#'.",
        ),
        (
            f"[mcp_servers.docs]\nurl = 'https://me:{_CANARY}@mcp.example/'\n",
            f"2: mcp_servers.docs.url: expected {_URL}, got a URL with an '@'.",
        ),
        (
            f"[mcp_servers.docs]\ncommand = ['x']\nenv = {{ 'A B' = '{_CANARY}' }}\n",
            "3: mcp_servers.docs.env: expected names of variables, got 'A B'.",
        ),
        (
            f"[mcp_servers.docs]\ncommand = ['x']\n[mcp_servers.docs.env]\nKEY = ['{_CANARY}']\n",
            "4: mcp_servers.docs.env.KEY: expected a text, got something else.",
        ),
        (
            f"[mcp_servers.docs]\ncommand = ['x']\nenv = '{_CANARY}'\n",
            "3: mcp_servers.docs.env: expected a table of variables and their values, got something else.",
        ),
        (
            f"[mcp_servers.docs]\nurl = 'https://mcp.example'\n[mcp_servers.docs.headers]\nX = \"{_CANARY}\\n\"\n",
            "4: mcp_servers.docs.headers.X: expected a text of printable ASCII characters, got something else.",
        ),
        (
            "[mcp_servers.docs]\nurl = 'https://mcp.example'\nheaders = { Host = 'x' }\n",
            "3: mcp_servers.docs.headers: expected a header name that kimi-lsp does not set itself, got 'Host'.",
        ),
        (
            "[mcp_servers.docs]\nurl = 'https://mcp.example'\nenv = { A = 'x' }\n",
            "3: mcp_servers.docs.env: expected env beside a command only, got one beside the other.",
        ),
        (
            "[mcp_servers.docs]\ncommand = ['x']\nheaders = { A = 'x' }\n",
            "3: mcp_servers.docs.headers: expected headers beside a url only, got one beside the other.",
        ),
        (
            "[mcp_servers.docs]\ncommand = ['x']\ntools = ['a b']\n",
            "3: mcp_servers.docs.tools: expected a tool's name of 1 to 128 printable ASCII characters, got 'a b'.",
        ),
        (
            "[mcp_servers.docs]\ncommand = ['x']\ntimeout_s = 0\n",
            "3: mcp_servers.docs.timeout_s: expected a number of seconds from 0.1 to 86,400, got 0.",
        ),
        (
            "[mcp_servers.docs]\ncommand = ['x']\nenabled = 'no'\n",
            "3: mcp_servers.docs.enabled: expected true or false, got 'no'.",
        ),
        (
            "".join(f"[mcp_servers.s{number}]\ncommand = ['x']\n" for number in range(17)),
            "1: mcp_servers: expected at most 16 MCP servers, got 17.",
        ),
    ],
)
def test_a_bad_server_is_one_line_that_says_where_what_and_why(tmp_path: Path, text: str, line: str) -> None:
    assert _line(tmp_path, text) == f"config.toml:{line}"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*KEYS, "docs", "x"]) | st.text(), inner, max_size=4)
        ),
    )
)
def test_whatever_is_written_is_a_table_of_servers_or_an_error(value: object) -> None:
    from pydantic import TypeAdapter, ValidationError

    from kimi_lsp.config.servers import McpServers

    try:
        servers = TypeAdapter[object](McpServers).validate_python(value)
    except ValidationError:
        return
    assert all(isinstance(server, McpServer) for server in dict(servers).values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportArgumentType, reportCallIssue] - the adapter's type is unknown here


def test_a_server_without_a_way_to_it_is_no_value() -> None:
    with pytest.raises(ValueError, match="a command or a url"):
        McpServer()
    with pytest.raises(ValueError, match="a command or a url"):
        McpServer(command=("x",), url="https://mcp.example")


def test_a_servers_secrets_that_others_can_read_are_mentioned(tmp_path: Path) -> None:
    text = f"[mcp_servers.docs]\ncommand = ['x']\nenv = {{ KEY = '{_CANARY}' }}\n"
    path = _file(tmp_path, text)
    path.chmod(0o644)
    assert load(environ={}, user_file=path).notices == (
        f"{path} holds a key and other users of this machine can read it.",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kimi.toml", "[mcp_servers.docs]\ncommand = ['evil']\n"),
        ("pyproject.toml", "[tool.kimi.mcp_servers.docs]\nurl = 'https://evil.example'\n"),
        ("kimi.toml", "tools = true\n"),
        ("kimi.toml", "mcp_review = true\n"),
    ],
)
def test_a_project_can_neither_add_a_server_nor_turn_tools_on(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match="only your own configuration may set this"):
        project_options(text, name)
