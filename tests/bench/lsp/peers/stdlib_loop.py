"""A bare loop on the standard library: the floor under any language server in Python. It trusts its client.

It keeps documents by UTF-16 edits, publishes a diagnostic for each line with a marker, and answers every other request
with null. It imports nothing that a server could do without.
"""

import json
import re
import sys

MARKER = re.compile(r"TODO|FIXME|BENCH")
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Object: TypeAlias = "dict[str, Any]"


def read() -> "Object | None":
    """The next message; None at the end of the input."""
    length = 0
    while row := sys.stdin.buffer.readline():
        if row == b"\r\n":
            return json.loads(sys.stdin.buffer.read(length))
        if row.startswith(b"Content-Length:"):
            length = int(row[15:])
    return None


def write(body: "Object") -> None:
    """Send a message."""
    data = json.dumps({"jsonrpc": "2.0", **body}, separators=(",", ":")).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
    sys.stdout.buffer.flush()


def split(text: str) -> list[str]:
    """Lines with their ends; the last one has none."""
    lines = text.splitlines(keepends=True)
    return lines if lines and not lines[-1].endswith("\n") else [*lines, ""]


def offset(line: str, units: int) -> int:
    """A count of UTF-16 units as one of code points."""
    return units if line.isascii() else len(line.encode("utf-16-le")[: 2 * units].decode("utf-16-le"))


def edit(lines: list[str], change: "Object") -> None:
    """Change lines in place."""
    if "range" not in change:
        lines[:] = split(change["text"])
        return
    start, end = change["range"]["start"], change["range"]["end"]
    first: int = start["line"]
    last: int = end["line"]
    head = lines[first][: offset(lines[first], start["character"])]
    tail = lines[last][offset(lines[last], end["character"]) :]
    middle = split(head + change["text"] + tail)
    if tail.endswith("\n"):
        middle.pop()
    lines[first : last + 1] = middle


def publish(uri: str, version: int, lines: list[str]) -> None:
    """Publish the markers of a document."""
    found = [
        {
            "range": {"start": {"line": number, "character": 0}, "end": {"line": number, "character": len(line)}},
            "message": "a marker",
            "severity": 3,
        }
        for number, line in enumerate(lines)
        if MARKER.search(line)
    ]
    params = {"uri": uri, "version": version, "diagnostics": found}
    write({"method": "textDocument/publishDiagnostics", "params": params})


def main() -> None:
    """Serve until the input ends or `exit` comes."""
    documents: dict[str, list[str]] = {}
    while message := read():
        method: str | None = message.get("method")
        params: Object = message.get("params") or {}
        if method == "initialize":
            write({"id": message["id"], "result": {"capabilities": {"textDocumentSync": 2, "hoverProvider": True}}})
        elif method in {"textDocument/didOpen", "textDocument/didChange"}:
            document: Object = params["textDocument"]
            lines = documents.setdefault(document["uri"], [""])
            changes: list[Object] = params.get("contentChanges") or [{"text": document["text"]}]
            for change in changes:
                edit(lines, change)
            publish(document["uri"], document["version"], lines)
        elif method == "exit":
            return
        elif "id" in message and method:
            write({"id": message["id"], "result": None})


if __name__ == "__main__":
    main()
