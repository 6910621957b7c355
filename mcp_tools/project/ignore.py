"""Decide which entries of a tree are looked at: git's ignore rules, and folders that hold no source of the project."""

from dataclasses import dataclass

from mcp_tools.project.patterns import Patterns

ALWAYS_SKIPPED = frozenset(
    ".git .hg .svn .jj CVS node_modules bower_components __pycache__ .tox .nox .mypy_cache .ruff_cache .pytest_cache "
    ".hypothesis .eggs .gradle .terraform .direnv .ipynb_checkpoints".split()
)
"""Folders of tools and of other people's code, skipped wherever they stand, even where no ignore file says so."""


EVERYTHING = Patterns(("*",))
"""Stands for an ignore file that cannot be used: what it would have left out must not be read."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The rules of one ignore file and the folder they hold for ('' or 'a/b/')."""

    folder: str
    patterns: Patterns


@dataclass(frozen=True, slots=True)
class Ignore:
    """The ignore rules that hold in one folder: those of its ancestors first, its own last; the last match decides."""

    levels: tuple[_Level, ...] = ()

    def within(self, folder: str, patterns: Patterns) -> "Ignore":
        """The rules below a folder ('' or 'a/b/') that has an ignore file with these patterns."""
        return Ignore((*self.levels, _Level(folder, patterns)))

    @property
    def glob_count(self) -> int:
        """How many lines with wildcards a path is compared with."""
        return sum(level.patterns.glob_count for level in self.levels)

    def covers(self, path: str, *, is_folder: bool) -> bool:
        """Say whether git would ignore this untracked path, given that no folder above it is ignored."""
        for level in reversed(self.levels):
            verdict = level.patterns.verdict(path[len(level.folder) :], is_folder=is_folder)
            if verdict is not None:
                return verdict
        return False


def ignore_lines(text: str) -> list[str]:
    """The lines of an ignore file, without the byte order mark and the carriage returns that git passes over."""
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
