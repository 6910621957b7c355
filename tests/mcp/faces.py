"""The product's server as a client meets it: over stdio and HTTP, in both protocol eras."""

import contextlib
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.json_value import Json, JsonObject, compact, get
from tests.mcp.wire_client import DEADLINE_S, Era, Http, Process, request, spawn

SERVER = (sys.executable, "-P", "-m", "mcp_tools")
TOKEN = "a-token-of-this-test-" + "0123456789"
FACES = tuple(f"{transport}-{era.name.lower()}" for transport in ("stdio", "http") for era in Era)


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool answered."""

    text: str
    data: JsonObject
    is_error: bool
    message: JsonObject

    @property
    def whole(self) -> str:
        """All of it, as the characters that went over the wire stand for."""
        return compact(self.message)


@dataclass(slots=True)
class Face:
    """A running server, and a way to ask it."""

    process: Process
    era: Era
    http: Http | None
    _count: int = field(default=0, init=False)

    async def ask(self, method: str, params: JsonObject | None = None, deadline_s: float = DEADLINE_S) -> JsonObject:
        """Ask, and give the message that answers."""
        self._count += 1
        message = request(self.era, self._count, method, params)
        if self.http is not None:
            return (await self.http.send(message, self.era, deadline_s=deadline_s)).message
        return await self.process.ask(message, deadline_s)

    async def call(self, tool: str, arguments: JsonObject | None = None, deadline_s: float = DEADLINE_S) -> Said:
        """Call a tool."""
        message = await self.ask("tools/call", {"name": tool, "arguments": arguments or {}}, deadline_s)
        text, data = get(message, "result", "content", 0, "text"), get(message, "result", "structuredContent")
        assert isinstance(text, str), message
        return Said(text, data if isinstance(data, dict) else {}, get(message, "result", "isError") is True, message)

    async def is_alive(self) -> bool:
        """Whether it still answers."""
        return not (await self.call("explain_rule", {"rule": "sql-injection"})).is_error


@contextlib.asynccontextmanager
async def serving(
    name: str,
    folder: Path,
    roots: Sequence[Path],
    *options: str,
    command: Sequence[str] = SERVER,
    env: dict[str, str] | None = None,
) -> AsyncGenerator[Face]:
    """A server of these roots.

    Args:
        name: one of `FACES`.
        folder: a private one, for the token's file.
        roots: the projects.
        options: further ones of the command line.
        command: what starts the server.
        env: added to the environment.
    """
    transport, _, era_name = name.partition("-")
    era = Era[era_name.upper()]
    arguments = [*command, *(part for root in roots for part in ("--root", str(root))), *options]
    if transport == "http":
        token_file = folder / "token"
        token_file.write_text(TOKEN)
        token_file.chmod(0o600)
        arguments += ["--http", "--token-file", str(token_file)]
    async with spawn(arguments, cwd=roots[0], env=env) as process:
        http = None
        if transport == "http":
            match = await process.said(r"http://127\.0\.0\.1:(\d+)/mcp")
            http = Http(int(match[1]), TOKEN)
            await http.open(era)
        else:
            await process.open(era)
        yield Face(process, era, http)


def values_of(node: Json) -> list[str]:
    """Every text in a JSON value, names of members too."""
    match node:
        case str():
            return [node]
        case dict():
            return [text for key, value in node.items() for text in (key, *values_of(value))]
        case list():
            return [text for item in node for text in values_of(item)]
        case _:
            return []
