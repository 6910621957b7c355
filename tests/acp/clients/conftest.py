"""Fixtures: the scene a client plays in; whichever way it went, no agent of it stays and all that passed is judged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acp.clients import stage as stages
from tests.acp.clients.stage import KEY_SECRET, Stage
from tests.acp.world import reply
from tests.fakes.kimi import FakeKimi


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A small project with secrets in it, and a model that finds something and answers questions."""
    with FakeKimi(key=KEY_SECRET) as kimi:
        kimi.respond(reply())
        made = stages.make(tmp_path, kimi)
        yield made
        made.finish()
