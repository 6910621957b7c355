"""Audits of a turn: which files are meant, their unsaved text, the run, and what is said of it at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import anyio
from anyio import to_thread

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.buffers import Unsaved
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.commands import Asked
from kimi_lsp.acp.homes import Home
from kimi_lsp.acp.options import CHANGES, PROJECT, SCOPE
from kimi_lsp.acp.plain import plain_line
from kimi_lsp.acp.replay import report_entry
from kimi_lsp.acp.roots import pattern_in
from kimi_lsp.acp.scribe import Scribe
from kimi_lsp.acp.session import Session, shortened
from kimi_lsp.acp.showing import About, Showing
from kimi_lsp.acp.telling import findings_text
from kimi_lsp.audit import AuditRequest, Finished
from kimi_lsp.audit.lanes import LANES
from kimi_lsp.audit.review import notice_code
from kimi_lsp.audit.units import Lines
from kimi_lsp.config import Depth
from kimi_lsp.errors import BudgetError, StoreError, TokenBudgetError, UsageError
from kimi_lsp.faces.markup import MARKDOWN
from kimi_lsp.store import JsonValue
from mcp_tools.browse import choose
from mcp_tools.finding import Lane, Notice, Report
from mcp_tools.output import printable
from mcp_tools.output.summary import count_of, summarise
from mcp_tools.project import Overlay, Project
from mcp_tools.project.changes import changed_lines
from mcp_tools.project.git import GitError, lines_changed_since, text_at

_MESSAGE = "answer"
_CAPS: Mapping[str, p.StopReason] = {
    notice_code(BudgetError): "max_turn_requests",
    notice_code(TokenBudgetError): "max_tokens",
}
_LEDGER_S = 0.2
_SAID = 10  # of what was named and cannot be audited


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to audit. `revision` is not None for what differs from a commit; `lane` None for every lane."""

    title: str
    patterns: tuple[str, ...] = ()
    revision: str | None = None
    lane: Lane | None = None

    @classmethod
    def of(cls, asked: Asked, session: Session) -> "Wanted":
        """What a command asks for, in a session. Raises UsageError when its lane is not there yet."""
        assert asked.command is not None
        lane = asked.command.lane
        if lane is not None and lane not in LANES:
            known = ", ".join(f"`{one}`" for one in LANES)
            raise UsageError(f"the lane {lane.value} is not in this version.", hint=f"Lanes that are: {known}.")
        mentioned = [str(link.path) for link in asked.links if link.path is not None]
        if asked.command.name == "changes":
            return cls("Audit of changes", tuple(mentioned), next(iter(asked.words), "HEAD"))
        patterns = (*asked.words, *mentioned)
        if not patterns and session.values.get(SCOPE, PROJECT) == CHANGES:
            return cls("Audit of changes", (), "HEAD", lane)
        return cls(f"Audit {' '.join(patterns)}".rstrip(), patterns, None, lane)


@dataclass(frozen=True, slots=True)
class _Selection:
    """Files of one project."""

    paths: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    focus: Mapping[str, Sequence[Lines]] = field(default_factory=dict[str, Sequence[Lines]])


