"""The menu at a finding: what is in it, in which order, for whom, and that nothing in it edits or decides by itself."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from lsprotocol import converters, types

from kimi_lsp.lsp import capabilities
from kimi_lsp.lsp.actions_menu import REASONS, Entry, at_place, menu
from kimi_lsp.lsp.client import ClientCaps
from kimi_lsp.lsp.commands import CommandName, FindingArgument, RuleArgument, SelectionArgument
from kimi_lsp.lsp.convert import Shown, diagnostic, to_range
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.protocol import (
    ClientDiagnostic,
    CodeAction,
    CodeActionContext,
    CodeActionParams,
    Command,
    Position,
    Range,
    TextDocumentIdentifier,
)
from kimi_lsp.store.values import Decision, Verdict
from mcp_tools.finding import Finding, Level, Region
from mcp_tools.output import printable
from tests.lsp.shown import BY_MODEL, BY_TOOL, PLACE, SOURCE, SQL, project_uri, shown
from tests.output.samples import findings

_URI = "file:///p/app/db.py"
_CURSOR = Range(Position(2, 5), Position(2, 5))
_SELECTION = Range(Position(2, 5), Position(3, 0))
_UTF16 = PositionEncoding.UTF16
_CONFIRMED = Verdict(BY_MODEL.fingerprint, Decision.CONFIRMED, "", "ann", "2026-11-24")


def _params(
    span: Range = _CURSOR,
    *,
    only: list[str] | None = None,
    trigger: int | None = 1,
    diagnostics: Sequence[ClientDiagnostic] = (),
) -> CodeActionParams:
    context = CodeActionContext(list(diagnostics), only, trigger)
    return CodeActionParams(TextDocumentIdentifier(_URI), span, context)


def _entry(one: Shown, verdict: Verdict | None = None) -> Entry:
    return Entry(one, diagnostic(one, SOURCE, ClientCaps(), _UTF16, project_uri), verdict)


def _titles(*entries: Entry, params: CodeActionParams | None = None) -> list[str]:
    return [action.title for action in menu(entries, params or _params(), has_literals=True)]


def test_a_models_finding_has_all_choices_in_the_order_of_use() -> None:
    assert _titles(_entry(shown(BY_MODEL))) == snapshot(
        [
            "Kimi: Confirm sql-injection",
            "Kimi: Dismiss sql-injection: false positive",
            "Kimi: Dismiss sql-injection: accepted risk",
            "Kimi: Dismiss sql-injection: intended",
            "Kimi: Dismiss sql-injection: not worth fixing",
            "Kimi: Show reasoning: sql-injection",
            "Kimi: Copy as Markdown: sql-injection",
            "Kimi: Open rule page: sql-injection",
            "Kimi: Audit this file again",
        ]
    )


def test_a_tools_finding_has_no_reasoning_to_show() -> None:
    assert not any("reasoning" in title for title in _titles(_entry(shown(BY_TOOL))))


def test_each_choice_is_a_command_that_finds_its_finding() -> None:
    this = FindingArgument(_URI, BY_MODEL.fingerprint)
    wanted = {
        CommandName.CONFIRM: [this],
        CommandName.DISMISS: [FindingArgument(_URI, BY_MODEL.fingerprint, reason) for reason in REASONS],
        CommandName.SHOW_REASONING: [this],
        CommandName.COPY_AS_MARKDOWN: [this],
        CommandName.OPEN_RULE_PAGE: [RuleArgument("sql-injection")],
    }
    commands = menu([_entry(shown(BY_MODEL))], _params(), has_literals=False)
    assert all(isinstance(command, Command) for command in commands)
    for name, arguments in wanted.items():
        sent = [one.arguments for one in commands if isinstance(one, Command) and one.command == name]
        assert sent == [[argument] for argument in arguments]


def test_several_findings_share_one_menu_and_the_undecided_and_gravest_comes_first() -> None:
    note = replace(BY_TOOL, rule=replace(SQL, id="no-tabs"), level=Level.NOTE, fingerprint="33" * 16)
    extra = replace(BY_TOOL, rule=replace(SQL, id="weak-hash"), level=Level.NOTE, fingerprint="44" * 16)
    entries = [
        _entry(shown(BY_MODEL), _CONFIRMED),
        _entry(shown(note)),
        _entry(shown(extra)),
        _entry(shown(BY_TOOL)),
    ]
    assert _titles(*entries, params=_params(only=["quickfix"])) == snapshot(
        [
            "Kimi: Confirm sql-injection (The query is built from `query`.)",
            "Kimi: Dismiss sql-injection (The query is built from `query`.): false positive",
            "Kimi: Dismiss sql-injection (The query is built from `query`.): accepted risk",
            "Kimi: Dismiss sql-injection (The query is built from `query`.): intended",
            "Kimi: Dismiss sql-injection (The query is built from `query`.): not worth fixing",
            "Kimi: Copy as Markdown: sql-injection (The query is built from `query`.)",
            "Kimi: Open rule page: sql-injection",
            "Kimi: Confirm no-tabs",
            "Kimi: Dismiss no-tabs: false positive",
            "Kimi: Confirm weak-hash",
            "Kimi: Dismiss weak-hash: false positive",
            "Kimi: Audit this file again",
        ]
    )


def test_a_confirmed_finding_can_still_be_dismissed() -> None:
    titles = _titles(_entry(shown(BY_MODEL), _CONFIRMED))
    assert "Kimi: Confirm sql-injection" not in titles
    assert "Kimi: Dismiss sql-injection: false positive" in titles


def test_a_finding_without_a_fingerprint_cannot_be_decided() -> None:
    assert _titles(_entry(shown(replace(BY_TOOL, fingerprint="")))) == [
        "Kimi: Open rule page: sql-injection",
        "Kimi: Audit this file again",
    ]


def test_without_a_finding_only_an_audit_is_offered() -> None:
    assert _titles() == ["Kimi: Audit this file"]
    assert _titles(params=_params(_SELECTION)) == ["Kimi: Audit this file", "Kimi: Audit the selection"]
    _, action = menu([], _params(_SELECTION), has_literals=True)
    assert isinstance(action, CodeAction)
    assert action.command is not None
    assert action.command.arguments == [SelectionArgument(_URI, _SELECTION)]


def test_a_light_bulb_that_nobody_asked_for_stays_dark_without_a_finding() -> None:
    assert _titles(params=_params(_SELECTION, trigger=2)) == []
    assert _titles(params=_params(_SELECTION, trigger=2, only=["source"])) == []
    assert _titles(params=_params(trigger=2, only=["source.kimi.audit"])) == ["Kimi: Audit this file"]
    assert len(_titles(_entry(shown(BY_MODEL)), params=_params(trigger=2))) == 9


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (None, {"quickfix", "source"}),
        ([""], {"quickfix", "source"}),
        (["quickfix"], {"quickfix"}),
        (["source"], {"source"}),
        (["quickfix", "source.kimi"], {"quickfix", "source"}),
        (["source.fixAll"], set[str]()),
        (["refactor"], set[str]()),
        (["quick"], set[str]()),
        ([], set[str]()),
    ],
)
def test_only_the_kinds_that_are_asked_for_are_given(only: list[str] | None, kinds: set[str]) -> None:
    actions = menu([_entry(shown(BY_MODEL))], _params(_SELECTION, only=only), has_literals=True)
    assert {str(one.kind).partition(".")[0] for one in actions if isinstance(one, CodeAction)} == kinds
    titles = [one.title for one in menu([_entry(shown(BY_MODEL))], _params(_SELECTION, only=only), has_literals=False)]
    assert titles == [one.title for one in actions]


def test_a_kind_below_ours_is_honoured() -> None:
    titles = _titles(_entry(shown(BY_MODEL)), params=_params(only=["quickfix.kimi.dismiss"]))
    assert [title.rpartition(": ")[2] for title in titles] == list(REASONS)


def test_every_kind_and_command_is_announced() -> None:
    for action in menu([_entry(shown(BY_MODEL))], _params(_SELECTION), has_literals=True):
        assert isinstance(action, CodeAction)
        assert action.command is not None
        assert action.command.command in capabilities.COMMANDS
        assert any(str(action.kind).startswith(f"{kind}.") for kind in capabilities.ACTION_KINDS)


def test_nothing_edits_and_nothing_is_preferred() -> None:
    for action in menu([_entry(shown(BY_MODEL)), _entry(shown(BY_TOOL))], _params(), has_literals=True):
        assert isinstance(action, CodeAction)
        assert action.is_preferred is None
        assert set(msgspec.to_builtins(action)) <= {"title", "kind", "diagnostics", "command"}


_LSP = converters.get_converter()


@given(st.lists(findings(["app/db.py"]), max_size=5), st.booleans())
def test_whatever_findings_say_a_client_can_read_the_menu(many: list[Finding], has_literals: bool) -> None:
    entries = [_entry(shown(one)) for one in many]
    actions = menu(entries, _params(_SELECTION), has_literals=has_literals)
    kind = types.CodeAction if has_literals else types.Command
    for action in actions:
        read = _LSP.structure(msgspec.json.decode(msgspec.json.encode(action)), kind)
        assert printable(read.title) == read.title
        assert read.title.startswith("Kimi: ")
        assert len(read.title) < 250
    assert len(actions) <= 15


def test_the_findings_of_a_menu_are_at_the_range_or_named_by_the_client() -> None:
    far = Shown(replace(BY_TOOL, fingerprint="33" * 16), Region(4, 0, 4, 4))
    here = Shown(BY_MODEL, PLACE)
    every = [far, here]

    def named(
        region: Region, code: str | int | None = "sql-injection", source: str | None = "kimi"
    ) -> CodeActionParams:
        sent = ClientDiagnostic(to_range(region, SOURCE, _UTF16), code, source)
        return _params(diagnostics=[sent])

    assert at_place(every, _params(), SOURCE, _UTF16) == [here]
    assert at_place(every, named(Region(4, 0, 4, 4)), SOURCE, _UTF16) == [here, far]
    assert at_place(every, named(PLACE), SOURCE, _UTF16) == [here]
    assert at_place(every, named(Region(4, 0, 4, 3)), SOURCE, _UTF16) == [here]
    assert at_place(every, named(Region(4, 0, 4, 4), "other"), SOURCE, _UTF16) == [here]
    assert at_place(every, named(Region(4, 0, 4, 4), source="pylsp"), SOURCE, _UTF16) == [here]
    assert at_place(every, _params(Range(Position(9, 0), Position(9, 0))), SOURCE, _UTF16) == []
