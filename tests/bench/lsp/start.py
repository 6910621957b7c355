"""From the start of the process to its first answer and its first diagnostics; what it holds and imports by then."""

import statistics
from collections import defaultdict
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.bench.figure import Figure, at_most, reported
from tests.bench.lsp.endpoint import Endpoint, model
from tests.bench.lsp.process import rss_mib
from tests.bench.lsp.samples import Sample, is_marked
from tests.bench.lsp.servers import LOOP, PYGLS, RUFF, Server, ours, private, pylsp, rotated
from tests.lsp.raw import RawClient

_HEAVY = ("openai", "sqlalchemy", "mcp", "acp")


async def start(root: Path, sample: Sample, rounds: int) -> AsyncGenerator[Figure]:
    """Interleaved starts; medians. The document is opened when the answer to `initialize` is there.

    Memory is that of the server and what it started, when the diagnostics are there.
    """
    servers = (ours(0), LOOP, PYGLS, RUFF, pylsp())
    answered: dict[str, list[float]] = defaultdict(list)
    diagnosed: dict[str, list[float]] = defaultdict(list)
    held: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        taking_part = servers[: None if number % 3 == 0 else 3]  # ruff and pylsp in a third of the rounds
        for server in rotated(taking_part, number):
            answer_ms, diagnostics_ms, mib = await _start(server, root, sample)
            answered[server.name].append(answer_ms)
            diagnosed[server.name].append(diagnostics_ms)
            held[server.name].append(mib)
    mine, floor, echo, ruff, slow = (statistics.median(answered[one.name]) for one in servers)
    name = "lsp: spawn to the answer to initialize"
    yield at_most(name, mine, "ms", 1.5, peer=floor, peer_name=LOOP.name)
    for peer, took in ((PYGLS.name, echo), (RUFF.name, ruff), ("pylsp", slow)):
        yield reported(name, mine, "ms", peer=took, peer_name=peer)
    mine, floor, echo, ruff, slow = (statistics.median(diagnosed[one.name]) for one in servers)
    name = f"lsp: spawn to the first diagnostics of {sample.size:,} lines"
    yield at_most(name, mine, "ms", 1.3, peer=echo, peer_name=PYGLS.name)
    for peer, took in ((LOOP.name, floor), (RUFF.name, ruff), ("pylsp", slow)):
        yield reported(name, mine, "ms", peer=took, peer_name=peer)
    mine, floor, echo, ruff, slow = (statistics.median(held[one.name]) for one in servers)
    name = f"lsp: memory before an audit, {sample.size:,} lines open"
    yield at_most(name, mine, "MiB", 80)
    for peer, used in ((PYGLS.name, echo), (LOOP.name, floor), (RUFF.name, ruff), ("pylsp", slow)):
        yield reported(name, mine, "MiB", peer=used, peer_name=peer)


async def imports(endpoint: Endpoint, root: Path, sample: Sample) -> AsyncGenerator[Figure]:
    """The interpreter itself says what it imports (`-X importtime`), before an audit and after one."""
    before = await _imported(endpoint, root, sample, audit=False)
    early = sorted(before & set(_HEAVY))
    yield at_most(f"lsp: heavy packages before an audit ({', '.join(early) or 'none'})", len(early), "packages", 0)
    after = await _imported(endpoint, root, sample, audit=True)
    late = sorted(after & set(_HEAVY))
    assert "openai" in late, "an audit was not seen to import anything: nor was its absence"
    yield reported(f"lsp: heavy packages after an audit ({', '.join(late) or 'none'})", len(late), "packages")


async def _start(server: Server, root: Path, sample: Sample) -> tuple[float, float, float]:
    """Milliseconds to the answer to `initialize` and to the diagnostics of a file; MiB then."""
    async with server.session(root) as client:
        uri = (root / "sample.py").as_uri()
        client.open(uri, sample.marked)
        published = await client.published(uri, lambda diagnostics: is_marked(diagnostics, sample.line))
        answer = next(message for message in client.messages if message.is_response_to(1))
        times_ms = [(one.at - client.spawned_at) * 1000 for one in (answer, published)]
        return times_ms[0], times_ms[1], rss_mib(client.left())


async def _imported(endpoint: Endpoint, root: Path, sample: Sample, *, audit: bool) -> set[str]:
    """The top-level packages that were imported from the start to an orderly end."""
    python, *arguments = ours(0).command
    command, uri = (python, "-X", "importtime", *arguments), (root / "sample.py").as_uri()
    await endpoint.answer_empty()
    env = {**private(root), **model(endpoint)}
    async with RawClient.start(command, env=env, settings=ours(0).settings) as client:
        await client.initialize(root=root)
        client.open(uri, sample.marked)
        await client.published(uri, lambda diagnostics: is_marked(diagnostics, sample.line))
        if audit:
            await client.execute("kimi.auditFile", {"uri": uri})
        await client.shutdown()
        await client.output_ended()
        rows = (row for row in client.stderr.splitlines() if row.startswith("import time:"))
        return {row.rpartition("|")[2].strip().partition(".")[0] for row in rows}
