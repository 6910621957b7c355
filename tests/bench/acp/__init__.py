"""The figures of the ACP agent, beside a bare loop and the same loop after importing the protocol's own SDK."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

from tests.acp.world import World
from tests.bench.acp.cancel import cancels
from tests.bench.acp.flow import panel, turn
from tests.bench.acp.start import start
from tests.bench.acp.upkeep import turns
from tests.bench.figure import Figure


def run(quick: bool) -> Iterator[Figure]:
    """All figures, one part after the other. Full: some two minutes; quick: some fifteen seconds."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        figures = _figures(World.make(Path(folder)), quick=quick)
        while (figure := runner.run(_next(figures))) is not None:
            yield figure


async def _figures(world: World, *, quick: bool) -> AsyncGenerator[Figure]:
    for part in (
        start(world, 2 if quick else 31),
        cancels(world, 2 if quick else 40),
        panel(0.3 if quick else 5.0),
        turn(world, 300 if quick else 5_000),
        turns(world, 4 if quick else 50),
    ):
        async with aclosing(part):
            async for figure in part:
                yield figure


async def _next(figures: AsyncGenerator[Figure]) -> Figure | None:
    return await anext(figures, None)
