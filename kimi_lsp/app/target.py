"""Find the project that some paths belong to, and say them relative to its root."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_lsp.errors import UsageError
from mcp_tools.finding import Notice
from mcp_tools.project import DiskProject

_MARKS = (".git", "kimi.toml")
_SPECIAL = re.compile(r"[\\\[\]*?! #]")  # in a line of gitignore


@dataclass(frozen=True, slots=True)
class Target:
    """A project's root and what of it was asked for: relative files and folders, everything when empty."""

    root: Path
    scope: tuple[str, ...]


def locate(paths: Sequence[Path]) -> Target:
    """The innermost folder with a `.git` or `kimi.toml` that holds all the paths; else their common folder.

    A path that the project itself ignores (an installed package in a virtual environment) is its own project.

    Raises:
        UsageError: a path does not exist or cannot be looked at; the message names it.
    """
    wanted = [_existing(path) for path in paths] or [Path.cwd()]
    folders = [path if path.is_dir() else path.parent for path in wanted]
    common = Path(os.path.commonpath(folders))
    root = next((folder for folder in (common, *common.parents) if has_mark(folder)), common)
    if root != common and _is_ignored(root, wanted):
        root = common
    scope = tuple(path.relative_to(root).as_posix() for path in wanted if path != root)
    return Target(root, () if len(scope) < len(wanted) else scope)


def _existing(path: Path) -> Path:
    try:
        # The folder part is resolved, the last name is not: a link that was named itself is reported, not followed.
        whole = (
            path.parent.resolve(strict=True) / path.name
            if path.name not in {"", "..", "."}
            else path.resolve(strict=True)
        )
        if whole.is_symlink() and whole.is_dir():
            return whole.resolve(strict=True)
        whole.lstat()
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file or folder") from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be looked at"
        raise UsageError(f"{path}: {reason.lower()}") from None
    return whole


def has_mark(folder: Path) -> bool:
    """Say whether a folder is a project's root by its own marks."""
    return any(_has(folder, mark) for mark in _MARKS)


def _has(folder: Path, mark: str) -> bool:
    try:
        (folder / mark).lstat()
    except OSError:
        return False
    return True


def _is_ignored(root: Path, wanted: Sequence[Path]) -> bool:
    """Say whether none of the folders asked for is part of what the root's project lists."""
    folders = [path.relative_to(root).as_posix() for path in wanted if path.is_dir()]
    if not folders:
        return False
    try:
        return DiskProject(root).ignores(folders)
    except OSError:
        return False


def outside_of(folder: Path, root: Path) -> tuple[str, ...]:
    """Patterns of all that lies in a project but not in one of its folders; everything, for a folder elsewhere.

    A folder's own name is taken literally, whatever it looks like as a pattern.
    """
    if not folder.is_relative_to(root):
        return ("*",)
    lines: list[str] = []
    above = "/"
    for name in folder.relative_to(root).parts:
        lines.append(f"{above}*")
        above += f"{_SPECIAL.sub(_escaped, name)}/"
        lines.append(f"!{above}")
    return tuple(lines)


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def project_files(root: Path, names: Sequence[str]) -> dict[str, str]:
    """The text of the files at a project's root that may tighten the configuration, those that exist.

    Raises:
        UsageError: one of them exists and cannot be read. What it says could be a limit, so it is not passed over.
    """
    try:
        project = DiskProject(root)
    except OSError as error:
        raise UsageError(f"{root}: {(error.strerror or 'cannot be listed').lower()}") from None
    texts: dict[str, str] = {}
    for name in names:
        source = project.read(name)
        if not isinstance(source, Notice):
            texts[name] = source.text
        elif source.code != "no-such-file":
            raise UsageError(f"{name}: {source.message}", hint="It may hold limits of this project: mend or remove it.")
    return texts
