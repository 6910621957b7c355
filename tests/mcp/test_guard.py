import math
from dataclasses import replace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.catalog import Answer, Json
from mcp_tools.server.guard import Guard, Limits, Rate, scrub, scrub_text

FINE = Answer("fine", {"a": 1})


async def fine() -> Answer:
    return FINE


async def test_a_call_under_the_limits_passes_as_it_is() -> None:
    assert await Guard(Limits()).call("tool", {"path": "a"}, fine) == FINE


async def test_a_tool_that_crashes_is_an_error_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def crash() -> Answer:
        raise ValueError("/home/somebody/secret")

    guard = Guard(Limits())
    answer = await guard.call("tool", {}, crash)
    assert answer == Answer("tool: failed; the server goes on", {}, is_error=True)
    assert "somebody" not in caplog.text
    assert await guard.call("tool", {}, fine) == FINE


async def test_a_tool_that_exits_does_not_take_the_server_along() -> None:
    async def leave() -> Answer:
        raise SystemExit(3)

    assert (await Guard(Limits()).call("tool", {}, leave)).is_error


async def test_a_tool_that_takes_too_long_is_told_so() -> None:
    async def late() -> Answer:
        raise TimeoutError

    assert "stopped after 60 s" in (await Guard(Limits()).call("tool", {}, late)).text


async def test_cancellation_passes() -> None:
    with anyio.move_on_after(5) as scope:
        await Guard(Limits()).call("tool", {}, lambda: _cancel(scope))
    assert scope.cancelled_caught


async def _cancel(scope: anyio.CancelScope) -> Answer:
    scope.cancel()
    await anyio.sleep_forever()
    return FINE


async def test_only_so_many_run_and_only_so_many_wait() -> None:
    guard = Guard(Limits(running=2, waiting=3))
    go, running, answers = anyio.Event(), [0, 0], list[Answer]()

    async def slow() -> Answer:
        running[0] += 1
        running[1] = max(running)
        await go.wait()
        running[0] -= 1
        return FINE

    async def one() -> None:
        answers.append(await guard.call("tool", {}, slow))

    async with anyio.create_task_group() as group:
        for _ in range(9):
            group.start_soon(one)
        with anyio.fail_after(5):
            while len(answers) < 4:
                await anyio.lowlevel.checkpoint()
        assert all(answer.is_error and "retry after" in answer.text for answer in answers)
        go.set()
    assert sum(answer == FINE for answer in answers) == 5
    assert running == [0, 2]


def test_the_rate_is_a_burst_and_then_so_many_a_second() -> None:
    now = [0.0]
    rate = Rate(3, 2.0, clock=lambda: now[0])
    assert [rate.take() for _ in range(4)] == [0, 0, 0, 0.5]
    now[0] = 0.5
    assert [rate.take() for _ in range(2)] == [0, 0.5]
    now[0] = 1_000.0
    assert [rate.take() > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_thousand_calls_at_once_are_mostly_told_to_come_back() -> None:
    guard = Guard(Limits(burst=200, per_second=0.001))
    answers = [await guard.call("tool", {}, fine) for _ in range(1_000)]
    assert sum(answer == FINE for answer in answers) == 200
    assert "rate limited, retry after" in answers[-1].text


async def test_arguments_that_are_too_long_are_refused_and_not_repeated() -> None:
    answer = await Guard(Limits()).call("tool", {"query": "x" * 300_000}, fine)
    assert answer.is_error
    assert len(answer.text) < 100


async def test_deep_arguments_are_measured_without_recursion() -> None:
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    assert (await Guard(Limits(argument_chars=50_000)).call("tool", {"a": deep}, fine)).is_error


async def test_an_answer_that_is_too_long_is_an_error_that_says_what_to_do() -> None:
    async def long() -> Answer:
        return replace(FINE, text="x" * 70_000)

    assert "ask for less" in (await Guard(Limits()).call("tool", {}, long)).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
)


@given(JSON)
def test_whatever_goes_out_can_be_encoded_and_hides_nothing(node: Json) -> None:
    def check(each: Json) -> None:
        match each:
            case str():
                each.encode()
                assert not set(each) & set(map(chr, (*range(9), *range(11, 32), *range(127, 160), 0x200B, 0x202E)))
            case dict():
                for key, value in each.items():
                    check(key)
                    check(value)
            case list():
                for value in each:
                    check(value)
            case float():
                assert math.isfinite(each)
            case _:
                pass

    check(scrub(node))


def test_text_that_a_client_should_see_stays_as_it_is() -> None:
    assert scrub_text("tab\tand\nline, ümläut, 漢字, 👍🏽") == "tab\tand\nline, ümläut, 漢字, 👍🏽"
    assert scrub_text("a\udcffb\u202ec\U000e0041d\x1b[0m\r") == r"a\xffb\u{202e}c\u{e0041}d\x1b[0m\r"
