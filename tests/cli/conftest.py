"""Fixtures of the command line's tests."""

from pathlib import Path

import pytest

from tests.cli.harness import APP, KEY, Cli


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command line, a project with one file, and a key."""
    monkeypatch.setenv("MOONSHOT_API_KEY", KEY)
    root = tmp_path / "project"
    root.mkdir()
    made = Cli(capfd, root)
    made.write({"app.py": APP})
    return made
