"""pytest fixtures of the fake servers; tests/conftest.py imports them."""

from collections.abc import Iterator

import pytest

from tests.fakes import llama
from tests.fakes.kimi import FakeKimi


@pytest.fixture
def kimi() -> Iterator[FakeKimi]:
    """A fake Kimi with the rules of kimi-k2.6, no limits, and nothing to say yet."""
    with FakeKimi() as running:
        yield running


@pytest.fixture(scope="session")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[llama.Llama]:
    """llama.cpp's own server with a tiny random model, one for the session."""
    reason = llama.missing()
    if reason and llama.is_required():
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("llama")
    llama.tiny_model(home / "tiny.gguf")
    with llama.serving(home / "tiny.gguf", home / "server.log") as running:
        yield running
