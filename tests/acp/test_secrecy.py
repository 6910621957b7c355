"""Secrets planted wherever a client can hand one in: none comes out in a frame, a request, the store or the log."""

import random
import string
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acp.raw import FULL, RawAgent
from tests.acp.world import World, frame_check
from tests.cli.harness import TRAVERSAL, answer, unit_path
from tests.fakes.json_value import Json
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded, leaks
from tests.fakes.script import Script

_RANDOM = random.Random(20261125)
_PLAIN = string.ascii_letters + string.digits


def letters(count: int, alphabet: str = _PLAIN) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(count))


CANARIES = {
    "a file": "AK" + "IA" + letters(16, string.ascii_uppercase + "234567"),
    "an assignment in a file": letters(28),
    "an ignored file": letters(32),
    "an unsaved text": "gh" + "p_" + letters(36),
    "the prompt": "sk" + "_live_" + letters(24),
    "a command's words": "AI" + "za" + letters(35),
    "an attached text": "xoxb-" + letters(12, string.digits) + "-" + letters(12, string.digits) + "-" + letters(24),
    "a link's name": "gl" + "pat-" + letters(20),
    "a link's place": "gh" + "o_" + letters(36),
    "a server's variable": letters(40),
    "a server's argument": "np" + "m_" + letters(36),
    "a server's header": letters(44),
    "the client's name": "sk" + "-ant-" + "api03-" + letters(93) + "AA",
    "the key": "sk" + "-" + letters(48),
}
KEY = CANARIES["the key"]
FILES = {
    "app.py": 'import os\n\n\ndef read(root, name):\n    path = root + "/" + name\n    return open(path).read()\n',
    "config.py": (
        f'import subprocess\n\nAWS_ACCESS_KEY_ID = "{CANARIES["a file"]}"\n'
        f'password = "{CANARIES["an assignment in a file"]}"\n\n\n'
        "def run(name):\n    subprocess.run('ls ' + name, shell=True)\n"
    ),
    ".env": f"SERVICE_TOKEN={CANARIES['an ignored file']}\n",
    "notes.md": f"# Notes\n\nThe token was {CANARIES['an ignored file']} once.\n",
}
UNSAVED = FILES["app.py"] + f'\n\nTOKEN = "{CANARIES["an unsaved text"]}"  # not saved\n'
SHAPELESS = ("an assignment in a file", "an ignored file", "a server's variable", "a server's header")
"""Known by their place alone: nobody could tell them from another word who has not seen that place."""


def guesses(*left_out: str) -> str:
    """The words of a model that guesses secrets."""
    told = {where: value for where, value in CANARIES.items() if where not in left_out}
    return "\n".join(f"The value of {where} is {value}." for where, value in told.items())


TURNS: tuple[str, ...] = (
    "/audit",
    "/security config.py app.py",
    "/changes",
    "/health",
    "/report",
    "/budget",
    "/explain " + CANARIES["a command's words"],
    "/audit " + CANARIES["a command's words"] + "/*.py",
    f"Is {CANARIES['the prompt']} safe in config.py?",
)


def blocks() -> Iterator[Json]:
    """What comes along with the last question."""
    attached = CANARIES["an attached text"]
    yield {"type": "text", "text": "And what of these?"}
    yield {"type": "resource", "resource": {"uri": "file:///elsewhere/x.py", "text": f'SLACK = "{attached}"\n'}}
    yield {"type": "resource_link", "name": CANARIES["a link's name"], "uri": "https://example.com/a"}
    yield {"type": "resource_link", "name": "b", "uri": "https://example.com/?token=" + CANARIES["a link's place"]}


def servers() -> list[Json]:
    """Servers with secrets; nothing of them is used unless the user's own configuration allows it."""
    variable, argument = CANARIES["a server's variable"], CANARIES["a server's argument"]
    header: Json = {"name": "Authorization", "value": "Bearer " + CANARIES["a server's header"]}
    return [
        {
            "name": "tools",
            "command": "/bin/false",
            "args": ["--token", argument],
            "env": [{"name": "TOOLS_TOKEN", "value": variable}],
        },
        {"type": "http", "name": "remote", "url": "https://127.0.0.1:9/mcp", "headers": [header]},
    ]


