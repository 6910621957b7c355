"""A project on disk, read without ever leaving its root: no link is followed, nothing but regular files is opened."""

import errno
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mcp_tools.finding import Notice
from mcp_tools.project.base import Listing, Project, inside
from mcp_tools.project.decode import decode
from mcp_tools.project.ignore import ALWAYS_SKIPPED, EVERYTHING, Ignore, ignore_lines
from mcp_tools.project.patterns import Patterns, count_globs
from mcp_tools.project.source import Source

_HAS_DIR_FD = os.open in os.supports_dir_fd and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")
_FILE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO would wait for its writer
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_IGNORE_FILE_BYTES = 1 << 20
_MAX_GLOBS = 2_000  # ignore lines with wildcards that one path is compared with
_CACHED_CHARS = 16_000_000
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at the most. Past a limit there is a Notice, never silence."""

    max_file_bytes: int = 1_000_000
    max_files: int = 100_000
    max_depth: int = 100


@dataclass(slots=True)
class _Walk:
    """The state of one listing."""

    paths: list[str] = field(default_factory=list[str])
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    notices: list[Notice] = field(default_factory=list[Notice])
    ignored: int = 0
    is_full: bool = False


class DiskProject(Project):
    """The files below a folder.

    Args:
        root: the folder. Links in the path to it are resolved once, here; below it none is followed.
        scope: relative files and folders to list; all of the tree when empty. A file that is named itself is listed
            even where ignore rules leave it out.
        exclude: gitignore-style patterns of paths that are neither listed nor read.
        limits: sizes and counts past which there is a Notice.

    Raises:
        NotADirectoryError: the root is no folder. FileNotFoundError, PermissionError: as the system says.
    """

    def __init__(
        self, root: Path | str, scope: Sequence[str] = (), *, exclude: Sequence[str] = (), limits: Limits = Limits()
    ) -> None:
        self.root = Path(root).resolve(strict=True)
        if not self.root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
        os.scandir(self.root).close()  # says now that it cannot be listed
        self._scope = tuple(scope)
        self._exclude = Patterns(exclude)
        self._excludes_any = bool(exclude)
        self._limits = limits
        self._cache: OrderedDict[str, Source] = OrderedDict()
        self._cached_chars = 0
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}  # bytes by path, as the listing found them
        self._ignore_files: dict[str, Patterns | None] = {}
        self._unusable: dict[str, Notice] = {}  # ignore files that are not understood, by path

    @property
    def name(self) -> str:
        """The root folder's own name."""
        return self.root.name or str(self.root)

    def listing(self) -> Listing:
        """Every regular file in scope, sorted by name; links, devices, sockets and pipes are Notices."""
        return self._listed

    @cached_property
    def _listed(self) -> Listing:
        walk = _Walk()
        for item in self._scope or ("",):
            self._list_scope(item, walk)
        self._sizes = walk.sizes
        notices = dict.fromkeys((*walk.notices, *self._unusable.values()))
        return Listing(tuple(sorted(set(walk.paths))), tuple(notices), walk.ignored)

    def _list_scope(self, item: str, walk: _Walk) -> None:
        """List one file or folder that the caller named."""
        path = inside(item) if item not in ("", ".") else ""
        if path is None:
            walk.notices.append(Notice("outside-project", "not read: outside the project", item))
            return
        ignore, parent = self._root_ignore(), ""
        for part in path.split("/")[:-1] if path else ():
            ignore = self._ignore_below(ignore, parent)
            parent += part + "/"
        try:
            mode = self._lstat(path).st_mode if path else stat.S_IFDIR
        except OSError as error:
            walk.notices.append(_unreadable(path, error))
            return
        if path and self._exclude.covers(path, is_folder=stat.S_ISDIR(mode)):
            walk.notices.append(_excluded(path))
        elif stat.S_ISDIR(mode):
            self._list_folder(path + "/" if path else "", self._ignore_below(ignore, parent) if path else ignore, walk)
        elif stat.S_ISREG(mode):
            walk.paths.append(path)
        else:
            walk.notices.append(_special(path, mode))

    def ignores(self, folders: Sequence[str]) -> bool:
        """Say whether ignore rules leave out each of these folders, or a folder above it."""
        return all(self._ignores(folder) for folder in folders)

    def ignores_file(self, path: str) -> bool:
        """Say whether ignore rules leave out a file, or a folder above it."""
        return self._ignores(path, is_file=True)

    def _ignores(self, path: str, *, is_file: bool = False) -> bool:
        ignore, parent = self._ignore_below(self._root_ignore(), ""), ""
        parts = (inside(path) or "").split("/")
        for number, part in enumerate(parts, start=1):
            if self._is_ignored(parent + part, ignore, is_folder=not is_file or number < len(parts)):
                return True
            parent += part + "/"
            ignore = self._ignore_below(ignore, parent)
        return False

    def _list_folder(self, folder: str, ignore: Ignore, walk: _Walk) -> None:
        """List a folder ('' or 'a/b/') and all below it, without recursion."""
        pending = [(folder, ignore)]
        while pending and not walk.is_full:
            folder, ignore = pending.pop()
            if folder.count("/") > self._limits.max_depth:
                text = f"not read: more than {self._limits.max_depth} folders deep"
                walk.notices.append(Notice("too-deep", text, folder.rstrip("/")))
                continue
            try:
                found = self._entries(folder, walk)
            except OSError as error:
                walk.notices.append(_unreadable(folder.rstrip("/"), error))
                continue
            ignore = self._ignore_below(ignore, folder, {name for name, _, _ in found})
            folders: list[tuple[str, Ignore]] = []
            for name, mode, size in found:
                path, is_folder = folder + name, stat.S_ISDIR(mode)
                if self._is_ignored(path, ignore, is_folder=is_folder):
                    walk.ignored += 1
                elif is_folder:
                    folders.append((path + "/", ignore))
                elif not stat.S_ISREG(mode):
                    walk.notices.append(_special(path, mode))
                elif len(walk.paths) >= self._limits.max_files:
                    walk.is_full = True
                    text = f"only the first {self._limits.max_files:,} files were listed"
                    walk.notices.append(Notice("too-many-files", text, incomplete=True))
                    break
                else:
                    walk.paths.append(path)
                    walk.sizes[path] = size
            pending.extend(reversed(folders))

    def _entries(self, folder: str, walk: _Walk) -> list[tuple[str, int, int]]:
        """Name, mode and size of what lies in a folder, sorted. An entry that is gone by now is a Notice of its own."""
        found: list[tuple[str, int, int]] = []
        with self._folder(folder) as handle, os.scandir(handle) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError as error:
                    walk.notices.append(_unreadable(folder + entry.name, error))
                else:
                    found.append((entry.name, status.st_mode, status.st_size))
        return sorted(found)

    def _is_ignored(self, path: str, ignore: Ignore, *, is_folder: bool) -> bool:
        name = path.rpartition("/")[2]
        return (
            (name in ALWAYS_SKIPPED and (is_folder or name == ".git"))
            or ignore.covers(path, is_folder=is_folder)
            or (self._excludes_any and self._exclude.verdict(path, is_folder=is_folder) is True)
            or (is_folder and self._is_environment(path))
        )

    def _is_environment(self, path: str) -> bool:
        """Say whether a folder is a Python virtual environment: other people's code."""
        try:
            return stat.S_ISREG(self._lstat(path + "/pyvenv.cfg").st_mode)
        except OSError:
            return False

    def _root_ignore(self) -> Ignore:
        """The rules of .git/info/exclude, which come before every .gitignore."""
        return self._with_file(Ignore(), "", ".git/info/exclude")

    def _ignore_below(self, ignore: Ignore, folder: str, names: set[str] | None = None) -> Ignore:
        """Add the rules of a folder's own .gitignore."""
        if names is not None and ".gitignore" not in names:
            return ignore
        return self._with_file(ignore, folder, folder + ".gitignore")

    def _with_file(self, ignore: Ignore, folder: str, path: str) -> Ignore:
        if path not in self._ignore_files:
            self._ignore_files[path] = self._patterns_of(path, _MAX_GLOBS - ignore.glob_count)
        patterns = self._ignore_files[path]
        return ignore if patterns is None else ignore.within(folder, patterns)

    def _patterns_of(self, path: str, room: int) -> Patterns | None:
        """The patterns of an ignore file; None where it is no file that can be read, which git passes over too."""
        try:
            lines = ignore_lines(self._bytes(path, _IGNORE_FILE_BYTES).decode("utf-8", "surrogateescape"))
        except _TooLargeError as error:
            reason = f"{error.size:,} bytes, the limit is {error.limit:,}"
        except (_SpecialError, OSError):
            return None
        else:
            if count_globs(lines) <= room:
                return Patterns(lines)
            reason = f"more than {_MAX_GLOBS:,} lines with wildcards, with those of the folders above"
        text = f"nothing it may ignore was read: {reason}"
        self._unusable[path] = Notice("ignore-file-too-large", text, path, incomplete=True)
        return EVERYTHING

    def read(self, path: str) -> Source | Notice:
        """The text of a regular file inside the root. The same text for as long as the view remembers it."""
        canonical = inside(path)
        if canonical is None:
            return Notice("outside-project", "not read: outside the project", path)
        if self.is_excluded(canonical):
            return _excluded(path)
        with self._lock:
            if (known := self._cache.get(canonical)) is not None:
                self._cache.move_to_end(canonical)
                return known
        source = self._load(canonical)
        return self._remembered(source) if isinstance(source, Source) else source

    def is_excluded(self, path: str) -> bool:
        """Say whether the configuration forbids to list and to read this path."""
        return self._excludes_any and self._exclude.covers(path)

    def _load(self, path: str) -> Source | Notice:
        try:
            data = self._bytes(path, self._limits.max_file_bytes)
        except _TooLargeError as error:
            return Notice("file-too-large", f"not read: {error.size:,} bytes, the limit is {error.limit:,}", path)
        except _SpecialError as error:
            return _special(path, error.mode)
        except OSError as error:
            return _unreadable(path, error)
        return decode(path, data)

    def _remembered(self, source: Source) -> Source:
        """Remember a text, or return the one that another thread was first to remember."""
        with self._lock:
            known = self._cache.setdefault(source.path, source)
            if known is source:
                self._cached_chars += len(source.text)
            while self._cached_chars > _CACHED_CHARS and len(self._cache) > 1:
                self._cached_chars -= len(self._cache.popitem(last=False)[1].text)
        return known

    def size(self, path: str) -> int | None:
        """How many bytes a regular file has: when it was listed, or now where it was not."""
        canonical = inside(path)
        if canonical is None or self.is_excluded(canonical):
            return None
        if (listed := self._sizes.get(canonical)) is not None:
            return listed
        try:
            status = self._lstat(canonical)
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def real_path(self, path: str) -> str | None:
        """The absolute path of a file inside the root."""
        canonical = inside(path)
        return None if canonical is None else str(self.root / canonical)

    def _bytes(self, path: str, limit: int) -> bytes:
        """Read a regular file, up to a limit. Raises OSError, _TooLargeError, _SpecialError."""
        folder, _, name = path.rpartition("/")
        with self._folder(folder + "/" if folder else "") as handle:
            if isinstance(handle, int):
                mode = os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
                if not stat.S_ISREG(mode):  # to open a pipe or a device is to act on it
                    raise _SpecialError(mode)
                descriptor = os.open(name, _FILE_FLAGS, dir_fd=handle)
            else:
                target = Path(handle) / name
                if target.is_symlink():
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                descriptor = os.open(target, _FILE_FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _SpecialError(status.st_mode)
            if status.st_size > limit:
                raise _TooLargeError(status.st_size, limit)
            data = _content(descriptor, status.st_size, limit)
        finally:
            os.close(descriptor)
        if len(data) > limit:
            raise _TooLargeError(len(data), limit)
        return data

    def _lstat(self, path: str) -> os.stat_result:
        folder, _, name = path.rpartition("/")
        with self._folder(folder + "/" if folder else "") as handle:
            if isinstance(handle, int):
                return os.stat(name, dir_fd=handle, follow_symlinks=False)
            return (Path(handle) / name).lstat()

    @contextmanager
    def _folder(self, folder: str) -> Generator[int | str]:
        """Hold a folder ('' or 'a/b/') open, reached component by component without following a link.

        Yields:
            a descriptor, or where the system has none for folders (Windows), a path whose components were checked.
        """
        parts = folder.split("/")[:-1]
        if not _HAS_DIR_FD:
            current = self.root
            for part in parts:
                current /= part
                if os.path.realpath(current) != os.path.normpath(current):  # a link or a junction
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            yield str(current)
            return
        handle = os.open(self.root, _FOLDER_FLAGS)
        try:
            for part in parts:
                below = _open_folder(part, handle)
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)


