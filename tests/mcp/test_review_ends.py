"""A `kimi_review` that is ended in the middle, and what the server may write meanwhile."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from mcp_tools.project.landlock import landlock_abi
from tests.cli.harness import APP, TRAVERSAL, Cli, answer, finding
from tests.fakes.json_value import get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate, Script, ToolCall
from tests.mcp.faces import Face
from tests.mcp.reviewing import (
    ONE_FILE,
    TOOL,
    environment,
    found,
    lent,
    notice_codes,
    review,
    reviewing,
    state,
    store,
    tool_results,
)
from tests.mcp.wire_client import call, notification

STOP_S = 2.0
SECOND = finding("weak-cryptography", 2, "import sqlite3", "A second finding that comes later.")
LENDER = """
import json, pathlib, sys
HINTS = {"readOnlyHint": True}
TOOL = {"name": "write", "description": "Tries.", "inputSchema": {"type": "object"}, "annotations": HINTS}
INFO = {"name": "probe", "version": "1"}
def attempt(folder):
    try:
        (pathlib.Path(folder) / "made-by-a-lender").write_text("x")
    except OSError as error:
        return type(error).__name__
    return "written"
def result(message):
    match message["method"]:
        case "initialize":
            return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": INFO}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            text = json.dumps({"project": attempt(sys.argv[1]), "own": attempt(".")})
            return {"content": [{"type": "text", "text": text}]}
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        said = {"jsonrpc": "2.0", "id": message["id"]}
        known = message["method"] in ("initialize", "tools/list", "tools/call")
        said |= {"result": result(message)} if known else {"error": {"code": -32601, "message": "no"}}
        print(json.dumps(said), flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    (folder / "app.py").write_text(APP)
    return folder


@pytest.fixture
def held(kimi: FakeKimi) -> Gate:
    """An answer of two findings of which the first one is let through."""
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, SECOND, reasoning="Hm.", chunk_chars=8, gate=gate))
    return gate


async def begin(face: Face, kimi: FakeKimi, gate: Gate) -> None:
    """Ask for a review and wait until the model is in the middle of its answer."""
    await face.process.send(call(face.era, "held", TOOL, **ONE_FILE))
    gate.release(60)
    await kimi.until(lambda fake: bool(fake.chats) and fake.chats[0].events_sent >= 60, 20)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_accounted_for(cli: Cli) -> None:
    """What was sent and heard stands in the trail, and the ledger holds nothing back."""
    assert "model-call" in cli("trail", "list").out
    assert cli("trail", "verify").code == 0
    assert "unsettled" not in cli("budget", "show").out
    with store() as opened:
        assert opened.ledger.spending().calls == 1


async def test_a_cancelled_review_hangs_up_and_the_next_one_works(
    kimi: FakeKimi, held: Gate, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        await begin(face, kimi, held)
        await face.process.send(notification("notifications/cancelled", {"requestId": "held"}))
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None, 10)
        assert not (await face.call("list_files")).is_error
        kimi.enqueue(answer(TRAVERSAL))
        again = await review(face, "app.py")
        async with asyncio.timeout(10):
            while "under way" in again.text:  # the first one is being written down
                again = await review(face, "app.py")
        assert ("path-traversal", "app.py", 14) in found(again)
        assert not [other for other in face.process.others if other.get("id") == "held" and "result" in other]
        assert await face.is_alive()
    cli = Cli(capfd, root)
    assert cli("trail", "verify").code == 0
    with store() as opened:
        assert opened.ledger.spending().calls == 2
        assert opened.ledger.open_reservations() == []


@pytest.mark.parametrize("name", ["stdio-legacy", "http-modern"])
async def test_sigterm_in_the_middle_of_a_review_ends_it_and_loses_nothing(
    kimi: FakeKimi, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, SECOND, reasoning="Hm.", chunk_chars=8, gate=gate))
    async with reviewing(tmp_path, root, environment(kimi), name) as face:
        asking: asyncio.Task[object] | None = None
        if face.http is None:
            await begin(face, kimi, gate)
        else:
            asking = asyncio.create_task(face.call(TOOL, {**ONE_FILE}))
            gate.release(60)
            await kimi.until(lambda fake: bool(fake.chats) and fake.chats[0].events_sent >= 60, 20)
        face.process.process.send_signal(signal.SIGTERM)
        assert await face.process.exit_code(STOP_S) == 128 + signal.SIGTERM
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None, 5)
        assert not [line for line in face.process.errors if "Traceback" in line]
        if asking is not None:
            await asyncio.wait([asking], timeout=5)
            assert asking.done()
            asking.exception()  # the connection broke, however it says so
    assert_accounted_for(Cli(capfd, root))


async def test_the_end_of_input_in_the_middle_of_a_review_ends_it_and_loses_nothing(
    kimi: FakeKimi, held: Gate, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        await begin(face, kimi, held)
        await face.process.end_input()
        assert await face.process.exit_code(STOP_S) == 0
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None, 5)
    assert_accounted_for(Cli(capfd, root))


@pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")
async def test_only_the_state_folder_can_be_written_also_by_a_program_that_lends_tools(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    lender = tmp_path / "lender.py"
    lender.write_text(LENDER)
    config = lent(tmp_path, ("probe", [sys.executable, "-I", str(lender), str(root)]))
    asks = (ToolCall("probe__write"), ToolCall("read_file", json.dumps({"path": "other.py"})))
    (root / "other.py").write_text("text_of_the_other_file = 1\n")
    kimi.enqueue(Script(reasoning="Let me see.", tool_calls=asks), answer(TRAVERSAL))
    async with reviewing(tmp_path, root, environment(kimi, TOOLS="true", CONFIG=str(config))) as face:
        said = await review(face, "app.py")
        with store() as opened:
            assert opened.ledger.spending().calls == get(said.data, "usage", "calls") == 2
    assert notice_codes(said) == set()
    assert ("path-traversal", "app.py", 14) in found(said)
    offered = [get(tool, "function", "name") for tool in items(get(kimi.chats[0].json, "tools"))]
    assert {"read_file", "probe__write"} <= set(offered)
    attempts, other = tool_results(kimi.chats[1])
    assert '"project": "PermissionError"' in attempts
    assert '"own": "written"' in attempts
    assert "text_of_the_other_file" in other
    assert names_in(root) == [".git", "app.py", "other.py"]
    assert (state() / "servers" / "made-by-a-lender").exists()
