"""Stores to test: in memory, in a file, and on the server that KIMI_LSP_TEST_DATABASE_URL names, where it is set."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_lsp.store import Store
from tests.store.helpers import Ticker

_SERVER = os.environ.get("KIMI_LSP_TEST_DATABASE_URL")
_SHARED = ["file", "server"] if _SERVER else ["file"]


@pytest.fixture
def clock() -> Ticker:
    return Ticker()


@pytest.fixture(params=["memory", *_SHARED])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Ticker) -> Iterator[Store]:
    place = "sqlite://" if request.param == "memory" else _empty(request.param, tmp_path)
    with Store.open(place, clock=clock) as opened:
        yield opened


@pytest.fixture(params=_SHARED)
def shared_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where several processes can share a store that is not there yet."""
    return _empty(request.param, tmp_path)


def _empty(kind: str, tmp_path: Path) -> Path | str:
    if kind == "file":
        return tmp_path / "state"
    from sqlalchemy import create_engine

    from kimi_lsp.store.tables import metadata

    assert _SERVER is not None
    engine = create_engine(_SERVER)
    metadata.drop_all(engine)
    engine.dispose()
    return _SERVER
