"""How the product's server starts, stops and is stopped, also in the middle of work."""

import asyncio
import os
import pty
import random
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.json_value import JsonObject, get
from tests.mcp.faces import FACES, SERVER, Face, serving
from tests.mcp.processes import children, is_busy, is_gone, until
from tests.mcp.wire_client import Era, Http, call, notification, request, spawn

SLOW = {"query": "x[xy]{900}z", "regex": True}  # on random x and y RE2 takes some ten seconds a megabyte for it
STOP_S = 2.0


@pytest.fixture
def slow_project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    text = "".join(random.Random(1).choices("xy", k=800_000)) + "z"
    for number in range(3):
        (root / f"{number}.txt").write_text(text)
    return root


async def begin(face: Face) -> list[int]:
    """Send a call that takes long, and wait until a worker is at it; gives the pids of the workers."""
    assert face.http is None
    await face.process.send(call(face.era, "slow", "search_text", **SLOW))
    await until(lambda: any(map(is_busy, children(face.process.process.pid))), 20)
    return children(face.process.process.pid)


async def gone(pids: list[int], deadline_s: float) -> None:
    await until(lambda: all(map(is_gone, pids)), deadline_s)


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_the_middle_of_a_call(
    slow_project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    async with serving("stdio-legacy", tmp_path, [slow_project]) as face:
        workers = await begin(face)
        face.process.process.send_signal(number)
        assert await face.process.exit_code(STOP_S) == 128 + number
        await gone(workers, 1)


@linux
async def test_the_end_of_input_ends_it_in_the_middle_of_a_call(slow_project: Path, tmp_path: Path) -> None:
    async with serving("stdio-modern", tmp_path, [slow_project]) as face:
        workers = await begin(face)
        await face.process.end_input()
        assert await face.process.exit_code(STOP_S) == 0
        await gone(workers, 1)


@linux
async def test_a_cancelled_call_is_not_answered_and_costs_nothing_more(slow_project: Path, tmp_path: Path) -> None:
    async with serving("stdio-legacy", tmp_path, [slow_project]) as face:
        workers = await begin(face)
        await face.process.send(notification("notifications/cancelled", {"requestId": "slow"}))
        await gone(workers, 1)
        said = await face.call("list_files")
        assert not said.is_error
        assert not [other for other in face.process.others if other.get("id") == "slow"]


@linux
@pytest.mark.parametrize("name", FACES)
async def test_a_call_past_its_deadline_is_stopped_and_the_next_one_answered(
    slow_project: Path, tmp_path: Path, name: str
) -> None:
    async with serving(name, tmp_path, [slow_project], "--timeout", "1") as face:
        said = await face.call("search_text", {**SLOW})
        assert said.is_error
        assert "stopped after 1 s" in said.text
        assert not (await face.call("list_files")).is_error


@linux
async def test_a_server_that_is_killed_leaves_no_worker(slow_project: Path, tmp_path: Path) -> None:
    async with serving("stdio-legacy", tmp_path, [slow_project]) as face:
        workers = await begin(face)
        face.process.process.kill()
        await face.process.exit_code()
        await gone(workers, 2)


@linux
async def test_sigterm_ends_a_server_over_http(slow_project: Path, tmp_path: Path) -> None:
    async with serving("http-modern", tmp_path, [slow_project]) as face:
        asking = asyncio.create_task(face.call("search_text", {**SLOW}))
        await until(lambda: any(map(is_busy, children(face.process.process.pid))), 20)
        workers = children(face.process.process.pid)
        face.process.process.terminate()
        assert await face.process.exit_code(STOP_S + 1) == 143
        await gone(workers, 1)
        await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--root", "/"], "no project"),
        (["--root", "missing"], "no such folder"),
        (["--port", "8000"], "--port needs --http"),
        (["--http", "--host", "0.0.0.0"], "token"),
        (["--http", "--port", "70000"], "invalid"),
        (["--http", "--token-file", "missing"], "token"),
        (["--timeout", "nan"], "invalid"),
        (["--write"], "unrecognized"),
    ],
)
async def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: list[str], said: str) -> None:
    async with spawn([*SERVER, *options], cwd=tmp_path) as process:
        assert await process.exit_code() == 2
        assert await process.rest() == b""
    assert said in "\n".join(process.errors)
    assert "Traceback" not in "\n".join(process.errors)


async def test_a_token_of_its_own_is_shown_once_and_works(tmp_path: Path) -> None:
    async with spawn([*SERVER, "--http", "--root", str(tmp_path)], cwd=tmp_path) as process:
        token = (await process.said(r"shown once: (\S+)"))[1]
        port = int((await process.said(r"http://127\.0\.0\.1:(\d+)/mcp"))[1])
        answer = await Http(port, token).open(Era.MODERN)
        assert get(answer, "result", "supportedVersions") == ["2026-07-28"]
        wrong = await Http(port, token[:-1] + ("a" if token[-1] != "a" else "b")).send({}, None)
        assert wrong.status == 401
        assert sum(token in line for line in process.errors) == 1


async def test_several_roots_lie_below_their_names(tmp_path: Path) -> None:
    for name in ("web", "api"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(f"this is {name}\n")
    async with serving("stdio-modern", tmp_path, [tmp_path / "web", tmp_path / "api"]) as face:
        listed = await face.call("list_files")
        assert re.findall(r"^\w+/README.md", listed.text, re.MULTILINE) == ["api/README.md", "web/README.md"]
        assert "this is api" in (await face.call("read_file", {"path": "api/README.md"})).text
        assert (await face.call("read_file", {"path": "README.md"})).is_error
        assert (await face.call("read_file", {"path": "web/../api/README.md"})).is_error


async def test_a_change_of_the_project_is_seen_at_once(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    async with serving("stdio-legacy", tmp_path, [tmp_path / "p"]) as face:
        assert (await face.call("security_surface")).data["total"] == 0
        (tmp_path / "p" / "a.py").write_text("eval(input())\n")
        assert (await face.call("security_surface")).data["total"] == 1


async def test_a_project_that_is_gone_is_an_error_and_the_server_lives(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    async with serving("stdio-legacy", tmp_path, [tmp_path / "p"]) as face:
        await face.call("list_files")
        (tmp_path / "p").rmdir()
        assert (await face.call("list_files")).is_error
        assert await face.is_alive()


async def test_modules_of_the_current_folder_are_not_imported(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    root = tmp_path / "p"
    root.mkdir()
    for name in ("json", "anyio", "mcp", "pydantic", "asyncio", "importlib_metadata", "sitecustomize", "kimi_lsp"):
        (root / f"{name}.py").write_text(f"open({str(marker)!r}, 'a').write({name!r})\n")
    for flags in (["-P"], []):
        async with spawn([sys.executable, *flags, "-m", "mcp_tools", "--root", "."], cwd=root) as process:
            await process.ask(call_tools())
    assert not marker.exists()


def call_tools() -> JsonObject:
    return request(Era.MODERN, 1, "tools/call", {"name": "list_files", "arguments": {}})


@linux
async def test_a_person_who_starts_it_in_a_terminal_is_told_what_it_is_for(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    try:
        async with spawn([*SERVER, "--root", str(tmp_path)], cwd=tmp_path, stdin=slave) as process:
            await process.said("an agent starts this")
            process.process.send_signal(signal.SIGINT)
            assert await process.exit_code(STOP_S) == 130
    finally:
        os.close(master)
        os.close(slave)
