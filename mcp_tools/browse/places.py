r"""Which files a caller means: refuse what is no relative path, find files by name, folder or glob. No file is opened.

A name may be given as an answer showed it: `bad\xff.py` is the file whose name has that byte (see `output.printable`).
"""

import os
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_tools.finding import Notice
from mcp_tools.output import printable
from mcp_tools.project import Project, inside, select
from mcp_tools.redaction import is_denied

_SHOWN = re.compile(r"\\(?:[nrt]|x[0-9a-f]{2}|u\{[0-9a-f]{1,6}\})")  # what `printable` writes
_DRIVE = re.compile(r"[A-Za-z]:")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_STREAM = re.compile(r"::|:\$[A-Za-z_]+(?:/|$)")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ .]*", re.IGNORECASE)
_SHORT_NAME = re.compile(r"[^./]{1,6}~\d{1,6}(?:\.[^./]{0,3})?")  # `CREDEN~1.JSO`: another name of a longer one
_GLOB = re.compile(r"[*?\[]")
_INTERNALS = frozenset((".git", ".hg", ".svn", ".jj", "git~1"))
_UNSEEN = dict.fromkeys(map(ord, "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff")) | dict.fromkeys(
    range(0x206A, 0x2070)
)  # HFS+ passes over these in names (git's CVE-2014-9390)


def outside(path: str, *, is_windows: bool = os.name == "nt") -> Notice | None:
    r"""Refuse a path or pattern that is not relative to the project, whatever system it is written for.

    Refused are absolute paths, `..`, NUL, drives (`C:x`), network paths, backslashes between names, URLs, streams
    (`a.txt::$DATA`) and device names (`CON`). Nothing is expanded: `~` is a name like any other.

    Args:
        path: what a caller gave.
        is_windows: refuse as well what names something else there: any colon or backslash, `nul.txt`, names that end
            in a dot or space, short names (`GIT~1`). Elsewhere files may be called so.
    """
    text = path.removeprefix("!")
    parts = re.split(r"[/\\]", text)
    is_refused = (
        not text
        or text.startswith("/")
        or "\0" in text
        or ".." in parts
        or "\\" in (text if is_windows else _SHOWN.sub("", text))
        or _DRIVE.match(text) is not None
        or _URL.match(text) is not None
        or _STREAM.search(text) is not None
        or _DEVICE.fullmatch(parts[-1]) is not None
        or (is_windows and (":" in text or any(map(_is_other_name, parts))))
    )
    return Notice("outside-project", "not read: no relative path inside the project", path) if is_refused else None


def _is_other_name(part: str) -> bool:
    """Say whether Windows takes a name for another one."""
    is_cut = part.endswith((".", " ")) and part != "."
    return is_cut or bool(_DEVICE.fullmatch(part.partition(".")[0]) or _SHORT_NAME.fullmatch(part))


def refused(path: str) -> Notice | None:
    """Why a path inside the project is not shown: a store of version control, a file made to hold secrets."""
    if any(part.rstrip(" .") in _INTERNALS for part in _folded(path).split("/")):
        return Notice("repository-internals", "not read: it belongs to the version control", path)
    if holds_secrets(path):
        return Notice("secrets-file", "not read: a file made to hold secrets", path)
    return None


@lru_cache(1 << 14)
def holds_secrets(path: str) -> bool:
    """Say whether a file exists to hold secrets, under any spelling that a file system takes for its name."""
    return is_denied(path) or (not path.isascii() and is_denied(_folded(path)))


def _folded(path: str) -> str:
    return path.translate(_UNSEEN).casefold()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The listed files that were meant, sorted, and why there are not more."""

    paths: tuple[str, ...]
    notices: tuple[Notice, ...] = ()


def choose(project: Project, patterns: Sequence[str] = (), *, max_depth: int | None = None) -> Chosen:
    """The listed files that are meant by any pattern; all of them when there is none.

    Args:
        project: the tree.
        patterns: each a file or folder of the listing, else a gitignore-style glob (without a `/` it holds at any
            depth), else a name as an answer showed it. One that begins with `!` takes files away again.
        max_depth: folders to go down at the most from the folder that a pattern names; 1 stays in that folder.

    Returns:
        the files, and of the listing's notices those that bear on the patterns; beside them `outside-project` for a
        refused pattern and `no-such-file` for one that means nothing.
    """
    listing = project.listing()
    wanted = [each for each in patterns if not _takes_away(each, listing.paths)]
    unwanted = [each.removeprefix("!") for each in patterns if _takes_away(each, listing.paths)]
    meant: set[str] = set()
    notices: list[Notice] = []
    for pattern in wanted or (".",):
        if (notice := outside(pattern)) is not None:
            notices.append(notice)
            continue
        base, found = _meant(pattern, listing.paths)
        meant.update(each for each in found if max_depth is None or _depth(each, base) <= max_depth)
        told = [notice for notice in listing.notices if _bears_on(notice, pattern, base)]
        notices += told
        if not found and not told and inside(pattern) is not None:
            notices.append(Notice("no-such-file", "nothing listed matches; ignored files are not listed", pattern))
    for pattern in unwanted:
        if (notice := outside(pattern)) is not None:
            notices.append(notice)
            continue
        meant.difference_update(_meant(pattern, listing.paths)[1])
    return Chosen(tuple(path for path in listing.paths if path in meant), tuple(dict.fromkeys(notices)))


def named(project: Project, path: str) -> str | Notice:
    """The canonical path of one file, also of one that is named as an answer showed it; or why it is none."""
    if (notice := outside(path)) is not None:
        return notice
    canonical = inside(path)
    if canonical is None:
        return Notice("outside-project", "not read: no path of a file", path)
    if "\\" in canonical:
        paths = project.listing().paths
        if not _below(canonical, paths):
            return next(iter(_as_shown(canonical, paths)), canonical)
    return canonical


def _takes_away(pattern: str, paths: Sequence[str]) -> bool:
    return pattern.startswith("!") and not _below(pattern, paths)


def _meant(pattern: str, paths: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The folder that a pattern starts from, and the paths that it means."""
    path = inside(pattern)
    if path is None:  # `.`, the whole tree
        return "", paths
    if found := _below(path, paths):
        return path, found
    parts = path.split("/")
    fixed = next((number for number, part in enumerate(parts) if _GLOB.search(part)), 0)
    found = list(select(paths, (pattern.removeprefix("./"),))) or _as_shown(path, paths)
    return "/".join(parts[:fixed]), found


def _below(path: str, paths: Sequence[str]) -> Sequence[str]:
    """The file of this path, or the files of this folder, among sorted paths."""
    at = bisect_left(paths, path)
    if at < len(paths) and paths[at] == path:
        return paths[at : at + 1]
    return paths[bisect_left(paths, path + "/") : bisect_left(paths, path + "0")]  # "0" follows "/"


def _as_shown(shown: str, paths: Sequence[str]) -> list[str]:
    if "\\" not in shown:
        return []
    return [path for path in paths if not (path.isascii() and path.isprintable()) and printable(path) == shown]


def _depth(path: str, base: str) -> int:
    """How many folders down a file is: 1 for one that lies in the base, or is it."""
    below = path.removeprefix(base).removeprefix("/") if base else path
    return below.count("/") + 1


def _bears_on(notice: Notice, pattern: str, base: str) -> bool:
    path = notice.path
    if path is None or notice.incomplete or inside(pattern) is None:
        return True
    is_above = base == path or base.startswith(path + "/")
    named_here = inside(pattern)
    return is_above or path == named_here or path.startswith(f"{named_here}/") or any(select((path,), (pattern,)))
