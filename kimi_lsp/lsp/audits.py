"""Run an audit for an editor: events become findings in their place, progress, status and one result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from anyio import to_thread

from kimi_lsp.audit import (
    AskPlanned,
    AuditEvent,
    AuditRequest,
    FactsProgress,
    Finished,
    Found,
    Noticed,
    Reviewed,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.config import Depth
from kimi_lsp.errors import KimiError, StoreError
from kimi_lsp.lsp.closed import Closed
from kimi_lsp.lsp.connection import Connection
from kimi_lsp.lsp.consent import Consent
from kimi_lsp.lsp.documents import Documents
from kimi_lsp.lsp.jobs import Job, Jobs
from kimi_lsp.lsp.landing import Landing, Snapshot
from kimi_lsp.lsp.progress import Progress, spent_text
from kimi_lsp.lsp.protocol import AuditResult
from kimi_lsp.lsp.publisher import Publisher
from kimi_lsp.lsp.status import Facts, Status
from kimi_lsp.lsp.workspace import Home, Workspace
from mcp_tools.finding import Notice
from mcp_tools.project import Overlay, Project

if TYPE_CHECKING:
    from kimi_lsp.audit import Auditor


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be audited. Without paths it is all of the project."""

    title: str
    home: Home
    snapshots: Sequence[Snapshot]  # of every open document of the project
    paths: tuple[str, ...] = ()
    focus: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict[str, Sequence[tuple[int, int]]])
    is_triggered: bool = False  # by a save or a pause: nobody is asked anything, and a new edit ends it
    may_ask_model: bool = True  # False: only what the cache remembers


@dataclass(slots=True)
class Desk:
    """What an audit works with."""

    connection: Connection
    workspace: Workspace
    documents: Documents
    publisher: Publisher
    closed: Closed
    jobs: Jobs
    status: Status
    consent: Consent
    creates_progress: bool
    warn: Callable[[str], None]


