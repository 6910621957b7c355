"""The model pass: units go out under a limit and a budget, findings come back while the answer is being written."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import anyio
from anyio import to_thread

from kimi_lsp.audit.events import AuditEvent, Noticed, Spent, UnitDone, UnitStatus
from kimi_lsp.audit.facts import Memory
from kimi_lsp.audit.limiter import AdaptiveLimit, Slot
from kimi_lsp.audit.merge import Merger
from kimi_lsp.audit.prompts import answer_schema, messages
from kimi_lsp.audit.review import Job, Plan, Review, Shared, Trip, notice_code, notices, reviewed
from kimi_lsp.audit.toolloop import MIN_TOKENS, Door, Till, Toolbox, converse, prompt_tokens
from kimi_lsp.errors import (
    AuthError,
    BudgetError,
    EndpointError,
    KimiError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    StoreError,
    UnknownModelError,
)
from kimi_lsp.model import AnswerSchema, ChatRequest, Message, Role, estimate_tokens
from kimi_lsp.store import Store
from kimi_lsp.usage import Usage
from mcp_tools.finding import Notice
from mcp_tools.output.summary import count_of
from mcp_tools.redaction import Redacted, Redactor

_MAX_TOKENS = 16_384  # for reasoning and answer together; less can end in an empty answer (Moonshot's own advice)
_ESTIMATE_MARGIN = 1.25  # an estimate lies within a third of the truth
_FAILURES_IN_A_ROW = 3
_STOPPING = (AuthError, QuotaError, UnknownModelError, BudgetError, StoreError)


class Asker:
    """Takes the jobs of one run through the model."""

    def __init__(
        self,
        plan: Plan,
        door: Door,
        store: Store,
        redactor: Redactor,
        merger: Merger,
        emit: Callable[[AuditEvent], Awaitable[None]],
        *,
        memory: Memory | None = None,
        toolbox: Toolbox | None = None,
    ) -> None:
        self._plan = plan
        self._door = door
        self._redactor = redactor
        self._merger = merger
        self._emit = emit
        self._till = Till(store, plan.run_id, door.endpoint, plan.endpoint, plan.ceilings)
        self._shared = Shared(plan, door.endpoint.model, store, redactor, merger, self._till, emit, self._stop, memory)
        self._toolbox = toolbox
        self._tools = toolbox.specs if toolbox is not None else ()
        self._limit = AdaptiveLimit(plan.concurrency)
        self._profile = door.endpoint.profile
        self._failures = 0
        self._stopped: KimiError | None = None
        self.units: Counter[UnitStatus] = Counter()

    @property
    def spent(self) -> Spent:
        """What the run has used so far."""
        return self._till.spent

    async def run(self, jobs: Sequence[Job]) -> None:
        """Ask for every job, or say why not. Raises nothing but cancellation."""
        queue = iter(jobs)
        async with anyio.create_task_group() as group:
            for _ in range(min(self._plan.concurrency, len(jobs))):
                group.start_soon(self._work, queue)
        left = len(jobs) - self.units.total()
        if self._stopped is not None and left:
            self.units[UnitStatus.NOT_REVIEWED] += left
            text = f"{left} of {count_of(len(jobs), 'unit')} not reviewed: {self._stopped.line}"
            await self._emit(Noticed(Notice(notice_code(self._stopped), text, incomplete=True)))

    async def _work(self, queue: Iterator[Job]) -> None:
        while self._stopped is None:
            job = next(queue, None)
            if job is None:
                return
            async with self._limit.slot() as slot:
                if self._stopped is None:
                    await self._review(job, slot)

    async def _review(self, job: Job, slot: Slot) -> None:
        """One unit's trip, its notices and its end."""
        request = await to_thread.run_sync(self._request, job)
        if request is None:
            await self._not_asked(job, "its text does not fit the model's context window")
            return
        review = Review(self._shared, job, slot)
        talk = await converse(
            self._door,
            request,
            review,
            self._redactor,
            call_timeout_s=self._plan.call_timeout_s,
            key=self._plan.marker_key,
            toolbox=self._toolbox,
            limits=self._plan.tool_limits,
        )
        review.trip.rounds[:] = talk.rounds  # the last one too, if it could not be paid for
        await self._say(job, review.trip)

    def _request(self, job: Job) -> ChatRequest | None:
        """The request for a job, None when there is no room for it. In a thread: redaction takes its time."""
        marker = hmac.new(self._plan.marker_key, job.key.encode(), hashlib.sha256).hexdigest()[:12]
        known = self._merger.on(job.unit.source.path)
        has_tools = bool(self._tools)
        texts = messages(
            job.spec, self._plan.project_text, job.unit, known, self._redactor, marker, has_tools=has_tools
        )
        profile = self._profile
        system, project, unit = texts
        request = ChatRequest(
            messages=(
                Message(Role.SYSTEM, system),
                Message(Role.USER, project),
                Message(Role.USER, unit),
            ),
            max_tokens=_MAX_TOKENS,
            thinking=self._plan.thinking,
            schema=AnswerSchema("findings", answer_schema(job.spec.lane)),
            tools=self._tools,
            cache_key=f"{job.spec.lane}-{self._plan.marker_key.hex()[:12]}",
        )
        room = profile.context_window - (prompt_tokens(request) if has_tools else self._estimate(texts))
        max_tokens = min(_MAX_TOKENS, profile.max_output_tokens, room)
        if max_tokens < min(MIN_TOKENS, profile.max_output_tokens):
            return None
        return replace(request, max_tokens=max_tokens)

    def _estimate(self, texts: Sequence[Redacted]) -> int:
        return int(sum(estimate_tokens(text) for text in texts) * _ESTIMATE_MARGIN) + 64

    async def _say(self, job: Job, trip: Trip) -> None:
        """The notices of a finished trip and its end."""
        self._judge(trip)
        if self._stopped is not None and trip.status is UnitStatus.NOT_REVIEWED and not trip.has_begun:
            return  # counted among those that were not reviewed
        self.units[trip.status] += 1
        for notice in notices(job, trip):
            await self._emit(Noticed(notice))
        if trip.status is UnitStatus.REVIEWED:
            await self._emit(reviewed(job))
        await self._emit(UnitDone(job.unit.label, job.spec.lane, trip.status, self.spent, self._used(trip)))

    def _used(self, trip: Trip) -> Spent:
        """What one trip has used."""
        usages = [one.usage for one in trip.rounds if one.usage is not None]
        return Spent(sum(usages, Usage()), sum(map(self._till.cost_usd, usages), Decimal(0)), len(usages))

    def _judge(self, trip: Trip) -> None:
        """Stop the run for what will not get better: no key, no quota, no such model, an endpoint that is gone."""
        if isinstance(trip.error, _STOPPING):
            self._stop(trip.error)
        elif isinstance(trip.error, EndpointError | OverloadedError | RateLimitedError):
            self._failures += 1
            if self._failures >= _FAILURES_IN_A_ROW:
                self._stop(trip.error)
        else:
            self._failures = 0

    def _stop(self, error: KimiError) -> None:
        """Ask for no more jobs; the first reason holds."""
        if self._stopped is None:
            self._stopped = error
        self._till.shut()

    async def _not_asked(self, job: Job, why: str) -> None:
        self.units[UnitStatus.NOT_REVIEWED] += 1
        notice = Notice(
            "not-reviewed", f"not reviewed ({job.unit.label}): {why}", job.unit.source.path, incomplete=True
        )
        await self._emit(Noticed(notice))
        await self._emit(UnitDone(job.unit.label, job.spec.lane, UnitStatus.NOT_REVIEWED, self.spent))
