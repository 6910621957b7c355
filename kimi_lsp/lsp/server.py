"""Build the server from its parts and run it: the heavy half that loads once `initialize` is answered."""

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import anyio
import msgspec

from kimi_lsp.faces.confine import confine
from kimi_lsp.faces.reasons import Reasons
from kimi_lsp.faces.signals import stopping
from kimi_lsp.lsp import protocol as p
from kimi_lsp.lsp.audits import Audits, Desk
from kimi_lsp.lsp.book import Book
from kimi_lsp.lsp.client import ClientCaps, client_caps
from kimi_lsp.lsp.closed import Closed
from kimi_lsp.lsp.connection import Connection, Route
from kimi_lsp.lsp.consent import Consent
from kimi_lsp.lsp.documents import Document, Documents
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.handlers.commands import Commands
from kimi_lsp.lsp.handlers.configuration import Configuration
from kimi_lsp.lsp.handlers.explain import Explain
from kimi_lsp.lsp.handlers.sync import Sync
from kimi_lsp.lsp.jobs import Jobs
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.publisher import Publisher
from kimi_lsp.lsp.refresh import Hooks, Refresher
from kimi_lsp.lsp.start import Handshake
from kimi_lsp.lsp.status import Status
from kimi_lsp.lsp.workspace import Home, Workspace

_HOME_DEADLINE_S = 30.0
_SWITCH_S = 0.001  # a worker thread lets the loop have its turn after a millisecond


@dataclass(slots=True)
class Server:
    """One server for one client."""

    connection: Connection
    parts: Parts

    async def serve(self) -> int:
        """Serve until the client is gone; the exit code."""
        try:
            return await self.connection.serve()
        finally:
            self.parts.workspace.close()


def build_server(handshake: Handshake, environ: Mapping[str, str]) -> Server:
    """A server for the client that shook hands. Nothing is shared between two of them."""
    params = msgspec.json.decode(handshake.params, type=p.InitializeParams)
    caps = client_caps(params.capabilities)
    encoding = PositionEncoding(handshake.encoding)
    connection = Connection(handshake)
    parts = _parts(connection, caps, encoding, environ)
    _route(connection, parts, params)
    return Server(connection, parts)


def _parts(connection: Connection, caps: ClientCaps, encoding: PositionEncoding, environ: Mapping[str, str]) -> Parts:
    workspace, book, jobs, closed = Workspace(environ), Book(), Jobs(), Closed()
    documents = Documents(encoding)
    spawn = connection.spawn
    status = Status(lambda told: connection.notify("kimi/status", told, key="status"))

    def warn(text: str) -> None:
        connection.log(p.MessageType.WARNING, text)

    publisher = Publisher(connection, caps, encoding, book, lambda: workspace.client, spawn)
    hooks = Hooks(homed=lambda _: None, problem=lambda home: _tell_problem(home, parts))
    refresher = Refresher(spawn, workspace, publisher, book, lambda: workspace.client, hooks)
    consent = Consent(connection, lambda: workspace.client.trusted is not False)
    audits = Audits(
        Desk(connection, workspace, documents, publisher, closed, jobs, status, consent, caps.work_done_progress, warn)
    )
    parts = Parts(
        connection=connection,
        caps=caps,
        encoding=encoding,
        workspace=workspace,
        documents=documents,
        publisher=publisher,
        refresher=refresher,
        audits=audits,
        closed=closed,
        jobs=jobs,
        status=status,
        book=book,
        spawn=spawn,
        log=warn,
    )
    return parts


def _tell_problem(home: Home, parts: Parts) -> None:
    """Say once that a project's configuration cannot be used: nothing is looked at there, and that must be known."""
    if home.problem is not None:
        parts.warn_once(f"{home.root.name}: {home.problem.line}")
        parts.status.attention = home.problem.line
        parts.status.tell()


def _route(connection: Connection, parts: Parts, params: p.InitializeParams) -> None:
    sync, configuration = Sync(parts), Configuration(parts, params)
    parts.refresher.hooks.homed = sync.homed
    reasons = Reasons()

    async def opened(document: Document) -> Home | None:
        with anyio.move_on_after(_HOME_DEADLINE_S):
            await parts.refresher.homed(document)
        return document.home

    commands = Commands(parts, reasons, opened)
    explain = Explain(parts, reasons)

    def saved(told: p.DidSaveParams) -> Awaitable[None] | None:
        document = parts.documents.get(told.text_document.uri)
        configuration.saved(None if document is None else document.path)
        return sync.did_save(told)

    def cancel_progress(told: p.ProgressCreateParams) -> None:
        parts.jobs.cancel("cancelled by the user", token=told.token)

    handlers: Mapping[str, tuple[type[msgspec.Struct] | None, Callable[..., object]]] = {
        "initialized": (None, configuration.initialized),
        "textDocument/didOpen": (p.DidOpenParams, sync.did_open),
        "textDocument/didChange": (p.DidChangeParams, sync.did_change),
        "textDocument/didSave": (p.DidSaveParams, saved),
        "textDocument/didClose": (p.DidCloseParams, sync.did_close),
        "textDocument/hover": (p.PositionParams, explain.hover),
        "textDocument/codeAction": (p.CodeActionParams, explain.code_action),
        "textDocument/codeLens": (p.DocumentParams, explain.code_lens),
        "textDocument/inlayHint": (p.InlayHintParams, explain.inlay_hint),
        "workspace/executeCommand": (p.ExecuteCommandParams, commands.execute),
        "workspace/didChangeConfiguration": (p.DidChangeConfigurationParams, configuration.did_change_configuration),
        "workspace/didChangeWorkspaceFolders": (p.DidChangeFoldersParams, configuration.did_change_folders),
        "workspace/didChangeWatchedFiles": (p.DidChangeWatchedFilesParams, configuration.did_change_watched_files),
        "window/workDoneProgress/cancel": (p.ProgressCreateParams, cancel_progress),
    }
    for method, (kind, handler) in handlers.items():
        connection.route(method, Route(kind, handler))

    def stop() -> None:
        configuration.stop()
        parts.jobs.cancel("the server stops")

    connection.on_end = stop


def run(handshake: Handshake) -> int:
    """Serve one client, to the end; the exit code."""
    sys.setswitchinterval(_SWITCH_S)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.lastResort = None  # nothing of a library's log goes to standard error: it could quote a file
    told = confine(os.environ)  # while there is one thread: another would keep its rights
    return anyio.run(_main, handshake, told)


async def _main(handshake: Handshake, told: str) -> int:
    server = build_server(handshake, os.environ)
    server.connection.log(p.MessageType.INFO, told)
    with stopping(server.connection.stop):
        return await server.serve()
