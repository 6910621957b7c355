"""The figures of the language server, beside `ruff server`, python-lsp-server, a bare pygls server and a bare loop."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.lsp.cancel import cancels
from tests.bench.lsp.edits import burst, edits, taking_in
from tests.bench.lsp.endpoint import Endpoint
from tests.bench.lsp.samples import samples
from tests.bench.lsp.start import imports, start
from tests.bench.lsp.streams import keystrokes, shown
from tests.bench.lsp.upkeep import growth


def run(quick: bool) -> Iterator[Figure]:
    """All figures, one part after the other; in each part the servers take turns. Full: some six minutes."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        root = Path(folder) / "project"
        root.mkdir()
        figures = _figures(root, quick=quick)
        while (figure := runner.run(_next(figures))) is not None:
            yield figure


async def _figures(root: Path, *, quick: bool) -> AsyncGenerator[Figure]:
    async with Endpoint.start() as endpoint:
        for part in _parts(endpoint, root, quick=quick):
            async with aclosing(part):
                async for figure in part:
                    yield figure


def _parts(endpoint: Endpoint, root: Path, *, quick: bool) -> Iterator[AsyncGenerator[Figure]]:
    small, medium, large = samples()
    sizes = (medium,) if quick else (small, medium, large)
    yield start(root, medium, 1 if quick else 21)
    yield imports(endpoint, root, medium)
    for sample in sizes:
        yield edits(root, sample, 3 if quick else 60)
    for sample in sizes:
        yield taking_in(root, sample, 1 if quick else 15)
    for sample in sizes:
        yield burst(root, sample, 1 if quick else 5)
    yield shown(endpoint, root, 1 if quick else 5)
    yield keystrokes(endpoint, root, medium, 1 if quick else 8)
    yield cancels(endpoint, root, 1 if quick else 20)
    yield growth(endpoint, root, 30 if quick else 1_000)


async def _next(figures: AsyncGenerator[Figure]) -> Figure | None:
    return await anext(figures, None)
