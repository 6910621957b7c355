"""A conversation with one lender: list its tools, call one. Imports the SDK, and hides it.

The SDK's own check of structured content against the lender's schema is left out: a stranger's patterns would be run
on a stranger's text, on this process's loop. So are its driver for questions back (sampling, elicitation, roots): they
are refused.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import mcp_types as types
from mcp.client import Transport
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter

from kimi_lsp import __version__
from kimi_lsp.audit.lenders.definitions import Definition, digest_of
from kimi_lsp.audit.lenders.replies import Reply, embedded, unseen
from kimi_lsp.model import Json, JsonObject

_MAX_PAGES = 20
_MAX_LISTED = 1_000
_BROKEN = (types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT, types.PARSE_ERROR)
_RESULT: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)


@dataclass(slots=True)
class Connection:
    """An open conversation. Its methods raise what the SDK raises; whoever calls them knows no more than that."""

    _client: Client

    async def definitions(self) -> Sequence[Definition]:
        """What the lender declares now, at most 1,000 tools."""
        found: list[Definition] = []
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            page = await self._client.session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            found += map(_definition, page.tools[: _MAX_LISTED - len(found)])
            if page.next_cursor is None or page.next_cursor == cursor or len(found) >= _MAX_LISTED:
                break
            cursor = page.next_cursor
        return found

    async def call(self, tool: str, arguments: JsonObject) -> Reply:
        """Call a tool, and wait for its answer."""
        request = types.CallToolRequest(params=types.CallToolRequestParams(name=tool, arguments=arguments))
        result = await self._client.session.send_request(request, _RESULT)
        if isinstance(result, types.InputRequiredResult):
            return Reply(("The tool asks for something in return, which it is not given.",), is_error=True)
        texts = tuple(_text(part) for part in result.content)
        return Reply(texts, cast("Json", result.structured_content), bool(result.is_error))


def refusal_in(error: Exception) -> str | None:
    """What a lender said where it refused a request, None where the conversation itself is broken."""
    if not isinstance(error, MCPError) or error.error.code in _BROKEN:
        return None
    return error.error.message


@asynccontextmanager
async def connected(transport: Transport) -> AsyncGenerator[Connection]:
    """Open a transport and shake hands, in whichever era the lender speaks."""
    us = types.Implementation(name="kimi-lsp", version=__version__)
    async with Client(transport, cache=None, client_info=us) as client:
        yield Connection(client)


def _definition(tool: types.Tool) -> Definition:
    declared = cast("JsonObject", tool.model_dump(mode="json", by_alias=True, exclude_none=True))
    hints = tool.annotations
    return Definition(
        tool.name,
        tool.description or tool.title or "",
        cast("JsonObject", declared["inputSchema"]),
        reads_only=hints is not None and hints.read_only_hint is True and hints.destructive_hint is not True,
        digest=digest_of(declared),
    )


def _text(part: types.ContentBlock) -> str:
    match part:
        case types.TextContent():
            return part.text
        case types.ImageContent():
            return unseen("image", part.mime_type)
        case types.AudioContent():
            return unseen("sound", part.mime_type)
        case types.ResourceLink():
            return unseen("link", part.uri, part.name)
        case types.EmbeddedResource(resource=types.TextResourceContents() as inner):
            return embedded(inner.uri, inner.text)
        case types.EmbeddedResource(resource=inner):
            return unseen("data", inner.uri, inner.mime_type or "")