def echo(request: Recorded) -> Script:
    """A model that guesses every secret it could hold a review of the project to, in its thoughts and in its words."""
    if "\nFile: " not in "\n" + request.prompt:
        known = guesses(*SHAPELESS)
        return Script(reasoning=f"I remember:\n{known}\n", content=f"It is so:\n\n{known}\n\nThat is all.")
    known = guesses("a server's variable", "a server's header")
    if unit_path(request) == "app.py":
        return answer({**TRAVERSAL, "line": 5, "why": known, "fix": known}, reasoning=known)
    return answer(reasoning=known)


@pytest.fixture
def kimi() -> Iterator[FakeKimi]:
    """A model that knows the key."""
    with FakeKimi(key=KEY) as running:
        running.respond(echo)
        yield running


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The project."""
    return World.make(tmp_path, FILES)


@pytest_asyncio.fixture
async def agent(kimi: FakeKimi, world: World) -> AsyncGenerator[RawAgent]:
    """An agent that was told every secret there is."""
    async with RawAgent.start(env=world.env(kimi, API_KEY=KEY), check=frame_check()) as agent:
        agent.buffers[str(world.root / "app.py")] = UNSAVED
        params: Json = {
            "protocolVersion": 1,
            "clientCapabilities": FULL,
            "clientInfo": {"name": CANARIES["the client's name"], "version": "1"},
        }
        await agent.call("initialize", params)
        yield agent


async def test_no_planted_secret_comes_out_anywhere(agent: RawAgent, kimi: FakeKimi, world: World) -> None:
    session = await agent.new_session(world.root, servers=servers())
    for text in TURNS:
        await agent.turn(session, text)
    await agent.turn(session, *blocks())
    since = agent.mark
    await agent.call("session/close", {"sessionId": session})
    await agent.call("session/load", {"sessionId": session, "cwd": str(world.root), "mcpServers": []})
    assert len(agent.updates(session, "user_message_chunk", since=since)) == len(TURNS) + 1
    await agent.call("session/list", {})
    agent.close_stdin()
    await agent.exited()
    await agent.output_ended()

    assert len(kimi.chats) >= 4, "the model was hardly asked: nothing is proven"
    assert "not saved" in "".join(chat.prompt for chat in kimi.chats), "the unsaved text was not read"
    assert any(frame.kind == "agent_thought_chunk" for frame in agent.frames)
    frames = b"\n".join(frame.line for frame in agent.frames).decode()
    transcript = "\n".join(_transcript(world))
    assert "And what of these?" in transcript, "nothing was kept: nothing is proven"
    places = {"a frame": frames, "standard error": agent.stderr, "the store": transcript}
    found = [
        f"{what} in {place}" for what, value in CANARIES.items() for place, text in places.items() if value in text
    ]
    assert found == []
    bodies = [value for what, value in CANARIES.items() if what != "the key"]
    assert leaks(kimi.requests, bodies) == []
    assert [chat for chat in kimi.chats if KEY.encode() in chat.body] == []
    assert [
        path for path in _files(world.state) if any(value.encode() in path.read_bytes() for value in CANARIES.values())
    ] == []


async def test_a_secret_that_is_said_in_pieces_of_a_stream_is_not_let_out(
    agent: RawAgent, kimi: FakeKimi, world: World
) -> None:
    session = await agent.new_session(world.root)
    link: Json = {"type": "resource_link", "name": "config.py", "uri": (world.root / "config.py").as_uri()}
    await agent.turn(session, "Read this.", link)  # so that its secrets are known
    known = guesses("an ignored file", "a server's variable", "a server's header")
    for size in (1, 3, 7):
        kimi.enqueue(Script(reasoning=known, content=known, chunk_chars=size))
        await agent.turn(session, "Say it again.")
    said, thought = (
        "".join(frame.text for frame in agent.updates(session, kind))
        for kind in ("agent_message_chunk", "agent_thought_chunk")
    )
    assert "The value of" in said
    assert "The value of" in thought
    found = [what for what, value in CANARIES.items() if value in said + thought]
    assert found == []


def _transcript(world: World) -> Iterator[str]:
    """Every text of the trail and of the conversations."""
    with world.store() as store:
        yield from store.trail.export()
        for one in store.conversations.find()[0]:
            yield repr(one)
            yield from map(repr, store.conversations.entries(one.id).entries)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
