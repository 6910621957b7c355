"""A whole audit, watched by the interpreter's own audit events from its first import on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WATCHER = """
import json, os, sys
root, state, log = sys.argv[1], sys.argv[2], []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def text(value):
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else repr(value)
def hook(event, args):
    if event == "open":
        path, mode, flags = args
        if isinstance(flags, int) and flags & WRITES:
            log.append(("write", text(path)))
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown",
                   "os.truncate", "os.utime", "os.setxattr", "os.removexattr", "shutil.rmtree", "shutil.copyfile"):
        log.append((event, text(args[0])))
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        log.append(("run", text(args[0])))
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        log.append(("network", repr(args[1:])))
    elif event in ("import", "compile", "exec"):
        return
sys.addaudithook(hook)
from kimi_lsp.cli.main import run
code = run(["audit", root, "--format", "json"])
sys.stderr.write(json.dumps({"code": code, "log": log}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "app.py").write_text("import subprocess\n\ndef go(x):\n    subprocess.run('ls ' + x, shell=True)\n")
    (root / "pkg" / "conftest.py").write_text("raise SystemExit('this file was executed')\n")
    (root / "setup.py").write_text("raise SystemExit('this file was executed')\n")
    (root / "ruff.toml").write_text("select = ['E']\n")
    (root / "main.go").write_text('package main\n\nimport "crypto/md5"\n\nfunc main() { md5.New() }\n')
    (root / "app.js").write_text("eval(location.hash)\n")
    return root


def state_of(root: Path) -> dict[str, tuple[int, int, bytes]]:
    found: dict[str, tuple[int, int, bytes]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


def test_an_audit_changes_nothing_runs_nothing_of_the_tree_and_dials_nobody(tree: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    before = state_of(tree)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "KIMI_LSP_STATE_DIR": str(state),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHER, str(tree), str(state)],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert state_of(tree) == before
    seen = json.loads(done.stderr.splitlines()[-1])
    assert seen["code"] == 1, done.stderr
    assert json.loads(done.stdout)["findings"], "the audit found nothing, so it proves nothing"
    log: list[tuple[str, str]] = [tuple(entry) for entry in seen["log"]]
    outside = [entry for entry in log if entry[0] not in {"run", "network"} and not entry[1].startswith(str(state))]
    assert [
        entry for entry in outside if entry[1].startswith(str(tree)) or not entry[1].startswith(("/tmp", "/dev/null"))
    ] == []
    assert [entry for entry in log if entry[0] == "network"] == []
    assert {Path(name).name for kind, name in log if kind == "run"} <= {"ruff"}
