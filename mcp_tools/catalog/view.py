"""What a tool's function works with: the projects as they are now, the set-up, and what was found a moment ago."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import TypeVar, cast

from mcp_tools.catalog.handle import Signer
from mcp_tools.catalog.values import Setup
from mcp_tools.finding import Finding, Level, Report
from mcp_tools.project import DiskProject, Limits, Project
from mcp_tools.project.several import SeveralProjects, names_of

T = TypeVar("T")
_REMEMBERED = 8


class RootError(Exception):
    """A root cannot be looked at. The message is safe to show."""


@dataclass(slots=True)
class Memo:
    """The last few outcomes, so that the pages of one answer are of one look. Safe between threads."""

    _items: OrderedDict[str, object] = field(default_factory=OrderedDict[str, object])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, call: str) -> object | None:
        """What a call found, if it is still known."""
        with self._lock:
            return self._items.get(call)

    def put(self, call: str, outcome: object) -> None:
        """Remember what a call found, and forget the oldest."""
        with self._lock:
            self._items[call] = outcome
            self._items.move_to_end(call)
            while len(self._items) > _REMEMBERED:
                self._items.popitem(last=False)

    def outcomes(self) -> tuple[object, ...]:
        """All that is remembered, the latest first."""
        with self._lock:
            return tuple(reversed(self._items.values()))


@dataclass(frozen=True)
class View:
    """The state of the projects at one call. `opened` is the project where it is open already."""

    setup: Setup
    signer: Signer
    memo: Memo
    opened: Project | None = None

    @cached_property
    def project(self) -> Project:
        """The project as it is at the first look. Raises RootError."""
        return self.opened or open_project(self.setup)

    def outcome(self, call: str, cursor: str | None, find: Callable[[], T]) -> T:
        """What a call finds. With a cursor, what it found when the first page was made, if that is still known."""
        known = self.memo.get(call) if cursor is not None else None
        if known is not None:
            return cast("T", known)  # the digest names the function that made it
        found = find()
        self.memo.put(call, found)
        return found

    def levelled(self, report: Report) -> Report:
        """The report with the levels that hold, without the rules that are off."""
        off, levels = frozenset(self.setup.rules_off), dict(self.setup.levels)
        if not off and not levels:
            return report
        kept = (finding for finding in report.findings if finding.rule.id not in off)
        return replace(report, findings=tuple(_at(finding, levels.get(finding.rule.id)) for finding in kept))


def open_project(setup: Setup) -> Project:
    """The project of a set-up as it is now. Raises RootError."""
    limits = Limits(max_file_bytes=setup.max_file_bytes, max_files=setup.max_files)
    projects: list[Project] = []
    for root in setup.roots:
        try:
            projects.append(DiskProject(root.path, exclude=root.exclude, limits=limits))
        except OSError:
            raise RootError("a project root cannot be listed any more") from None
    if len(projects) == 1:
        return projects[0]
    names = names_of([PurePath(root.path).as_posix() for root in setup.roots])
    return SeveralProjects(dict(zip(names, projects, strict=True)))


def signer_of(setup: Setup) -> Signer:
    """The signer of a server process; one of its own where none was given."""
    return Signer(bytes.fromhex(setup.key) if setup.key else secrets.token_bytes(32))


def _at(finding: Finding, level: str | None) -> Finding:
    return finding if level is None else replace(finding, level=Level(level))
