"""The model pass: units go out under a limit and a budget, findings come back while the answer is being written."""

import hashlib
import hmac
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread

from kimi_lsp.audit.anchor import Anchorer
from kimi_lsp.audit.answer import Reader, Rejected
from kimi_lsp.audit.events import (
    AuditEvent,
    Found,
    Noticed,
    Reasoned,
    Reviewed,
    Spent,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.audit.facts import Memory
from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.limiter import AdaptiveLimit, Slot
from kimi_lsp.audit.memo import encode_review
from kimi_lsp.audit.merge import Merger
from kimi_lsp.audit.parse import Candidate, FindingParser, Malformed
from kimi_lsp.audit.prompts import answer_schema, messages, prompt_version
from kimi_lsp.audit.units import Unit
from kimi_lsp.errors import (
    AuthError,
    BudgetError,
    EndpointError,
    InternalError,
    KimiError,
    LeakError,
    ModelError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    StoreError,
    StreamError,
    UnknownModelError,
)
from kimi_lsp.model import (
    Answer,
    AnswerSchema,
    ChatRequest,
    Completion,
    Endpoint,
    Exchange,
    Finish,
    Message,
    Reasoning,
    Role,
    Sent,
    Thinking,
    estimate_tokens,
)
from kimi_lsp.store import Ceilings, JsonValue, Reservation, Store
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding, Notice
from mcp_tools.redaction import Redacted, Redactor

REPORT_IT = "Please report it."
_log = logging.getLogger(__name__)
_MAX_TOKENS = 16_384  # for reasoning and answer together; less can end in an empty answer (Moonshot's own advice)
_MIN_TOKENS = 1_024
_ESTIMATE_MARGIN = 1.25  # an estimate lies within a third of the truth; a reserve has to be on the safe side
_FINDINGS_PER_UNIT = 100
_FAILURES_IN_A_ROW = 3
_SETTLE_DEADLINE_S = 10.0
_STOPPING = (AuthError, QuotaError, UnknownModelError, BudgetError, StoreError)
_BUSY = (RateLimitedError, OverloadedError)


class Door(Protocol):
    """A way to a model: the Kimi client, or a script in a test."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the model is asked, and what it can do and costs."""
        ...

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[Exchange]:
        """Send a request; its events follow."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One unit on one lane, and the key under which its findings are remembered."""

    spec: LaneSpec
    unit: Unit
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What holds for all calls of one run."""

    run_id: str
    project_key: str
    project_text: str
    endpoint: str
    thinking: Thinking
    ceilings: Ceilings
    concurrency: int
    call_timeout_s: float
    marker_key: bytes
    wants_reasoning: bool


def job_key(spec: LaneSpec, unit: Unit, model: str, endpoint: str, thinking: Thinking) -> str:
    """What an answer depends on: the unit's text, the rules, the prompt, the tool whose facts it holds, the model.

    Not on the rest of the file, nor on where in it the unit stands: only changed units are asked again.
    """
    parts = (
        "review 2",
        spec.lane,
        spec.tool_version,
        prompt_version(spec.lane),
        model,
        endpoint,
        thinking,
        unit.source.path,
        unit.text,
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def reviewed(job: Job) -> Reviewed:
    """The event that a job's lines need no further look."""
    return Reviewed(job.unit.source.path, job.spec.lane, job.unit.first_line, job.unit.last_line)


@dataclass(slots=True)
class _Trip:
    """One call while it runs: what came, and what became of it."""

    call: int
    reservation: Reservation
    request: ChatRequest
    request_tokens: int
    reasoning: list[str] = field(default_factory=list[str])
    reasoned: int = 0  # pieces of the reasoning that went out live
    answer: list[str] = field(default_factory=list[str])
    found: list[Finding] = field(default_factory=list[Finding])
    known: list[str] = field(default_factory=list[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    malformed: list[Malformed] = field(default_factory=list[Malformed])
    completion: Completion | None = None
    error: ModelError | LeakError | InternalError | None = None
    sent: Sent | None = None  # the endpoint answered: from here on the call may cost
    is_full: bool = False
    is_complete_answer: bool = False

    @property
    def has_begun(self) -> bool:
        """True once the endpoint began to answer."""
        return self.sent is not None

    @property
    def status(self) -> UnitStatus:
        """How the trip ended."""
        if self.completion is None or self.error is not None:
            return UnitStatus.CUT if self.found else UnitStatus.NOT_REVIEWED
        if self.is_complete_answer and self.completion.is_whole:
            return UnitStatus.REVIEWED
        return UnitStatus.CUT if self.found or self.answer else UnitStatus.NOT_REVIEWED


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
    ) -> None:
        self._plan = plan
        self._door = door
        self._store = store
        self._redactor = redactor
        self._merger = merger
        self._emit = emit
        self._memory = memory
        self._limit = AdaptiveLimit(plan.concurrency)
        self._model, self._profile = door.endpoint.model, door.endpoint.profile
        self._settled = anyio.Event()
        self._open = 0
        self._failures = 0
        self._calls = 0
        self._stopped: KimiError | None = None
        self.spent = Spent()
        self.units: Counter[UnitStatus] = Counter()

    async def run(self, jobs: Sequence[Job]) -> None:
        """Ask for every job, or say why not. Raises nothing but cancellation."""
        queue = iter(jobs)
        async with anyio.create_task_group() as group:
            for _ in range(min(self._plan.concurrency, len(jobs))):
                group.start_soon(self._work, queue)
        left = len(jobs) - self.units.total()
        if self._stopped is not None and left:
            self.units[UnitStatus.NOT_REVIEWED] += left
            text = f"{left} of {len(jobs)} units were not reviewed: {self._stopped.line}"
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
        try:
            request = await to_thread.run_sync(self._request, job)
            if request is None:
                await self._not_asked(job, "its text does not fit the model's context window")
                return
            trip = await self._begin(job, request)
        except (BudgetError, StoreError) as error:
            self._stop(error)
            return
        try:
            await self._exchange(job, trip, slot)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLE_DEADLINE_S):
                await self._end(job, trip)
        await self._say(job, trip)

    def _request(self, job: Job) -> ChatRequest | None:
        """The request for a job, None when there is no room for it. In a thread: redaction takes its time."""
        marker = hmac.new(self._plan.marker_key, job.key.encode(), hashlib.sha256).hexdigest()[:12]
        known = self._merger.on(job.unit.source.path)
        texts = messages(job.spec, self._plan.project_text, job.unit, known, self._redactor, marker)
        profile = self._profile
        room = profile.context_window - self._estimate(texts)
        max_tokens = min(_MAX_TOKENS, profile.max_output_tokens, room)
        if max_tokens < min(_MIN_TOKENS, profile.max_output_tokens):
            return None
        system, project, unit = texts
        return ChatRequest(
            messages=(
                Message(Role.SYSTEM, system),
                Message(Role.USER, project),
                Message(Role.USER, unit),
            ),
            max_tokens=max_tokens,
            thinking=self._plan.thinking,
            schema=AnswerSchema("findings", answer_schema(job.spec.lane)),
            cache_key=f"{job.spec.lane}-{self._plan.marker_key.hex()[:12]}",
        )

    def _estimate(self, texts: Sequence[Redacted]) -> int:
        return int(sum(estimate_tokens(text) for text in texts) * _ESTIMATE_MARGIN) + 64

    async def _begin(self, job: Job, request: ChatRequest) -> _Trip:
        """Reserve the most that the call can cost; while calls of this run are open, wait for them to settle."""
        prompt = self._estimate([message.content for message in request.messages])
        most = Usage(prompt_tokens=prompt, completion_tokens=request.max_tokens)
        reserve = partial(
            self._store.ledger.reserve,
            self._plan.run_id,
            model=self._model,
            endpoint=self._plan.endpoint,
            tokens=most.total_tokens,
            cost_usd=self._profile.prices.cost_usd(most),
            ceilings=self._plan.ceilings,
            label=self._redactor.redact(f"{job.spec.lane} {job.unit.label}"),
        )
        while True:
            settled = self._settled
            try:
                reservation = await to_thread.run_sync(reserve)
            except BudgetError:
                if self._open == 0:
                    raise
                await settled.wait()
                continue
            self._open += 1
            self._calls += 1
            return _Trip(self._calls, reservation, request, prompt)

    async def _exchange(self, job: Job, trip: _Trip, slot: Slot) -> None:
        """Send the request and read the answer as it comes. The client asks again where that helps."""
        await self._emit(UnitStarted(job.unit.label, job.spec.lane))
        try:
            with anyio.fail_after(self._plan.call_timeout_s):
                await self._stream(job, trip)
        except TimeoutError:
            trip.error = StreamError(f"no end of the answer after {self._plan.call_timeout_s:g} s")
        except (ModelError, LeakError) as error:
            trip.error = error
            if isinstance(error, _BUSY):
                slot.refused()
        except Exception as error:  # noqa: BLE001 - a defect on one answer must not take the other units with it
            _log.debug("%s broke", job.unit.label, exc_info=True)
            trip.error = InternalError(f"a defect of kimi-lsp ({type(error).__name__})", hint=REPORT_IT)
        else:
            if trip.sent is not None and trip.sent.attempts > 1:
                slot.refused()
            else:
                slot.succeeded()

    async def _stream(self, job: Job, trip: _Trip) -> None:
        parser = FindingParser()
        reader = Reader(
            job.spec,
            job.unit,
            Anchorer(job.unit.source),
            self._redactor,
            self._model,
            f"{self._plan.run_id}/{trip.call}",
        )
        async with self._door.stream(trip.request) as exchange:
            trip.sent = exchange.sent
            try:
                async for event in exchange:
                    if isinstance(event, Reasoning):
                        trip.reasoning.append(event.text)
                        if "\n" in event.text:  # whole lines: a secret may come in two pieces
                            await self._reason(job, trip)
                    elif isinstance(event, Answer):
                        trip.answer.append(event.text)
                        await self._take(trip, reader, parser.feed(event.text))
                    if trip.is_full:
                        break
            finally:
                trip.completion = exchange.completion
            await self._reason(job, trip)
        await self._take(trip, reader, parser.close())
        trip.is_complete_answer = parser.is_complete and not trip.is_full
        if not trip.is_full:
            trip.error = trip.completion.error

    async def _reason(self, job: Job, trip: _Trip) -> None:
        """Let the reasoning out that has come since the last time, redacted; for whoever wants it live."""
        if not self._plan.wants_reasoning:
            return
        text = "".join(trip.reasoning[trip.reasoned :])
        trip.reasoned = len(trip.reasoning)
        if text:
            await self._emit(Reasoned(job.unit.label, self._redactor.redact(text)))

    async def _take(self, trip: _Trip, reader: Reader, items: Iterator[Candidate | Malformed]) -> None:
        """Turn what the parser completed into findings, and let those that are news out at once."""
        for item in items:
            if isinstance(item, Malformed):
                trip.malformed.append(item)
                continue
            if len(trip.found) >= _FINDINGS_PER_UNIT:
                trip.is_full = True
                return
            result = reader.read(item)
            if isinstance(result, Rejected):
                trip.rejected.append(result)
            elif (known := self._merger.add(result)) is not None:
                trip.known.append(known.fingerprint)
            else:
                trip.found.append(result)
                await self._emit(Found(result))

    async def _end(self, job: Job, trip: _Trip) -> None:
        """Settle and record. Shielded from cancellation: what was spent and reasoned is not lost."""
        usage = trip.completion.usage if trip.completion is not None else Usage()
        cost_usd = self._profile.prices.cost_usd(usage)
        ledger = self._store.ledger
        try:
            if trip.has_begun:
                await to_thread.run_sync(partial(ledger.settle, trip.reservation, usage, cost_usd))
                self.spent = Spent(self.spent.usage + usage, self.spent.cost_usd + cost_usd, self.spent.calls + 1)
            else:
                await to_thread.run_sync(ledger.release, trip.reservation)
            await to_thread.run_sync(self._record, job, trip, usage, cost_usd)
            if self._memory and trip.status is UnitStatus.REVIEWED and not (trip.rejected or trip.malformed):
                await to_thread.run_sync(self._remember, job, trip)
        except StoreError as error:
            self._stop(error)
        finally:
            self._open -= 1
            self._settled.set()
            self._settled = anyio.Event()

    def _record(self, job: Job, trip: _Trip, usage: Usage, cost_usd: Decimal) -> None:
        redact = self._redactor.redact
        completion = trip.completion
        body: dict[str, JsonValue] = {
            "call": trip.call,
            "project": self._plan.project_key,
            "lane": job.spec.lane.value,
            "path": redact(job.unit.source.path),
            "lines": [job.unit.first_line + 1, job.unit.last_line + 1],
            "text_sha256": job.unit.source.sha256,
            "model": self._model,
            "endpoint": self._plan.endpoint,
            "thinking": self._plan.thinking.value,
            "prompt_version": prompt_version(job.spec.lane),
            "request_sha256": trip.sent.body_sha256 if trip.sent else None,
            "request_id": trip.sent.request_id if trip.sent else None,
            "trace_id": trip.sent.trace_id if trip.sent else None,
            "redactions": dict(self._redactor.counts),
            "status": trip.status.value,
            "finish": completion.raw_finish if completion else None,
            "error": trip.error.code if trip.error else None,
            "usage": {
                "prompt": usage.prompt_tokens,
                "cached": usage.cached_tokens,
                "completion": usage.completion_tokens,
                "reasoning": usage.reasoning_tokens,
                "estimated": usage.is_estimated,
            },
            "cost_usd": str(cost_usd),
            "findings": [_finding_body(finding) for finding in trip.found],
            "known": list(trip.known),
            "rejected": [
                {"rule": redact(item.candidate.rule[:80]), "reason": redact(item.reason[:200])}
                for item in trip.rejected
            ],
            "malformed": [redact(item.reason[:200]) for item in trip.malformed],
        }
        system, project, unit = (message.content for message in trip.request.messages)
        contents = {
            "system": system,
            "project": project,
            "unit": unit,
            "reasoning": redact("".join(trip.reasoning)),
            "answer": redact("".join(trip.answer)),
        }
        self._store.trail.append("model-call", body, contents, run_id=self._plan.run_id)

    def _remember(self, job: Job, trip: _Trip) -> None:
        assert self._memory is not None
        self._memory.put_many({job.key: encode_review(trip.found, job.unit.first_line)}, project=self._plan.project_key)

    async def _say(self, job: Job, trip: _Trip) -> None:
        """The notices of a finished trip and its end."""
        self._judge(trip)
        if self._stopped is not None and trip.status is UnitStatus.NOT_REVIEWED and not trip.has_begun:
            return  # counted among those that were not reviewed
        self.units[trip.status] += 1
        for notice in self._notices(job, trip):
            await self._emit(Noticed(notice))
        if trip.status is UnitStatus.REVIEWED:
            await self._emit(reviewed(job))
        await self._emit(UnitDone(job.unit.label, job.spec.lane, trip.status, self.spent))

    def _judge(self, trip: _Trip) -> None:
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
        if self._stopped is None:
            self._stopped = error
        self._settled.set()  # nobody waits for a budget that will not be used

    def _notices(self, job: Job, trip: _Trip) -> Iterator[Notice]:
        label, path = job.unit.label, job.unit.source.path
        if trip.error is not None:
            verb = "answer cut" if trip.has_begun else "not reviewed"
            yield Notice(notice_code(trip.error), f"{verb} ({label}): {trip.error.line}", path, incomplete=True)
        elif trip.is_full:
            text = f"only the first {_FINDINGS_PER_UNIT} findings of the answer are kept ({label})"
            yield Notice("too-many-findings", text, path, incomplete=True)
        elif trip.status is not UnitStatus.REVIEWED:
            yield Notice("not-reviewed", f"{_shortfall(trip)} ({label})", path, incomplete=True)
        if trip.rejected:
            text = f"{len(trip.rejected)} model findings point at no text here and are kept in the trail ({label})"
            yield Notice("unanchored", text, path)

    async def _not_asked(self, job: Job, why: str) -> None:
        self.units[UnitStatus.NOT_REVIEWED] += 1
        notice = Notice(
            "not-reviewed", f"not reviewed ({job.unit.label}): {why}", job.unit.source.path, incomplete=True
        )
        await self._emit(Noticed(notice))
        await self._emit(UnitDone(job.unit.label, job.spec.lane, UnitStatus.NOT_REVIEWED, self.spent))


def _shortfall(trip: _Trip) -> str:
    """Why an answer without an error is not a review."""
    completion = trip.completion
    if completion is None:
        return "not reviewed: no answer"
    if completion.finish is Finish.CONTENT_FILTER:
        return "not reviewed: the endpoint filtered the answer"
    if completion.finish is Finish.LENGTH:
        return "answer cut: it used all its tokens" if trip.answer else "not reviewed: all tokens went into reasoning"
    if completion.finish is Finish.CUT:
        return "answer cut: the stream ended early" if trip.answer else "not reviewed: the stream ended early"
    if not "".join(trip.answer).strip():
        return "not reviewed: the answer was empty"
    return (
        "answer cut: not well-formed to its end" if trip.found else "not reviewed: the answer was not in the asked form"
    )


def notice_code(error: KimiError) -> str:
    """A notice's code for an error: `model.rate_limited` is `model-rate-limited`."""
    return error.code.replace(".", "-").replace("_", "-")


def _finding_body(finding: Finding) -> JsonValue:
    region = finding.location.region
    return {
        "rule": finding.rule.id,
        "fingerprint": finding.fingerprint,
        "line": region.start_line + 1 if region else None,
        "confidence": finding.confidence.value,
        "protected_area": finding.protected_area,
    }