class Audits:
    """Every audit of the server goes through here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, order: Order, token: int | str | None = None) -> AuditResult:
        """Carry an order out. Its snapshots are released; a cancelled audit leaves no finding behind."""
        uris = [one.document.uri for one in order.snapshots if one.document.name in order.paths]
        try:
            if order.home.session is None:
                return AuditResult("failed", message=_line(order.home.problem))
            with self._desk.jobs.start(order.title, order.home.key, uris, is_triggered=order.is_triggered) as job:
                job.is_silent = not order.may_ask_model
                self._count()
                with job.scope:
                    return await _Run(self._desk, order, job, token).run()
                return AuditResult("cancelled", message=job.why)
        finally:
            for snapshot in order.snapshots:
                snapshot.release()
            self._count()

    def _count(self) -> None:
        self._desk.status.audits = sum(not job.is_silent for job in self._desk.jobs)
        self._desk.status.tell()


_UNFINISHED = (UnitStatus.NOT_REVIEWED, UnitStatus.CUT)


class _Run:
    """One audit while it runs."""

    def __init__(self, desk: Desk, order: Order, job: Job, token: int | str | None) -> None:
        self._desk = desk
        self._order = order
        self._job = job
        self._token = token
        self._landing = Landing(job.number, order.home, order.snapshots, desk.documents, desk.closed, desk.publisher)
        self._notices: list[Notice] = []
        self._total = self._done = 0
        self._finished: Finished | None = None
        self._progress = Progress(desk.connection, None)
        self._depth = Depth.LOCAL

    async def run(self) -> AuditResult:
        desk, order = self._desk, self._order
        self._depth = self._allowed_depth()
        is_seen = order.may_ask_model
        fresh = f"kimi-audit-{self._job.number}" if desk.creates_progress and is_seen else None
        self._progress = await Progress.make(desk.connection, self._token, fresh)
        self._job.token = self._progress.token
        self._progress.begin(order.title)
        try:
            auditor, project = await to_thread.run_sync(self._prepared)
            self._landing.project = project
            request = replace(
                self._request(project),
                consent=desk.consent.asker(order.home.key, may_ask=not order.is_triggered),
            )
            async with auditor.audit(request) as events:
                async for event in events:
                    self._take(event)
                    await desk.connection.ready()  # a client that does not read holds the audit back
        except (KimiError, OSError) as error:
            self._landing.withdraw()
            self._progress.end("failed")
            return AuditResult("failed", message=_line(error))
        except BaseException:
            self._landing.withdraw()
            self._progress.end(f"cancelled: {self._job.why}" if self._job.why else "cancelled")
            raise
        return await self._close()

    def _allowed_depth(self) -> Depth:
        """How far it goes: never beyond this machine in a workspace that is not trusted."""
        home, workspace = self._order.home, self._desk.workspace
        depth = workspace.wants_model(home)
        if depth is not Depth.LOCAL and workspace.client.trusted is False:
            self._notices.append(
                Notice("untrusted-workspace", "no model review: this workspace is not trusted", incomplete=True)
            )
            return Depth.LOCAL
        return depth

    def _prepared(self) -> tuple["Auditor", Project]:
        """The auditor, and the project on disk with the open documents' texts over it.

        In a thread: the first one imports a lot, the other reads the disk.
        """
        session = self._order.home.session
        assert session is not None
        view = self._order.home.view(self._order.paths)
        return session.auditor(self._depth), Overlay(view, self._landing.texts)

    def _request(self, project: Project) -> AuditRequest:
        session = self._order.home.session
        assert session is not None
        return AuditRequest(
            project=project,
            project_key=self._order.home.key,
            paths=self._order.paths,
            depth=self._depth,
            lanes=session.lanes,
            focus=self._order.focus,
            may_ask=self._order.may_ask_model,
        )

    def _take(self, event: AuditEvent) -> None:
        match event:
            case Found():
                self._landing.found(event.finding)
            case Reviewed():
                self._landing.reviewed(event.path, event.first_line, event.last_line)
            case Noticed():
                self._notices.append(event.notice)
            case FactsProgress():
                self._progress.report(f"facts: {event.done} of {event.total} files", None)
            case AskPlanned():
                self._total = event.units
                cached = f", {event.cached} known" if event.cached else ""
                self._progress.report(f"{event.units} units to review{cached}", 0)
            case UnitStarted():
                self._progress.report(f"{self._done + 1} of {self._total}: {event.unit}", self._percentage())
            case UnitDone():
                self._done += 1
                text = spent_text(event.spent.usage.total_tokens, event.spent.cost_usd)
                self._progress.report(f"{self._done} of {self._total} units, {text}", self._percentage())
            case Finished():
                self._finished = event
            case _:
                pass

    def _percentage(self) -> int:
        return min(self._done * 100 // self._total, 100) if self._total else 0

    async def _close(self) -> AuditResult:
        """Put away what older audits found and this one did not, and say what came of it."""
        order, finished = self._order, self._finished
        assert finished is not None
        is_whole = order.may_ask_model and not any(finished.units.get(one) for one in _UNFINISHED)
        paths = order.paths or None if order.may_ask_model and not order.focus else ()
        self._landing.settle(paths, is_whole=is_whole)
        if order.may_ask_model:
            await self._tell_status(finished)
        result = self._result(finished)
        self._progress.end(f"{result.findings} findings" + (f"; {result.notices[0]}" if result.notices else ""))
        return result

    def _result(self, finished: Finished) -> AuditResult:
        units, count = finished.units, len(self._landing.left_out)
        left_out = [f"the findings of {count:,} more files are not shown: the list would be too long"] if count else []
        return AuditResult(
            state="finished",
            findings=sum(one.suppressed is None for one in finished.report.findings),
            run_id=finished.run_id,
            reviewed=units.get(UnitStatus.REVIEWED, 0),
            cached=units.get(UnitStatus.CACHED, 0),
            not_reviewed=units.get(UnitStatus.NOT_REVIEWED, 0) + units.get(UnitStatus.CUT, 0),
            cost_usd=float(finished.spent.cost_usd),
            notices=[*left_out, *(notice.message for notice in self._notices if notice.incomplete)],
        )

    async def _tell_status(self, finished: Finished) -> None:
        desk, session = self._desk, self._order.home.session
        assert session is not None
        settings = session.settings
        trouble = next((notice for notice in self._notices if notice.incomplete), None)
        desk.status.attention = None if trouble is None else trouble.message
        if trouble is not None:
            desk.warn(f"{self._order.title}: {trouble.message}")
        spent: Decimal | None = None
        if self._depth is not Depth.LOCAL:
            try:
                spent = await to_thread.run_sync(lambda: session.store().ledger.spending(since="day").cost_usd)
            except StoreError:
                spent = finished.spent.cost_usd
        desk.status.facts = Facts(
            settings.model if self._depth is not Depth.LOCAL else None,
            settings.endpoint_host if self._depth is not Depth.LOCAL else None,
            self._depth.value,
            spent,
            settings.budget.daily_usd if self._depth is not Depth.LOCAL else None,
        )


def _line(error: BaseException | None) -> str:
    if isinstance(error, KimiError):
        return error.line
    return "the project cannot be read" if isinstance(error, OSError) else "no project"
