"""What a server costs that is only there: memory after a thousand audits, CPU at rest."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.bench.figure import Figure, at_most, reported
from tests.bench.lsp.endpoint import Endpoint, model
from tests.bench.lsp.process import cpu_ms, rss_mib, wakeups
from tests.bench.lsp.samples import is_marked
from tests.bench.lsp.servers import ours
from tests.fakes.json_value import get
from tests.lsp.raw import RawClient

_FILES = 20
_GROWTH_MIB = 4.0  # what the allocator keeps and gives back between two looks
_REST_MS = 1.0


async def growth(endpoint: Endpoint, root: Path, rounds: int) -> AsyncGenerator[Figure]:
    """Open, audit with the fake, close, so many times, each time another text; growth after the first tenth."""
    await endpoint.answer_empty()
    async with ours(0).session(root, model(endpoint)) as client:
        early, asked = 0.0, await endpoint.requests()
        for number in range(rounds):
            if number == max(rounds // 10, _FILES):
                early = rss_mib(client.left())
            await _one(client, root, number)
        late = rss_mib(client.left())
        assert await endpoint.requests() - asked == rounds, "not every text was asked about"
        yield reported(f"lsp: memory after {rounds:,} opens, audits and closes", late, "MiB")
        yield at_most(f"lsp: growth over {rounds:,} opens, audits and closes", late - early, "MiB", _GROWTH_MIB)
        seconds = 1.0 if rounds < 1_000 else 5.0
        await asyncio.sleep(seconds)  # for what is still under way
        cpu, waked = cpu_ms(client.pid), wakeups(client.pid)
        await asyncio.sleep(seconds)
        yield at_most(f"lsp: CPU in {seconds:g} s at rest", cpu_ms(client.pid) - cpu, "ms", _REST_MS)
        yield reported(f"lsp: wake-ups in {seconds:g} s at rest", wakeups(client.pid) - waked, "times")


async def _one(client: RawClient, root: Path, number: int) -> None:
    path = root / f"file{number % _FILES}.py"
    uri, content = path.as_uri(), f"import os\n\nvalue = eval(os.environ['A'])\nnumber = {number}\n"
    path.write_text(content)
    since = client.mark
    client.open(uri, content)
    result = await client.execute("kimi.auditFile", {"uri": uri})
    assert get(result, "state") == "finished", result
    await client.published(uri, lambda diagnostics: is_marked(diagnostics, 2), since=since)
    client.close(uri)
