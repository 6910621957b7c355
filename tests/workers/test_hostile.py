"""Calls that crash, eat memory, shout, forge, dial and write; and a server in a hostile folder."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from mcp_tools.catalog.values import Json, RootSetup, Setup
from mcp_tools.project.landlock import landlock_abi
from mcp_tools.workers import CallFailedError, DeadlineError, WorkerLostError
from mcp_tools.workers.launch import MODULE, command, interpreter
from tests.workers.pools import ask, ended, is_gone, pid_of, posix, scripted, told

LOST = r"^the worker process ended before it answered$"
MEBIBYTE = 1 << 20


@posix
async def test_a_worker_that_dies_of_a_call_costs_that_call_alone() -> None:
    async with scripted() as pool:
        for death in ("leave", "segfault", "crash"):
            before = await pid_of(pool)
            with pytest.raises(WorkerLostError, match=LOST):
                await ask(pool, death)
            assert await pid_of(pool) != before
            assert is_gone(before)


async def test_an_exception_costs_no_worker_and_nothing_of_its_text_crosses(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted() as pool:
        before = await pid_of(pool)
        for name in ("fail", "exit", "dive", "deep", "no_such_tool"):
            with pytest.raises(CallFailedError, match=r"^the call failed$"):
                await ask(pool, name)
        assert await pid_of(pool) == before
    assert [record.getMessage() for record in caplog.records] == [
        f"a call failed: {name}"
        for name in ("ValueError", "SystemExit", "RecursionError", "FrameError", "AttributeError")
    ]


async def test_a_worker_that_cannot_serve_fails_its_call_and_is_not_tried_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scripted(2, setup=Setup((RootSetup("/x"),), key="broken")) as pool:
        with pytest.raises(WorkerLostError, match=LOST):
            await ask(pool, "echo")
    assert {record.getMessage() for record in caplog.records} == {"a worker cannot serve: RuntimeError"}


@posix
async def test_a_memory_bomb_is_a_lost_worker_and_the_next_call_works() -> None:
    async with scripted(memory_bytes=512 * MEBIBYTE) as pool:
        before = await pid_of(pool)
        assert await told(pool, "allocate", mebibytes=64) == 64 * MEBIBYTE
        with pytest.raises(WorkerLostError, match=LOST):
            await ask(pool, "allocate", mebibytes=2048)
        assert await pid_of(pool) != before


@pytest.mark.skipif(sys.platform != "linux", reason="it is /proc that tells the resident memory")
async def test_a_worker_that_has_grown_is_replaced_after_its_answer() -> None:
    async with scripted(memory_bytes=512 * MEBIBYTE) as pool:
        before = await pid_of(pool)
        assert await told(pool, "keep", mebibytes=160) == 160 * MEBIBYTE
        assert await pid_of(pool) != before


async def test_an_answer_that_fits_into_no_frame_costs_no_worker() -> None:
    async with scripted() as pool:
        before = await pid_of(pool)
        assert await told(pool, "huge", bytes=7 * MEBIBYTE) == "x" * (7 * MEBIBYTE)
        with pytest.raises(CallFailedError):
            await ask(pool, "huge", bytes=9 * MEBIBYTE)
        assert await pid_of(pool) == before


async def test_stray_prints_do_not_reach_the_wire_nor_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    async with scripted() as pool:
        assert await told(pool, "speak") == ""  # and there is nothing to read
        assert (await ask(pool, "echo")).data["calls"] == 2
    assert capfd.readouterr() == ("", "")


async def test_a_flood_of_errors_holds_nobody_up(capfd: pytest.CaptureFixture[str]) -> None:
    async with scripted() as pool:
        await ask(pool, "flood")
    assert capfd.readouterr() == ("", "")


@posix
async def test_bytes_that_are_no_frame_kill_the_worker_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted() as pool:
        before = await pid_of(pool)
        with pytest.raises(WorkerLostError, match=LOST):
            await ask(pool, "forge")
        assert await pid_of(pool) != before
    assert [record.getMessage() for record in caplog.records] == [
        "a worker broke the protocol: a frame of a forbidden size"
    ]


@posix
async def test_a_worker_sees_no_variable_no_file_and_no_folder_of_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = "sk-" + "of-the-server" * 3
    for name in ("MOONSHOT_API_KEY", "PYTHONPATH", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "HOME"):
        monkeypatch.setenv(name, secret)
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "open").open("w") as opened:
        os.set_inheritable(opened.fileno(), True)
        async with scripted() as pool:
            seen = await told(pool, "world")
    assert isinstance(seen, dict)
    environment = seen["environment"]
    assert isinstance(environment, dict)
    assert environment.keys() <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "MALLOC_ARENA_MAX"}
    assert environment["PATH"] == os.environ["PATH"]
    assert secret not in str(seen)
    assert seen["cwd"] == "/"
    assert seen["core"] == [0, 0]
    assert seen["files"] == []


ATTACK = "import pathlib; pathlib.Path({marker!r}).write_text('imported')\n"


def hostile_folder(folder: Path) -> Path:
    """A project that hopes to be imported; gives the file that tells that it was."""
    marker = folder / "marker"
    attack = ATTACK.format(marker=str(marker))
    for name in ("sitecustomize", "usercustomize", "json", "ctypes", "resource", "pydantic"):
        (folder / f"{name}.py").write_text(attack)
    (folder / "mcp_tools").mkdir()
    (folder / "mcp_tools" / "__init__.py").write_text(attack)
    return marker


@pytest.fixture
def marker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Path]:
    """A file that is there as soon as a Python has been fooled by the current folder."""
    marker = hostile_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    subprocess.run([sys.executable, "-c", "import json"], check=False, capture_output=True, timeout=60)
    assert marker.exists(), "the attack does not work, so it proves nothing"
    marker.unlink()
    yield marker
    assert not marker.exists()


async def test_nothing_is_imported_from_the_folder_of_the_server(marker: Path) -> None:
    async with scripted() as pool:
        seen = await told(pool, "world")
    assert isinstance(seen, dict)
    path = seen["path"]
    assert isinstance(path, list)
    assert not {"", ".", str(marker.parent)} & set(map(str, path))


@pytest.mark.usefixtures("marker")
def test_a_worker_imports_nothing_from_there_even_when_it_is_started_there() -> None:
    done = subprocess.run([*interpreter(), "-c", f"import {MODULE}, json, resource"], check=False, timeout=60)
    assert done.returncode == 0
    started = subprocess.run(command(None, None), input=b"", capture_output=True, check=False, timeout=60)
    assert (started.returncode, started.stdout) == (0, b"")


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")
async def test_a_worker_writes_nowhere(tmp_path: Path) -> None:
    async with scripted() as pool:
        for path in (tmp_path / "new", Path("/tmp/worker-was-here"), Path("/dev/shm/worker-was-here")):
            assert await told(pool, "write", path=str(path)) == "PermissionError"
    assert names_in(tmp_path) == []


@pytest.mark.skipif(landlock_abi() < 4, reason="this kernel's Landlock knows no TCP")
async def test_a_worker_dials_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: Json = server.getsockname()[1]
        assert isinstance(port, int)
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        async with scripted() as pool:
            assert await told(pool, "dial", port=port) == "PermissionError"


@pytest.mark.skipif(landlock_abi() < 6, reason="this kernel's Landlock knows no signals")
async def test_a_worker_cannot_signal_the_server() -> None:
    async with scripted() as pool:
        assert await told(pool, "signal", pid=os.getpid()) == "PermissionError"


@pytest.mark.skipif(sys.platform != "linux", reason="pidfd_open; and children in other groups are found in /proc")
@pytest.mark.parametrize("alone", [False, True], ids=["in its group", "in a group of its own"])
async def test_a_program_that_a_call_has_started_ends_with_its_worker(alone: bool) -> None:
    async with scripted() as pool:
        program = await told(pool, "program", alone=alone)
        assert isinstance(program, int)
        with pytest.raises(DeadlineError):
            await pool.call("spin", {}, deadline_s=0.01)
        await ended(program)


@pytest.mark.skipif(sys.platform != "linux", reason="pidfd_open")
async def test_a_program_in_the_group_of_a_worker_that_crashed_ends_too() -> None:
    async with scripted() as pool:
        program = await told(pool, "program", alone=False)
        assert isinstance(program, int)
        with pytest.raises(WorkerLostError):
            await ask(pool, "leave")
        await ended(program)
