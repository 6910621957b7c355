"""Tool findings as one types: from an edit to its findings, agreement with a whole scan, what a start costs."""

import random
import statistics
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mcp_tools.project import Source
from mcp_tools.security_surface.live import LiveScan
from tests.bench.figure import Figure, at_least, at_most, percentile, reported
from tests.security_surface.edits import TYPED, Editor, crowded, whole

_FILES = (
    ("2,000 lines", "engine/result.py", 5, 20),
    ("7,100 lines", "sql/schema.py", 40, 80),
    ("8,600 lines", "sql/compiler.py", 40, 80),
)
_PLANTED = "\n\ndef planted(cursor, name):\n    cursor.execute('SELECT * FROM t WHERE a = ' + name)\n    eval(name)\n"
_START = """
import sys, time
from pathlib import Path
from mcp_tools.project import Source
started = time.perf_counter()
from mcp_tools.security_surface.live import LiveScan
imported = time.perf_counter()
LiveScan(Source("src/app.py", Path(sys.argv[1]).read_text(encoding="utf-8"), "python"))
print(imported - started, time.perf_counter() - imported)
"""


def run(quick: bool) -> Iterator[Figure]:
    """Typing into real files, random edits against whole scans, and fresh interpreters."""
    for name, file, p50, p95 in _FILES[: 1 if quick else None]:
        source = _source(file)
        edits = list(_type(source, 60 if quick else 600))
        scan = min(_scan_ms(source) for _ in range(3))
        yield at_most(f"live: edit to findings p50, {name}", percentile(edits, 0.5), "ms", p50)
        yield at_most(f"live: edit to findings p95, {name}", percentile(edits, 0.95), "ms", p95)
        yield reported(
            f"live: longest of {len(edits)} edits, {name}", max(edits), "ms", peer=scan, peer_name="whole scan"
        )
    states, right = _agreement(2 if quick else 12)
    yield at_least("live: states that equal a whole scan", 100 * right / states, "%", 99)
    yield reported("live: states compared", states, "states")
    yield from _starts(1 if quick else 9)


def _source(file: str) -> Source:
    path = Path(sysconfig.get_path("purelib")) / "sqlalchemy" / file
    return Source(f"src/{path.name}", path.read_text(encoding="utf-8") + _PLANTED, "python")


def _scan_ms(source: Source) -> float:
    started = time.perf_counter()
    whole(source)
    return (time.perf_counter() - started) * 1000


def _type(source: Source, count: int) -> Iterator[float]:
    """Type statements at the indentation of lines drawn at random, a character at a time; yield milliseconds."""
    drawn = random.Random(7)
    live = LiveScan(source)
    while count > 0:
        at = source.text.rfind("\n", 0, drawn.randrange(len(source.text))) + 1
        line = source.text[at : source.text.find("\n", at)]
        for character in line[: len(line) - len(line.lstrip())] + drawn.choice(TYPED).lstrip():
            text = source.text[:at] + character + source.text[at:]
            source = replace(source, text=text)
            started = time.perf_counter()
            live.update(source, [(at, at, at + 1)])
            yield (time.perf_counter() - started) * 1000
            at += 1
            count -= 1


def _agreement(rounds: int) -> tuple[int, int]:
    """How many states after random edits there were, and how many of them equal a scan of the whole."""
    states = right = 0
    library = Path(tarfile.__file__)
    texts = [*crowded(), Source(library.name, library.read_text(encoding="utf-8"), "python")]
    for number in range(rounds):
        for first in texts:
            source, live = first, LiveScan(first, small=0)
            editor = Editor(source.text, random.Random(f"{number} {source.path}"))
            for _ in range(25):
                text, told = editor.step()
                source = replace(source, text=text)
                live.update(source, told)
                states += 1
                if (live.findings, live.notices) == whole(source):
                    right += 1
                else:
                    live.settle()
                    assert (live.findings, live.notices) == whole(source), "settling did not put it right"
    return states, right


def _starts(count: int) -> Iterator[Figure]:
    """What a fresh interpreter pays until it has the findings of 2,000 lines."""
    file = str(Path(sysconfig.get_path("purelib")) / "sqlalchemy" / _FILES[0][1])
    times: list[Sequence[float]] = []
    for _ in range(count):
        done = subprocess.run([sys.executable, "-c", _START, file], check=True, capture_output=True, text=True)
        times.append([float(part) * 1000 for part in done.stdout.split()])
    yield reported("live: import of the tool", statistics.median(imported for imported, _ in times), "ms")
    yield reported("live: first scan of 2,000 lines", statistics.median(scanned for _, scanned in times), "ms")
