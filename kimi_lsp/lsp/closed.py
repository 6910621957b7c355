"""Findings of files that are not open: of larger audits, and of documents that were closed. Pure state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcp_tools.finding import Finding

_MAX_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding with the text it stands on, by which it is found when the file is opened."""

    finding: Finding
    text: str
    generation: int = 0


class Closed:
    """By project and path, up to as many files as an editor's list of problems is good for."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], list[Kept]] = {}

    def add(self, project: str, path: str, kept: Kept) -> list[Finding] | None:
        """Take a finding in, in the place of one with its fingerprint; all that is known of the file now.

        None when there is no room for another file: the finding is left out.
        """
        if len(self._files) >= _MAX_FILES and (project, path) not in self._files:
            return None
        known = [one for one in self._files.pop((project, path), []) if not _is_same(one, kept)]
        self._files[project, path] = [*known, kept]
        return [one.finding for one in (*known, kept)]

    def put(self, project: str, path: str, kept: Iterable[Kept]) -> None:
        """What holds of a file that was just closed."""
        self._files.pop((project, path), None)
        if found := list(kept):
            self._files[project, path] = found

    def take(self, project: str, path: str) -> list[Kept]:
        """What is known of a file that is opened now; it is not closed any more."""
        return self._files.pop((project, path), [])

    def findings(self, project: str, path: str) -> list[Finding]:
        """What is known of a file."""
        return [one.finding for one in self._files.get((project, path), [])]

    def close_generation(self, project: str, paths: Iterable[str] | None, generation: int) -> list[str]:
        """An audit of these paths, or of all, is done: what older ones said of them is gone. The paths that changed."""
        wanted = None if paths is None else set(paths)
        return self._sift(
            project, lambda path, one: one.generation == generation or (wanted is not None and path not in wanted)
        )

    def drop_generation(self, project: str, generation: int) -> list[str]:
        """An audit was cancelled and leaves nothing behind. The paths that changed."""
        return self._sift(project, lambda path, one: one.generation != generation)

    def _sift(self, project: str, keep: Callable[[str, Kept], bool]) -> list[str]:
        changed: list[str] = []
        for (owner, path), found in list(self._files.items()):
            if owner != project:
                continue
            left = [one for one in found if keep(path, one)]
            if len(left) != len(found):
                changed.append(path)
                self.put(owner, path, left)
        return changed


def _is_same(one: Kept, other: Kept) -> bool:
    return one.finding.fingerprint == other.finding.fingerprint
