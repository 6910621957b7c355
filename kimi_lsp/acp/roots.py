"""The folders of a session: what a client may name, and where a path that a person typed lies in a project."""

import os
from collections.abc import Sequence
from pathlib import Path

from kimi_lsp.errors import UsageError

_MAX_FOLDERS = 32


def resolved_roots(cwd: str, additional: Sequence[str] | None) -> tuple[Path, ...]:
    """The folders that bound a session, the working one first; one that lies in another is left out.

    Reads the disk. Raises UsageError for what is not absolute or no folder; it is named by its place, not quoted.
    """
    if len(additional or ()) > _MAX_FOLDERS:
        raise UsageError(f"additionalDirectories has more than {_MAX_FOLDERS} entries")
    first = _folder(cwd, "cwd")
    roots = [first]
    for number, name in enumerate(additional or ()):
        folder = _folder(name, f"additionalDirectories[{number}]")
        if not any(folder.is_relative_to(root) for root in roots):
            roots = [root for root in roots if root == first or not root.is_relative_to(folder)] + [folder]
    return tuple(roots)


def _folder(name: str, what: str) -> Path:
    path = Path(name)
    if "\0" in name or not path.is_absolute():
        raise UsageError(f"{what} is not an absolute path")
    try:
        real = path.resolve(strict=True)
        is_folder = real.is_dir()
    except (OSError, RuntimeError, ValueError):
        is_folder, real = False, path
    if not is_folder:
        raise UsageError(f"{what} is no folder that exists")
    return real


def pattern_in(root: Path, cwd: Path, word: str) -> str | None:
    """What somebody typed in a working folder, as a pattern of a project; None when it lies elsewhere.

    Args:
        root: of the project.
        cwd: resolved; in the project or not.
        word: a path, absolute or relative to `cwd`, or a glob. Without a slash a glob holds at any depth.
    """
    mark, name = ("!", word[1:]) if word.startswith("!") else ("", word)
    is_glob = any(sign in name for sign in "*?[")
    if is_glob and "/" not in name:
        return word
    path = Path(os.path.normpath(cwd / name))
    try:
        relative = path.relative_to(root)
    except ValueError:
        return _through_links(root, path, mark)
    return mark + relative.as_posix()


def _through_links(root: Path, path: Path, mark: str) -> str | None:
    """The same for a path to the same place through links in the folders above it."""
    try:
        relative = (path.parent.resolve() / path.name).relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return None
    return mark + relative.as_posix()
