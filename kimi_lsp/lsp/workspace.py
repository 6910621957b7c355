"""Which project a file belongs to, and the settings that hold there. Opens sessions, in threads, and keeps them."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kimi_lsp.app.session import Session, open_session
from kimi_lsp.app.target import has_mark
from kimi_lsp.config import PROJECT_FILES, SAFETY_LANES, Depth, flag_options
from kimi_lsp.errors import KimiError
from kimi_lsp.lsp.client_settings import ClientSettings
from mcp_tools.project import DiskProject, Limits

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Home:
    """A project as the server knows it: its session, or why there is none."""

    root: Path
    session: Session | None
    problem: KimiError | None = None
    _ignored: dict[str, bool] = field(default_factory=dict[str, bool], init=False)

    @property
    def key(self) -> str:
        """What verdicts, consent and cache are kept under."""
        return str(self.root)

    def relative(self, path: Path) -> str | None:
        """A file's project-relative path; None when it lies outside."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return None

    def is_ignored(self, relative: str) -> bool:
        """Say whether the project leaves a file out: by ignore rules or by the configuration. Reads the disk."""
        if self.session is None:
            return True
        if relative not in self._ignored:
            project = self.session.project
            self._ignored[relative] = project.is_excluded(relative) or project.ignores_file(relative)
        return self._ignored[relative]

    def view(self, paths: Sequence[str] = ()) -> DiskProject:
        """The project as it is on disk at this moment, all of it or some files. Raises OSError."""
        assert self.session is not None
        settings = self.session.settings
        limits = Limits(max_file_bytes=settings.limits.max_file_bytes, max_files=settings.limits.max_files)
        return DiskProject(self.root, paths, exclude=settings.exclude, limits=limits)


class Workspace:
    """The folders that are open, and the projects in use. One thread at a time."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._homes: dict[Path, Home] = {}
        self._roots: dict[Path, Path] = {}  # by folder
        self.folders: tuple[Path, ...] = ()
        self.client = ClientSettings()

    def set_folders(self, folders: Sequence[Path]) -> None:
        """The roots that the client has open now."""
        self.folders = tuple(dict.fromkeys(_resolved(folder) for folder in folders))
        self._roots.clear()

    def set_client(self, client: ClientSettings) -> bool:
        """The client's settings. True when sessions have to be opened again."""
        is_news = (client.depth, client.lanes) != (self.client.depth, self.client.lanes)
        self.client = client
        if is_news:
            self.forget()
        return is_news

    def forget(self, root: Path | None = None) -> None:
        """Open a project anew when it is next asked for, or all of them: their configuration changed."""
        roots = [root] if root is not None else list(self._homes)
        for each in roots:
            home = self._homes.pop(each, None)
            if home is not None and home.session is not None:
                home.session.close()

    def close(self) -> None:
        """Close what was opened."""
        self.forget()

    def homes(self) -> tuple[Home, ...]:
        """The projects in use."""
        return tuple(self._homes.values())

    def home_of(self, path: Path) -> Home:
        """The project of a file or folder, opened when it is met for the first time."""
        return self.home_at(self._root_of(_resolved(path)))

    def home_at(self, root: Path) -> Home:
        """The project with this root."""
        home = self._homes.get(root)
        if home is None:
            home = self._homes[root] = self._opened(root)
        return home

    def primary(self) -> Home | None:
        """The project of the first folder; None when no folder is open."""
        return self.home_of(self.folders[0]) if self.folders else None

    def _root_of(self, path: Path) -> Path:
        """The innermost folder around a file with a project's mark, else the workspace folder, else its own."""
        folder = next((one for one in (path, *path.parents) if one.is_dir()), path.parent)
        known = self._roots.get(folder)
        if known is None:
            marked = next((one for one in (folder, *folder.parents) if has_mark(one)), None)
            opened = max(
                (one for one in self.folders if folder.is_relative_to(one)),
                key=lambda one: len(one.parts),
                default=None,
            )
            known = self._roots[folder] = marked or opened or folder
        return known

    def _opened(self, root: Path) -> Home:
        flags: dict[str, str | bool | Sequence[str] | None] = {}
        if self.client.depth is not None:
            flags["depth"] = self.client.depth
        if self.client.lanes:
            flags["lanes"] = sorted({*self.client.lanes, *SAFETY_LANES})  # a repository's settings must not hide it
        try:
            return Home(root, open_session([root], self._environ, flag_options(flags)))
        except KimiError as error:
            return Home(root, None, error)

    def is_configuration(self, path: Path) -> bool:
        """Say whether a file can change the settings of a project in use."""
        return path.name in PROJECT_FILES and path.parent in self._homes

    def wants_model(self, home: Home) -> Depth:
        """How far an audit that a user asked for goes: as configured, else with the model where one can be used."""
        assert home.session is not None
        resolved = home.session.resolved
        settings = resolved.settings
        if resolved.origins["depth"] != "default" or settings.depth is not Depth.LOCAL:
            return settings.depth
        return Depth.SCREEN if settings.api_key is not None or settings.is_loopback else Depth.LOCAL


def _resolved(path: Path) -> Path:
    """The path with links in its folders resolved; the file's own name stays."""
    try:
        return path.parent.resolve() / path.name if path.name else path
    except (OSError, RuntimeError):
        return Path(os.path.normpath(path))
