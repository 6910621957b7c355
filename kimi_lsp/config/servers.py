"""`[mcp_servers.NAME]`: what may be written of an MCP server that lends its tools, checked key by key."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import PlainValidator

from kimi_lsp.config.secret import Secret
from kimi_lsp.config.settings import McpServer, is_loopback
from kimi_lsp.config.values import ExpectedError, boolean, headers, nearest, seconds, shown, table, text_list, url

_MAX_SERVERS = 16
_MAX_TOOLS = 200
_MAX_ARGUMENT = 4_096
_SERVER_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TOOL_NAME = re.compile(r"[\x21-\x7e]{1,128}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_COMMAND = "a program and its arguments, a list of texts"
_PROGRAM = "an absolute path, or the name of a program on PATH"
_UNSEEN = "something else"


def _servers(value: object) -> Mapping[str, McpServer]:
    written = table(value, "a table of MCP servers, each [mcp_servers.NAME]")
    if len(written) > _MAX_SERVERS:
        raise ExpectedError(f"at most {_MAX_SERVERS} MCP servers", said=f"{len(written):,}")
    servers: dict[str, McpServer] = {}
    for name, entry in written.items():
        if not _SERVER_NAME.fullmatch(name):
            raise ExpectedError("names of a letter and up to 30 of a-z, 0-9 and '-', such as docs", said=shown(name))
        try:
            servers[name] = _server(entry)
        except ExpectedError as error:
            raise _below(name, error) from None
    return MappingProxyType(servers)


def _server(value: object) -> McpServer:
    written = table(value, "a table with a command or a url")
    found: dict[str, object] = {}
    for key, entry in written.items():
        if key not in KEYS:
            near = nearest(key, list(KEYS))
            raise ExpectedError(f"one of {', '.join(KEYS)}", at=key, said="an unknown key", near=near)
        try:
            found[key] = KEYS[key](entry)
        except ExpectedError as error:
            raise _below(key, error) from None
    if ("command" in found) == ("url" in found):
        raise ExpectedError("either a command or a url", said="both" if "url" in found else "neither")
    for key, owner in (("env", "command"), ("headers", "url")):
        if key in found and owner not in found:
            raise ExpectedError(f"{key} beside a {owner} only", at=key, said="one beside the other")
    return McpServer(**found)  # pyright: ignore[reportArgumentType] - each of KEYS gives its field's type (tested)


def _below(key: str, error: ExpectedError) -> ExpectedError:
    """The same error, seen from the table that the key lies in. What is no secret is quoted where it was refused."""
    return ExpectedError(error.what, at=(key, *error.at), said=error.said or _UNSEEN, near=error.near)


def _command(value: object) -> tuple[str, ...]:
    words = text_list(value, _COMMAND)
    if not words:
        raise ExpectedError(_COMMAND, said="an empty list")
    for word in words:
        if len(word) > _MAX_ARGUMENT or "\0" in word or _has_surrogates(word):
            raise ExpectedError(f"texts of at most {_MAX_ARGUMENT:,} characters", said=_UNSEEN)
    program = words[0]
    is_name = bool(program.strip()) and not {"/", "\\", ":"} & set(program) and program not in (".", "..")
    if not is_name and not Path(program).is_absolute():
        raise ExpectedError(_PROGRAM, said=shown(program))
    return tuple(words)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _url(value: object) -> str:
    try:
        found = url(value, "https://mcp.example/mcp")
    except ExpectedError as error:
        said = "a URL with a '?' or '#'" if isinstance(value, str) and {"?", "#"} & set(value) else error.said
        raise ExpectedError(error.what, said=said) from None  # what follows them may be a key
    if found.startswith("http://") and not is_loopback(found):
        raise ExpectedError("https, or http on this machine", said=shown(found))
    return found


def _env(value: object) -> Mapping[str, Secret]:
    found: dict[str, Secret] = {}
    for name, text in table(value, "a table of variables and their values").items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise ExpectedError("names of variables", said=shown(name))
        if not isinstance(text, str) or "\0" in text or len(text) > 32_768 or _has_surrogates(text):
            raise ExpectedError("a text", at=name, said=_UNSEEN)
        found[name] = Secret(text)
    return MappingProxyType(found)


def _tools(value: object) -> tuple[str, ...]:
    names = text_list(value, "a list of the server's tool names")
    for name in names:
        if not _TOOL_NAME.fullmatch(name):
            raise ExpectedError("a tool's name of 1 to 128 printable ASCII characters", said=shown(name))
    if len(names) > _MAX_TOOLS:
        raise ExpectedError(f"at most {_MAX_TOOLS} tools", said=f"{len(names):,}")
    return tuple(dict.fromkeys(names))


def _quoting(check: Callable[[object], object]) -> Callable[[object], object]:
    """A check whose error quotes the value, as it is no secret."""

    def checked(value: object) -> object:
        try:
            return check(value)
        except ExpectedError as error:
            raise ExpectedError(error.what, at=error.at, said=error.said or shown(value), near=error.near) from None

    return checked


KEYS: Mapping[str, Callable[[object], object]] = {
    "command": _quoting(_command),
    "url": _quoting(_url),
    "env": _env,
    "headers": headers,
    "tools": _quoting(_tools),
    "timeout_s": _quoting(seconds),
    "enabled": _quoting(boolean),
}
"""What a server's table may hold: each key is a field of `McpServer`, and is read as that field's type."""

McpServers = Annotated[Mapping[str, McpServer], PlainValidator(_servers)]
