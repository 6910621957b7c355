"""Random arguments to every tool over real pipes, in both eras: always a valid answer that gives nothing away."""

import asyncio
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from mcp_tools.catalog import TOOLS, input_schema, output_schema
from tests.fakes.json_value import Json, JsonObject, compact, get, items, strings
from tests.mcp.clients import world as worlds
from tests.mcp.clients.world import SECRET, TOKEN
from tests.mcp.fuzz.nonsense import arguments
from tests.mcp.wire_client import DEADLINE_S, Era, Process, request, spawn

EXAMPLES = 300
INVALID_PARAMS = -32602
MAX_CHARS, MAX_LINE_CHARS = 40_000, 2_000
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
BUSY = re.compile(r"rate limited, retry after ([0-9.]+) s")
ERAS = (Era.LEGACY, Era.MODERN)


@pytest.mark.parametrize(
    ("name", "era"), [(name, ERAS[number % 2]) for number, name in enumerate(TOOLS)], ids=list(TOOLS)
)
def test_any_arguments_have_a_sound_answer(name: str, era: Era, tmp_path: Path) -> None:
    world = worlds.make(tmp_path)
    world.token_file.write_text(TOKEN, "ascii")  # beside the project, where no tool may look
    tool = TOOLS[name]
    schema = output_schema(tool)
    good: list[Json] = []

    def check(answer: JsonObject) -> None:
        text = compact(answer)
        for hidden in (str(world.root), str(world.home), "Traceback", SECRET, TOKEN, "root:x:0"):
            assert hidden not in text
        assert all(_is_visible(string) for string in strings(answer))
        assert len(text) < MAX_CHARS * 2  # as JSON, with what the protocol adds
        result = get(answer, "result")
        if result is None:
            assert get(answer, "error", "code") == INVALID_PARAMS
            return
        (said,) = [get(block, "text") for block in items(get(result, "content"))]
        assert isinstance(said, str)
        assert said
        assert "rate limited" not in said, "nothing was tried"
        assert "the server goes on" not in said, "the tool crashed"
        assert max(map(len, said.splitlines())) < MAX_LINE_CHARS
        structured = get(result, "structuredContent")
        if get(result, "isError"):
            assert structured is None
        else:
            good.append(structured)
            jsonschema.validate(structured, schema, cls=jsonschema.Draft202012Validator)

    with asyncio.Runner() as runner:
        server = spawn((sys.executable, "-m", "mcp_tools", "--root", str(world.root)), cwd=world.home)
        process = runner.run(server.__aenter__())
        try:
            runner.run(process.open(era))
            scan = runner.run(process.ask(_call(era, "first", "security_surface", {})))
            found = items(get(scan, "result", "structuredContent", "findings"))
            known = [identity for each in found if isinstance(identity := get(each, "id"), str)]
            strategy = arguments(input_schema(tool), known)
            _fuzz(strategy, lambda number, given: check(runner.run(_ask(process, _call(era, number, name, given)))))
            alive = runner.run(process.ask(request(era, "last", "tools/list")))
            assert len(items(get(alive, "result", "tools"))) == len(TOOLS)
            runner.run(process.end_input())
            assert runner.run(process.exit_code()) == 0
        finally:
            runner.run(server.__aexit__(None, None, None))
    assert process.errors == []
    assert good, "no call went well: no answer was compared with the schema"


async def _ask(process: Process, message: JsonObject) -> JsonObject:
    """Ask as often as the server has no room for calls, after the time that it names."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answer = await process.ask(message)
            wait = BUSY.search(compact(answer))
            if wait is None:
                return answer
            await asyncio.sleep(float(wait[1]))


def _fuzz(strategy: SearchStrategy[JsonObject], attempt: Callable[[int, JsonObject], None]) -> None:
    """Try examples, each with a number of its own."""
    numbers = iter(range(1, 1_000_000))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def run(example: JsonObject) -> None:
        attempt(next(numbers), example)

    run()


def _call(era: Era, number: int | str, name: str, given: JsonObject) -> JsonObject:
    return request(era, number, "tools/call", {"name": name, "arguments": given})


def _is_visible(string: str) -> bool:
    """Whether nothing in it moves a cursor, hides or cannot be encoded."""
    return all(each in "\n\t" or unicodedata.category(each) not in HIDDEN for each in string)
