"""What a pool promises of its calls: answers, order, deadlines, cancellation, and an end that leaves nothing."""

import os
import random
from pathlib import Path

import anyio
import pytest

from mcp_tools.catalog.values import Answer, RootSetup, Setup
from mcp_tools.workers import CallFailedError, DeadlineError, Pool, WorkerLostError
from tests.workers.pools import SCRIPTED, SETUP, Gate, ask, ended, is_gone, pid_of, posix, scripted, told


async def test_a_call_is_answered_with_what_the_tool_gave() -> None:
    async with scripted() as pool:
        answer = await ask(pool, "echo", text="a\udcff\u202e", number=1.5, deep={"list": [None, True]})
    assert answer.data["is"] == {"text": "a\udcff\u202e", "number": 1.5, "deep": {"list": [None, True]}}
    assert answer.text == "echo"
    assert not answer.is_error


async def test_a_worker_knows_the_set_up() -> None:
    async with scripted(setup=Setup((RootSetup("/a/b\udcff"),))) as pool:
        assert await told(pool, "root") == "/a/b\udcff"


async def test_no_process_is_started_before_the_first_call() -> None:
    async with scripted(3) as pool:
        assert pool.running == 0
        await ask(pool, "echo")
        assert len(pool.pids) == pool.running == 1


async def test_a_warm_pool_has_one_worker_and_the_first_call_takes_it() -> None:
    async with scripted(3) as pool:
        pool.warm()
        pool.warm()
        assert pool.running == 1
        assert await pid_of(pool) == pool.pids[0]
        assert pool.running == 1


async def test_calls_run_at_once_on_as_many_workers_as_the_pool_has(tmp_path: Path) -> None:
    gates = [Gate(tmp_path / str(number)) for number in range(2)]
    async with scripted(2) as pool, anyio.create_task_group() as group:
        for gate in gates:
            group.start_soon(lambda gate=gate: ask(pool, "hold", fifo=gate.path))
        for gate in gates:
            await gate.reached()  # both run, and neither has been answered
        assert pool.running == 2
        for gate in gates:
            gate.open()


async def test_waiting_calls_are_served_in_their_order() -> None:
    answers: dict[int, Answer] = {}

    async def call(number: int) -> None:
        answers[number] = await ask(pool, "echo", number=number)

    async with scripted(1) as pool:
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(call, number)
        assert pool.running == 1
    assert [answers[number].data["calls"] for number in range(10)] == list(range(1, 11))


async def test_a_deadline_kills_a_worker_that_holds_the_interpreter_in_c() -> None:
    async with scripted() as pool:
        before = await pid_of(pool)
        with pytest.raises(DeadlineError, match=r"^the call took too long and was stopped$"):
            await pool.call("spin", {}, deadline_s=0.05)
        assert await pid_of(pool) != before
        assert is_gone(before)


async def test_a_deadline_is_a_timeout_for_whoever_does_not_know_this_package() -> None:
    assert issubclass(DeadlineError, TimeoutError)


async def test_cancelling_a_call_kills_its_worker_and_no_other(tmp_path: Path) -> None:
    gates = [Gate(tmp_path / str(number)) for number in range(2)]
    answers: list[Answer] = []
    scope = anyio.CancelScope()

    async def doomed() -> None:
        with scope:
            await ask(pool, "spin", fifo=gates[0].path)

    async def spared() -> None:
        answers.append(await ask(pool, "hold", fifo=gates[1].path))

    async with scripted(2) as pool:
        async with anyio.create_task_group() as group:
            group.start_soon(doomed)
            await gates[0].reached()
            (victim,) = (pid for pid in pool.pids)
            group.start_soon(spared)
            await gates[1].reached()
            gates[0].open()
            scope.cancel()
            await ended(victim)
            gates[1].open()
        assert scope.cancelled_caught
        assert [answer.data["pid"] for answer in answers] == list(pool.pids)


