"""The Auditor: one request in, one stream of events out. Facts first, then the model, then the report."""

import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from anyio import from_thread, to_thread
from anyio.abc import ObjectSendStream

from kimi_lsp.audit.ask import Asker
from kimi_lsp.audit.consent import may_leave, may_spend
from kimi_lsp.audit.events import (
    AskPlanned,
    AuditEvent,
    AuditRequest,
    FactsProgress,
    Finished,
    Found,
    Noticed,
    Outgoing,
    Planned,
    Spent,
    UnitStatus,
)
from kimi_lsp.audit.facts import facts
from kimi_lsp.audit.lanes import LaneSpec, lane_spec
from kimi_lsp.audit.levels import levelled
from kimi_lsp.audit.memo import decode_review
from kimi_lsp.audit.merge import Merger
from kimi_lsp.audit.prompts import project_text
from kimi_lsp.audit.review import Job, Plan, job_key, notice_code, reviewed
from kimi_lsp.audit.select import secret_files, units_for
from kimi_lsp.audit.stream import streamed
from kimi_lsp.audit.toolloop import REPORT_IT, Door, LoopLimits, Toolbox, offer_version
from kimi_lsp.audit.units import Unit
from kimi_lsp.config import Depth, Settings
from kimi_lsp.errors import InternalError, KimiError, StoreError
from kimi_lsp.model import Thinking
from kimi_lsp.store import Ceilings, Decision, Store
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding, Notice, Report, sort_key
from mcp_tools.output.summary import count_of
from mcp_tools.project import Source
from mcp_tools.redaction import Redactor

_log = logging.getLogger(__name__)
_PREFIX_TOKENS = 4_000  # the stable part of a prompt, roughly
_CHARS_PER_TOKEN = 3.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What an audit is made with. `door` opens the way to the model when it is needed, and is closed with the audit.

    `toolbox` opens the read-only tools that the model may call while it reviews, within a deadline of its own. None: it
    has none, and every byte that is sent is as if there were no such thing.
    """

    settings: Settings
    store: Callable[[], Store] | None = None  # None: nothing is remembered, and no model may be asked
    door: Callable[[Redactor], AbstractAsyncContextManager[Door]] | None = None
    key: Callable[[str], bytes] | None = None  # 32 bytes for a purpose, the same on every call
    toolbox: Callable[[AuditRequest], AbstractAsyncContextManager[Toolbox]] | None = None
    tool_limits: LoopLimits = field(default_factory=LoopLimits)


class Auditor:
    """Audits projects with one set of settings. Holds no state of a run: any number may run side by side."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @asynccontextmanager
    async def audit(self, request: AuditRequest) -> AsyncGenerator[AsyncIterator[AuditEvent]]:
        """Run an audit. Its events are read inside the block; leaving the block early cancels it, sockets included.

        The last event is `Finished`. What the tree, the endpoint or the store do wrong arrives as notices.

        Raises:
            UsageError: a lane that does not exist. Beside it only what the block itself raises, as it is.
        """
        specs = [lane_spec(lane) for lane in request.lanes]

        async def run(send: ObjectSendStream[AuditEvent]) -> None:
            await _Run(self._parts, request, specs, send).run()

        async with streamed(run) as events:
            yield events


