"""The way in: answers `initialize` from the standard library alone, then loads the server. No dataclass, no typing.

An editor waits for this answer before it shows a file; what the server needs takes twenty times longer to import.
"""

import json
import os
import sys
from collections.abc import Callable

from kimi_lsp.faces.channel import Channel, connect_pipe, connect_tcp, listen_tcp, take_stdio
from kimi_lsp.faces.frames import Damaged, FrameReader, framed
from kimi_lsp.faces.jsonrpc import (
    INVALID_PARAMS,
    PARSE_ERROR,
    SERVER_NOT_INITIALIZED,
    RefusedError,
    as_list,
    as_object,
    error_body,
    parse,
    request_id,
    utf8,
)
from kimi_lsp.lsp import capabilities

LOG_LEVELS = ("error", "warning", "info", "debug")
USAGE = """\
Usage: kimi-lsp lsp [--stdio | --tcp HOST:PORT | --listen HOST:PORT | --pipe PATH] [--log-level LEVEL]

Serve one editor over the Language Server Protocol.

  --stdio            over standard input and output (the default)
  --tcp HOST:PORT    connect to an editor that waits there
  --listen HOST:PORT wait there for one editor; whoever can reach the port can be first
  --pipe PATH        connect to an editor that waits on a Unix socket
  --log-level LEVEL  least level that is logged to the editor: error, warning, info (the default), debug
"""

_ENDED = 1
_USAGE = 2
_INTERRUPTED = 130
_OPENERS = {"--tcp": connect_tcp, "--listen": listen_tcp, "--pipe": connect_pipe}


class Handshake:
    """What is known of the client when `initialize` has been answered.

    `end_process` ends the process at once with an exit code, whatever still runs in it: the last resort of a server
    that must go. None where the process is not the server's own, as in tests.
    """

    __slots__ = ("channel", "encoding", "end_process", "log_level", "params", "pending", "reader")

    def __init__(
        self,
        channel: Channel,
        reader: FrameReader,
        pending: list[bytes | Damaged],
        params: bytes,
        encoding: str,
        log_level: str = "info",
    ) -> None:
        self.channel = channel
        self.reader = reader  # it may hold the beginning of a frame
        self.pending = pending  # what it has cut already
        self.params = params  # of `initialize`, as JSON without lone surrogates; fits `protocol.InitializeParams`
        self.encoding = encoding  # utf-8, utf-16, utf-32
        self.log_level = log_level  # one of LOG_LEVELS
        self.end_process: Callable[[int], object] | None = None


def main(arguments: list[str]) -> int:
    """Run `kimi-lsp lsp` with what follows these words; the exit code. Ends when the client ends.

    0 after `shutdown` and `exit`, 1 when the client went in another way or could not be reached, 2 for wrong
    arguments, 128 + the signal's number after SIGINT and SIGTERM.
    """
    try:
        return _serve(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _serve(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(USAGE)
        return 0
    try:
        way, place, log_level = _options(arguments)
        channel = _OPENERS[way](place) if way in _OPENERS else take_stdio()
    except ValueError as error:
        sys.stderr.write(f"kimi-lsp lsp: {error}\n\n{USAGE}")
        return _USAGE
    except OSError as error:
        sys.stderr.write(f"kimi-lsp lsp: {error.strerror or error}\n")
        return _ENDED
    try:
        handshake = shake_hands(channel, log_level)
    except OSError:  # the client has gone
        handshake = None
    if handshake is None:
        return _ENDED
    handshake.end_process = os._exit
    from kimi_lsp.lsp.server import run  # noqa: PLC0415 - this is what takes long

    return run(handshake)


def shake_hands(channel: Channel, log_level: str = "info") -> Handshake | None:
    """Read until `initialize` and answer it. None at `exit` and at the end of the stream; OSError from the channel."""
    reader = FrameReader()
    while data := channel.read():
        events = reader.feed(data)
        for number, event in enumerate(events):
            if isinstance(event, Damaged):
                if channel.is_listening:
                    return None  # a web page can send HTTP here, with a body of its choice
                channel.write(framed(error_body(None, PARSE_ERROR, event.reason)))
                continue
            try:
                message = parse(event)
                method = message.get("method")
                if method == "exit":
                    return None
                if method is None or "id" not in message:
                    continue
                if method != "initialize":
                    raise RefusedError(  # noqa: TRY301 - one answer for all that is refused
                        SERVER_NOT_INITIALIZED, "the first request is initialize", request_id(message)
                    )
                params = _checked(message)
            except RefusedError as refused:
                channel.write(framed(refused.answer))
                continue
            offered = as_list(_at(message, "params", "capabilities", "general", "positionEncodings"))
            encoding = capabilities.chosen_encoding(offered)
            result = capabilities.initialize_result(encoding)
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
            channel.write(framed(json.dumps(answer, separators=(",", ":")).encode()))
            return Handshake(channel, reader, events[number + 1 :], params, encoding, log_level)
    return None


def fits(params: object) -> bool:
    """Whether `protocol.InitializeParams` will take them; a test compares the two."""
    client, process, folders = _at(params, "clientInfo"), _at(params, "processId"), _at(params, "workspaceFolders")
    texts = [_at(params, name) for name in ("rootUri", "rootPath", "locale")] + [_at(client, "version")]
    return (
        as_object(_at(params, "capabilities")) is not None
        and (client is None or as_object(client) is not None)
        and isinstance(_at(client, "name", default=""), str)
        and all(isinstance(text, str | None) for text in texts)
        and (process is None or (isinstance(process, int) and not isinstance(process, bool)))
        and (folders is None or as_list(folders) is not None)
        and all(map(_is_folder, as_list(folders) or ()))
    )


def _options(arguments: list[str]) -> tuple[str, str, str]:
    way, place, log_level = "", "", "info"
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name == "--stdio" and not equals:
            pass
        elif name in _OPENERS or name == "--log-level":
            value = value if equals else next(rest, "")
            if not value:
                raise ValueError(f"{name} needs a value")
        else:
            raise ValueError(f"unknown option {name!r}")
        if name == "--log-level":
            if value not in LOG_LEVELS:
                raise ValueError(f"the log level is one of {', '.join(LOG_LEVELS)}")
            log_level = value
        elif way:
            raise ValueError(f"{way} and {name} exclude each other")
        else:
            way, place = name, value
    return way, place, log_level


def _checked(message: dict[str, object]) -> bytes:
    params = message.get("params")
    if fits(params):
        try:
            return utf8(json.dumps(params, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
        except (ValueError, RecursionError):
            pass
    raise RefusedError(INVALID_PARAMS, "the params of initialize do not fit", request_id(message))


def _is_folder(folder: object) -> bool:
    return isinstance(_at(folder, "uri"), str) and isinstance(_at(folder, "name", default=""), str)


def _at(value: object, *path: str, default: object = None) -> object:
    for name in path:
        value = (as_object(value) or {}).get(name, default)
    return value
