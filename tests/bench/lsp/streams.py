"""While the model answers: how late a finding is shown, and how late a keystroke is taken in."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.bench.figure import Figure, at_most, percentile, reported
from tests.bench.lsp.endpoint import Endpoint, model
from tests.bench.lsp.generated import MOST, findings, text
from tests.bench.lsp.samples import Sample, keystroke
from tests.bench.lsp.servers import ours
from tests.fakes.json_value import Json, get
from tests.lsp.raw import RawClient

_STREAMS = 10
_A_ROUND = 50  # keystrokes
_PAUSE_S = 0.01  # between two keystrokes


async def shown(endpoint: Endpoint, root: Path, audits: int) -> AsyncGenerator[Figure]:
    """From the last byte of a finding's JSON leaving the fake to the first publish that holds it."""
    delays_ms: list[float] = []
    async with ours(0).session(root, model(endpoint)) as client:
        await endpoint.answer_findings(MOST, 0.001)
        for number in range(audits + 1):
            uri, requests = _file(root, f"shown{number}.py", text(number)), await endpoint.requests()
            client.open(uri, text(number))
            result = await client.execute("kimi.auditFile", {"uri": uri})
            assert get(result, "state") == "finished", result
            sent, seen = await endpoint.sent(since=requests), _first_seen(client, uri)
            assert set(sent) == set(findings()), f"{len(sent)} of {MOST} findings were sent"
            assert set(seen) >= set(sent), f"never shown: {sorted(set(sent) - set(seen))}"
            took = [(seen[line] - sent[line]) * 1000 for line in sent]
            assert min(took) > 0, "shown before it was sent"
            delays_ms += took if number else []  # the first one warms up
            client.close(uri)
    name = "lsp: a finding's last byte at the fake to its publish"
    yield reported(f"{name}, p50", percentile(delays_ms, 0.50), "ms")
    yield at_most(f"{name}, p95", percentile(delays_ms, 0.95), "ms", 15)


async def keystrokes(endpoint: Endpoint, root: Path, sample: Sample, rounds: int) -> AsyncGenerator[Figure]:
    """A keystroke and the hover behind it; in turn idle and while ten answers stream in, fifty chunks a second each."""
    typed = (root / "typed.py").as_uri()
    streamed = [_file(root, f"stream{number}.py", text(number)) for number in range(_STREAMS)]
    idle: list[float] = []
    busy: list[float] = []
    await endpoint.answer_endlessly(0.02)
    async with ours(100).session(root, model(endpoint)) as client:
        client.open(typed, sample.typed)
        await _type(client, typed, sample, 20)
        for _ in range(rounds):
            idle += await _type(client, typed, sample, _A_ROUND)
            requests = await endpoint.requests()
            for number, uri in enumerate(streamed):
                client.open(uri, text(number))
                client.request("workspace/executeCommand", {"command": "kimi.auditFile", "arguments": [{"uri": uri}]})
            await endpoint.streaming(_STREAMS, since=requests)
            busy += await _type(client, typed, sample, _A_ROUND)
            assert await endpoint.running() == _STREAMS, "a stream ended before the typing did"
            for uri in streamed:
                client.close(uri)
            await endpoint.closed(since=requests)
    name = f"lsp: keystroke during {_STREAMS} model streams"
    yield reported(f"{name}, p50", percentile(busy, 0.50), "ms", peer=percentile(idle, 0.50), peer_name="idle")
    yield at_most(f"{name}, p99", percentile(busy, 0.99), "ms", 3, peer=percentile(idle, 0.99), peer_name="idle")


async def _type(client: RawClient, uri: str, sample: Sample, count: int) -> list[float]:
    took: list[float] = []
    for _ in range(count):
        took.append(await keystroke(client, uri, sample))
        await asyncio.sleep(_PAUSE_S)
    return took


def _first_seen(client: RawClient, uri: str) -> dict[int, float]:
    """When each line first had a model finding, in seconds."""
    seen: dict[int, float] = {}
    for message in client.publishes(uri):
        for one in message.diagnostics:
            if _is_models(one):
                line = get(one, "range", "start", "line")
                assert isinstance(line, int)
                seen.setdefault(line, message.at)
    return seen


def _is_models(diagnostic: Json) -> bool:
    return get(diagnostic, "code") == "weak-cryptography"


def _file(root: Path, name: str, content: str) -> str:
    (root / name).write_text(content)
    return (root / name).as_uri()
