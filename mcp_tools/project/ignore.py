"""Decide which entries of a tree are looked at: git's ignore rules, and folders that hold no source of the project."""

from collections.abc import Iterable
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

ALWAYS_SKIPPED = frozenset(
    ".git .hg .svn .jj CVS node_modules bower_components __pycache__ .tox .nox .mypy_cache .ruff_cache .pytest_cache "
    ".hypothesis .eggs .gradle .terraform .direnv .ipynb_checkpoints".split()
)
"""Folders of tools and of other people's code, skipped wherever they stand, even where no ignore file says so."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The rules of one ignore file and the folder they hold for ('' or 'a/b/')."""

    folder: str
    spec: GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignore:
    """The ignore rules that hold in one folder: those of its ancestors first, its own last; the last match decides."""

    levels: tuple[_Level, ...] = ()

    def within(self, folder: str, lines: Iterable[str]) -> "Ignore":
        """The rules below a folder ('' or 'a/b/') that has an ignore file of these lines."""
        return Ignore((*self.levels, _Level(folder, GitIgnoreSpec.from_lines(lines))))

    def covers(self, path: str, *, is_folder: bool) -> bool:
        """Say whether git would ignore this untracked path, given that no folder above it is ignored."""
        name = path + "/" if is_folder else path
        for level in reversed(self.levels):
            verdict = level.spec.check_file(name[len(level.folder) :]).include
            if verdict is not None:
                return verdict
        return False


def ignore_lines(text: str) -> list[str]:
    """The pattern lines of an ignore file."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
