"""The MCP servers that a client passes along: checked one by one, listed, and used only where the user allows it."""

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import Raw

from kimi_lsp.acp.protocol import Message
from kimi_lsp.config.secret import Secret
from kimi_lsp.config.settings import McpServer
from kimi_lsp.errors import UsageError
from kimi_lsp.faces.jsonrpc import utf8

_MAX_SERVERS = 64
_USED = 16
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class _Pair(Message, frozen=True):
    name: str
    value: str


class _Kind(Message, frozen=True):
    type: Literal["http", "sse", "stdio"] = "stdio"


class _Program(Message, frozen=True):
    name: str
    command: str
    args: list[str] | None
    env: list[_Pair] | None


class _Remote(Message, frozen=True):
    name: str
    url: str
    headers: list[_Pair] | None


def read_servers(entries: Sequence[Raw] | None) -> dict[str, McpServer]:
    """The servers that were passed, by a name of ours that is made from theirs.

    Raises:
        UsageError: an entry is none; it is named by its number, and nothing of it is quoted.
    """
    if len(entries or ()) > _MAX_SERVERS:
        raise UsageError(f"mcpServers has more than {_MAX_SERVERS} entries")
    servers: dict[str, McpServer] = {}
    for number, entry in enumerate(entries or ()):
        try:
            name, server = _read(bytes(entry))
        except (ValueError, RecursionError):
            raise UsageError(f"mcpServers[{number}]: no MCP server: wrong or missing members") from None
        servers[_free(name, servers)] = server
    return servers


def usable(servers: dict[str, McpServer], configured: int) -> dict[str, McpServer]:
    """As many of them as there is room for beside those that the user has configured."""
    return dict(list(servers.items())[: max(_USED - configured, 0)])


def _read(entry: bytes) -> tuple[str, McpServer]:
    try:
        kind = msgspec.json.decode(entry, type=_Kind).type
    except UnicodeDecodeError:
        raise ValueError from None
    if kind == "stdio":
        program = msgspec.json.decode(entry, type=_Program)
        if not program.command or any("\0" in word for word in (program.command, *(program.args or ()))):
            raise ValueError
        command = (program.command, *(program.args or ()))
        return program.name, McpServer(command=command, env=_secrets(program.env))
    if kind == "sse":
        raise ValueError  # not offered in `mcpCapabilities`
    remote = msgspec.json.decode(entry, type=_Remote)
    if not remote.url.startswith(("http://", "https://")):
        raise ValueError
    return remote.name, McpServer(url=remote.url, headers=_secrets(remote.headers))


def _secrets(pairs: list[_Pair] | None) -> MappingProxyType[str, Secret]:
    return MappingProxyType({pair.name: Secret(pair.value) for pair in pairs or ()})


def _free(name: str, taken: dict[str, McpServer]) -> str:
    """A name as the configuration has them, that no other has."""
    plain = _NOT_IN_NAMES.sub("-", utf8(name).decode().lower()).strip("-")[:24]
    base = plain if plain[:1].isalpha() else f"s-{plain}".rstrip("-")
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found
