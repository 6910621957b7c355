"""The product's own server with the tools, resources and prompts that the conformance suites name put in.

Registry, guard and transport are the product's; a fixture tool passes the guard like any other.
"""

import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import Server
from pydantic import BaseModel, TypeAdapter

from mcp_tools.catalog import Answer, JsonObject
from mcp_tools.server.app import serve
from mcp_tools.server.guard import Caller, Guard, Limits
from mcp_tools.server.registry import Registry, registry
from tests.mcp.conformance.fixture_tools import FIXTURES, Context, Fixture, FixtureError, embedded, picture, png, text

_BY_NAME = {fixture.name: fixture for fixture in FIXTURES}
_BLOCKS: TypeAdapter[list[types.ContentBlock]] = TypeAdapter(list[types.ContentBlock])
_CONTEXT: ContextVar[Context] = ContextVar("context")
_TEMPLATE = "test://template/{id}/data"
_FILLED = re.compile(r"test://template/([^/]+)/data")
_Params = TypeVar("_Params", bound=BaseModel)


def build(caller: Caller) -> Server[Any]:
    """The server."""
    guard = Guard(Limits())
    own = registry(guard, caller)
    listed = (*own.listed, *(fixture.listed for fixture in FIXTURES))
    server = serve(Fixtures(guard, caller, own.extra, listed, own.with_structure), guard, caller, "1")
    server.middleware.append(_remember)
    _extend(server, "resources/list", types.PaginatedRequestParams, _more_resources)
    _extend(server, "resources/templates/list", types.PaginatedRequestParams, _more_templates)
    _extend(server, "prompts/list", types.PaginatedRequestParams, _more_prompts)
    _precede(server, "resources/read", types.ReadResourceRequestParams, _resource)
    _precede(server, "prompts/get", types.GetPromptRequestParams, _prompt)
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _nothing)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, _nothing)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, _nothing)
    return server


@dataclass(frozen=True, slots=True)
class Fixtures(Registry):
    """The product's registry with further tools, whose answers may hold more than text."""

    async def call(self, name: str, arguments: JsonObject) -> Answer:
        """Call a tool under the guard."""
        fixture = _BY_NAME.get(name)
        if fixture is None:
            return await Registry.call(self, name, arguments)
        context = _CONTEXT.get()
        fixture.check(context)
        return await self.guard.call(name, arguments, lambda: _answer(fixture, context, arguments))

    def result(self, answer: Answer) -> types.CallToolResult:
        """An answer as the protocol says it; what a fixture says is in its data."""
        if "blocks" not in answer.data:
            return Registry.result(self, answer)
        return types.CallToolResult(content=_BLOCKS.validate_python(answer.data["blocks"]))


async def _answer(fixture: Fixture, context: Context, arguments: JsonObject) -> Answer:
    try:
        blocks = await fixture.run(context, arguments)
    except FixtureError as error:
        return Answer(str(error), {}, is_error=True)
    return Answer("", {"blocks": _BLOCKS.dump_python([*blocks], mode="json", by_alias=True, exclude_none=True)})


async def _remember(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Keep the context for the tools: the product's have no use for one."""
    _CONTEXT.set(ctx)
    return await call_next(ctx)


def _extend(
    server: Server[Any],
    method: str,
    kind: type[_Params],
    more: Callable[[Any], BaseModel],
) -> None:
    """Add to what the product's handler lists."""
    entry = server.get_request_handler(method)
    assert entry is not None
    own = entry.handler

    async def handler(context: Context, params: _Params) -> HandlerResult:
        return more(await own(context, params))

    server.add_request_handler(method, kind, handler)


def _precede(
    server: Server[Any],
    method: str,
    kind: type[_Params],
    first: Callable[[_Params], BaseModel | None],
) -> None:
    """Answer before the product's handler what is a fixture's."""
    entry = server.get_request_handler(method)
    assert entry is not None
    own: Callable[[Context, _Params], Awaitable[HandlerResult]] = entry.handler

    async def handler(context: Context, params: _Params) -> HandlerResult:
        return first(params) or await own(context, params)

    server.add_request_handler(method, kind, handler)


async def _nothing(_: Context, __: BaseModel) -> types.EmptyResult:
    return types.EmptyResult()


def _more_resources(page: types.ListResourcesResult) -> types.ListResourcesResult:
    names = ("static-text", "static-binary", "watched-resource")
    added = [types.Resource(name=name, uri=f"test://{name}", description=f"Fixture: {name}.") for name in names]
    return page.model_copy(update={"resources": [*page.resources, *added]})


def _more_templates(page: types.ListResourceTemplatesResult) -> types.ListResourceTemplatesResult:
    added = types.ResourceTemplate(name="template", uri_template=_TEMPLATE, description="Fixture: a template.")
    return page.model_copy(update={"resource_templates": [*page.resource_templates, added]})


def _more_prompts(page: types.ListPromptsResult) -> types.ListPromptsResult:
    names = {"simple_prompt": (), "prompt_with_arguments": ("arg1", "arg2")}
    names |= {"prompt_with_embedded_resource": ("resourceUri",), "prompt_with_image": ()}
    added = [
        types.Prompt(
            name=f"test_{name}",
            description=f"Fixture: {name}.",
            arguments=[types.PromptArgument(name=argument, required=True) for argument in arguments],
        )
        for name, arguments in names.items()
    ]
    return page.model_copy(update={"prompts": [*page.prompts, *added]})


def _resource(params: types.ReadResourceRequestParams) -> types.ReadResourceResult | None:
    uri = str(params.uri)
    contents: types.TextResourceContents | types.BlobResourceContents
    if uri == "test://static-binary":
        contents = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=png())
    elif uri == "test://static-text":
        said = "This is the content of the static text resource."
        contents = types.TextResourceContents(uri=uri, mime_type="text/plain", text=said)
    elif match := _FILLED.fullmatch(uri):
        said = f'{{"id":"{match[1]}","templateTest":true,"data":"Data for ID: {match[1]}"}}'
        contents = types.TextResourceContents(uri=uri, mime_type="application/json", text=said)
    else:
        return None
    return types.ReadResourceResult(contents=[contents])


def _prompt(params: types.GetPromptRequestParams) -> types.GetPromptResult | None:
    given = params.arguments or {}
    blocks: list[types.ContentBlock]
    match params.name:
        case "test_simple_prompt":
            blocks = text("This is a simple prompt for testing.")
        case "test_prompt_with_arguments":
            blocks = text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")
        case "test_prompt_with_embedded_resource":
            resource = embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            blocks = [resource, *text("Please process the embedded resource above.")]
        case "test_prompt_with_image":
            blocks = [picture(), *text("Please analyze the image above.")]
        case _:
            return None
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=block) for block in blocks])
