"""Fixtures for every test: the servers, and an environment in which nothing of the person who runs the tests counts."""

import os

import pytest

from tests.fakes.fixtures import kimi, llama_server

__all__ = ["kimi", "llama_server"]

_OURS = ("KIMI_", "MOONSHOT_", "OPENAI_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
_KEPT = ("KIMI_TEST_",)  # what .ci/run tells the tests


@pytest.fixture(autouse=True)
def _private_environment(  # pyright: ignore[reportUnusedFunction] - pytest calls it
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if (name.startswith(_OURS) and not name.startswith(_KEPT)) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("KIMI_LSP_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "xdg-state"))