class Audits:
    """Runs what was asked, a project after another."""

    def __init__(self, client: Client, session: Session, scribe: Scribe, homes: Sequence[Home]) -> None:
        self._client = client
        self._session = session
        self._scribe = scribe
        self._homes = homes
        self.entries: list[JsonValue] = []

    async def run(self, wanted: Wanted) -> p.StopReason:
        """Run it. Raises KimiError for what cannot be carried out at all."""
        reason: p.StopReason = "end_turn"
        total = Report()
        meant = 0
        for number, home in enumerate(self._homes):
            selection = await to_thread.run_sync(self._selected, home, wanted)
            unsaved = await self._unsaved(home, selection)
            if unsaved.texts and wanted.revision is not None:
                selection = await to_thread.run_sync(_refocused, home, wanted.revision, selection, unsaved.texts)
            if not selection.paths and (wanted.patterns or wanted.revision is not None):
                self._say_empty(home, wanted, selection)  # an audit of no path is one of everything
                continue
            meant += 1
            prefix = f"{number + 1}-" if len(self._homes) > 1 else ""
            finished = await self._one(home, wanted, selection, unsaved, prefix)
            report = replace(finished.report, notices=(*selection.notices, *finished.report.notices))
            self._tell(home, report)
            total = Report((*total.findings, *report.findings), (*total.notices, *report.notices))
            reason = _reason(report) if reason == "end_turn" else reason
        if meant:
            self._scribe.title(shortened(_title(wanted, total)))
        return reason

    def _selected(self, home: Home, wanted: Wanted) -> _Selection:
        """The files that are meant, in a thread."""
        project = home.session.project
        if wanted.revision is not None:
            return _changed(home, wanted)
        if not wanted.patterns:
            return _Selection(project.listing().paths)
        patterns: list[str] = []
        notices: list[Notice] = []
        for word in wanted.patterns:
            pattern = pattern_in(home.root, self._session.folder, word)
            if pattern is not None:
                patterns.append(pattern)
            elif len(self._homes) == 1:
                notices.append(Notice("outside-project", "not read: outside the session's folders", word))
        if not patterns:
            return _Selection((), tuple(notices))
        chosen = choose(project, patterns)
        return _Selection(chosen.paths, (*notices, *chosen.notices))

    def _say_empty(self, home: Home, wanted: Wanted, selection: _Selection) -> None:
        if wanted.revision is not None:
            text = f"Nothing in {MARKDOWN.code(home.root.name)} differs from {MARKDOWN.code(wanted.revision)}."
        else:
            text = f"Nothing to audit in {MARKDOWN.code(home.root.name)}."
        missed = (
            (MARKDOWN.code(printable(one.path or "")), plain_line(one.message)) for one in selection.notices[:_SAID]
        )
        told = "".join(f"\n- {path}: {message}" for path, message in missed)
        self._scribe.say(f"{text}{told}\n", _MESSAGE)

    async def _unsaved(self, home: Home, selection: _Selection) -> Unsaved:
        if not self._client.reads_files:
            return Unsaved()
        limit = home.session.settings.limits.max_file_bytes
        return await self._session.buffers.read(home.session.project, selection.paths, limit)

    async def _one(self, home: Home, wanted: Wanted, selection: _Selection, unsaved: Unsaved, prefix: str) -> Finished:
        settings = home.session.settings
        project: Project = home.session.project
        if unsaved.texts:
            project = await to_thread.run_sync(Overlay, project, unsaved.texts)
        request = AuditRequest(
            project=project,
            project_key=home.session.key,
            paths=selection.paths,
            depth=home.depth,
            lanes=home.session.lanes if wanted.lane is None else (wanted.lane,),
            consent=self._session.permissions.may_send,
            spending=self._session.permissions.may_spend,
            wants_reasoning=True,
            focus=selection.focus,
        )
        auditor = await to_thread.run_sync(home.session.auditor, home.depth, home.run_usd)
        about = About(
            home.root,
            wanted.title,
            settings.model,
            settings.endpoint_host,
            home.session.profile.context_window,
            prefix,
            home.depth is not Depth.LOCAL,
            frozenset(unsaved.texts),
        )
        showing = Showing(self._scribe, about)
        try:
            async with auditor.audit(request) as events:
                async for event in events:
                    showing.take(event)
                    await self._scribe.ready()
        except BaseException:
            showing.interrupted()
            await self._count_given_up(home, showing)
            raise
        finished = showing.finish()
        assert finished is not None  # the stream ends with it
        self._session.purse.cost_usd += finished.spent.cost_usd - showing.cost_usd
        return replace(finished, report=replace(finished.report, notices=(*unsaved.notices, *finished.report.notices)))

    async def _count_given_up(self, home: Home, showing: Showing) -> None:
        """Add what calls have cost that were given up: the ledger knows, and nobody was told."""
        if not showing.run_id or home.depth is Depth.LOCAL:
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(_LEDGER_S):
            try:
                spent = await to_thread.run_sync(lambda: home.session.store().ledger.spending(showing.run_id))
            except StoreError:
                return
            self._session.purse.cost_usd += spent.cost_usd - showing.cost_usd

    def _tell(self, home: Home, report: Report) -> None:
        self._session.report = (home.root, report)
        self.entries.append(report_entry(home.root, report))
        self._scribe.say(findings_text(home.root, report) + "\n", _MESSAGE)


def _changed(home: Home, wanted: Wanted) -> _Selection:
    """What differs from a commit on disk, and which lines of it. Raises UsageError."""
    assert wanted.revision is not None
    try:
        changed = lines_changed_since(home.session.project, wanted.revision)
    except GitError as error:
        raise UsageError(f"{error}.") from None
    focus = {path: lines for path, lines in changed.items() if lines is not None}
    return _Selection(tuple(sorted(changed)), (), focus)


def _refocused(home: Home, revision: str, selection: _Selection, texts: Mapping[str, str]) -> _Selection:
    """The selection with the lines of unsaved texts that differ from a commit, in place of those on disk."""
    focus = dict(selection.focus)
    for path, text in texts.items():
        before = text_at(home.root, path, revision)
        focus.pop(path, None)
        if before is not None:
            focus[path] = changed_lines(before, text)
    paths = tuple(path for path in selection.paths if path not in texts or focus.get(path) != [])
    return replace(selection, paths=paths, focus=focus)


def _reason(report: Report) -> p.StopReason:
    """Why a turn ended: a cap that was reached is never passed over as an ordinary end."""
    for notice in report.notices:
        if notice.code in _CAPS:
            return _CAPS[notice.code]
    return "end_turn"


def _title(wanted: Wanted, report: Report) -> str:
    told = ", ".join(count_of(count, level.value) for level, count in summarise(report).counts if count)
    return f"{wanted.title} - {told or 'nothing found'}"
