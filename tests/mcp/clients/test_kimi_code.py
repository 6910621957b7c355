"""Kimi Code CLI, headless: it starts the server, offers its tools to the model, calls one, hands the answer back."""

import json
from collections.abc import Iterator

import pytest

from mcp_tools.catalog import TOOLS
from tests.fakes.json_value import Json, get, items
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.schema import violation
from tests.fakes.script import Script, ToolCall
from tests.mcp.clients.agents import KIMI_CODE, start
from tests.mcp.clients.world import SECRET, World, command_json, words

_CONFIG = """\
default_model = "fake"
default_permission_mode = "auto"
telemetry = false

[providers.fake]
type = "kimi"
base_url = "{url}"
api_key = "{key}"

[models.fake]
provider = "fake"
model = "kimi-k2.6"
max_context_size = 262144
capabilities = ["thinking", "tool_use"]
"""
_OURS = "mcp__audit__"
_TOOL = f"{_OURS}security_surface"


@pytest.fixture
def endpoint() -> Iterator[FakeKimi]:
    """An endpoint without Moonshot's schema rules: the client's own tools break one (`$schema`), ours must not."""
    with FakeKimi("vllm-new", models=["kimi-k2.6"]) as running:
        yield running


def test_the_model_is_offered_a_tool_calls_it_and_sees_its_answer(world: World, endpoint: FakeKimi) -> None:
    program, config = start(KIMI_CODE), world.home / "kimi-code"
    config.mkdir()
    (config / "config.toml").write_text(_CONFIG.format(url=endpoint.base_url, key=KEY), "utf-8")
    (config / "mcp.json").write_text(json.dumps({"mcpServers": {"audit": command_json(world.server)}}), "utf-8")

    def answer(request: Recorded) -> Script:
        if not _results(request) and _TOOL in _offered(request):
            call = ToolCall(_TOOL, '{"paths": ["app.py"]}')
            return Script(reasoning="I look.", content="", tool_calls=(call,), finish_reason="tool_calls")
        return Script(reasoning="I have seen it.", content="One finding.")

    endpoint.respond(answer)
    done = world.run(
        program,
        "--prompt",
        "What is dangerous here?",
        "--output-format",
        "stream-json",
        env={"KIMI_CODE_HOME": str(config), "KIMI_CODE_NO_AUTO_UPDATE": "1"},
        cwd=world.root,
    )

    assert done.code == 0, words(done)
    assert "One finding." in done.out
    asked, answered = [chat for chat in endpoint.chats if _TOOL in _offered(chat)][:2]
    functions = [get(tool, "function") for tool in items(get(asked.json, "tools"))]
    ours = {str(get(function, "name")).removeprefix(_OURS): function for function in functions if _is_ours(function)}
    assert set(ours) == set(TOOLS)
    for name, function in ours.items():
        assert get(function, "description") == TOOLS[name].description
        assert violation(get(function, "parameters")) is None
    (result,) = _results(answered)
    assert "app.py:7" in result
    assert "eval" in result
    assert "ERROR: Tool execution failed" not in result
    endpoint.assert_no_secret([SECRET])


def _is_ours(function: Json) -> bool:
    return str(get(function, "name")).startswith(_OURS)


def _offered(request: Recorded) -> list[str]:
    """The names of the tools that a request offers."""
    names = [get(tool, "function", "name") for tool in items(get(request.json, "tools"))]
    return [name for name in names if isinstance(name, str)]


def _results(request: Recorded) -> list[str]:
    """What tools have answered so far."""
    messages = items(get(request.json, "messages"))
    return [json.dumps(get(message, "content")) for message in messages if get(message, "role") == "tool"]
