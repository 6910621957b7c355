"""A real tree of 100,000 lines at depth local beside ruff's S rules; what a second run costs at depth screen."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, at_least, at_most, reported
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.script import Script

_LINES = 100_000
_PACKAGES = ("pip", "sqlalchemy", "openai", "numpy", "hypothesis", "rich", "pydantic", "_pytest", "pygments", "anyio")


@dataclass(frozen=True, slots=True)
class _Ran:
    seconds: float
    peak_mb: float
    code: int


def _run(command: Sequence[str], environment: Mapping[str, str]) -> _Ran:
    """Run a command to its end; the peak is of the process itself, children apart."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise RuntimeError(f"{command[0]}: exit code {process.returncode}: {said.decode(errors='replace')[-400:]}")
    return _Ran(time.perf_counter() - started, usage.ru_maxrss / 1024, process.returncode)


def _tree(root: Path, lines: int) -> tuple[int, int]:
    """Copy real Python packages, an equal share of lines from each, until there are enough; returns files and lines."""
    site = Path(sysconfig.get_path("purelib"))
    files = total = 0
    for number, package in enumerate(_PACKAGES, 1):
        for source in sorted((site / package).rglob("*.py")):
            if total >= lines * number // len(_PACKAGES):
                break
            target = root / source.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            files, total = files + 1, total + source.read_bytes().count(b"\n")
    return files, total


def run(quick: bool) -> Iterator[Figure]:
    """Median of interleaved runs; each of ours starts with an empty state directory."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        files, lines = _tree(root, 3_000 if quick else _LINES)
        ours: list[_Ran] = []
        ruff: list[_Ran] = []
        kimi = [sys.executable, "-m", "kimi_lsp", "audit", str(root), "--format", "json", "--fail-on", "never"]
        for attempt in range(1 if quick else 3):
            environment = {**os.environ, "KIMI_LSP_STATE_DIR": str(Path(folder) / f"state{attempt}")}
            peer = [
                str(Path(sys.executable).parent / "ruff"),
                "check",
                "--select",
                "S",
                "--no-cache",
                "--isolated",
                "--output-format",
                "json",
            ]
            ruff.append(_run([*peer, "--exit-zero", str(root)], environment))
            ours.append(_run([*kimi, "--output", str(Path(folder) / "report.json")], environment))
        best, floor = sorted(ours, key=lambda ran: ran.seconds)[len(ours) // 2], min(ran.seconds for ran in ruff)
        found = len(json.loads((Path(folder) / "report.json").read_text())["findings"])
        yield reported(f"local: {files} files, {lines} lines", best.seconds, "s", peer=floor, peer_name="ruff S")
        yield reported("local: speed", files / best.seconds, "files/s", peer=files / floor, peer_name="ruff S")
        yield reported("local: findings", found, "findings")
        yield at_most("local: peak memory", max(ran.peak_mb for ran in ours), "MB", 400)
        yield from _again(root, Path(folder), kimi, quick=quick)


def _again(root: Path, folder: Path, command: Sequence[str], *, quick: bool) -> Iterator[Figure]:
    """The same tree twice at depth screen: the second run asks nothing.

    The fake takes half a second to its first byte, no longer than a hosted model; without it the first run would
    measure a model that thinks in no time.
    """
    with FakeKimi() as fake:
        answer = Script(reasoning="Reading. " * 40, content='{"findings": []}', first_delay_s=0 if quick else 0.5)
        fake.respond(lambda request: answer)
        environment = {
            **os.environ,
            "KIMI_LSP_STATE_DIR": str(folder / "screen"),
            "MOONSHOT_API_KEY": KEY,
            "KIMI_LSP_RUN_USD": "1000",
            "KIMI_LSP_DAILY_USD": "1000",
            "KIMI_LSP_WEEKLY_USD": "1000",
        }
        screen = [*command, "--depth", "screen", "--base-url", fake.base_url, "--output", str(folder / "screen.json")]
        first = _run(screen, environment)
        asked = len(fake.chats)
        second = _run(screen, environment)
        yield reported("screen: units asked in the first run", asked, "units")
        yield at_most("screen: units asked in the second run", len(fake.chats) - asked, "units", 0)
        yield reported("screen: first run", first.seconds, "s")
        yield at_least("screen: first run over second run", first.seconds / second.seconds, "x", 20)
        yield reported("screen: second run", second.seconds, "s", peer=first.seconds, peer_name="first run")
        yield at_most("screen: peak memory", max(first.peak_mb, second.peak_mb), "MB", 400)
