"""Drives a client program of an SDK: makes it ask, and holds what it saw. Every wait is bounded."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

from tests.acp.clients.stage import Stage
from tests.fakes.json_value import Json, JsonObject, get, items

DEADLINE_S = 30.0
CONFINED = "kimi-lsp acp: writes are "  # how the agent begins to say what it has given up, or could not
_LIMIT = 64 << 20
_FOLDER = Path(__file__).parent
JAVASCRIPT, PYTHON = _FOLDER / "driver.mjs", _FOLDER / "driver.py"


class RefusedError(AssertionError):
    """The agent answered with an error, as the client made it out. An AssertionError: a call is meant to succeed."""

    def __init__(self, error: Json) -> None:
        super().__init__(json.dumps(error))
        self.code = get(error, "code")


@dataclass(slots=True)
class Driver:
    """A client that is running. `updates` and `asked` are what it has seen, in the order in which it told."""

    process: asyncio.subprocess.Process
    updates: list[Json] = field(default_factory=list[Json])
    asked: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    methods: frozenset[str] = frozenset()
    complaints: list[str] = field(default_factory=list[str])
    _answers: dict[int, asyncio.Future[Json]] = field(default_factory=dict[int, "asyncio.Future[Json]"])
    _numbers: "count[int]" = field(default_factory=count)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def begin(self, method: str, **params: Json) -> asyncio.Future[Json]:
        """Have it make a request; the future has the result, or RefusedError."""
        number = next(self._numbers)
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        self._write({"id": number, "method": method, "params": params})
        return future

    async def ask(self, method: str, **params: Json) -> Json:
        """Have it make a request and wait for the result. RefusedError."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.begin(method, **params)

    def tell(self, method: str, **params: Json) -> None:
        """Have it send a notification."""
        self._write({"method": method, "params": params})

    def behave(self, *, permission: str = "reject", files: Mapping[str, str] | None = None) -> None:
        """Say how it answers the agent: the option whose kind begins so (none: cancelled), and the texts it has."""
        self._write({"behave": {"permission": permission, "files": dict(files or {})}})

    async def turn(self, session: Json, *blocks: str | JsonObject) -> Json:
        """A prompt to its end; the stop reason."""
        return get(await self.ask("session/prompt", sessionId=session, prompt=prompt(*blocks)), "stopReason")

    async def until(self, holds: "Callable[[Driver], bool]") -> None:
        """Wait until something was seen."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    def of(self, session: Json, kind: str) -> list[Json]:
        """The updates of a kind that a session has had."""
        ours = [get(update, "update") for update in self.updates if get(update, "sessionId") == session]
        return [update for update in ours if get(update, "sessionUpdate") == kind]

    def text(self, session: Json, kind: str = "agent_message_chunk") -> str:
        """What a session has said in all."""
        return "".join(str(get(update, "content", "text")) for update in self.of(session, kind))

    async def listen(self) -> None:
        """Take what the client tells until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            told = cast("JsonObject", json.loads(line))
            async with self._changed:
                self._take(told)
                self._changed.notify_all()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(RefusedError("the client has ended"))

    async def overhear(self) -> None:
        """Take what the client complains about."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.complaints.append(line.decode("utf-8", "replace"))

    async def close(self) -> None:
        """End its input and wait: it ends the agent's and goes with it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(DEADLINE_S):
            code = await self.process.wait()
        assert code == 0, f"the client ended with {code}"

    def _take(self, told: JsonObject) -> None:
        number = told.get("id")
        if isinstance(number, int):
            future = self._answers.pop(number)
            if "error" in told:
                future.set_exception(RefusedError(told["error"]))
            else:
                future.set_result(told.get("result"))
        elif "update" in told:
            self.updates.append(told["update"])
        elif "asked" in told:
            self.asked.append((str(told["asked"]), told.get("params")))
        else:
            self.methods = frozenset(map(str, items(told.get("methods"))))

    def _write(self, message: JsonObject) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")


def prompt(*blocks: str | JsonObject) -> list[Json]:
    """Blocks of a prompt; a text stands for its block."""
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]


def texts(value: Json, key: str) -> list[str]:
    """A member of each element of an array, as text."""
    return [str(get(item, key)) for item in items(value)]


@asynccontextmanager
async def driving(start: str, script: Path, stage: Stage) -> AsyncGenerator[Driver]:
    """Run a client with an agent of its own. At the end both have gone, and the client has complained of nothing."""
    process = await asyncio.create_subprocess_exec(
        start,
        str(script),
        *stage.command,
        env=stage.environment,
        cwd=stage.root,
        limit=_LIMIT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    driver = Driver(process)
    tasks = [asyncio.create_task(driver.listen()), asyncio.create_task(driver.overhear())]
    try:
        await driver.until(lambda seen: bool(seen.methods))
        yield driver
        await driver.close()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.gather(*tasks)
    complaints = [line for line in driver.complaints if not line.startswith(CONFINED)]
    assert not complaints, "".join(complaints)
