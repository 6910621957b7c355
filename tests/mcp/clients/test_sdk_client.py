"""The Python SDK's own client over real pipes and sockets, in both eras."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from mcp_tools.catalog import TOOLS
from tests.mcp.clients.world import SECRET, TOKEN, World

Transport = Literal["stdio", "http"]
ERAS = {"legacy": "2025-11-25", "auto": "2026-07-28"}
TIMEOUT_S = 20.0


@pytest.fixture(params=["stdio", "http"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """How client and server talk."""
    return request.param


@pytest.fixture(params=list(ERAS))
def mode(request: pytest.FixtureRequest) -> Literal["legacy", "auto"]:
    """What the client speaks; left to itself it takes the modern era."""
    return request.param


@asynccontextmanager
async def connected(world: World, transport: Transport, mode: Literal["legacy", "auto"]) -> AsyncGenerator[Client]:
    """A client with a server of its own."""
    if transport == "stdio":
        command, *arguments = world.server
        server = StdioServerParameters(command=command, args=arguments, env=world.environment, cwd=world.home)
        async with Client(server, mode=mode, read_timeout_seconds=TIMEOUT_S) as client:
            yield client
        return
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with world.serving() as server:
        async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_S, trust_env=False) as http:
            pipe = streamable_http_client(server.url, http_client=http)
            async with Client(pipe, mode=mode, read_timeout_seconds=TIMEOUT_S) as client:
                yield client


async def test_it_finds_out_what_the_server_is_and_what_it_has(
    world: World, transport: Transport, mode: Literal["legacy", "auto"]
) -> None:
    async with connected(world, transport, mode) as client:
        assert client.protocol_version == ERAS[mode]
        assert client.server_info is not None
        assert client.server_info.name == "kimi-audit"
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        prompts = (await client.list_prompts()).prompts

    assert [tool.name for tool in tools] == list(TOOLS)
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    assert all(resource.uri.startswith("audit://rules/") for resource in resources)
    assert {template.name for template in templates} == {"rule", "report", "file"}
    assert {prompt.name for prompt in prompts} == {"audit_change", "triage_findings", "dual_run"}


async def test_it_calls_tools_and_believes_their_answers(
    world: World, transport: Transport, mode: Literal["legacy", "auto"]
) -> None:
    async with connected(world, transport, mode) as client:
        await client.list_tools()  # from now on the client itself checks what it gets against the output schemas
        scan = await client.call_tool("security_surface", {})
        assert scan.structured_content is not None
        (finding,) = [one for one in scan.structured_content["findings"] if one["path"] == "app.py"][:1]
        whole = await client.call_tool("get_finding", {"id": finding["id"]})
        report = await client.read_resource(scan.structured_content["report"])
        refused = await client.call_tool("read_file", {"path": "app.py", "write": True})

    assert not scan.is_error
    assert not whole.is_error
    assert isinstance(report.contents[0], TextResourceContents)
    assert "findings" in report.contents[0].text
    assert refused.is_error
    assert isinstance(refused.content[0], TextContent)
    assert "write" in refused.content[0].text
    shown = f"{scan} {whole} {report} {refused}"
    assert SECRET not in shown
    assert str(world.root) not in shown


async def test_it_gets_prompts_and_completions_and_protocol_errors(
    world: World, transport: Transport, mode: Literal["legacy", "auto"]
) -> None:
    async with connected(world, transport, mode) as client:
        prompt = await client.get_prompt("audit_change", {"path": "pkg/read.py"})
        paths = await client.complete(PromptReference(name="audit_change"), {"name": "path", "value": "pk"})
        template = ResourceTemplateReference(uri="audit://rules/{rule}")
        rules = await client.complete(template, {"name": "rule", "value": "code-"})
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("write_file", {"path": "x"})
        with pytest.raises(MCPError) as outside:
            await client.read_resource("project:///../home/token")

    assert isinstance(prompt.messages[0].content, TextContent)
    assert "`pkg/read.py`" in prompt.messages[0].content.text
    assert any(value.startswith("pkg") for value in paths.completion.values)
    assert "code-injection" in rules.completion.values
    assert unknown.value.error.code == outside.value.error.code == INVALID_PARAMS
    assert TOKEN not in str(outside.value.error)
