"""What a prompt asks for."""

import json
from pathlib import Path

import msgspec
import pytest
from inline_snapshot import snapshot

from kimi_lsp.acp.commands import SPECS, Asked, Attached, Link, available, read_prompt
from kimi_lsp.acp.protocol import BlockIn
from kimi_lsp.audit.lanes import LANES
from kimi_lsp.errors import UsageError


def asked(*blocks: dict[str, object] | str) -> Asked:
    given = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
    return read_prompt(msgspec.json.decode(json.dumps(given), type=list[BlockIn]))


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("/audit", "audit", ()),
        ("  /audit src tests  ", "audit", ("src", "tests")),
        ("/AUDIT 'a b.py' \"c d\" e", "audit", ("a b.py", "c d", "e")),
        ("/changes main~2", "changes", ("main~2",)),
        ("/audit\nsrc\nlib", "audit", ("src", "lib")),
        ("/audit ''", "audit", ("",)),
    ],
)
def test_a_slash_command_has_a_name_and_words(text: str, name: str, words: tuple[str, ...]) -> None:
    found = asked(text)
    assert found.command is not None
    assert (found.command.name, found.words) == (name, words)


@pytest.mark.parametrize(
    "text", ["audit src", "/nothing here", "/usr/bin/python is what?", "/", "what does /audit do?"]
)
def test_everything_else_is_a_question(text: str) -> None:
    assert asked(text).command is None
    assert asked(text).text == text


def test_what_comes_along_is_told_apart() -> None:
    found = asked(
        "why?",
        {"type": "resource_link", "name": "db.py", "uri": "file:///p/db.py#L10:20"},
        {"type": "resource_link", "name": "Terminal", "uri": "zed:///agent/terminal-selection"},
        {"type": "resource", "resource": {"uri": "file:///p/a%20b.py", "text": "x = 1"}},
        {"type": "resource", "resource": {"uri": "untitled:1", "text": "y"}},
        {"type": "resource", "resource": {"uri": "file:///p/logo.png", "blob": "aGk="}},
    )
    assert found == snapshot(
        Asked(
            text="why?",
            links=(Link(name="db.py", path=Path("/p/db.py")), Link(name="Terminal", path=None)),
            attached=(
                Attached(name="a b.py", text="x = 1", path=Path("/p/a b.py")),
                Attached(name="untitled:1", text="y", path=None),
            ),
            unread=("logo.png",),
        )
    )


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([], "the prompt is empty"),
        (["  "], "the prompt is empty"),
        (["x", {"type": "image", "data": "aGk=", "mimeType": "image/png"}], "prompt[1]: image blocks are not taken"),
        ([{"type": "text"}], "prompt[0]: no block of a prompt"),
        ([{"type": "evil <b>"}], "prompt[0]: no block of a prompt"),
        ([{"type": "resource_link", "uri": "file:///x"}], "prompt[0]: no block of a prompt"),
        (["x" * 200_001], "the prompt has more than 200,000 characters"),
        (["x"] * 201, "the prompt has more than 200 blocks"),
    ],
)
def test_what_is_no_prompt_is_refused_without_quoting_it(blocks: list[dict[str, object] | str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(*blocks)
    assert caught.value.line == said


def test_commands_are_offered_when_their_lane_exists() -> None:
    names = {command.name for command in available()}
    assert names == {spec.name for spec in SPECS if spec.lane is None or spec.lane in LANES}
    assert {"audit", "changes", "security", "health", "explain", "report", "budget"} <= names
