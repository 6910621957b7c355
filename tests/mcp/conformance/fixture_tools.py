"""The tools that the conformance suites call by name."""

import base64
import struct
import warnings
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from mcp_tools.catalog import JsonObject

Context = ServerRequestContext[Any, Any]
Run = Callable[[Context, JsonObject], Awaitable[Sequence[types.ContentBlock]]]
_STEP_S = 0.05


class FixtureError(Exception):
    """A tool failed; the message is for the caller."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A tool. `needs` is checked before anything else: without it the call is a protocol error."""

    name: str
    run: Run
    schema: JsonObject = field(default_factory=lambda: {"type": "object", "additionalProperties": False})
    needs: types.ClientCapabilities | None = None

    @property
    def listed(self) -> types.Tool:
        """It in a list."""
        return types.Tool(name=self.name, description=f"Fixture: {self.name}.", input_schema=self.schema)

    def check(self, ctx: Context) -> None:
        """Raise MCPError (-32021) when the client lacks what the tool needs."""
        if self.needs is not None and not ctx.session.check_client_capability(self.needs):
            lacks: JsonObject = {"requiredCapabilities": self.needs.model_dump(by_alias=True, exclude_none=True)}
            raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing client capability", lacks)


def png() -> str:
    """One red pixel, base64."""
    rows = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\xff\0\0")),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in rows
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode("ascii")


def wav() -> str:
    """One silent sample, base64."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 1) + b"\x80\0"
    return base64.b64encode(b"RIFF" + struct.pack("<I", 4 + len(form)) + b"WAVE" + form).decode("ascii")


def text(value: str) -> list[types.ContentBlock]:
    """One block of text."""
    return [types.TextContent(text=value)]


def embedded(uri: str, mime_type: str, value: str) -> types.EmbeddedResource:
    """A resource inside a message."""
    return types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=value))


def picture() -> types.ImageContent:
    """The pixel."""
    return types.ImageContent(data=png(), mime_type="image/png")


async def _log(ctx: Context, *rows: str) -> None:
    for row in rows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)  # the handshake era has it
            await ctx.session.send_log_message("info", row, related_request_id=ctx.request_id)  # pyright: ignore[reportDeprecated]
        await anyio.sleep(_STEP_S)  # the suite wants to see the rows come one by one


async def _simple(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    return text("This is a simple text response for testing.")


async def _image(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    return [picture()]


async def _audio(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    return [types.AudioContent(data=wav(), mime_type="audio/wav")]


async def _resource(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    return [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


async def _several(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    resource = embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [*text("Multiple content types test:"), picture(), resource]


async def _logging(ctx: Context, _: JsonObject) -> Sequence[types.ContentBlock]:
    await _log(ctx, "Tool execution started", "Tool processing data", "Tool execution completed")
    return text("logged")


async def _progress(ctx: Context, _: JsonObject) -> Sequence[types.ContentBlock]:
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await anyio.sleep(_STEP_S)
    return text("done")


async def _fail(_: Context, __: JsonObject) -> Sequence[types.ContentBlock]:
    raise FixtureError("This tool intentionally returns an error for testing")


async def _echo(_: Context, arguments: JsonObject) -> Sequence[types.ContentBlock]:
    return text(", ".join(sorted(arguments)) or "nothing")


_HEADER: JsonObject = {
    "type": "object",
    "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    "required": ["region"],
    "additionalProperties": False,
}
_DIALECT: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"city": {"type": "string"}}}},
    "properties": {"address": {"$ref": "#/$defs/address"}, "phone": {"type": "string"}, "email": {"type": "string"}},
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"required": ["address"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
_SAMPLING = types.ClientCapabilities(sampling=types.SamplingCapability())

FIXTURES = (
    Fixture("test_simple_text", _simple),
    Fixture("test_image_content", _image),
    Fixture("test_audio_content", _audio),
    Fixture("test_embedded_resource", _resource),
    Fixture("test_multiple_content_types", _several),
    Fixture("test_tool_with_logging", _logging),
    Fixture("test_tool_with_progress", _progress),
    Fixture("test_error_handling", _fail),
    Fixture("test_missing_capability", _simple, needs=_SAMPLING),
    Fixture("test_streaming_elicitation", _progress),
    Fixture("test_logging_tool", _logging),
    Fixture("test_x_mcp_header", _echo, _HEADER),
    Fixture("json_schema_2020_12_tool", _echo, _DIALECT),
)
