"""What real editors send in `initialize` is what was captured, and the server takes it.

With KIMI_TEST_CAPTURE=1 the captures of the editors that are here are written anew.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kimi_lsp.lsp.protocol import InitializeParams
from tests.editors import captures
from tests.editors.helix import Helix
from tests.editors.programs import Program, each
from tests.editors.steered import Steered
from tests.editors.terminal import PATIENCE_S
from tests.editors.workshop import Workshop

LISTENER = Path(__file__).with_name("listener.py")
PAUSE_S = 0.01


@pytest.fixture
def sent(program: Program, workshop: Workshop, tmp_path: Path) -> Iterator[str]:
    """The parameters that the editor sends, as JSON."""
    file = tmp_path / "initialize.json"
    kind = Helix if program.name == "helix" else Steered
    editor = kind(program, workshop, (sys.executable, str(LISTENER), str(file)))
    try:
        if isinstance(editor, Steered):
            editor.open(workshop.file)
        deadline = time.monotonic() + PATIENCE_S
        while not file.exists():
            assert time.monotonic() < deadline, f"no initialize came:\n{editor.terminal.text}"
            time.sleep(PAUSE_S)
        yield file.read_text("utf-8")
    finally:
        workshop.family.kill()
        editor.close()


@each("neovim", "emacs", "helix")
def test_an_editor_sends_what_was_captured(program: Program, workshop: Workshop, sent: str) -> None:
    now = captures.scrubbed(sent, workshop.root)
    if os.environ.get("KIMI_TEST_CAPTURE") == "1":
        captures.keep(program.id, now)
    before = captures.captured(program.id)
    if before is None:
        pytest.skip(f"no capture of {program.id} yet: run this test with KIMI_TEST_CAPTURE=1")
    assert now == json.loads(before)


@pytest.mark.parametrize("name", captures.names())
def test_the_server_understands_a_capture(name: str) -> None:
    text = captures.captured(name)
    assert text is not None
    params = msgspec.json.decode(text, type=InitializeParams)
    assert params.process_id == 1
    assert params.root_uri in {"file:///project", "file:///project/"}


def test_nothing_of_the_machine_is_in_a_capture() -> None:
    sent = {"processId": 4711, "rootPath": "/tmp/x/project", "workspaceFolders": [{"uri": "file:///tmp/x/project/"}]}
    assert captures.scrubbed(json.dumps(sent), Path("/tmp/x/project")) == {
        "processId": 1,
        "rootPath": "/project",
        "workspaceFolders": [{"uri": "file:///project/"}],
    }
    for name in captures.names():
        text = (captures.captured(name) or b"").decode()
        assert text
        assert not any(word in text for word in ("/tmp", "/home", "/root", "pytest"))
