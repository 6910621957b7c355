"""docs/mcp.md says what is: its tables are generated, its snippets start the server, its example is an answer."""

import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from mcp_tools.catalog import TOOLS, JsonObject
from mcp_tools.catalog.manual import tools_table
from mcp_tools.catalog.page import DEFAULT_CHARS
from mcp_tools.catalog.values import MAX_ANSWER_CHARS
from mcp_tools.server.main import parse
from mcp_tools.server.prompts import PROMPTS
from mcp_tools.server.resources import TEMPLATES
from tests.catalog.trees import catalog, write
from tests.fakes.json_value import get, items
from tests.mcp.wire_client import Era, request, spawn

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
CLIENTS = (
    "Claude Code", "Codex", "Kimi Code", "Gemini CLI", "Cursor", "VS Code", "Zed", "JetBrains AI Assistant and Junie",
)  # fmt: skip
TABLES = {"mcpServers", "servers", "context_servers", "mcp_servers"}
PROGRAMS = {"kimi-lsp": str(Path(sys.executable).with_name("kimi-lsp")), "python": sys.executable}


@dataclass(frozen=True, slots=True)
class Snippet:
    """How one client is told to start the server."""

    client: str
    command: tuple[str, ...]


def section(title: str) -> str:
    """What stands below a heading."""
    _, _, rest = PAGE.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def snippets() -> Iterator[Snippet]:
    """Every command that the set-up section tells a client."""
    for part in section("Set-up").split("\n**")[1:]:
        client, _, text = part.partition("**")
        for added in re.findall(r"`[a-z]+ mcp add (?:[\w-]+) -- ([^`]+)`", text):
            yield Snippet(client, tuple(shlex.split(added)))
        for kind, body in re.findall(r"```(json|toml)\n(.*?)```", text, re.DOTALL):
            document = cast("JsonObject", json.loads(body) if kind == "json" else tomllib.loads(body))
            ((table, servers),) = document.items()
            assert table in TABLES
            assert isinstance(servers, dict)
            ((_, server),) = servers.items()
            command, arguments = get(server, "command"), items(get(server, "args"))
            yield Snippet(client, (str(command), *map(str, arguments)))


def test_the_table_of_tools_is_the_generated_one() -> None:
    written = PAGE.partition("<!-- tools -->\n")[2].partition("<!-- /tools -->")[0]
    assert written == tools_table(), "run: python -m mcp_tools.catalog.manual"


def test_every_client_has_its_snippet() -> None:
    told = [snippet.client for snippet in snippets()]
    assert list(dict.fromkeys(told)) == list(CLIENTS)
    assert told.count("Claude Code") == 2  # a command and a file


@pytest.mark.parametrize("command", sorted({snippet.command for snippet in snippets()}), ids=" ".join)
async def test_a_command_of_the_set_up_starts_the_server(command: tuple[str, ...], tmp_path: Path) -> None:
    project = write(tmp_path / "project", {"a.py": "eval(name)\n"})
    program, *arguments = command
    started = [PROGRAMS[program], *(each.replace("${workspaceFolder}", str(project)) for each in arguments)]
    home = str(tmp_path / "home")  # no configuration
    env = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home}
    async with spawn(started, cwd=project, env=env) as process:
        opened = await process.open(Era.LEGACY)
        assert get(opened, "result", "serverInfo", "name") == "kimi-audit"
        tools = items(get(await process.ask(request(Era.LEGACY, 1, "tools/list")), "result", "tools"))
        assert [get(tool, "name") for tool in tools] == list(TOOLS)
        call = request(Era.LEGACY, 2, "tools/call", {"name": "list_files", "arguments": {}})
        assert get(await process.ask(call), "result", "structuredContent", "files", 0, "path") == "a.py"


def test_the_commands_of_the_start_are_accepted(tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", section("Start"), re.DOTALL)
    folders = {"DIR": tmp_path / "one", "OTHER": tmp_path / "other"}
    for folder in folders.values():
        folder.mkdir()
    accepted: list[int] = []
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] in PROGRAMS
        start = words.index("mcp" if words[0] == "kimi-lsp" else "mcp_tools") + 1
        options = parse([str(folders.get(word, word)) for word in words[start:]], "docs")
        accepted.append(len(options.roots))
        assert options.http == ("--http" in words)
    assert accepted == [1, 2, 1, 1]


def test_the_options_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"], "docs")
    assert ended.value.code == 0
    option = re.compile(r"(--[a-z-]+(?: [A-Z:]+)?)")
    helped = re.findall(rf"(?m)^  {option.pattern}(?:\s|$)", capsys.readouterr().out)
    written = re.findall(rf"(?m)^\| `{option.pattern}` \|", section("Start"))
    assert written == helped
    assert "--root DIR" in helped
    assert "60 by default" in section("Start")
    assert parse(["--root", str(ROOT)], "docs").deadline_s == 60


def test_the_limits_the_prompts_and_the_resources_are_those_there_are() -> None:
    told = section("The tools")
    assert f"A page has {DEFAULT_CHARS:,} characters" in told
    assert f"and {MAX_ANSWER_CHARS:,} if you give a `limit`" in told
    assert all(f"`{template.uri_template}`" in told for template in TEMPLATES)
    assert f"Prompts: {', '.join(f'`{each.name}`' for each in PROMPTS)}." in told


def test_the_example_is_an_answer(tmp_path: Path) -> None:
    code = '"""Find."""\n\n\ndef f(cur, name):\n    cur.execute(f"select * from t where n = {name}")\n    eval(name)\n'
    files: dict[str, str | bytes] = {f"src/{number}.py": "" for number in range(11)}
    tools = catalog(write(tmp_path, {**files, "src/db.py": code, "logo.png": b"\x89PNG\0"}))
    (example,) = re.findall(r"```\n(security_surface: .*?)\n```", section("The tools"), re.DOTALL)
    said = tools.call("security_surface", {"limit": 1}).text
    assert re.sub(r"(next_cursor=A{7}B)\S+", r"\1…", said) == example


@pytest.mark.parametrize("name", ["README.md", "docs/mcp.md", "docs/security.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        file = page.parent / target
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", file.read_text(encoding="utf-8"))
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
