"""A bare pygls server: the floor under any server on pygls. With the argument `mute` it only keeps documents."""

import re
import sys

from lsprotocol import types
from pygls.lsp.server import LanguageServer

MARKER = re.compile(r"TODO|FIXME|BENCH")

server = LanguageServer("pygls-echo", "1")


def publish(uri: str) -> None:
    """Publish the markers of a document."""
    document = server.workspace.get_text_document(uri)
    found = [
        types.Diagnostic(types.Range(types.Position(number, 0), types.Position(number, len(line))), "a marker")
        for number, line in enumerate(document.lines)
        if MARKER.search(line)
    ]
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))


def opened(params: types.DidOpenTextDocumentParams) -> None:
    """A document was opened."""
    publish(params.text_document.uri)


def changed(params: types.DidChangeTextDocumentParams) -> None:
    """A document was changed."""
    publish(params.text_document.uri)


def hover(params: types.HoverParams) -> types.Hover | None:
    """A cheap request: nothing is there."""
    return None


server.feature(types.TEXT_DOCUMENT_HOVER)(hover)
if sys.argv[1:] != ["mute"]:
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(changed)

if __name__ == "__main__":
    server.start_io()
