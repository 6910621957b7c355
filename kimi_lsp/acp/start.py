"""The way in: answers `initialize` from the standard library alone, then loads the agent. No dataclass, no typing."""

import json
import os
import sys

from kimi_lsp.acp import capabilities
from kimi_lsp.acp.lines import LineCutter, line_of
from kimi_lsp.faces.channel import Channel, take_stdio
from kimi_lsp.faces.frames import Damaged
from kimi_lsp.faces.jsonrpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RefusedError,
    as_object,
    error_body,
    parse,
    request_id,
    utf8,
)

USAGE = """\
Usage: kimi-lsp acp [--check]

Serve one client over the Agent Client Protocol, on standard input and output.

  --check   do what `kimi-lsp doctor` does, and serve nobody
"""
METHODS = (  # that are refused because they come too early, not because they are unknown
    "authenticate",
    "logout",
    "session/new",
    "session/load",
    "session/resume",
    "session/list",
    "session/delete",
    "session/close",
    "session/set_mode",
    "session/set_config_option",
    "session/prompt",
)

_USAGE = 2
_INTERRUPTED = 130
_MAX_VERSION = 65_535


class Handshake:
    """What is known of the client when `initialize` has been answered."""

    __slots__ = ("channel", "cutter", "params", "pending")

    def __init__(self, channel: Channel, cutter: LineCutter, pending: list[bytes | Damaged], params: bytes) -> None:
        self.channel = channel
        self.cutter = cutter  # it may hold the beginning of a line
        self.pending = pending  # what it has cut already
        self.params = params  # of `initialize`, as JSON without lone surrogates


def main(arguments: list[str]) -> int:
    """Run `kimi-lsp acp` with what follows these words; the exit code. Ends when the client ends.

    0 when the client went, 2 for wrong arguments, 128 + the signal's number after SIGINT and SIGTERM.
    """
    try:
        return _serve(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _serve(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(USAGE)
        return 0
    if arguments:
        sys.stderr.write(f"kimi-lsp acp: unknown option {arguments[0]!r}\n\n{USAGE}")
        return _USAGE
    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write("kimi-lsp acp: an editor starts this and speaks the Agent Client Protocol with it.\n")
    channel = take_stdio()
    try:
        handshake = shake_hands(channel)
    except OSError:  # the client has gone
        handshake = None
    if handshake is None:
        return 0
    from kimi_lsp.acp.server import run  # noqa: PLC0415 - this is what takes long

    return run(handshake, os._exit)


def shake_hands(channel: Channel) -> Handshake | None:
    """Read until `initialize` and answer it. None at the end of the stream; OSError from the channel."""
    cutter = LineCutter()
    while data := channel.read():
        events = cutter.feed(data)
        for number, event in enumerate(events):
            if isinstance(event, Damaged):
                channel.write(line_of(error_body(None, PARSE_ERROR, event.reason)))
                continue
            try:
                message = parse(event)
                if message.get("method") is None or "id" not in message:
                    continue
                answer, params = initialized(message)
            except RefusedError as refused:
                channel.write(line_of(refused.answer))
                continue
            channel.write(line_of(answer))
            return Handshake(channel, cutter, events[number + 1 :], params)
    return None


def initialized(message: dict[str, object]) -> tuple[bytes, bytes]:
    """The answer to `initialize`, and its params. RefusedError for anything else, and for params that do not fit."""
    found = request_id(message)
    method = message.get("method")
    if method != "initialize":
        if method in METHODS:
            raise RefusedError(INVALID_REQUEST, "the first request is initialize", found)
        raise RefusedError(METHOD_NOT_FOUND, "unknown method", found)
    params = as_object(message.get("params")) or {}
    version = params.get("protocolVersion")
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version <= _MAX_VERSION:
        raise RefusedError(INVALID_PARAMS, "protocolVersion is a whole number of 16 bits", found)
    auth = as_object((as_object(params.get("clientCapabilities")) or {}).get("auth")) or {}
    result = capabilities.initialize_result(offers_terminal=auth.get("terminal") is True)
    try:
        text = json.dumps(params, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_PARAMS, "the params of initialize do not fit", found) from None
    answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
    return utf8(json.dumps(answer, ensure_ascii=False, separators=(",", ":"))), utf8(text)
