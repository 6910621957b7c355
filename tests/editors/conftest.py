"""Fixtures: an editor that is here, a project, and the one at work on the other. Nothing is left running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors import workshop as workshops
from tests.editors.expected import Review
from tests.editors.programs import Missing, Program, found
from tests.editors.steered import Steered
from tests.editors.workshop import Workshop
from tests.fakes.kimi import FakeKimi


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Program:
    """The editor of `programs.each`."""
    wanted: Program | Missing = request.param
    return found(wanted)


@pytest.fixture
def workshop(tmp_path: Path, kimi: FakeKimi) -> Iterator[Workshop]:
    """A small project with a model to ask. Whatever happens to it, a server has nothing to say on standard error."""
    made = workshops.make(tmp_path, kimi)
    yield made
    made.family.kill()
    assert made.log.read_text("utf-8") == ""


@pytest.fixture
def editor(program: Program, workshop: Workshop) -> Iterator[Steered]:
    """A running editor with the project's file open."""
    running = Steered(program, workshop)
    try:
        running.open(workshop.file)
        yield running
        if program.name == "neovim":  # without a screen it draws nothing but its own complaints
            assert running.terminal.text == ""
    finally:
        workshop.family.kill()
        running.close()


@pytest.fixture
def review(kimi: FakeKimi) -> Review:
    """What the model answers."""
    return Review.by(kimi)
