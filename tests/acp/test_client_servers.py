"""The MCP servers that a client passes along."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from kimi_lsp.acp.client_servers import read_servers, usable
from kimi_lsp.config.settings import McpServer
from kimi_lsp.errors import UsageError


def servers(*entries: object) -> dict[str, McpServer]:
    return read_servers([Raw(json.dumps(entry).encode()) for entry in entries])


def program(name: str) -> dict[str, object]:
    return {"name": name, "command": "a", "args": [], "env": []}


PROGRAM = {"name": "My Docs!", "command": "/bin/docs", "args": ["--x"], "env": [{"name": "TOKEN", "value": "hush"}]}


def test_programs_and_urls_are_told_apart_and_their_secrets_are_not_shown() -> None:
    url = {"type": "http", "name": "web", "url": "https://mcp.example/mcp", "headers": [{"name": "X", "value": "hush"}]}
    found = servers(PROGRAM, url, {"type": "stdio", "name": "My docs", "command": "d", "args": [], "env": None})
    assert list(found) == ["my-docs", "web", "my-docs-2"]
    assert found["my-docs"].command == ("/bin/docs", "--x")
    assert found["my-docs"].env["TOKEN"].reveal() == "hush"
    assert found["web"].url == "https://mcp.example/mcp"
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        "x",
        {"name": "x"},
        {"name": "x", "command": "", "args": [], "env": []},
        {"name": "x", "command": "a\0b", "args": [], "env": []},
        {"name": "x", "command": "a", "args": "b", "env": []},
        {"name": "x", "command": "a", "args": [], "env": {"A": "b"}},
        {"name": 1, "command": "a", "args": [], "env": []},
        {"type": "sse", "name": "x", "url": "https://x.example", "headers": []},
        {"type": "http", "name": "x", "url": "file:///etc/passwd", "headers": []},
        {"type": "acp", "name": "x", "id": "y"},
    ],
)
def test_a_wrong_entry_is_refused_by_its_number_and_never_dropped(wrong: object) -> None:
    with pytest.raises(UsageError) as caught:
        servers(PROGRAM, wrong)
    assert caught.value.line == "mcpServers[1]: no MCP server: wrong or missing members"


@given(st.lists(st.text()))
def test_names_are_those_of_the_configuration_and_all_different(names: list[str]) -> None:
    found = servers(*(program(name) for name in names[:60]))
    assert len(found) == len(names[:60])
    assert all(name[0].isalpha() and len(name) <= 31 and name == name.lower() for name in found)


def test_no_more_are_used_than_there_is_room_for() -> None:
    found = servers(*(program(f"n{n}") for n in range(20)))
    assert len(usable(found, 0)) == 16
    assert len(usable(found, 14)) == 2
    assert usable(found, 16) == {}
