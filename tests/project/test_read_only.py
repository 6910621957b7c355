"""Listing and reading do nothing but list and read, and only below the root: the interpreter's own events prove it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are read from /proc")

_PROGRAM = """
import json, os, sys
from mcp_tools.project import DiskProject, Overlay, Source

root, log, is_on = sys.argv[1], [], False

def listen(event, arguments):
    if not is_on or event in ("object.__getattr__", "compile", "exec", "import", "marshal.loads"):
        return
    if event in ("open", "os.scandir", "os.listdir"):
        name = arguments[0]
        flags = arguments[2] if event == "open" else 0
        log.append([event, os.fsdecode(name) if isinstance(name, (str, bytes)) else "(descriptor)", flags])
    else:
        log.append([event, "", 0])

sys.addaudithook(listen)
DiskProject(root).listing()  # imports what is imported late
is_on = True
project = Overlay(DiskProject(root), {"sub/unsaved.py": "x"})
paths = project.listing().paths
texts = [project.read(path) for path in paths]
others = [project.read(path) for path in ("link", "out/secret", "pipe", "../secret", "/etc/passwd", "none")]
is_on = False
print(json.dumps({"log": log, "read": sum(isinstance(text, Source) for text in texts), "files": list(paths)}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    for path in ("a.py", "sub/b.py", "sub/deep/c.py", ".gitignore", "sub/.gitignore"):
        (root / path).write_text("x = 1\n")
    (root / "latin.py").write_bytes(b"# coding: cp1251\n'\xe9'\n")
    (tmp_path / "secret").write_text("not yours")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "out").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    return root


def test_listing_and_reading_write_run_and_connect_nothing_and_open_nothing_outside(tree: Path) -> None:
    before = {path: path.lstat() for path in tree.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tree)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    seen = json.loads(done.stdout)
    assert seen["files"] == [
        ".gitignore", "a.py", "latin.py", "sub/.gitignore", "sub/b.py", "sub/deep/c.py", "sub/unsaved.py",
    ]  # fmt: skip
    assert seen["read"] == 7
    assert {event for event, _, _ in seen["log"]} == {"open", "os.scandir"}, "nothing is written, run or connected"
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    opened = {name for event, name, _ in seen["log"] if event == "open" and not _is_library(name)}
    assert not any(flags & writing for _, _, flags in seen["log"])
    assert all(flags & os.O_NOFOLLOW for event, name, flags in seen["log"] if event == "open" and name in opened)
    assert all(name == str(tree) or "/" not in name for name in opened), "each name is opened in the folder above it"
    assert not {"link", "pipe", "secret", "..", "passwd"} & opened
    after = {path: path.lstat() for path in tree.rglob("*")}
    assert {path: (now.st_mtime_ns, now.st_ino, now.st_size) for path, now in after.items()} == {
        path: (then.st_mtime_ns, then.st_ino, then.st_size) for path, then in before.items()
    }


def _is_library(name: str) -> bool:
    """A module of Python's own (a codec) that is loaded when it is first needed."""
    return name == "(descriptor)" or name.startswith((sys.prefix, sys.base_prefix))