class _Run:
    """One audit while it runs."""

    def __init__(
        self, parts: Parts, request: AuditRequest, specs: Sequence[LaneSpec], send: ObjectSendStream[AuditEvent]
    ) -> None:
        self._parts = parts
        self._request = request
        self._specs = specs
        self._send = send
        self._merger = Merger()
        self._findings: list[Finding] = []
        self._notices: list[Notice] = []
        self._seen: set[Notice] = set()
        self._read: set[str] = set()
        self._dismissed: dict[str, str] = {}
        self._store: Store | None = None
        self._asker: Asker | None = None
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"

    async def run(self) -> None:
        """List, gather facts, ask, report."""
        async with self._send:
            paths = await to_thread.run_sync(self._listed)
            await self._emit(Planned(len(paths), self.run_id))
            for notice in (await to_thread.run_sync(self._request.project.listing)).notices:
                await self._emit(Noticed(notice))
            await self._open_store()
            for spec in self._specs:
                await to_thread.run_sync(self._facts, spec, paths)
            if self._request.depth is not Depth.LOCAL:
                await self._ask(paths)
            report = Report(tuple(sorted(self._findings, key=sort_key)), tuple(self._notices), len(self._read))
            spent, units = (self._asker.spent, dict(self._asker.units)) if self._asker else (Spent(), {})
            await self._send.send(Finished(report, self.run_id, spent, units))

    def _listed(self) -> Sequence[str]:
        return self._request.paths or self._request.project.listing().paths

    async def _emit(self, event: AuditEvent) -> None:
        """Apply what humans and the configuration said, keep it for the report, and send it on."""
        if isinstance(event, Found):
            finding = await self._judged(event.finding)
            if finding is None:
                return
            self._findings.append(finding)
            event = Found(finding)
        elif isinstance(event, Noticed):
            if event.notice in self._seen:
                return  # two lanes met the same file
            self._seen.add(event.notice)
            self._notices.append(event.notice)
        await self._send.send(event)

    async def _judged(self, finding: Finding) -> Finding | None:
        """The finding at the level that holds, suppressed where a human dismissed it; None when its rule is off."""
        judged = levelled(finding, self._parts.settings.rules)
        if judged is None:
            return None
        if (reason := self._dismissed.get(judged.fingerprint)) is not None:
            return replace(judged, suppressed=f"dismissed: {reason}" if reason else "dismissed")
        return judged

    async def _open_store(self) -> None:
        if self._parts.store is None:
            return
        try:
            self._store = await to_thread.run_sync(self._parts.store)
            verdicts = await to_thread.run_sync(self._store.verdicts.all, self._request.project_key)
        except StoreError as error:
            self._store = None
            await self._emit(Noticed(Notice("store-unavailable", f"nothing is remembered: {error.line}")))
            return
        self._dismissed = {
            verdict.fingerprint: verdict.reason for verdict in verdicts if verdict.decision is Decision.DISMISSED
        }

    def _facts(self, spec: LaneSpec, paths: Sequence[str]) -> None:
        """Run a lane's tool, in a thread; its findings go out as they come."""

        def on_progress(done: int, read: Sequence[str]) -> None:
            from_thread.check_cancelled()
            self._read.update(read)
            from_thread.run(self._emit, FactsProgress(spec.lane, done, len(paths)))

        memory = self._store.cache if self._store else None
        for item in facts(spec, self._request.project, self._request.project_key, paths, memory, on_progress):
            from_thread.check_cancelled()
            if isinstance(item, Notice):
                from_thread.run(self._emit, Noticed(item))
            elif self._merger.add(item) is None:
                from_thread.run(self._emit, Found(item))

    async def _ask(self, paths: Sequence[str]) -> None:
        """The model pass, when there is a model, a ledger and consent."""
        if self._parts.door is None or self._parts.key is None or self._store is None:
            why = "no model is configured" if self._parts.door is None else "no ledger, so nothing may be spent"
            await self._emit(Noticed(Notice("no-model", f"no model review: {why}", incomplete=True)))
            return
        try:
            key = await to_thread.run_sync(self._parts.key, f"redaction {self._request.project_key}")
            redactor = Redactor(key)
            async with self._parts.door(redactor) as door, self._opened_tools() as toolbox:
                await self._ask_through(door, redactor, key, paths, toolbox)
        except KimiError as error:
            await self._fell_short(error)
        except Exception as error:  # noqa: BLE001 - whatever breaks here, the facts and the report stand
            _log.debug("the model pass broke", exc_info=True)
            await self._fell_short(InternalError(f"a defect of kimi-lsp ({type(error).__name__})", hint=REPORT_IT))

    async def _fell_short(self, error: KimiError) -> None:
        await self._emit(Noticed(Notice(notice_code(error), f"no model review: {error.line}", incomplete=True)))

    @asynccontextmanager
    async def _opened_tools(self) -> AsyncGenerator[Toolbox | None]:
        """The tools for the model; None when there are none, and after a notice when they cannot be had."""
        async with AsyncExitStack() as stack:
            toolbox: Toolbox | None = None
            if self._parts.toolbox is not None and self._request.may_ask:
                try:
                    toolbox = await stack.enter_async_context(self._parts.toolbox(self._request))
                except Exception as error:  # noqa: BLE001 - without its tools the model still reviews what it is shown
                    _log.debug("the tools did not open", exc_info=True)
                    line = error.line if isinstance(error, KimiError) else f"a defect ({type(error).__name__})"
                    await self._emit(Noticed(Notice("tools-unavailable", f"the model has no tools: {line}")))
            await self._note(toolbox)
            yield toolbox if toolbox is not None and toolbox.specs else None
            await self._note(toolbox)  # what has failed since

    async def _note(self, toolbox: Toolbox | None) -> None:
        for notice in toolbox.notices if toolbox is not None else ():
            await self._emit(Noticed(notice))

    async def _offer(self, toolbox: Toolbox | None) -> str:
        """The version of the tools that are offered.

        Who may not ask opens none: what was offered last is remembered, so that its reviews are found again.
        """
        if self._parts.toolbox is None:
            return ""
        assert self._store is not None
        cache, key = self._store.cache, f"tools offered {self._request.project_key}"
        if not self._request.may_ask:
            return await to_thread.run_sync(cache.get, key) or ""
        offer = offer_version(toolbox.specs) if toolbox is not None else ""
        if (await to_thread.run_sync(cache.get, key) or "") != offer:
            await to_thread.run_sync(partial(cache.put_many, {key: offer}, project=self._request.project_key))
        return offer

    async def _ask_through(
        self, door: Door, redactor: Redactor, key: bytes, paths: Sequence[str], toolbox: Toolbox | None
    ) -> None:
        assert self._store is not None
        jobs, cached = await self._jobs(door, paths, await self._offer(toolbox))
        if not self._request.may_ask:
            return
        endpoint = self._parts.settings.endpoint_host
        outgoing = self._outgoing(jobs, door, endpoint, toolbox)
        await self._emit(AskPlanned(len(jobs), cached, outgoing))
        asker = self._asker = self._new_asker(door, redactor, key, endpoint, paths, toolbox)
        asker.units[UnitStatus.CACHED] += cached
        if not jobs:
            return
        if not await may_leave(
            self._parts.settings, self._store, self._request.project_key, outgoing, self._request.consent
        ):
            text = f"{count_of(len(jobs), 'unit')} not reviewed: nobody agreed that this project goes to {endpoint}"
            await self._emit(Noticed(Notice("consent-missing", text, incomplete=True)))
            return
        if not await may_spend(self._parts.settings, outgoing, self._request.spending):
            text = f"{count_of(len(jobs), 'unit')} not reviewed: nobody agreed to spend that much on it"
            await self._emit(Noticed(Notice("spending-declined", text, incomplete=True)))
            return
        await to_thread.run_sync(self._learn, redactor, jobs, paths if toolbox is None else await self._all_paths())
        await asker.run(jobs)

    async def _all_paths(self) -> Sequence[str]:
        return (await to_thread.run_sync(self._request.project.listing)).paths

    async def _jobs(self, door: Door, paths: Sequence[str], offer: str) -> tuple[list[Job], int]:
        """The units that must be asked, and how many the cache answered."""
        assert self._store is not None
        settings, endpoint = self._parts.settings, self._parts.settings.endpoint_host
        room = int((door.endpoint.profile.context_window - _PREFIX_TOKENS) * 0.5 * _CHARS_PER_TOKEN)
        max_chars = max(min(settings.limits.unit_chars, room), 1_000)
        planned: list[Job] = []
        for spec in self._specs:
            cut = partial(units_for, spec, self._request.project, paths, max_chars, settings.deny, self._request.focus)
            for item in await to_thread.run_sync(lambda cut=cut: list(cut())):
                if isinstance(item, Unit):
                    thinking = Thinking(settings.thinking.value)
                    key = job_key(spec, item, door.endpoint.model, endpoint, thinking, offer)
                    planned.append(Job(spec, item, key))
                else:
                    await self._emit(Noticed(item))
        known = await to_thread.run_sync(self._store.cache.get_many, [job.key for job in planned])
        jobs: list[Job] = []
        for job in planned:
            remembered = decode_review(known.get(job.key, ""), job.unit.source, job.unit.first_line)
            if remembered is None:
                jobs.append(job)
                continue
            for finding in remembered:
                if self._merger.add(finding) is None:
                    await self._emit(Found(finding))
            await self._emit(reviewed(job))
        return jobs, len(planned) - len(jobs)

    def _outgoing(self, jobs: Sequence[Job], door: Door, endpoint: str, toolbox: Toolbox | None) -> Outgoing:
        texts = [len(job.unit.text.encode("utf-8", "surrogatepass")) for job in jobs]
        prompt_tokens = int(sum(texts) / _CHARS_PER_TOKEN) + _PREFIX_TOKENS * len(jobs)
        answer_tokens = min(door.endpoint.profile.max_output_tokens, 16_384) * len(jobs)
        rounds, limits = 1, self._parts.tool_limits
        if toolbox is not None:  # each round brings along what the earlier ones said, up to the model's window
            rounds += limits.max_rounds
            results = int(limits.max_total_chars / _CHARS_PER_TOKEN) * len(jobs)
            window = door.endpoint.profile.context_window * len(jobs)
            prompt_tokens = min(prompt_tokens + results + answer_tokens * limits.max_rounds, window)
        most = Usage(prompt_tokens=prompt_tokens * rounds, completion_tokens=answer_tokens * rounds)
        return Outgoing(
            project=self._request.project.name,
            endpoint=endpoint,
            model=door.endpoint.model,
            files=len({job.unit.source.path for job in jobs}),
            bytes=sum(texts),
            requests=len(jobs) * rounds,
            max_cost_usd=door.endpoint.profile.prices.cost_usd(most),
            tools=tuple(spec.name for spec in toolbox.specs) if toolbox is not None else (),
        )

    def _learn(self, redactor: Redactor, jobs: Sequence[Job], paths: Sequence[str]) -> None:
        """Let redaction know every secret of the files in question before the first of them is sent."""
        for source in secret_files(self._request.project, paths):
            redactor.learn(source.text, source.path)
        for source in _sources(jobs):
            from_thread.check_cancelled()
            redactor.learn(source.text, source.path)

    def _new_asker(
        self,
        door: Door,
        redactor: Redactor,
        key: bytes,
        endpoint: str,
        paths: Sequence[str],
        toolbox: Toolbox | None,
    ) -> Asker:
        assert self._store is not None
        settings, budget = self._parts.settings, self._parts.settings.budget
        plan = Plan(
            run_id=self.run_id,
            project_key=self._request.project_key,
            project_text=project_text(self._request.project.name, paths, self._request.guide),
            endpoint=endpoint,
            thinking=Thinking(settings.thinking.value),
            ceilings=Ceilings(
                run_tokens=budget.run_tokens,
                run_usd=budget.run_usd,
                day_tokens=budget.daily_tokens,
                day_usd=budget.daily_usd,
                week_tokens=budget.weekly_tokens,
                week_usd=budget.weekly_usd,
            ),
            concurrency=settings.limits.concurrency,
            call_timeout_s=settings.limits.call_timeout_s,
            marker_key=key,
            wants_reasoning=self._request.wants_reasoning,
            tool_limits=self._parts.tool_limits,
        )
        return Asker(
            plan,
            door,
            self._store,
            redactor,
            self._merger,
            self._emit,
            memory=self._store.cache,
            toolbox=toolbox,
        )


def _sources(jobs: Sequence[Job]) -> Iterator[Source]:
    seen: set[str] = set()
    for job in jobs:
        if job.unit.source.path not in seen:
            seen.add(job.unit.source.path)
            yield job.unit.source