async def test_a_cancelled_call_that_waits_kills_nothing(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    answers: list[Answer] = []
    before: tuple[int, ...] = ()
    scope = anyio.CancelScope()

    async def first() -> None:
        answers.append(await ask(pool, "hold", fifo=gate.path))

    async def second() -> None:
        with scope:
            await ask(pool, "echo")

    async with scripted(1) as pool:
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await gate.reached()
            before = pool.pids
            group.start_soon(second)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            scope.cancel()
            gate.open()
        assert [answer.data["pid"] for answer in answers] == list(before)
        assert (await ask(pool, "echo")).data["calls"] == 2


async def test_cancelling_the_call_that_started_a_worker_leaves_it_for_the_next() -> None:
    async with scripted(1) as pool:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ask(pool, "echo")
        assert scope.cancelled_caught
        assert (await ask(pool, "echo", after=True)).data["is"] == {"after": True}


async def test_after_a_storm_of_cancellations_every_answer_is_the_right_one() -> None:
    dice = random.Random(4)
    answered: list[int] = []
    pids: set[int] = set()

    async def call(number: int, patience: int) -> None:
        async with anyio.create_task_group() as group:

            async def right() -> None:
                assert await told(pool, "echo", number=number) == {"number": number}
                answered.append(number)

            group.start_soon(right)
            for _ in range(patience):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    async with scripted(2) as pool:
        for number in range(25):
            if number % 4 == 0:
                pids.add(await pid_of(pool))  # one is ready, so that there is something to kill
            async with anyio.create_task_group() as group:
                group.start_soon(call, number, dice.randrange(1, 60))
                group.start_soon(call, -number, dice.randrange(1, 400))
        assert answered, "every call was cancelled, so it proves little"
        assert len(pids) > 3, "no worker was killed, so it proves little"
        assert [await told(pool, "echo", number=number) for number in range(5)] == [{"number": n} for n in range(5)]
        assert pool.running <= 2


async def test_an_idle_worker_is_ended_and_the_next_call_gets_another() -> None:
    async with scripted(1, idle_s=0.01) as pool:
        before = await pid_of(pool)
        await ended(before)
        assert await pid_of(pool) != before


async def test_a_worker_that_is_killed_from_outside_while_idle_is_replaced() -> None:
    async with scripted(1) as pool:
        before = await pid_of(pool)
        os.kill(before, 9)
        with anyio.fail_after(20):
            while before in pool.pids:  # the pool learns of it from its event loop
                await anyio.lowlevel.checkpoint()
        assert await pid_of(pool) != before


async def test_leaving_the_pool_ends_running_calls_and_leaves_no_process(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    outcomes: list[str] = []
    pids: tuple[int, ...] = ()

    async def call(name: str, fifo: str = "") -> None:
        try:
            await ask(pool, name, fifo=fifo)
        except WorkerLostError as error:
            outcomes.append(f"{name}: {error}")

    pool = Pool(SETUP, size=1, command=SCRIPTED)
    async with anyio.create_task_group() as group:
        async with pool:
            group.start_soon(call, "spin", gate.path)
            await gate.reached()
            gate.open()
            group.start_soon(call, "echo")
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            pids = pool.pids
        assert len(pids) == 1
        assert all(map(is_gone, pids))
        assert pool.running == 0
    message = "the worker process ended before it answered"
    assert sorted(outcomes) == [f"echo: {message}", f"spin: {message}"]
    with pytest.raises(WorkerLostError):
        await ask(pool, "echo")


async def test_leaving_a_pool_whose_worker_is_only_starting_leaves_no_process() -> None:
    async with scripted(1) as pool:
        pool.warm()
    assert pool.running == 0
    async with scripted(1) as pool:
        pool.warm()
        while not pool.pids:
            await anyio.lowlevel.checkpoint()
        (pid,) = pool.pids
    assert is_gone(pid)


async def test_a_cancelled_block_leaves_no_process(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    pids: tuple[int, ...] = ()
    with anyio.CancelScope() as scope:
        async with scripted(1) as pool, anyio.create_task_group() as group:
            group.start_soon(lambda: ask(pool, "spin", fifo=gate.path))
            await gate.reached()
            gate.open()
            pids = pool.pids
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert len(pids) == 1
    assert all(map(is_gone, pids))


async def test_an_exception_of_the_block_passes_as_it_is() -> None:
    async def leave_with_an_exception() -> None:
        async with scripted(1) as pool:
            await ask(pool, "echo")
            raise LookupError

    with pytest.raises(LookupError):
        await leave_with_an_exception()


async def test_a_program_that_is_not_there_is_a_lost_worker_for_every_call() -> None:
    async with scripted(2, command=["/no/such/program"]) as pool:
        for _ in range(3):
            with pytest.raises(WorkerLostError):
                await ask(pool, "echo")
        assert pool.running == 0


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, float("nan"), float("inf")])
async def test_a_deadline_that_is_none_is_refused(deadline_s: float) -> None:
    async with Pool(SETUP) as pool:
        with pytest.raises(ValueError, match="deadline"):
            await pool.call("echo", {}, deadline_s=deadline_s)


async def test_arguments_that_fit_into_no_frame_cost_no_worker() -> None:
    async with scripted() as pool:
        before = await pid_of(pool)
        with pytest.raises(CallFailedError, match=r"^the call failed$"):
            await ask(pool, "echo", text="x" * (9 << 20))
        assert await pid_of(pool) == before


@posix
async def test_no_descriptor_is_left_behind_by_calls_and_kills() -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/dev/fd").iterdir())

    async def rounds(count: int) -> None:
        async with scripted(2) as pool:
            for number in range(count):
                if number % 16 == 15:
                    with pytest.raises(DeadlineError):
                        await pool.call("spin", {}, deadline_s=0.01)
                else:
                    await ask(pool, "echo")

    await rounds(1)  # what asyncio and anyio open for good is open now
    before = descriptors()
    await rounds(50)
    assert descriptors() == before
