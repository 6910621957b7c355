"""The MCP inspector's command line, a client of the TypeScript SDK, in its three eras and over both transports."""

import json
from collections.abc import Iterator
from typing import Protocol

import pytest

from mcp_tools.catalog import TOOLS
from tests.fakes.json_value import Json, get, items
from tests.mcp.clients.agents import INSPECTOR, start
from tests.mcp.clients.world import SECRET, TOKEN, Done, World, words


class Ask(Protocol):
    """Runs one method of the client."""

    def __call__(self, method: str, *arguments: str) -> Done:
        """Run it to its end."""
        ...


_PROTOCOL_ERROR, _TOOL_ERROR = 1, 5


@pytest.fixture(params=["legacy", "modern", "auto"])
def era(request: pytest.FixtureRequest) -> str:
    """What the client speaks."""
    return request.param


@pytest.fixture(params=["stdio", "http"])
def ask(request: pytest.FixtureRequest, world: World, era: str) -> Iterator[Ask]:
    """Runs one method of the client against a server of this transport."""
    program = start(INSPECTOR)

    def of(*target: str) -> Ask:
        def run(method: str, *arguments: str) -> Done:
            return world.run(program, *target, "--protocol-era", era, "--method", method, *arguments)

        return run

    if request.param == "stdio":
        yield of(*world.server)
        return
    with world.serving() as server:
        header = f"Authorization: Bearer {TOKEN}"
        yield of("--server-url", server.url, "--transport", "http", "--header", header)


ONE_OF_EACH = pytest.mark.parametrize(("ask", "era"), [("stdio", "legacy"), ("http", "modern")], indirect=True)
"""A client takes a second and more to start: what no era or transport makes different is asked once of each."""


def test_tools_are_listed_without_an_objection_and_called(ask: Ask) -> None:
    listed = _answer(ask("tools/list", "--strict"))
    called = _answer(ask("tools/call", "--tool-name", "read_file", "--tool-arg", "path=app.py"))

    assert [get(tool, "name") for tool in items(get(listed, "tools"))] == list(TOOLS)
    text = get(called, "content", 0, "text")
    assert isinstance(text, str)
    assert "def run(name: str)" in text
    assert SECRET not in text
    assert get(called, "structuredContent") is not None


@ONE_OF_EACH
def test_resources_are_listed_and_read(ask: Ask) -> None:
    rules = items(get(_answer(ask("resources/list")), "resources"))
    uri = get(rules, 0, "uri")
    assert isinstance(uri, str)

    page = _answer(ask("resources/read", "--uri", uri))
    file = _answer(ask("resources/read", "--uri", "project:///pkg/read.py"))

    assert str(get(page, "contents", 0, "text")).startswith("# ")
    assert "def read(root: str, name: str)" in str(get(file, "contents", 0, "text"))


@ONE_OF_EACH
def test_prompts_are_listed_and_got(ask: Ask) -> None:
    prompts = items(get(_answer(ask("prompts/list")), "prompts"))
    prompt = _answer(ask("prompts/get", "--prompt-name", "audit_change", "--prompt-args", "path=app.py"))

    assert [get(each, "name") for each in prompts] == ["audit_change", "triage_findings", "dual_run"]
    assert "`app.py`" in str(get(prompt, "messages", 0, "content", "text"))


@ONE_OF_EACH
def test_paths_out_of_the_project_are_refused(ask: Ask) -> None:
    called = ask("tools/call", "--tool-name", "read_file", "--tool-arg", "path=../../etc/passwd")
    read = ask("resources/read", "--uri", "project:///../../etc/passwd")

    assert called.code == _TOOL_ERROR, words(called)
    assert read.code == _PROTOCOL_ERROR, words(read)
    assert "root:" not in called.out + called.err + read.out + read.err


def _answer(done: Done) -> Json:
    assert done.code == 0, words(done)
    return json.loads(done.out)