def _content(descriptor: int, size: int, limit: int) -> bytes:
    """What a file holds, also one that grows while it is read; past the limit, more than the limit.

    A buffer is asked for the size that the file has: one of the limit's size costs more than to read a small file.
    """
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    parts, total = [data], len(data)
    while data and total <= limit:
        data = os.read(descriptor, min(limit + 1 - total, _READ_BYTES))
        parts.append(data)
        total += len(data)
    return b"".join(parts)


def _open_folder(name: str, above: int) -> int:
    """Open a folder in a folder. Raises OSError, with ELOOP for a link (Linux says ENOTDIR)."""
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=above)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


class _TooLargeError(Exception):
    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size, self.limit = size, limit


class _SpecialError(Exception):
    def __init__(self, mode: int) -> None:
        super().__init__(mode)
        self.mode = mode


def _excluded(path: str) -> Notice:
    return Notice("excluded", "not read: excluded by the configuration", path)


def _special(path: str, mode: int) -> Notice:
    if stat.S_ISLNK(mode):
        return Notice("link-not-followed", "not read: a symbolic link", path)
    return Notice("special-file", "not read: no regular file (a pipe, socket or device)", path)


def _unreadable(path: str, error: OSError) -> Notice:
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return Notice("link-not-followed", "not read: a symbolic link", path)
    if error.errno == errno.ENOENT:
        return Notice("no-such-file", "not read: no such file", path)
    if error.errno == errno.ENXIO:
        return Notice("special-file", "not read: no regular file (a pipe, socket or device)", path)
    reason = os.strerror(error.errno).lower() if error.errno else "the system refused"
    return Notice("unreadable-file", f"not read: {reason}", path)
