"""`kimi-lsp mcp` as a process that may ask a model: the fake Kimi, reached through the user's own configuration."""

import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path

from kimi_lsp.store import Store
from tests.cli.harness import KEY
from tests.fakes.json_value import JsonObject, get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.mcp.faces import Face, Said, serving

COMMAND = (sys.executable, "-P", "-m", "kimi_lsp", "mcp")
TOOL = "kimi_review"
ONE_FILE: JsonObject = {"paths": ["app.py"]}


def environment(kimi: FakeKimi | None = None, **settings: str) -> dict[str, str]:
    """A user who has switched the tool on. Settings by the end of their variable, an empty one is not set."""
    mine = {"MCP_REVIEW": "true", "DEPTH": "screen", **({"BASE_URL": kimi.base_url} if kimi is not None else {})}
    return {"MOONSHOT_API_KEY": KEY, **{f"KIMI_LSP_{name}": value for name, value in {**mine, **settings}.items()}}


@contextlib.asynccontextmanager
async def reviewing(
    folder: Path,
    roots: Path | Sequence[Path],
    env: dict[str, str],
    name: str = "stdio-legacy",
) -> AsyncGenerator[Face]:
    """The server. `folder` is a private one."""
    served = [roots] if isinstance(roots, Path) else roots
    async with serving(name, folder, served, command=COMMAND, env=env) as face:
        yield face


async def review(face: Face, *paths: str, **more: float | str) -> Said:
    """Ask for a review."""
    return await face.call(TOOL, {"paths": [*paths], **more})


async def tools(face: Face) -> dict[str, JsonObject]:
    """The listed tools by name."""
    listed = items(get(await face.ask("tools/list"), "result", "tools"))
    return {str(get(tool, "name")): tool for tool in listed if isinstance(tool, dict)}


def state() -> Path:
    """Where the servers of this test keep their state."""
    return Path(os.environ["KIMI_LSP_STATE_DIR"])


@contextlib.contextmanager
def store() -> Generator[Store]:
    """The store that the servers of this test write to."""
    with Store.open(state()) as opened:
        yield opened


def found(said: Said) -> list[tuple[object, object, object]]:
    """Rule, path and line of every finding."""
    return [(get(each, "rule"), get(each, "path"), get(each, "line")) for each in items(said.data.get("findings"))]


def notice_codes(said: Said) -> set[str]:
    """The codes of what was not done."""
    return {str(get(each, "code")) for each in items(said.data.get("notices"))}


def lent(folder: Path, *servers: tuple[str, Sequence[str]]) -> Path:
    """A user's configuration that names MCP servers: name, and program with its arguments."""
    path = folder / "config.toml"
    lines = [f"[mcp_servers.{name}]\ncommand = {json.dumps([*command])}\n" for name, command in servers]
    path.write_text("".join(lines))
    return path


def tool_results(chat: Recorded) -> list[str]:
    """What the tools said in a request to the model."""
    return [str(get(one, "content")) for one in items(get(chat.json, "messages")) if get(one, "role") == "tool"]
