import anyio
import pytest

from kimi_lsp.audit.limiter import AdaptiveLimit


async def test_no_more_than_the_limit_run_at_once() -> None:
    limit, most = AdaptiveLimit(3), 0

    async def work() -> None:
        nonlocal most
        async with limit.slot():
            most = max(most, limit.running)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(work)
    assert most == 3
    assert limit.running == 0


async def test_one_storm_halves_the_limit_once() -> None:
    limit = AdaptiveLimit(8)
    async with anyio.create_task_group() as group:

        async def refused() -> None:
            async with limit.slot() as slot:
                await anyio.lowlevel.checkpoint()
                slot.refused()

        for _ in range(8):
            group.start_soon(refused)
    assert limit.limit == 4


async def test_the_limit_falls_to_one_and_no_further_and_climbs_back() -> None:
    limit = AdaptiveLimit(4)
    for _ in range(5):
        async with limit.slot() as slot:
            slot.refused()
    assert limit.limit == 1
    for _ in range(30):
        async with limit.slot() as slot:
            slot.succeeded()
    assert limit.limit == 4


async def test_a_cancelled_waiter_gives_its_place_away() -> None:
    limit = AdaptiveLimit(1)
    order: list[str] = []

    async def work(name: str) -> None:
        async with limit.slot():
            order.append(name)

    async with anyio.create_task_group() as group:
        async with limit.slot():
            with anyio.move_on_after(0.01):
                await work("cancelled")
            group.start_soon(work, "second")
            await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            await work("third")
    assert order == ["second", "third"]
    assert limit.running == 0


async def test_a_waiter_cancelled_after_its_turn_came_frees_the_place() -> None:
    limit = AdaptiveLimit(1)
    scope = anyio.CancelScope()

    async def doomed() -> None:
        with scope:
            async with limit.slot():
                pytest.fail("ran although it was cancelled")

    async with anyio.create_task_group() as group, limit.slot():
        group.start_soon(doomed)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
    with anyio.fail_after(5):
        async with limit.slot():
            assert limit.running == 1


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AdaptiveLimit(0)
