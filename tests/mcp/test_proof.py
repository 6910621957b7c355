"""Nothing is written, run or dialled: what the kernel and the interpreter saw while every tool was called."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.fakes.json_value import JsonObject
from tests.mcp.faces import SERVER, serving
from tests.mcp.hostile import Hostile, hostile_project
from tests.mcp.processes import children

CALLS: tuple[tuple[str, JsonObject], ...] = (
    ("codebase_health", {}),
    ("list_files", {}),
    ("read_file", {"path": "config.py"}),
    ("read_file", {"path": "../proj-secret/x"}),
    ("search_text", {"query": "find me here", "context": 1}),
    ("search_text", {"query": "f.nd", "regex": True}),
    ("security_surface", {}),
    ("audit_file", {"path": "src/app.py"}),
    ("get_finding", {"id": "0" * 12}),
    ("explain_rule", {"rule": "sql-injection"}),
)
TRACED = "%file,%network,execve,execveat,ftruncate,fchmod,fchown,fsetxattr"
CHANGING = re.compile(
    r"\b(?:creat|mkdir|mkdirat|mknod|mknodat|rename|renameat|renameat2|unlink|unlinkat|rmdir|link|linkat|symlink|"
    r"symlinkat|chmod|fchmod|fchmodat|fchmodat2|chown|fchown|lchown|fchownat|truncate|ftruncate|utime|utimes|utimensat|"
    r"setxattr|lsetxattr|fsetxattr|removexattr|mount|chroot|pivot_root|execveat)\("
)
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")

WATCHER = """
import json, os, sys
root, calls, log = sys.argv[1], json.loads(sys.argv[2]), []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def hook(event, args):
    if event == "open" and not isinstance(args[0], int) and args[2] & WRITES:  # a number is open already
        log.append(["write", repr(args[0])])
    elif event.startswith(("os.mk", "os.re", "os.rm", "os.link", "os.sy", "os.ch", "os.tr", "os.ut", "os.se", "sh")):
        log.append([event, repr(args[0])])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty"):
        log.append(["run", repr(args[0])])
    elif event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        log.append(["network", event])
sys.addaudithook(hook)
from mcp_tools.catalog import Catalog, RootSetup, Setup
catalog = Catalog(Setup((RootSetup(root),)))
texts = [catalog.call(name, arguments).text for name, arguments in calls]
sys.stdout.write(json.dumps({"log": log, "texts": texts}))
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    return hostile_project(tmp_path_factory.mktemp("proof"))


def test_the_interpreter_sees_every_tool_write_and_dial_nothing_and_run_ruff_alone(hostile: Hostile) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-c", WATCHER, str(hostile.root), json.dumps(CALLS)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert "find me here" in "\n".join(seen["texts"])
    assert any("security_surface:" in text and "finding" in text for text in seen["texts"])
    log: list[tuple[str, str]] = [tuple(entry) for entry in seen["log"]]
    assert [entry for entry in log if entry[0] != "run" and "/dev/null" not in entry[1]] == []
    assert {Path(name.strip("'\"")).name for kind, name in log if kind == "run"} <= {"ruff"}
    assert not hostile.marker.exists()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("name", ["stdio-legacy", "http-modern"])
async def test_the_kernel_sees_the_server_write_and_dial_nothing_and_run_only_itself_and_ruff(
    hostile: Hostile, tmp_path: Path, name: str
) -> None:
    log = tmp_path / "strace.log"
    command = (
        "strace",
        "-f",
        "--seccomp-bpf",  # stops at what is traced alone
        "-qq",
        "-s",
        "300",
        "-o",
        str(log),
        "-e",
        f"trace={TRACED}",
        "-e",
        "signal=none",
        *SERVER,
    )
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)}
    async with serving(name, tmp_path, [hostile.root], command=command, env=environment) as face:
        for tool, arguments in CALLS:
            said = await face.call(tool, arguments, deadline_s=60)
            assert said.is_error == (tool == "get_finding" or "../" in str(arguments)), said.text
        if face.http is None:
            await face.process.end_input()
        else:
            (server,) = children(face.process.process.pid)  # strace itself keeps the signal
            os.kill(server, signal.SIGTERM)
        await face.process.exit_code()
    text = await anyio.Path(log).read_text("utf-8", "backslashreplace")
    check(text.splitlines(), hostile)


def check(lines: list[str], hostile: Hostile) -> None:
    succeeded = [line for line in lines if not re.search(r"= -1 E\w+", line)]
    started = {Path(match[1]).name for line in succeeded if (match := re.search(r'execve\("([^"]*)"', line))}
    assert started - {Path(sys.executable).name, Path(sys.executable).resolve().name} == {"ruff"}
    assert [line for line in lines if CHANGING.search(line)] == []
    writes = [line for line in succeeded if re.search(r"\bopen(?:at2?)?\(.*O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)", line)]
    assert [line for line in writes if '"/dev/null"' not in line] == []
    assert [line for line in lines if re.search(r"\b(?:connect|sendto|sendmsg)\(.*AF_INET", line)] == []
    # glibc asks its own cache daemon for names of users, if there is one
    assert [line for line in lines if re.search(r"\bconnect\(", line) and "/nscd/socket" not in line] == []
    read = "\n".join(line for line in lines if "open" in line)
    assert "app.py" in read
    assert str(hostile.outside / "x") not in read
    assert not hostile.marker.exists()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_trace_would_show_a_write(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"open({str(tmp_path / 'made')!r}, 'w'); import os; os.mkdir({str(tmp_path / 'folder')!r})"
    subprocess.run(
        ["strace", "-f", "-qq", "-o", log, "-e", f"trace={TRACED}", sys.executable, "-c", code], check=True, timeout=60
    )
    text = log.read_text()
    assert CHANGING.search(text)
    assert re.search(r"openat\(.*made.*O_WRONLY", text)
