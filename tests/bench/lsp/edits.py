"""From an edit to what the tools say of it, what taking an edit in costs, and a burst of edits. The model is off."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.figure import Figure, at_most, percentile, reported
from tests.bench.lsp.samples import LINE, Sample, is_marked, keystroke, put_in, take_out
from tests.bench.lsp.servers import LOOP, MUTE_PYGLS, PYGLS, RUFF, Server, ours, pylsp, rotated
from tests.lsp.raw import RawClient, edit

_BURST = 100
_DEBOUNCE_MS = 100
_AFTER_DEBOUNCE_MS = 50


async def edits(root: Path, sample: Sample, rounds: int) -> AsyncGenerator[Figure]:
    """Put a line in, take it out: each time until the diagnostics say so. The servers take turns.

    Ours is told a debounce of 0, so none is in its figure. pylsp cannot be told; its figure holds its 500 ms, and it
    takes part in a tenth of the rounds.
    """
    servers, uri = (ours(0), RUFF, PYGLS, LOOP, pylsp()), (root / "sample.py").as_uri()
    took: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        clients = {server.name: await stack.enter_async_context(server.session(root)) for server in servers}
        for client in clients.values():
            client.open(uri, sample.text)
            await client.published(uri)
        for name in (RUFF.name, PYGLS.name, LOOP.name, "ours"):  # the debounce of pylsp hides any warmth
            await _there_and_back(clients[name], uri, sample)
        for number in range(rounds):
            for name, client in rotated(list(clients.items()), number):
                if name != "pylsp" or number % 10 == 0:
                    took[name] += await _there_and_back(client, uri, sample)
    name = f"lsp: edit to tool diagnostics, {sample.size:,} lines"
    p50, p95 = ({one: percentile(took[one], share) for one in clients} for share in (0.50, 0.95))
    yield at_most(f"{name}, p50", p50["ours"], "ms", 5, peer=p50[RUFF.name], peer_name=RUFF.name)
    for peer in (PYGLS.name, LOOP.name, "pylsp"):
        yield reported(f"{name}, p50", p50["ours"], "ms", peer=p50[peer], peer_name=peer)
    if sample.size == 2_000:
        yield at_most(f"{name}, p95", p95["ours"], "ms", 50)
    yield reported(f"{name}, p95", p95["ours"], "ms", peer=p95[RUFF.name], peer_name=RUFF.name)


async def taking_in(root: Path, sample: Sample, rounds: int) -> AsyncGenerator[Figure]:
    """The handling of `didChange` alone: a hover with a change in front of it, less a hover; medians.

    The hover is of the changed document, so it cannot be answered before the change is in. Ours is told a debounce
    longer than the pause between two changes, and the floor looks for nothing: neither publishes meanwhile.
    """
    servers, uri = (ours(2_000), MUTE_PYGLS), (root / "sample.py").as_uri()
    changed: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        clients = {server.name: await stack.enter_async_context(server.session(root)) for server in servers}
        for client in clients.values():
            client.open(uri, sample.typed)
            for _ in range(6):
                await keystroke(client, uri, sample)
        for number in range(rounds):
            for name, client in rotated(list(clients.items()), number):
                changed[name] += [await keystroke(client, uri, sample) for _ in range(20)]
                asked[name] += [await keystroke(client, uri, sample, change=False) for _ in range(20)]
    whole = {name: statistics.median(changed[name]) for name in clients}
    alone = {name: whole[name] - statistics.median(asked[name]) for name in clients}
    name, floor = f"lsp: didChange alone, {sample.size:,} lines", MUTE_PYGLS.name
    yield at_most(name, alone["ours"], "ms", 2, peer=alone[floor], peer_name=floor)
    yield reported(f"{name}, with the hover behind it", whole["ours"], "ms", peer=whole[floor], peer_name=floor)


async def burst(root: Path, sample: Sample, rounds: int) -> AsyncGenerator[Figure]:
    """A line typed in 100 edits, back to back: publishes, and the time from the last edit to the right diagnostics."""
    servers = (ours(_DEBOUNCE_MS), RUFF, PYGLS, pylsp())
    final_ms: dict[str, list[float]] = defaultdict(list)
    publishes: dict[str, list[int]] = defaultdict(list)
    for number in range(rounds):
        for server in rotated(servers, number):
            took_ms, count = await _burst(server, root, sample)
            final_ms[server.name].append(took_ms)
            publishes[server.name].append(count)
    name, most = f"lsp: burst of {_BURST} edits, {sample.size:,} lines", _DEBOUNCE_MS + _AFTER_DEBOUNCE_MS
    yield at_most(f"{name}, publishes", max(publishes["ours"]), "publishes", 2)
    for peer in (RUFF.name, "pylsp"):
        mine, theirs = statistics.median(publishes["ours"]), statistics.median(publishes[peer])
        yield reported(f"{name}, publishes", mine, "publishes", peer=theirs, peer_name=peer)
    mine = statistics.median(final_ms["ours"])
    yield at_most(f"{name}, final state after a debounce of {_DEBOUNCE_MS} ms", mine, "ms", most)
    yield reported(f"{name}, final state, worst of {rounds}", max(final_ms["ours"]), "ms")
    for peer in (RUFF.name, PYGLS.name, "pylsp"):
        theirs = statistics.median(final_ms[peer])
        yield reported(f"{name}, final state", mine, "ms", peer=theirs, peer_name=peer)


async def _there_and_back(client: RawClient, uri: str, sample: Sample) -> list[float]:
    """Put the line in and take it out; the milliseconds of each, from the write to the publish that is right."""
    took: list[float] = []
    for change, is_right in ((put_in, True), (take_out, False)):
        since, began = client.mark, time.perf_counter()
        version = change(client, uri, sample)
        published = await client.published(
            uri, lambda found, right=is_right: is_marked(found, sample.line) is right, since=since, version=version
        )
        took.append((published.at - began) * 1000)
    return took


async def _burst(server: Server, root: Path, sample: Sample) -> tuple[float, int]:
    """Milliseconds from the last edit to the right diagnostics of the last version, and the publishes in all."""
    uri = (root / "sample.py").as_uri()
    async with server.session(root) as client:
        client.open(uri, sample.text)
        await client.published(uri)
        since = client.mark
        client.change(uri, edit((sample.line, 0), (sample.line, 0), "\n"))
        for column, character in enumerate(LINE.ljust(_BURST - 2, "!")):
            client.change(uri, edit((sample.line, column), (sample.line, column), character))
        sent = time.perf_counter()
        version = client.change(uri, edit((sample.line, _BURST - 2), (sample.line, _BURST - 2), "."))
        published = await client.published(
            uri, lambda found: is_marked(found, sample.line), since=since, version=version
        )
        await asyncio.sleep(3 * _DEBOUNCE_MS / 1000)  # whatever else it has to say
        return (published.at - sent) * 1000, len(client.publishes(uri, since=since))
