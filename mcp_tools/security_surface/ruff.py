"""Run ruff's `S` rules over Python files: read-only, isolated from the project, bounded; a failure is a Notice."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from mcp_tools.finding import Notice
from mcp_tools.project import Project, Source
from mcp_tools.security_surface.ruff_codes import CODES, RuffAnswer, RuffHit

_DEADLINE_S = 120.0
_MAX_OUTPUT_BYTES = 64_000_000
_MAX_ARGUMENT_BYTES = 100_000
_MAX_THREADS = 8  # each takes address space, of which a worker has only so much
_ARGUMENTS = (
    "check --isolated --no-cache --no-fix --no-preview --ignore-noqa --no-respect-gitignore --no-force-exclude "
    "--exit-zero --quiet --output-format=json-lines --target-version=py314"
).split()


class _Place(BaseModel):
    row: int
    column: int


class _Line(BaseModel):
    """One line of ruff's output: rows and columns count from 1, columns in code points."""

    code: str | None = None
    message: str
    filename: str
    location: _Place
    end_location: _Place


def find_ruff(project: Project) -> str | None:
    """A ruff that the project cannot have planted: the one installed with us, else one on PATH outside the project."""
    user = sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user"))
    for folder in (sysconfig.get_path("scripts"), Path(sys.executable).parent, user):
        installed = Path(folder, "ruff.exe" if os.name == "nt" else "ruff")
        if installed.is_file():
            return str(installed)
    probe = project.real_path("ruff")
    return ruff_on(os.environ.get("PATH", ""), Path(probe).parent if probe else None)


def ruff_on(path: str, root: Path | None) -> str | None:
    """The ruff of a search path; folders that are relative or inside the project do not count."""
    folders = [Path(entry) for entry in path.split(os.pathsep) if entry]
    safe = [entry for entry in folders if entry.is_absolute() and not _is_below(entry, root)]
    found = shutil.which("ruff", path=os.pathsep.join(map(str, safe))) if safe else None
    return None if found is None or _is_below(Path(found), root) else found


def _is_below(path: Path, root: Path | None) -> bool:
    return root is not None and path.resolve().is_relative_to(root.resolve())


class Ruff:
    """One ruff process over a batch of files; it runs while the caller does other work.

    Args:
        binary: the program.
        project: where the files are.
        sources: what we read; a file that lies on disk is handed over by name, another by its text.
        deadline_s: after so many seconds a process is ended.
    """

    def __init__(
        self, binary: str, project: Project, sources: Sequence[Source], *, deadline_s: float = _DEADLINE_S
    ) -> None:
        self._binary, self._deadline_s = binary, deadline_s
        self._by_name: dict[str, Source] = {}
        self._by_text: list[Source] = []
        for source in sources:
            real = project.real_path(source.path)
            if real is not None and real.isprintable() and _is_utf8(real):
                self._by_name[real] = source
            else:
                self._by_text.append(source)
        self._runs = [_Run(binary, names) for names in _batches(sorted(self._by_name))]

    def answer(self) -> RuffAnswer:
        """Wait for ruff and give its hits. Never raises for what ruff does."""
        answer = RuffAnswer()
        for run in self._runs:
            self._take(run, self._by_name, answer)
        for source in self._by_text:
            run = _Run(
                self._binary,
                ("--stdin-filename", "x.pyi" if source.path.endswith(".pyi") else "x.py", "-"),
                source.text,
            )
            self._runs.append(run)
            self._take(run, {}, answer, source)
        return answer

    def _take(self, run: "_Run", by_name: Mapping[str, Source], answer: RuffAnswer, only: Source | None = None) -> None:
        output, reason = run.finish(self._deadline_s)
        if reason:
            answer.notices.append(
                Notice("ruff-unavailable", f"ruff's rules were not applied: {reason}", only and only.path)
            )
            return
        unparsed: set[str] = set()
        for line in output.splitlines():
            try:
                read = _Line.model_validate_json(line)
            except ValidationError:
                answer.notices.append(Notice("ruff-unavailable", "ruff gave an answer of an unknown form"))
                return
            source = only or by_name.get(read.filename)
            if source is None:
                continue
            if read.code is None or read.code == "invalid-syntax":
                unparsed.add(source.path)
            elif read.code in CODES and (hit := _hit(read, source)) is not None:
                answer.hits.setdefault(source.path, []).append(hit)
        for path in sorted(unparsed):
            answer.notices.append(
                Notice("ruff-unavailable", "ruff's rules were not all applied: no valid Python 3", path)
            )

    def close(self) -> None:
        """End what still runs."""
        for run in self._runs:
            run.kill()


def _hit(line: _Line, source: Source) -> RuffHit | None:
    """The hit in our text; None when the place does not exist there: the file was changed in between."""
    row, column = line.location.row - 1, line.location.column - 1
    end_row, end_column = line.end_location.row - 1, line.end_location.column - 1
    if not (0 <= row <= end_row < source.line_count and min(column, end_column) >= 0):
        return None
    if column >= len(source.line(row)) or end_column > len(source.line(end_row)):
        return None
    start, stop = source.offset(row, column), source.offset(end_row, end_column)
    if stop <= start or source.text[start].isspace():
        return None
    return RuffHit(line.code or "", line.message, start, stop)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _batches(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Groups of names that fit a command line everywhere."""
    batch: list[str] = []
    size = 0
    limit = 20_000 if os.name == "nt" else _MAX_ARGUMENT_BYTES
    for name in names:
        if batch and size + len(name.encode()) + 1 > limit:
            yield ("--", *batch)
            batch, size = [], 0
        batch.append(name)
        size += len(name.encode()) + 1
    if batch:
        yield ("--", *batch)


class _Run:
    """One process. Its output is read by a thread, so that it never waits for us."""

    def __init__(self, binary: str, arguments: Sequence[str], text: str | None = None) -> None:
        command = [binary, *_ARGUMENTS, f"--select={','.join(CODES)}", *arguments]
        keep = {name: value for name in ("SYSTEMROOT", "TMP", "TEMP") if (value := os.environ.get(name))}
        keep["RAYON_NUM_THREADS"] = str(min(os.cpu_count() or 1, _MAX_THREADS))
        self._output = bytearray()
        self._reason = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._text = text
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- the program is ours, the names are absolute
                command,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(sys.executable).anchor or os.sep,
                env=keep,
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            self._reason = f"it does not start ({error.strerror})"
            return
        self._reader = threading.Thread(target=self._read, name="ruff", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.write((self._text or "").encode("utf-8", "replace"))
            with suppress(OSError):
                process.stdin.close()
        while chunk := process.stdout.read(65_536):
            self._output += chunk
            if len(self._output) > _MAX_OUTPUT_BYTES:
                self._reason = "it gave too much output"
                return

    def finish(self, deadline_s: float) -> tuple[bytes, str]:
        """The output, and why there is none."""
        if self._process is None:
            return b"", self._reason
        self._reader.join(deadline_s)
        if self._reader.is_alive():
            self._reason = f"it took longer than {deadline_s:g} s"
        self.kill()
        status = self._process.returncode
        if not self._reason and status:
            self._reason = f"it failed with exit code {status}"
        return (b"", self._reason) if self._reason else (bytes(self._output), "")

    def kill(self) -> None:
        """End the process and whatever it started; one that has ended already only loses its pipe."""
        process = self._process
        if process is None or process.stdout is None or process.stdout.closed:
            return
        if self._reader.is_alive() or self._reason:
            with suppress(OSError):
                if os.name == "nt":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join()
            process.stdout.close()
