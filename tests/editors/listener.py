"""A language server that can do nothing: it writes down the parameters of `initialize`. A program; standard library.

python listener.py FILE
"""

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message; None at the end."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


def write(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Send a message."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    stream.flush()


def main(file: Path) -> None:
    """Answer every request with nothing, until `exit` or the end."""
    while (message := read(sys.stdin.buffer)) and message.get("method") != "exit":
        if message.get("method") == "initialize":
            draft = file.with_suffix(".draft")
            draft.write_text(json.dumps(message["params"]), "utf-8")
            draft.rename(file)  # whoever waits for the file finds it whole
            write(sys.stdout.buffer, {"id": message["id"], "result": {"capabilities": {}}})
        elif "method" in message and "id" in message:
            write(sys.stdout.buffer, {"id": message["id"], "result": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
