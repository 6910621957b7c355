import pytest
from mcp.shared.exceptions import MCPError

from mcp_tools.catalog import Answer, JsonObject
from mcp_tools.server.guard import Guard, Limits
from mcp_tools.server.registry import registry


class Count:
    """Runs nothing and counts what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def call(self, name: str, arguments: JsonObject, *, deadline_s: float) -> Answer:
        self.calls.append(name)
        return Answer("fine", {})


async def test_wrong_arguments_cost_no_worker() -> None:
    caller = Count()
    tools = registry(Guard(Limits()), caller)
    assert "unknown argument 'write'" in (await tools.call("read_file", {"path": "a", "write": True})).text
    assert caller.calls == []
    assert (await tools.call("read_file", {"path": "a"})).text == "fine"


async def test_wrong_arguments_are_calls_like_others_to_the_rate() -> None:
    tools = registry(Guard(Limits(burst=3, per_second=0.001)), Count())
    answers = [await tools.call("read_file", {}) for _ in range(5)]
    assert ["rate limited" in answer.text for answer in answers] == [False, False, False, True, True]


async def test_arguments_that_are_too_long_are_not_even_parsed() -> None:
    answer = await registry(Guard(Limits(argument_chars=10)), Count()).call("read_file", {"no such": "argument"})
    assert answer.text == "read_file: the arguments are too long"


async def test_an_unknown_tool_is_a_protocol_error() -> None:
    with pytest.raises(MCPError, match="Unknown tool: write_file"):
        await registry(Guard(Limits()), Count()).call("write_file", {})


def test_two_tools_of_one_name_are_refused() -> None:
    class Reader:
        name = title = description = "read_file"
        output_schema = None
        is_open_world = False

        @property
        def input_schema(self) -> JsonObject:
            return {"type": "object"}

        async def call(self, arguments: JsonObject) -> Answer:
            return Answer(str(arguments), {})

    with pytest.raises(ValueError, match="one name"):
        registry(Guard(Limits()), Count(), [Reader()])
