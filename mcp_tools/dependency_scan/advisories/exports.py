"""Files of OSV records -> records, one at a time: a JSON file, JSON lines, a zip export, or a folder of all these.

Bounded: no archive, however it was made, is unpacked beyond the limits, and nothing of it is written anywhere.
"""

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from mcp_tools.dependency_scan.advisories.archive import too_many_entries
from mcp_tools.dependency_scan.advisories.osv import MAX_RECORD_BYTES, UNREADABLE, Parsed, parse
from mcp_tools.dependency_scan.advisories.text import shown
from mcp_tools.finding import Notice

EXPORT_UNREADABLE: Final = "advisory-export-unreadable"
_CHUNK: Final = 1 << 20
_LINES: Final = (".jsonl", ".ndjson")
_SUFFIXES: Final = (".json", ".zip", *_LINES)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_BROKEN_ZIP: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What `zipfile` raises for a damaged, encrypted or unusually compressed archive."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one export may hold. `total_bytes` counts what was unpacked, of all records of one archive."""

    file_bytes: int = 4 << 30
    total_bytes: int = 16 << 30
    records: int = 2_000_000
    record_bytes: int = MAX_RECORD_BYTES
    depth: int = 12  # of folders


LIMITS: Final = Limits()


def read(path: Path, limits: Limits = LIMITS) -> Iterator[Parsed]:
    """Read every record below a path, in the order of names.

    A record that cannot be read is a notice; a file that cannot be read as a whole, or that exceeds a limit, is a
    notice marked incomplete. Symbolic links inside a folder are not followed, and files of other kinds are left alone.
    """
    try:
        is_folder = path.is_dir()
    except OSError as error:
        yield _failed(shown(path.name), str(error.strerror))
        return
    yield from _folder(path, limits, limits.depth) if is_folder else _file(path, limits)


def read_lines(stream: BinaryIO, name: str, limits: Limits = LIMITS) -> Iterator[Parsed]:
    """Read one record from each line of a stream, such as standard input. Too long a line is skipped with a notice."""
    number = total = 0
    while line := stream.readline(limits.record_bytes + 1):
        number += 1
        total += len(line)
        place = f"{name}:{number}"
        if len(line) > limits.record_bytes and not line.endswith(b"\n"):
            while total <= limits.total_bytes and (rest := stream.readline(_CHUNK)):
                total += len(rest)
                if rest.endswith(b"\n"):
                    break
            yield Parsed(None, (Notice(UNREADABLE, "An advisory could not be read: too long a line.", place),))
        elif line.strip():
            yield parse(line, place)
        if total > limits.total_bytes or number >= limits.records:
            yield _failed(name, "it holds more than an export may")
            return


def digest(paths: Sequence[Path]) -> str:
    """A name for exactly these inputs: files by their content, folders by the names, sizes and times in them."""
    hashed = hashlib.sha256()
    for path in sorted(paths):
        if path.is_dir():
            for root, folders, files in os.walk(path):
                folders.sort()
                for name in sorted(files):
                    found = (Path(root) / name).lstat()
                    hashed.update(f"{root}\0{name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode("utf-8", "replace"))
            continue
        with path.open("rb") as file:
            hashed.update(f"{path.name}\0{os.fstat(file.fileno()).st_size}\0".encode("utf-8", "replace"))
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    return hashed.hexdigest()


def _folder(path: Path, limits: Limits, depth: int) -> Iterator[Parsed]:
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield _failed(str(path), str(error.strerror))
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth == 0:
                yield _failed(entry.path, "too deep a folder")
            else:
                yield from _folder(Path(entry.path), limits, depth - 1)
        elif entry.is_file(follow_symlinks=False) and entry.name.endswith(_SUFFIXES):
            yield from _file(Path(entry.path), limits)


def _file(path: Path, limits: Limits) -> Iterator[Parsed]:
    name = shown(path.name)
    try:
        with open(os.open(path.resolve(), os.O_RDONLY | _NO_FOLLOW), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                yield _failed(name, "it is not a file")
            elif status.st_size > limits.file_bytes:
                yield _failed(name, f"it is larger than {limits.file_bytes:,} bytes")
            elif file.peek(4)[:2] == b"PK":
                yield from _archive(file, name, limits)
            elif path.suffix in _LINES:
                yield from read_lines(file, name, limits)
            else:
                yield parse(file.read(limits.record_bytes + 1), name)
    except OSError as error:
        yield _failed(name, shown(error.strerror or str(error)))


def _archive(file: BinaryIO, name: str, limits: Limits) -> Iterator[Parsed]:
    if too_many_entries(file, limits.records):
        yield _failed(name, "it holds more than an export may")
        return
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN_ZIP as error:
        yield _failed(name, shown(str(error)) or type(error).__name__)
        return
    total = 0
    with archive:
        for entry in archive.infolist():
            if entry.is_dir() or not entry.filename.endswith(".json"):
                continue
            place = f"{name}/{shown(entry.filename)}"
            data = _entry(archive, entry, limits.record_bytes)
            if data is None:
                yield Parsed(None, (Notice(UNREADABLE, "An advisory could not be unpacked.", place),))
                continue
            total += len(data)
            if total > limits.total_bytes:
                yield _failed(name, "it holds more than an export may")
                return
            yield parse(data, place)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes | None:
    """The bytes of an entry, at most one more than the limit, whatever size it claims; None where it is damaged."""
    try:
        with archive.open(entry) as member:
            return member.read(limit + 1)
    except _BROKEN_ZIP:
        return None


def _failed(name: str, why: str) -> Parsed:
    return Parsed(None, (Notice(EXPORT_UNREADABLE, f"Advisories could not be read: {why}.", name, incomplete=True),))
