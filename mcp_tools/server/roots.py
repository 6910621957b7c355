"""Which folders may be served: a project each, never a whole machine or somebody's home."""

from collections.abc import Sequence
from pathlib import Path


def checked_roots(folders: Sequence[Path]) -> tuple[Path, ...]:
    """The folders, resolved, each once; the current one when none is named.

    Raises:
        ValueError: a folder does not exist, is the root of a file system, or holds the user's home.
    """
    roots = dict.fromkeys(_checked(folder) for folder in folders or (Path(),))
    return tuple(roots)


def _checked(folder: Path) -> Path:
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise ValueError(f"--root {folder}: no such folder") from None
    if not root.is_dir():
        raise ValueError(f"--root {folder}: not a folder")
    if root == Path(root.anchor):
        raise ValueError(f"--root {folder}: the root of a file system is no project")
    if _home() is not None and (root == _home() or root in _home_parents()):
        raise ValueError(f"--root {folder}: a home folder is no project; name a folder in it")
    return root


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (OSError, RuntimeError):
        return None


def _home_parents() -> Sequence[Path]:
    home = _home()
    return () if home is None else home.parents
