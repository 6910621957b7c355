"""Search and listing over 100,000 lines of installed code: time beside ripgrep's on the same tree."""

import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mcp_tools.browse import list_files, search
from mcp_tools.browse.shown import forget
from mcp_tools.project import DiskProject
from tests.bench.figure import Figure, at_most, reported

_LINES = 100_000
_PACKAGES = ("sqlalchemy", "pip", "setuptools", "pygments", "openai", "pylint", "jedi", "numpy", "pydantic", "rich")
_LITERALS = (
    ("rare", "make_transient_to_detached"),
    ("in some files", "NotImplementedError"),
    ("in most files", "import"),
)
_PATTERN = r"def \w+_\w+_name\("


def run(quick: bool) -> Iterator[Figure]:
    """A warm process, as a server's worker is; the view of the tree is a new one for each search."""
    rounds = 3 if quick else 15
    peer = shutil.which("rg")
    if peer is None:
        sys.stderr.write("search: no ripgrep (`rg`) on PATH, so nothing is compared with it\n")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        files, lines = _fill(root, 10_000 if quick else _LINES)
        yield reported("search: lines of the tree", lines, "lines")
        yield reported("search: files of the tree", files, "files")
        yield reported("search: list_files, a new view", _median(lambda: list_files(DiskProject(root)), rounds), "ms")
        search(DiskProject(root), "import")  # what a process pays once
        for name, query in _LITERALS:
            yield from _compared(root, peer, rounds, name, query, is_regex=False)
        yield from _compared(root, peer, rounds, "regular expression", _PATTERN, is_regex=True)


def _compared(root: Path, peer: str | None, rounds: int, name: str, query: str, *, is_regex: bool) -> Iterator[Figure]:
    found = search(DiskProject(root), query, is_regex=is_regex)

    def ours() -> None:
        search(DiskProject(root), query, is_regex=is_regex)

    def first() -> None:
        forget()
        ours()

    title = f"search: {name}, {found.total} lines in {found.files_matched} files"
    if peer is None:
        yield reported(f"{title}, again", _median(ours, rounds), "ms")
        yield reported(f"{title}, first time", _median(first, rounds), "ms")
        return
    command = [peer, "--line-number", "--no-heading", "--no-config", "--hidden", "--no-require-git"]
    command += ["--regexp" if is_regex else "--fixed-strings", query, "."]
    theirs = _median(lambda: _run(command, root), rounds)
    told = _run(command, root).count(b"\n")
    assert told >= found.total >= 0.99 * told, f"rg finds {told} lines, we {found.total}"  # secrets are not found
    for when, action in ("again", ours), ("first time", first):
        taken = _median(action, rounds)
        if is_regex:  # the goal is for a literal
            yield reported(f"{title}, {when}", taken, "ms", peer=theirs, peer_name="rg")
        else:  # the first time secrets are looked for in each file that matches, once for a text and process
            yield at_most(f"{title}, {when}", taken, "ms", 5, peer=theirs, peer_name="rg")


def _run(command: list[str], root: Path) -> bytes:
    return subprocess.run(command, cwd=root, capture_output=True, check=False).stdout


def _median(action: Callable[[], object], rounds: int) -> float:
    """Milliseconds."""
    times: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _fill(root: Path, wanted: int) -> tuple[int, int]:
    """Copy installed sources, a package after the other, until there are so many lines."""
    library = Path(sysconfig.get_path("purelib"))
    files = lines = 0
    for package in _PACKAGES:
        for path in sorted((library / package).rglob("*.py")):
            target = root / "src" / path.relative_to(library)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            files += 1
            with target.open("rb") as file:
                lines += sum(1 for _ in file)
            if lines >= wanted:
                return files, lines
    return files, lines
