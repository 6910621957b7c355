"""The agent changes nothing: what it asks of the client, what it does itself, and what it still has the right to do."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from kimi_lsp.acp.connection import SENT as ALLOWED
from mcp_tools.project.landlock import landlock_abi
from tests.acp.raw import FULL, RawAgent, choosing
from tests.acp.raw_wire import SENT
from tests.acp.world import World, frame_check, reply
from tests.cli.harness import APP
from tests.fakes.json_value import Json, get
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script, ToolCall

RAN = "something of the project was run"
WATCHER = """
import os, sys, threading
root, state = sys.argv[1:3]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mk", "os.re", "os.rm", "os.link", "os.sy", "os.ch", "os.tr", "os.ut", "os.se", "shutil.")
here = threading.local()
def say(what, value):
    text = os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else repr(value)
    os.write(2, ("watched %s %s\\n" % (what, text)).encode("utf-8", "backslashreplace"))
def attempt():
    try:
        os.close(os.open(root + "/made-by-the-agent", os.O_CREAT | os.O_WRONLY))
    except OSError as error:
        return type(error).__name__
    return "written"
def hook(event, args):
    if getattr(here, "is_busy", False):
        return
    here.is_busy = True
    try:
        if event == "open" and not isinstance(args[0], int):
            if args[2] & WRITES:
                say("write", args[0])
            elif os.fsdecode(args[0]).endswith("app.py"):
                say("attempt", attempt())  # where a file of the project is read, by the thread that reads it
        elif event.startswith(CHANGES):
            say("change", args[0])
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
            say("run", args[0])
        elif event == "socket.connect":
            say("dial", args[1])
    finally:
        here.is_busy = False
sys.addaudithook(hook)
sys.argv[:] = ["kimi-lsp", "acp"]
from kimi_lsp.__main__ import main
sys.exit(main())
"""
TURNS = (
    "/audit",
    "/audit app.py pkg",
    "/changes",
    "/changes HEAD",
    "/security",
    "/deps",
    "/drift",
    "/style",
    "/health",
    "/report",
    "/explain 000000000000",
    "/budget",
    "/write app.py",
    "Write the fix into app.py, commit it and run the tests.",
    "What does app.py do?",
)
TRICKS = ("write_file", "read_file", "run_command", "fs/write_text_file", "terminal/create")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository with a commit, a change, and settings that would have git run a program of the project."""
    world = World.make(tmp_path)
    trap = world.root / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho {RAN} >> {tmp_path / 'ran'}\ncat\n")
    trap.chmod(0o755)
    world.write({"conftest.py": f"open({str(tmp_path / 'ran')!r}, 'a').write({RAN!r})\n"})
    _git(world.root, "init", "-q")
    _git(world.root, "add", ".")
    _git(world.root, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one")
    world.write({"app.py": APP + "\n\neval(input())\n"})
    with open(world.root / ".git" / "config", "a") as file:
        file.write(f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n\thooksPath = {world.root}\n")
        file.write(f'[diff]\n\texternal = {trap}\n[filter "t"]\n\tclean = {trap}\n[diff "t"]\n\ttextconv = {trap}\n')
    (world.root / ".git" / "info" / "attributes").write_text("*.py filter=t diff=t\n")
    return world


@pytest_asyncio.fixture
async def watched(kimi: FakeKimi, world: World) -> AsyncGenerator[RawAgent]:
    """An agent that is watched from within, with a client that lets it do anything."""
    kimi.respond(wilful)
    command = (sys.executable, "-P", "-B", "-c", WATCHER, str(world.root), str(world.state))
    env = world.env(kimi, TOOLS="true", ASK_ABOVE_USD="0.000001")
    async with RawAgent.start(command, env=env, check=frame_check()) as agent:
        agent.answers |= dict.fromkeys(
            ("fs/write_text_file", "terminal/create", "terminal/output", "elicitation/create"), lambda params: {}
        )
        agent.answers["session/request_permission"] = choosing("allow_always", "allow_once")
        agent.buffers[str(world.root / "app.py")] = APP + "\n\nexec(input())  # not saved\n"
        await agent.initialize(FULL)
        yield agent


def wilful(request: Recorded) -> Script:
    """A model that wants to write: it calls what it was not offered, once, and then says that it is done."""
    messages = get(request.json, "messages")
    assert isinstance(messages, list)
    if get(request.json, "tools") and not any(get(message, "role") == "tool" for message in messages):
        arguments = '{"path": "app.py", "content": "", "command": "touch made-by-the-agent"}'
        return Script(reasoning="I shall fix it.\n", tool_calls=[ToolCall(name, arguments) for name in TRICKS])
    return reply("Done: I have written it.")(request)


async def test_over_all_commands_it_asks_to_read_and_to_be_allowed_and_changes_nothing(
    watched: RawAgent, kimi: FakeKimi, world: World, tmp_path: Path
) -> None:
    before = world.content()
    session = await watched.new_session(world.root)
    for text in TURNS:
        await watched.turn(session, text)
    more: list[Json] = [{"type": "resource_link", "name": "app.py", "uri": (world.root / "app.py").as_uri()}]
    await watched.turn(session, "And this?", *more)
    await watched.call("session/close", {"sessionId": session})
    await watched.call("session/load", {"sessionId": session, "cwd": str(world.root), "mcpServers": []})
    await watched.call("session/delete", {"sessionId": session})
    watched.close_stdin()
    await watched.exited()
    await watched.output_ended()

    assert watched.methods <= SENT
    assert {"session/update", "session/request_permission", "fs/read_text_file"} <= watched.methods
    assert any(TRICKS[0] in chat.body.decode() for chat in kimi.chats), "nobody tried: nothing is proven"
    assert world.content() == before
    assert not (tmp_path / "ran").exists()

    seen = [line.split(" ", 2)[1:] for line in watched.stderr.splitlines() if line.startswith("watched ")]
    changed = [value for what, value in seen if what in ("write", "change")]
    own = (str(world.state), "/dev/null")
    assert [value for value in changed if value.startswith("/") and not value.startswith(own)] == []
    assert any(value.startswith(str(world.state)) for value in changed), "the watcher saw no write at all"
    assert {value for what, value in seen if what == "dial"} == {repr(("127.0.0.1", kimi.port))}
    ours = {"ruff", "git", Path(sys.executable).name, "uname"}  # the last is asked by Python's own `platform`
    assert {Path(value).name for what, value in seen if what == "run"} <= ours
    if landlock_abi() >= 1:
        assert {value for what, value in seen if what == "attempt"} == {"PermissionError"}


@pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")
async def test_the_process_says_that_it_has_given_up_writing(world: World) -> None:
    async with RawAgent.start(env=world.env()) as agent:
        await agent.initialize()
        await agent.new_session(world.root)
        assert "NoNewPrivs:\t1" in _status(agent.pid)
        assert "writes are confined" in agent.stderr


def test_the_allow_list_is_the_one_that_is_promised() -> None:
    assert (
        ALLOWED
        == SENT
        == {
            "session/update",
            "session/request_permission",
            "fs/read_text_file",
            "elicitation/create",
        }
    )


def _git(root: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-C", str(root), *words], check=True, env=environment, timeout=30)


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()
