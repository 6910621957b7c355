"""The fake Kimi in a process of its own, told what to answer line by line; its times are on the clock of the client.

`python -m tests.bench.lsp.endpoint` serves: a JSON command a line in, a JSON answer a line out.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from tests.bench.lsp.generated import findings
from tests.fakes.json_value import Json, JsonObject, compact, get, items, parse
from tests.fakes.kimi import KEY, FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script
from tests.lsp.raw import BOUND_S
from tests.lsp.raw_child import Child

_THOUGHT = "The value comes from the caller and nothing checks it. "


class Endpoint(Child):
    """The client's side."""

    def __init__(self) -> None:
        super().__init__()
        self.base_url = ""
        self._pending = b""
        self._answers: asyncio.Queue[Json] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def start(cls) -> "AsyncGenerator[Endpoint]":
        """Start the server; kill it at the end."""
        for clock in ("perf_counter", "monotonic"):  # times of the two processes are compared
            assert time.get_clock_info(clock).implementation == "clock_gettime(CLOCK_MONOTONIC)"
        endpoint = cls()
        await endpoint._spawn((sys.executable, "-m", "tests.bench.lsp.endpoint"))
        try:
            url = await endpoint._next()
            assert isinstance(url, str)
            endpoint.base_url = url
            yield endpoint
        finally:
            await endpoint.kill()

    async def answer_empty(self) -> None:
        """Answer what comes from now on with no findings, at once."""
        await self._ask({"do": "answer", "kind": "empty"})

    async def answer_findings(self, count: int, chunk_s: float) -> None:
        """Answer with findings for the text of `generated.text`, a chunk of 24 characters every so often."""
        await self._ask({"do": "answer", "kind": "findings", "count": count, "chunk_s": chunk_s})

    async def answer_endlessly(self, chunk_s: float) -> None:
        """Reason for minutes, then answer with no findings."""
        await self._ask({"do": "answer", "kind": "endless", "chunk_s": chunk_s})

    async def requests(self) -> int:
        """How many chat completions were asked for so far: a `since`."""
        return _int(await self._ask({"do": "requests"}))

    async def streaming(self, count: int, *, since: int = 0) -> None:
        """Wait until so many requests from number `since` on are being answered, each with some chunks sent."""
        await self._ask({"do": "streaming", "count": count, "since": since})

    async def running(self) -> int:
        """How many requests are being answered now."""
        return _int(await self._ask({"do": "running"}))

    async def closed(self, *, since: int) -> list[float]:
        """Wait until all requests from number `since` on are over; when the client hung up on each, in seconds.

        AssertionError when one of them was answered to its end.
        """
        times = items(await self._ask({"do": "closed", "since": since}))
        assert all(isinstance(at, float) for at in times), f"answered to the end: {times}"
        return [at for at in times if isinstance(at, float)]

    async def sent(self, *, since: int) -> dict[int, float]:
        """When the last byte of each finding was sent, by its 0-based line, in the requests from number `since` on."""
        pairs = items(await self._ask({"do": "sent", "since": since}))
        return {_int(get(pair, 0)): _float(get(pair, 1)) for pair in pairs}

    async def _ask(self, command: JsonObject) -> Json:
        self.send_bytes(compact(command).encode() + b"\n")
        return await self._next()

    async def _next(self) -> Json:
        try:
            return await asyncio.wait_for(self._answers.get(), 2 * BOUND_S)
        except TimeoutError:
            raise AssertionError(f"the fake did not answer{self._last_words}") from None

    def _said(self, at: float, data: bytes) -> None:
        *rows, self._pending = (self._pending + data).split(b"\n")
        for row in rows:
            self._answers.put_nowait(parse(row))


def model(endpoint: Endpoint) -> dict[str, str]:
    """Variables of a server that audits with the fake, one lane, ten calls at once, and no budget in the way."""
    return {
        "KIMI_LSP_DEPTH": "screen",
        "KIMI_LSP_BASE_URL": endpoint.base_url,
        "KIMI_LSP_LANES": "security",
        "KIMI_LSP_CONCURRENCY": "10",
        "MOONSHOT_API_KEY": KEY,
        "KIMI_LSP_RUN_USD": "100000",
        "KIMI_LSP_DAILY_USD": "100000",
        "KIMI_LSP_WEEKLY_USD": "100000",
    }


def _script(command: Json, request: Recorded) -> Script:
    """The answer that a command asks for."""
    delay_s = _float(get(command, "chunk_s") or 0.0)
    match get(command, "kind"):
        case "empty":
            return Script(content='{"findings": []}')
        case "findings":
            content = '{"findings": [' + ", ".join(findings(_int(get(command, "count"))).values()) + "]}"
            return Script(content=content, chunk_chars=24, delay_s=delay_s)
        case kind:
            assert kind == "endless"
            return Script(reasoning=_THOUGHT * 1_000, content='{"findings": []}', chunk_chars=12, delay_s=delay_s)


def _obey(fake: FakeKimi, command: Json) -> Json:
    """Do what a line says and give its answer."""
    since = _int(get(command, "since") or 0)
    match get(command, "do"):
        case "answer":
            fake.respond(partial(_script, command))
            return None
        case "requests":
            return len(fake.chats)
        case "running":
            return fake.running
        case "streaming":
            count = _int(get(command, "count"))
            fake.wait_for(lambda fake: sum(_is_streaming(one) for one in fake.chats[since:]) >= count, BOUND_S)
            return None
        case "closed":
            fake.wait_for(lambda fake: all(one.is_over for one in fake.chats[since:]), BOUND_S)
            return [one.closed_by_client_at for one in fake.chats[since:]]
        case what:
            assert what == "sent"
            return [[line, at] for one in fake.chats[since:] for line, at in _sent(one)]


def _is_streaming(request: Recorded) -> bool:
    return not request.is_over and request.events_sent > 2


def _sent(request: Recorded) -> list[tuple[int, float]]:
    answer = "".join(write.answer for write in request.sent)
    return [(line, request.answer_sent_at(text)) for line, text in findings().items() if text in answer]


def _int(value: Json) -> int:
    assert isinstance(value, int), value
    return value


def _float(value: Json) -> float:
    assert isinstance(value, int | float), value
    return float(value)


def _serve() -> None:
    with FakeKimi() as fake:
        answer: Json = fake.base_url
        while True:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            row = sys.stdin.readline()
            if not row:
                return
            answer = _obey(fake, parse(row.encode()))


if __name__ == "__main__":
    _serve()
