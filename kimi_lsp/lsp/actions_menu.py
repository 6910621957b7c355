"""The menu at a finding: confirm, dismiss, understand, audit again. Nothing in it edits a file, nothing runs by itself.

No entry is marked as preferred, so that "fix all" and "auto fix" leave decisions to humans.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kimi_lsp.faces.markup import clipped, one_line
from kimi_lsp.faces.rule_pages import page_uri
from kimi_lsp.lsp.commands import (
    Argument,
    CommandName,
    FileArgument,
    FindingArgument,
    RuleArgument,
    SelectionArgument,
)
from kimi_lsp.lsp.convert import SOURCE, Shown, is_models, place, to_region, touching
from kimi_lsp.lsp.encoding import PositionEncoding
from kimi_lsp.lsp.protocol import CodeAction, CodeActionParams, Command, Diagnostic
from kimi_lsp.store.values import Verdict
from mcp_tools.output.summary import headline
from mcp_tools.project import Source

REASONS = ("false positive", "accepted risk", "intended", "not worth fixing")
"""Why findings are dismissed, as LSP has no box to type in. A client with one may send any other words."""

_QUICK = "quickfix.kimi"
_WHOLE = "source.kimi"
_AUTOMATIC = 2  # the client asks for its light bulb or on save, not the user
_MAX_FINDINGS = 3
_MAX_LABEL = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding at the place, with its diagnostic as it was published and the word on it."""

    shown: Shown
    diagnostic: Diagnostic | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    title: str
    kind: str
    command: CommandName
    argument: Argument
    diagnostic: Diagnostic | None = None


def at_place(
    shown: Sequence[Shown], params: CodeActionParams, source: Source, encoding: PositionEncoding
) -> list[Shown]:
    """The findings that a menu is asked for: at the range, or in the client's list of our diagnostics there.

    Some clients send the cursor with all diagnostics of its line, some send none. Those at the range go first.
    """
    found = touching(shown, to_region(params.range, source, encoding), source)
    sent = {
        (item.code, to_region(item.range, source, encoding))
        for item in params.context.diagnostics
        if item.source == SOURCE
    }
    named = [one for one in shown if sent and (one.finding.rule.id, place(one, source)) in sent]
    return found + [one for one in named if one not in found]


def menu(entries: Sequence[Entry], params: CodeActionParams, *, has_literals: bool) -> list[CodeAction | Command]:
    """The entries of the menu, in order.

    Args:
        entries: the findings at the place (see `at_place`). The undecided come first, then the graver; the first one
            gets all choices, the second and third only those of a decision, the others none.
        params: what the client asked: only kinds at or below one in `only` are given, and without a finding nothing
            for a request that no user made.
        has_literals: the client takes code actions; else it gets bare commands.
    """
    ordered = sorted(entries, key=lambda entry: (entry.verdict is not None, -entry.shown.finding.severity.rank))
    chosen = [choice for choice in _for_findings(ordered, params) if _is_wanted(choice.kind, params)]
    offered = {choice.command for choice in chosen}
    chosen += [
        choice for choice in _for_document(params) if _is_wanted(choice.kind, params) and choice.command not in offered
    ]
    return [_action(choice) if has_literals else _command(choice) for choice in chosen]


def _for_findings(entries: Sequence[Entry], params: CodeActionParams) -> Iterator[_Choice]:
    uri, labels = params.text_document.uri, _labels(entries)
    for index, (entry, label) in enumerate(zip(entries[:_MAX_FINDINGS], labels, strict=False)):
        yield from _decisions(entry, label, uri, REASONS if index == 0 else REASONS[:1])
        if index == 0:
            yield from _papers(entry, label, uri)
    if entries:
        title = "Kimi: Audit this file again"
        yield _Choice(title, f"{_QUICK}.audit", CommandName.AUDIT_FILE, FileArgument(uri), entries[0].diagnostic)


def _decisions(entry: Entry, label: str, uri: str, reasons: Sequence[str]) -> Iterator[_Choice]:
    fingerprint = entry.shown.finding.fingerprint
    if not fingerprint:
        return
    if entry.verdict is None:
        finding = FindingArgument(uri, fingerprint)
        title = f"Kimi: Confirm {label}"
        yield _Choice(title, f"{_QUICK}.confirm", CommandName.CONFIRM, finding, entry.diagnostic)
    for reason in reasons:
        finding = FindingArgument(uri, fingerprint, reason)
        title = f"Kimi: Dismiss {label}: {reason}"
        yield _Choice(title, f"{_QUICK}.dismiss", CommandName.DISMISS, finding, entry.diagnostic)


def _papers(entry: Entry, label: str, uri: str) -> Iterator[_Choice]:
    finding = entry.shown.finding
    this = FindingArgument(uri, finding.fingerprint or None)
    if is_models(finding) and finding.fingerprint:
        title = f"Kimi: Show reasoning: {label}"
        yield _Choice(title, f"{_QUICK}.reasoning", CommandName.SHOW_REASONING, this, entry.diagnostic)
    if finding.fingerprint:
        title = f"Kimi: Copy as Markdown: {label}"
        yield _Choice(title, f"{_QUICK}.copy", CommandName.COPY_AS_MARKDOWN, this, entry.diagnostic)
    if page_uri(finding.rule.id) is not None:
        title = f"Kimi: Open rule page: {finding.rule.id}"
        rule = RuleArgument(finding.rule.id)
        yield _Choice(title, f"{_QUICK}.rule", CommandName.OPEN_RULE_PAGE, rule, entry.diagnostic)


def _for_document(params: CodeActionParams) -> Iterator[_Choice]:
    """What can be done without a finding. A light bulb on every line would be noise, an audit on every save a bill."""
    only = params.context.only or []
    if params.context.trigger_kind == _AUTOMATIC and not any(_is_below(kind, _WHOLE) for kind in only):
        return
    uri = params.text_document.uri
    yield _Choice("Kimi: Audit this file", f"{_WHOLE}.audit", CommandName.AUDIT_FILE, FileArgument(uri))
    if params.range.start != params.range.end:
        title, selection = "Kimi: Audit the selection", SelectionArgument(uri, params.range)
        yield _Choice(title, f"{_WHOLE}.auditSelection", CommandName.AUDIT_SELECTION, selection)


def _labels(entries: Sequence[Entry]) -> list[str]:
    """A short name for each finding: its rule, and its message where two have the same."""
    names = [clipped(one_line(entry.shown.finding.rule.id), _MAX_LABEL) for entry in entries]
    return [
        f"{name} ({clipped(one_line(headline(entry.shown.finding)), _MAX_LABEL)})" if names.count(name) > 1 else name
        for name, entry in zip(names, entries, strict=True)
    ]


def _is_wanted(kind: str, params: CodeActionParams) -> bool:
    only = params.context.only
    return only is None or any(_is_below(kind, wanted) for wanted in only)


def _is_below(kind: str, above: str) -> bool:
    """Say whether a kind is another one or below it; all are below the empty one."""
    return not above or kind == above or kind.startswith(f"{above}.")


def _action(choice: _Choice) -> CodeAction:
    about = [choice.diagnostic] if choice.diagnostic is not None else None
    return CodeAction(choice.title, kind=choice.kind, diagnostics=about, command=_command(choice))


def _command(choice: _Choice) -> Command:
    return Command(choice.title, choice.command.value, [choice.argument])
