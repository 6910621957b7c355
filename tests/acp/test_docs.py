"""docs/acp.md says what is: its tables are those of the agent, its snippets start it, its limits are the program's."""

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

import pytest

from kimi_lsp.acp.buffers import READ_DEADLINE_S
from kimi_lsp.acp.commands import available
from kimi_lsp.acp.connection import SENT
from kimi_lsp.acp.protocol import StopReason
from kimi_lsp.config import Settings
from kimi_lsp.store.conversations import DEFAULT
from tests.acp.clients.agents import schema_file
from tests.acp.frames import FrameCheck
from tests.acp.schema import load
from tests.fakes.json_value import Json, JsonObject, get, items

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "acp.md").read_text(encoding="utf-8")
CLIENTS = ("Zed", "JetBrains IDEs", "VS Code and Cursor", "Neovim", "Emacs", "acpx")
TABLES = {"agent_servers", "acp.agents"}
PROGRAM = Path(sys.executable).with_name("kimi-lsp")
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Snippet:
    """How one client is told to start the agent."""

    client: str
    command: tuple[str, ...]


def section(title: str) -> str:
    """What stands below a heading."""
    _, _, rest = PAGE.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without heads."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    rule = [number for number, row in enumerate(cells) if set(row[0]) == {"-"}]
    return [row for number, row in enumerate(cells) if number not in rule and number + 1 not in rule]


def snippets() -> Iterator[Snippet]:
    """Every command that the set-up section tells a client."""
    for part in section("Set-up").partition("\n### ")[0].split("\n**")[1:]:
        client, _, text = part.partition("**")
        for kind, body in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL):
            yield from (Snippet(client, command) for command in commands(kind, body))


def commands(kind: str, body: str) -> Iterator[tuple[str, ...]]:
    """The commands of the agent in a snippet."""
    if kind == "json":
        ((table, servers),) = cast("JsonObject", json.loads(body)).items()
        assert table in TABLES
        assert isinstance(servers, dict)
        ((_, server),) = servers.items()
        assert get(server, "env") == {}
        yield str(get(server, "command")), *map(str, items(get(server, "args")))
    elif kind == "lua":
        (words,) = re.findall(r"default = \{ (.*?) \}", body)
        yield tuple(re.findall(r"'([^']+)'", words))
    elif kind == "elisp":
        ((program, rest),) = re.findall(r':command "([^"]+)" :command-params \'\((.*?)\)', body)
        assert body.count("(") == body.count(")")
        yield program, *re.findall(r'"([^"]+)"', rest)
    else:
        for line in body.splitlines():
            told = shlex.split(line, comments=True)
            yield tuple(told[told.index("--agent") + 1].split())


async def conversation(command: tuple[str, ...], folder: Path) -> Json:
    """Start the agent as told, shake hands and open a session; what `session/new` answers."""
    assert command[0] == PROGRAM.name
    home = folder / "home"
    home.mkdir()
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *command[1:],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    check = FrameCheck(load(schema_file()))
    asked: list[JsonObject] = [
        {"id": 0, "method": "initialize", "params": {"protocolVersion": 1, "clientCapabilities": {}}},
        {"id": 1, "method": "session/new", "params": {"cwd": str(folder), "mcpServers": []}},
    ]
    result: Json = None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for request in asked:
                line = json.dumps({"jsonrpc": "2.0", **request})
                check.client(line)
                process.stdin.write(line.encode() + b"\n")
                answer = check.agent(await process.stdout.readline())
                assert answer["id"] == request["id"]
                result = answer["result"]
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return result


def test_every_client_has_its_snippet() -> None:
    assert tuple(dict.fromkeys(snippet.client.split(" with")[0] for snippet in snippets())) == CLIENTS


@pytest.mark.parametrize("command", sorted({snippet.command for snippet in snippets()}), ids=" ".join)
async def test_a_command_of_the_set_up_starts_the_agent_and_its_options_are_those_told(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    opened = await conversation(command, tmp_path)

    told = {
        row[0].strip("`"): re.findall(r"`([^`]+)`", row[1]) for row in rows(section("What to say").split("-->")[-1])
    }
    options = {str(get(option, "id")): items(get(option, "options")) for option in items(get(opened, "configOptions"))}
    assert list(told) == list(options)
    for name in ("depth", "thinking", "scope"):
        assert told[name] == [get(choice, "value") for choice in options[name]]
    assert told["budget"] == [get(options["budget"][0], "value")]
    modes: list[Json] = [get(mode, "id") for mode in items(get(opened, "modes", "availableModes"))]
    assert modes == told["depth"]


def test_the_commands_are_those_the_agent_offers() -> None:
    written = rows(PAGE.partition("<!-- commands -->")[2].partition("<!-- /commands -->")[0])
    assert written == [
        [f"`/{command.name}`", command.input.hint if command.input else "", command.description]
        for command in available()
    ]


def test_the_stop_reasons_are_those_a_turn_can_have() -> None:
    assert {row[0].strip("`") for row in rows(section("Money"))} == set(StopReason.__args__)


def test_the_methods_are_those_that_can_be_sent() -> None:
    (told,) = re.findall(r"It sends four methods: (.*?)\. ", section("What it does not do").replace("\n  ", " "))
    assert set(re.findall(r"`([^`]+)`", told)) == SENT


def test_the_threshold_is_the_default() -> None:
    (default,) = [field.default for field in fields(Settings) if field.name == "ask_above_usd"]
    assert f"({default} by default)" in section("Money")


def test_the_bounds_are_those_that_hold() -> None:
    kept = section("What is kept").replace("\n", " ")
    assert f"The {DEFAULT.conversations:,} last used are kept, {DEFAULT.total_bytes >> 20} MiB in all" in kept
    assert READ_DEADLINE_S == 5
    assert "within five seconds" in section("Unsaved text").replace("\n", " ")


def test_every_link_leads_somewhere() -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", PAGE):
        file = ROOT / "docs" / target
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", file.read_text(encoding="utf-8"))
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
