"""Fixtures: a project, a private home, and no server left over when the test is done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.clients import world as worlds
from tests.mcp.clients.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small project. Whichever way its client went, no server of it stays."""
    made = worlds.make(tmp_path)
    yield made
    made.wait_until_gone()
