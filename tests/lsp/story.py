"""Words for the stories of the server's tests: a project, a server over it, and what a user sees."""

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.harness import APP, KEY, TRAVERSAL
from tests.fakes.json_value import Json, JsonObject, get, items
from tests.fakes.kimi import FakeKimi
from tests.lsp.raw import Message, RawClient

__all__ = ["APP", "TRAVERSAL", "Story", "code_at", "codes", "story"]


@dataclass(slots=True)
class Story:
    """One server over one project."""

    client: RawClient
    root: Path
    state: Path

    def uri(self, name: str = "app.py") -> str:
        return (self.root / name).as_uri()

    def open(self, name: str = "app.py", text: str | None = None) -> str:
        """Open a file of the project and give its URI."""
        uri = self.uri(name)
        self.client.open(uri, (self.root / name).read_text() if text is None else text)
        return uri

    async def sees(self, uri: str, *wanted: str, since: int = 0) -> list[Json]:
        """Wait until exactly these are shown, as `line: code`, 0-based; the diagnostics."""
        message = await self.client.published(uri, lambda shown: codes(shown) == list(wanted), since=since)
        return message.diagnostics

    def shown(self, uri: str) -> list[str]:
        """What is shown now."""
        return codes(self.client.diagnostics(uri) or [])

    async def audit(self, uri: str | None = None, **more: Json) -> JsonObject:
        """Run `kimi.auditFile` to its end."""
        arguments: list[Json] = [{"uri": uri, **more}] if uri else []
        result = await self.client.execute("kimi.auditFile", *arguments)
        assert isinstance(result, dict)
        return result

    async def menu(self, uri: str, line: int, character: int) -> list[Json]:
        """The quick fixes at a place."""
        place: Json = {"line": line, "character": character}
        params: Json = {
            "textDocument": {"uri": uri},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        }
        return items(await self.client.call("textDocument/codeAction", params))

    async def choose(self, menu: Sequence[Json], title: str) -> Json:
        """Run the command of the first entry whose title begins so."""
        entry = next(one for one in menu if str(get(one, "title")).startswith(title))
        command = get(entry, "command")
        return await self.client.execute(str(get(command, "command")), *items(get(command, "arguments")))

    async def hover(self, uri: str, line: int, character: int) -> str:
        """The text of the hover at a place."""
        params: Json = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        return str(get(await self.client.call("textDocument/hover", params), "contents", "value"))

    def start_audit(self, uri: str, token: str | None = None) -> int:
        """Begin `kimi.auditFile` and give the request's id."""
        params: JsonObject = {"command": "kimi.auditFile", "arguments": [{"uri": uri}]}
        if token:
            params["workDoneToken"] = token
        return self.client.request("workspace/executeCommand", params)


def codes(diagnostics: Sequence[Json]) -> list[str]:
    """`line: code` of each, in order."""
    return [f"{get(one, 'range', 'start', 'line')}: {get(one, 'code')}" for one in diagnostics]


def code_at(diagnostics: Sequence[Json], code: str) -> Json:
    """The first diagnostic with this code."""
    return next(one for one in diagnostics if get(one, "code") == code)


def progress_kinds(messages: Sequence[Message], token: Json) -> list[Json]:
    """The kinds of the progress of one token, in order."""
    told = [one for one in messages if one.method == "$/progress" and one.get("params", "token") == token]
    return [one.get("params", "value", "kind") for one in told]


@asynccontextmanager
async def story(
    folder: Path,
    kimi: FakeKimi | None = None,
    *,
    files: Mapping[str, str] | None = None,
    settings: JsonObject | None = None,
    env: Mapping[str, str] | None = None,
    capabilities: JsonObject | None = None,
    options: Json = None,
) -> AsyncGenerator[Story]:
    """A server over a project. With a fake Kimi its model can be asked. The folder may hold a project already."""
    root, state = folder / "shop", folder / "state"
    for name, text in (files if files is not None else {"app.py": APP}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            (root / name).write_text(text)
    (root / ".git").mkdir(parents=True, exist_ok=True)
    variables = {
        "KIMI_LSP_STATE_DIR": str(state),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "KIMI_LSP_API_KEY": "",
        "MOONSHOT_API_KEY": "",
        "KIMI_API_KEY": "",
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    if kimi is not None:
        variables |= {"KIMI_LSP_BASE_URL": kimi.base_url, "KIMI_LSP_API_KEY": KEY}
    section: JsonObject = {"debounceMs": 20, **(settings or {})}
    async with RawClient.start(env={**variables, **(env or {})}, settings={"kimi": section}, cwd=folder) as client:
        await client.initialize(root=root, capabilities=capabilities, options=options)
        yield Story(client, root, state)
