"""Try to write from a confined process, in every way there is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_tools.project.landlock import landlock_abi

needs_landlock = pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")

ATTEMPTS = """
import json, os, shutil, subprocess, sys, threading
from pathlib import Path
from mcp_tools.project.landlock import confine_writes
root, state = Path(sys.argv[1]), Path(sys.argv[2])
assert confine_writes([state])
def child(command):
    if subprocess.run(["sh", "-c", command], cwd=root, capture_output=True).returncode:
        raise PermissionError
def in_thread():
    failed = []
    def write():
        try:
            (root / "thread").write_text("x")
        except PermissionError as error:
            failed.append(error)
    thread = threading.Thread(target=write)
    thread.start(); thread.join()
    if failed:
        raise failed[0]
attempts = {
    "make a file": lambda: (root / "new").write_text("x"),
    "write a file": lambda: open(root / "file", "r+").write("x"),
    "append": lambda: open(root / "file", "a").write("x"),
    "truncate": lambda: os.truncate(root / "file", 0),
    "remove": lambda: os.remove(root / "file"),
    "rename": lambda: os.rename(root / "file", root / "other"),
    "move out": lambda: os.rename(root / "file", state / "file"),
    "move in": lambda: os.rename(state / "mine", root / "mine"),
    "link": lambda: os.link(root / "file", root / "hard"),
    "symlink": lambda: os.symlink("file", root / "soft"),
    "make a folder": lambda: os.mkdir(root / "folder"),
    "remove a folder": lambda: os.rmdir(root / "empty"),
    "make a FIFO": lambda: os.mkfifo(root / "fifo"),
    "copy": lambda: shutil.copyfile(root / "file", root / "copy"),
    "through a link": lambda: (state / "way" / "new").write_text("x"),
    "a child that writes": lambda: child("echo x > new"),
    "a child that removes": lambda: child("rm file"),
    "a thread that writes": in_thread,
    "back to the state": lambda: (state / "ours").write_text("x"),
    "null": lambda: open(os.devnull, "w").write("x"),
    "read": lambda: (root / "file").read_text(),
}
told = {}
for name, attempt in attempts.items():
    try:
        attempt()
        told[name] = "done"
    except OSError as error:
        told[name] = "refused"
print(json.dumps(told))
"""


@needs_landlock
def test_a_confined_process_writes_nowhere_but_in_its_own_folder(tmp_path: Path) -> None:
    root, state = tmp_path / "project", tmp_path / "state"
    (root / "empty").mkdir(parents=True)
    (root / "file").write_text("text")
    state.mkdir()
    (state / "mine").write_text("x")
    (state / "way").symlink_to(root)
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(root), str(state)], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(done.stdout)
    allowed = {"back to the state", "null", "read"}
    assert {name for name, outcome in told.items() if outcome == "done"} == allowed
    assert sorted(path.name for path in root.iterdir()) == ["empty", "file"]
    assert (root / "file").read_text() == "text"


@needs_landlock
def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mcp_tools.project.landlock import confine_writes\n"
        "assert not confine_writes([Path(sys.argv[1]) / 'missing'])\n"
        "(Path(sys.argv[1]) / 'new').write_text('x')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)
    assert (tmp_path / "new").exists()
