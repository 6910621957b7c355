"""A whole session as a client sees it, written as the page `docs/acp-session.md`.

    python -m tests.acp.session_page > docs/acp-session.md

The agent is the real one, its model is the strict fake: its words are written here, everything else is the agent's.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.acp.inmemory import Client, agent, kind
from tests.acp.world import World
from tests.audit.tool_loop import asks
from tests.cli.harness import answer, finding, unit_path
from tests.fakes.json_value import Json, JsonObject, get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script, ToolCall

SHOWN_ROOT = "/home/you/project"
_CHANGING = (  # what differs from run to run
    (re.compile(r"\b[0-9a-f]{16}\b(?=$| end of untrusted)", re.MULTILINE), "5d0c94b1e2f7a683"),
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b"), "20261125T120000-0a1b2c"),
    (re.compile(r"file:///[^>]*/rules/"), "file:///opt/kimi-lsp/rules/"),
)
_FILES = {
    "shop/orders.py": """\
import sqlite3


def orders_of(db: sqlite3.Connection, name: str):
    return db.execute("SELECT * FROM orders WHERE name = '%s'" % name)


def total(lines):
    return sum(line.price for line in lines)
""",
    "shop/files.py": """\
from pathlib import Path

ROOT = Path("/srv/shop/files")


def read(name: str) -> str:
    path = ROOT / name
    return path.read_text()
""",
    "shop/web.py": """\
from shop.files import read


def download(request):
    return read(request.args["name"])
""",
}
_TRAVERSAL = finding(
    "path-traversal",
    7,
    "    path = ROOT / name",
    "The caller chooses the file: `..` in the name leads out of the root.",
)
_ANSWER = """\
The path traversal (`shop/files.py:7`): it is reachable from outside. `shop/web.py:5` passes `request.args["name"]` \
straight to `read`, so `?name=../../../etc/passwd` reads that file. The SQL in `shop/orders.py:5` is as bad if a \
request reaches it; I found no caller of `orders_of`, and looked only at files that mention it.

Suggested, not applied:

```diff
-    path = ROOT / name
+    path = (ROOT / name).resolve()
+    if not path.is_relative_to(ROOT):
+        raise ValueError("outside the root")
```
"""
_INTRO = """\
# A session

What a client shows of one session with the auditor: recorded from the real agent, with a stand-in for the model whose
words are written for this page. `python -m tests.acp.session_page` prints it anew, and a test compares the two. The
project is three small files; the user has set `ask_above_usd = 0.05`. Cards and thoughts stand where they began, in
their last state.
"""


def _respond(request: Recorded) -> Script:
    if "\nFile: " in "\n" + request.prompt:
        if unit_path(request) != "shop/files.py":
            return answer(reasoning="Nothing here that the tools have not said.\n")
        return answer(
            _TRAVERSAL,
            reasoning="`name` is joined to ROOT.\n"
            "Path drops nothing of it: `..` stays, an absolute name replaces ROOT.\n"
            "read_text follows. Nothing in this file checks where the path leads.\n",
        )
    if any(get(one, "role") == "tool" for one in items(get(request.json, "messages"))):
        return Script(reasoning="download is a request handler, so the name is an attacker's.\n", content=_ANSWER)
    return asks(
        ToolCall("search_text", '{"query": "read("}', id="search_text:0"),
        ToolCall("search_text", '{"query": "orders_of"}', id="search_text:1"),
        reasoning="Who calls them decides. Look for callers of both.\n",
    )


async def page(folder: Path) -> str:
    """The page. `folder` is empty."""
    world = World.make(folder, _FILES)
    parts = [_INTRO]
    with FakeKimi() as kimi:
        kimi.respond(_respond)
        environ = world.env(kimi, CONCURRENCY="1", ASK_ABOVE_USD="0.05", TRUST_ENV="off")
        async with agent({name: value for name, value in environ.items() if value}) as client:
            client.answers["session/request_permission"] = lambda _: {
                "outcome": {"outcome": "selected", "optionId": "spend-always"}
            }
            session = await client.new(world.root)
            parts += await _turn(client, session, "/audit")
            told = next(line for line in client.said(session).splitlines() if "`path-traversal`" in line)
            parts += await _turn(client, session, f"/explain {told.split('`')[1]}")
            parts += await _turn(client, session, "Which of these would you fix first, and how?")
            parts += await _turn(client, session, "/budget")
    text = "\n".join(parts).replace(str(world.root), SHOWN_ROOT)
    for pattern, shown in _CHANGING:
        text = pattern.sub(shown, text)
    return text.replace(kimi.base_url.split("/")[2], "api.moonshot.ai")


async def _turn(client: Client, session: str, words: str) -> Sequence[str]:
    """One turn as a client draws it: parts stand where they began, in their last state."""
    since = len(client.updates(session))
    asked = len(client.asked)
    result = await client.prompt(session, words)
    drawn = _drawn(client.updates(session)[since:])
    questions = [_question(one) for one in client.asked[asked:]]
    return [f"## You: {words}\n", *questions, *drawn, f"*The turn ended: `{result['stopReason']}`.*\n"]


def _drawn(updates: Sequence[JsonObject]) -> Iterator[str]:
    places: dict[str, JsonObject] = {}
    texts: dict[str, str] = {}
    for update in updates:
        what = kind(update)
        if what.endswith("_chunk"):
            name = f"{what} {update['messageId']}"
            places.setdefault(name, update)
            texts[name] = texts.get(name, "") + str(get(update, "content", "text"))
        elif what.startswith("tool_call"):
            name = f"card {update['toolCallId']}"
            places[name] = {**places.get(name, {}), **update}
        elif what == "plan":
            places["plan"] = update
        elif what == "usage_update":
            places["usage"] = update
    for name, update in places.items():
        if name in texts:
            yield _thought(texts[name]) if name.startswith("agent_thought") else f"{texts[name].strip()}\n"
        elif name == "plan":
            yield "Plan:\n\n" + "\n".join(f"- [x] {get(entry, 'content')}" for entry in items(update["entries"])) + "\n"
        elif name == "usage":
            amount = get(update, "cost", "amount")
            yield f"*Usage: {update['used']:,} of {update['size']:,} tokens; the session has cost ${amount:.6f}.*\n"
        else:
            yield _card(update)


def _card(card: JsonObject) -> str:
    places = ", ".join(f"{get(one, 'path')}:{get(one, 'line')}" for one in items(card.get("locations"))[:3])
    text = "\n\n".join(str(get(one, "content", "text")) for one in items(card.get("content")))
    head = f"**[{card.get('kind', 'other')}]** {card['title']} ({card.get('status', 'pending')})"
    where = f"\n<br>follows: {places}" if places else ""
    body = "\n\n" + "\n".join(f"> {line}".rstrip() for line in text.splitlines()) if text else ""
    return f"{head}{where}{body}\n"


def _thought(text: str) -> str:
    lines = "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
    return f"*Thinking:*\n\n{lines}\n"


def _question(request: JsonObject) -> str:
    params: Json = request.get("params")
    options = ", ".join(f'"{get(one, "name")}"' for one in items(get(params, "options")))
    text = get(params, "toolCall", "content", 0, "content", "text")
    return f"**The editor asks you:** {get(params, 'toolCall', 'title')} {text}\n<br>You can say {options}.\n"


def main() -> None:
    """Print the page."""
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(asyncio.run(page(Path(folder).resolve())))


if __name__ == "__main__":
    main()
