"""Which editors are here: those that `.ci/editors.py` unpacked."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("neovim", "emacs", "helix")


@dataclass(frozen=True, slots=True)
class Program:
    """An editor and the script that starts it."""

    name: str
    version: str
    path: Path

    @property
    def id(self) -> str:
        """`neovim-0.12.4`."""
        return f"{self.name}-{self.version}"

    @property
    def release(self) -> tuple[int, ...]:
        """The version in numbers."""
        return tuple(int(part) for part in self.version.split("."))


@dataclass(frozen=True, slots=True)
class Missing:
    """An editor that is not here."""

    name: str

    @property
    def id(self) -> str:
        """`neovim-missing`."""
        return f"{self.name}-missing"


def folder() -> Path:
    """Where editors are looked for: KIMI_TEST_EDITORS, else the folder that `.ci/editors.py` fills."""
    return Path(os.environ.get("KIMI_TEST_EDITORS") or Path.home() / ".cache" / "kimi-lsp-ci" / "editors")


def installed(name: str) -> list[Program]:
    """The versions of an editor that are here, the oldest first."""
    found = [Program(name, path.name.removeprefix(f"{name}-"), path) for path in folder().glob(f"*/bin/{name}-[0-9]*")]
    return sorted(found, key=lambda program: program.release)


def each(*names: str) -> pytest.MarkDecorator:
    """Run a test in every version of these editors; the fixture `program` has it."""
    programs = [program for name in names for program in installed(name) or [Missing(name)]]
    return pytest.mark.parametrize("program", programs, indirect=True, ids=lambda program: program.id)


def found(wanted: Program | Missing) -> Program:
    """The editor, or the end of the test: skipped, failed where KIMI_TEST_REQUIRE_EDITORS=1."""
    if isinstance(wanted, Program):
        return wanted
    reason = f"no {wanted.name} in {folder()}: run `python3 .ci/editors.py`"
    if os.environ.get("KIMI_TEST_REQUIRE_EDITORS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
