"""Arguments of commands: as the menu sends them, as people type them, and absent."""

import msgspec
import pytest
from msgspec import Raw

from kimi_lsp.lsp import capabilities
from kimi_lsp.lsp.commands import (
    Argument,
    CommandName,
    FileArgument,
    FindingArgument,
    RuleArgument,
    SelectionArgument,
    read_argument,
)
from kimi_lsp.lsp.protocol import Position, Range

_SPAN = Range(Position(1, 0), Position(3, 4))


def _sent(argument: Argument) -> list[Raw]:
    return [Raw(msgspec.json.encode(argument))]


@pytest.mark.parametrize(
    "argument",
    [
        FileArgument("file:///a.py"),
        SelectionArgument("file:///a.py", _SPAN),
        FindingArgument("file:///a.py", "ab" * 16, "accepted risk"),
        RuleArgument("sql-injection"),
    ],
)
def test_what_a_menu_entry_carries_comes_back_whole(argument: Argument) -> None:
    assert read_argument(_sent(argument), type(argument)) == argument


@pytest.mark.parametrize("kind", [FileArgument, SelectionArgument, FindingArgument, RuleArgument])
@pytest.mark.parametrize("arguments", [[], [b"null"], [b"{}"]])
def test_a_command_may_come_without_an_argument(kind: type[FileArgument], arguments: list[bytes]) -> None:
    assert read_argument([Raw(argument) for argument in arguments], kind) == kind()


def test_a_bare_word_is_taken_for_what_the_command_is_about() -> None:
    assert read_argument([Raw(b'"file:///a.py"')], FileArgument) == FileArgument("file:///a.py")
    assert read_argument([Raw(b'"weak-hash"')], RuleArgument) == RuleArgument("weak-hash")


@pytest.mark.parametrize("argument", [b"7", b"[]", b'{"uri": 7}', b'{"range": {"start": 1}}'])
def test_an_argument_of_another_shape_is_refused(argument: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_argument([Raw(argument)], SelectionArgument)


def test_the_server_announces_exactly_these_commands() -> None:
    assert sorted(capabilities.COMMANDS) == sorted(CommandName)
