"""Settings, folders and watched files: what can change under a running server."""

from collections.abc import Awaitable, Sequence
from pathlib import Path

import anyio
from anyio import to_thread
from msgspec import Raw

from kimi_lsp.errors import KimiError
from kimi_lsp.faces.uris import path_of
from kimi_lsp.lsp.client_settings import SECTION, ClientSettings, Origin, read_settings
from kimi_lsp.lsp.connection import RequestError
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.protocol import (
    ConfigurationItem,
    ConfigurationOptions,
    ConfigurationParams,
    DidChangeConfigurationParams,
    DidChangeFoldersParams,
    DidChangeWatchedFilesParams,
    FileSystemWatcher,
    InitializeParams,
    Registration,
    RegistrationParams,
    WatchedFilesOptions,
)

_CLIENT_DEADLINE_S = 20.0
WATCHED = ("kimi.toml", "pyproject.toml")


class Configuration:
    """Keeps settings and projects as the client and the disk have them."""

    def __init__(self, parts: Parts, params: InitializeParams) -> None:
        self._parts = parts
        self._roots = roots(params)
        self._unwatch = anyio.Event()
        parts.workspace.set_folders(self._roots)
        self._base = ClientSettings()  # what a configuration is laid over
        self._base = self._read(params.initialization_options, Origin.START)
        parts.workspace.set_client(self._base)

    def initialized(self) -> Awaitable[None]:
        """The client is ready to be asked."""
        return self._start()

    async def _start(self) -> None:
        parts = self._parts
        if parts.caps.configuration:
            await self._pull()
        if registrations := self._registrations():
            await self._register(registrations)
        if not parts.caps.registers_watchers:
            self._watch_anew()
        parts.status.tell()

    def _registrations(self) -> list[Registration]:
        """What such a client tells only to a server that asked for it."""
        caps = self._parts.caps
        found: list[Registration] = []
        if caps.registers_configuration:
            options = ConfigurationOptions(SECTION)
            found.append(Registration("kimi-settings", "workspace/didChangeConfiguration", options))
        if caps.registers_watchers:
            watched = WatchedFilesOptions([FileSystemWatcher(f"**/{name}") for name in WATCHED])
            found.append(Registration("kimi-watch", "workspace/didChangeWatchedFiles", watched))
        return found

    async def _register(self, registrations: list[Registration]) -> None:
        try:
            await self._parts.connection.request(
                "client/registerCapability", RegistrationParams(registrations), object, timeout_s=_CLIENT_DEADLINE_S
            )
        except (RequestError, TimeoutError):
            self._parts.warn_once("the client refused to tell of changed settings: restart the server after a change")

    def did_change_configuration(self, params: DidChangeConfigurationParams) -> Awaitable[None] | None:
        """Settings changed: they are in the message, or are asked for."""
        if self._parts.caps.configuration:
            return self._pull()
        self._apply(self._read(params.settings, Origin.CHANGE))
        return None

    def did_change_folders(self, params: DidChangeFoldersParams) -> None:
        """Roots came and went."""
        gone = {path_of(folder.uri) for folder in params.event.removed}
        came = [path for folder in params.event.added if (path := path_of(folder.uri)) is not None]
        self._roots = [*(root for root in self._roots if root not in gone), *came]
        self._parts.workspace.set_folders(self._roots)
        self._reset()
        if not self._parts.caps.registers_watchers:
            self._watch_anew()

    def stop(self) -> None:
        """Watch no longer: what waits for the disk can only be told, not cancelled."""
        self._unwatch.set()

    def did_change_watched_files(self, params: DidChangeWatchedFilesParams) -> None:
        """Files changed outside the editor."""
        self._changed([path for event in params.changes if (path := path_of(event.uri)) is not None])

    def saved(self, path: Path | None) -> None:
        """A file was saved in the editor; some clients watch nothing."""
        if path is not None:
            self._changed([path])

    def _changed(self, paths: Sequence[Path]) -> None:
        workspace = self._parts.workspace
        roots = {path.parent.resolve() for path in paths if path.name in WATCHED}
        for home in workspace.homes():
            if home.root in roots:
                workspace.forget(home.root)
        if roots:
            self._reset(roots)

    def _reset(self, roots: set[Path] | None = None) -> None:
        for document in self._parts.documents:
            if roots is None or document.home is None or document.home.root in roots:
                self._parts.refresher.reset(document)

    async def _pull(self) -> None:
        params = ConfigurationParams([ConfigurationItem(SECTION)])
        try:
            answer = await self._parts.connection.request(
                "workspace/configuration", params, list[Raw], timeout_s=_CLIENT_DEADLINE_S
            )
        except (RequestError, TimeoutError, KimiError):
            return
        self._apply(self._read(answer[0] if answer else Raw(b"null"), Origin.SECTION))

    def _read(self, value: Raw, origin: Origin) -> ClientSettings:
        reading = read_settings(value, self._base, origin)
        for complaint in reading.complaints:
            self._parts.warn_once(complaint)
        return reading.settings

    def _apply(self, after: ClientSettings) -> None:
        before = self._parts.settings
        if before == after:
            return
        must_reopen = self._parts.workspace.set_client(after)
        if after.trusted is False and before.trusted is not False:
            self._parts.jobs.cancel("the workspace is not trusted")
        for document in self._parts.documents:
            if must_reopen or before.enable != after.enable:
                self._parts.refresher.reset(document)
            elif document.published is not None:  # else its first look is still to come
                self._parts.publisher.publish(document)
        self._parts.redraw()

    def _watch_anew(self) -> None:
        self._unwatch.set()
        self._unwatch = anyio.Event()
        if self._roots:
            self._parts.spawn(self._watch, tuple(self._roots), self._unwatch)

    async def _watch(self, roots: Sequence[Path], unwatch: anyio.Event) -> None:
        """Watch the projects' own configuration, where the client does not: their root folders alone."""
        # Only some clients need it, and it costs 70 ms. One of its parameters has a type that is not exported.
        from watchfiles import awatch  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

        folders = [root for root in roots if await to_thread.run_sync(root.is_dir)]
        if not folders:
            return
        changed = awatch(*folders, recursive=False, watch_filter=_is_watched, rust_timeout=60_000, stop_event=unwatch)
        async for changes in changed:
            self._changed([Path(path) for _, path in changes])


def _is_watched(_: object, path: str) -> bool:
    return Path(path).name in WATCHED


def roots(params: InitializeParams) -> list[Path]:
    """The folders that the client opened, those that are on a disk."""
    if params.workspace_folders:
        uris = [folder.uri for folder in params.workspace_folders]
    else:
        uris = [params.root_uri] if params.root_uri else []
    found = [path for uri in uris if (path := path_of(uri)) is not None]
    if not uris and params.root_path and Path(params.root_path).is_absolute():
        found.append(Path(params.root_path))
    return found
