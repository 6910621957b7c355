"""The review of one unit: a conversation with a model that is paid for, read for findings, and written down."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from anyio import to_thread

from kimi_lsp.audit.anchor import Anchorer
from kimi_lsp.audit.answer import Reader, Rejected
from kimi_lsp.audit.events import AuditEvent, Found, Reasoned, Reviewed, ToolUsed, UnitStarted, UnitStatus
from kimi_lsp.audit.facts import Memory
from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.limiter import Slot
from kimi_lsp.audit.memo import encode_review
from kimi_lsp.audit.merge import Merger
from kimi_lsp.audit.parse import Candidate, FindingParser, Malformed
from kimi_lsp.audit.prompts import prompt_version
from kimi_lsp.audit.toolloop import (
    Asked,
    Heard,
    LoopLimits,
    Paid,
    Round,
    Till,
    ToolAnswered,
    round_body,
    round_contents,
)
from kimi_lsp.audit.units import Unit
from kimi_lsp.audit.whole_lines import WholeLines
from kimi_lsp.errors import KimiError, OverloadedError, RateLimitedError, StoreError
from kimi_lsp.model import Answer, Completion, Finish, Reasoning, Thinking
from kimi_lsp.store import Ceilings, JsonValue, Store
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding, Notice
from mcp_tools.output.summary import count_of
from mcp_tools.redaction import Redactor

_FINDINGS_PER_UNIT = 100
_BUSY = (RateLimitedError, OverloadedError)


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
    tool_limits: LoopLimits


def job_key(spec: LaneSpec, unit: Unit, model: str, endpoint: str, thinking: Thinking, offer: str = "") -> str:
    """What an answer depends on: the unit's text, the rules, the prompt, the tool whose facts it holds, the model.

    Not on the rest of the file, nor on where in it the unit stands: only changed units are asked again. `offer` is the
    version of the tools that the model may call, empty when there are none.
    """
    parts = (
        "review 2",
        spec.lane,
        spec.tool_version,
        prompt_version(spec.lane, has_tools=bool(offer)),
        model,
        endpoint,
        thinking,
        unit.source.path,
        unit.text,
        *filter(None, (offer,)),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def reviewed(job: Job) -> Reviewed:
    """The event that a job's lines need no further look."""
    return Reviewed(job.unit.source.path, job.spec.lane, job.unit.first_line, job.unit.last_line)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the reviews of one run have in common."""

    plan: Plan
    model: str
    store: Store
    redactor: Redactor
    merger: Merger
    till: Till
    emit: Callable[[AuditEvent], Awaitable[None]]
    stop: Callable[[KimiError], None]  # ask for no more units
    memory: Memory | None = None


@dataclass(slots=True)
class _Reading:
    """What one round of a review said: findings, and what was none."""

    reader: Reader
    reasoning: WholeLines
    parser: FindingParser = field(default_factory=FindingParser)
    found: list[Finding] = field(default_factory=list[Finding])
    known: list[str] = field(default_factory=list[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    malformed: list[Malformed] = field(default_factory=list[Malformed])
    is_full: bool = False
    is_complete: bool = False


@dataclass(slots=True)
class Trip:
    """A unit's way through the model: one round, or several where the model called tools."""

    rounds: list[Round] = field(default_factory=list[Round])
    readings: list[_Reading] = field(default_factory=list[_Reading])
    paid: list[Paid] = field(default_factory=list[Paid])

    @property
    def last(self) -> Round:
        """The round that it ended with."""
        return self.rounds[-1]

    @property
    def error(self) -> KimiError | None:
        """What it ended with, if that is an error."""
        return self.last.error

    @property
    def has_begun(self) -> bool:
        """True once the endpoint began to answer."""
        return any(one.sent is not None for one in self.rounds)

    @property
    def is_full(self) -> bool:
        """True once there were more findings than are kept."""
        return any(one.is_full for one in self.readings)

    @property
    def used_tools(self) -> bool:
        """True once the model called a tool."""
        return any(one.runs_tools for one in self.rounds)

    @property
    def found(self) -> list[Finding]:
        """The findings of all rounds."""
        return [finding for one in self.readings for finding in one.found]

    @property
    def rejected(self) -> list[Rejected]:
        """What pointed at no text, of all rounds."""
        return [item for one in self.readings for item in one.rejected]

    @property
    def has_gaps(self) -> bool:
        """True when something was said that is no finding."""
        return any(one.rejected or one.malformed for one in self.readings)

    @property
    def status(self) -> UnitStatus:
        """How the trip ended."""
        completion = self.last.completion
        if completion is None or self.error is not None:
            return UnitStatus.CUT if self.found else UnitStatus.NOT_REVIEWED
        if self.readings[-1].is_complete and completion.is_whole:
            return UnitStatus.REVIEWED
        return UnitStatus.CUT if self.found or self.last.answer else UnitStatus.NOT_REVIEWED


class Review:
    """Goes along with one unit's conversation: pays, reads the findings out of it, writes it down."""

    def __init__(self, shared: Shared, job: Job, slot: Slot) -> None:
        self._shared = shared
        self._job = job
        self._slot = slot
        self.trip = Trip()

    async def reserve(self, this: Round) -> None:
        """Reserve the most that the round can cost."""
        shared, job, trip = self._shared, self._job, self.trip
        label = shared.redactor.redact(f"{job.spec.lane} {job.unit.label}")
        paid = await shared.till.reserve(this.request, label)
        trip.rounds.append(this)
        trip.paid.append(paid)
        trail_id = f"{shared.plan.run_id}/{paid.number}"
        anchorer = trip.readings[0].reader.anchorer if trip.readings else Anchorer(job.unit.source)
        reader = Reader(job.spec, job.unit, anchorer, shared.redactor, shared.model, trail_id)
        trip.readings.append(_Reading(reader, WholeLines(shared.redactor)))

    async def hear(self, this: Round, heard: Heard) -> None:
        """Read findings as they come; let the reasoning out live where that is wanted."""
        reading, unit = self.trip.readings[-1], self._job.unit
        match heard:
            case Asked() if this.number == 1:
                await self._shared.emit(UnitStarted(unit.label, self._job.spec.lane))
            case Reasoning():
                await self._reason(reading, heard.text)
            case Answer():
                await self._take(this, reading, reading.parser.feed(heard.text))
            case Completion():
                await self._reason(reading, "", is_end=True)
                await self._take(this, reading, reading.parser.close())
                reading.is_complete = reading.parser.is_complete and not reading.is_full
                if this.sent is not None and this.sent.attempts > 1:
                    self._slot.refused()
                else:
                    self._slot.succeeded()
            case ToolAnswered():
                result = heard.result
                used = ToolUsed(unit.label, self._job.spec.lane, result.call.name, result.chars, result.is_error)
                await self._shared.emit(used)
            case _:
                pass

    async def settle(self, this: Round) -> None:
        """Tell the ledger what it cost, and the limit when it was too much for the endpoint."""
        if isinstance(this.error, _BUSY):
            self._slot.refused()
        try:
            await self._shared.till.settle(self.trip.paid[-1], this.usage)
        except StoreError as error:
            self._shared.stop(error)

    async def record(self, this: Round) -> None:
        """Write the round into the trail, and a whole review into the cache.

        A review that called tools is not remembered: it depends on other files too, and nothing would tell that they
        have changed.
        """
        trip, memory = self.trip, self._shared.memory
        try:
            await to_thread.run_sync(self._record, this)
            if memory and trip.status is UnitStatus.REVIEWED and not (trip.has_gaps or trip.used_tools):
                await to_thread.run_sync(self._remember, memory)
        except StoreError as error:
            self._shared.stop(error)

    async def _reason(self, reading: _Reading, text: str, *, is_end: bool = False) -> None:
        """Let the reasoning out on whole lines, redacted; for whoever wants it live."""
        if self._shared.plan.wants_reasoning and (shown := reading.reasoning.feed(text, is_end=is_end)):
            await self._shared.emit(Reasoned(self._job.unit.label, shown))

    async def _take(self, this: Round, reading: _Reading, items: Iterator[Candidate | Malformed]) -> None:
        """Turn what the parser completed into findings, and let those that are news out at once."""
        for item in items:
            if isinstance(item, Malformed):
                reading.malformed.append(item)
                continue
            if len(self.trip.found) >= _FINDINGS_PER_UNIT:
                reading.is_full = this.is_enough = True
                return
            result = reading.reader.read(item)
            if isinstance(result, Rejected):
                reading.rejected.append(result)
            elif (known := self._shared.merger.add(result)) is not None:
                reading.known.append(known.fingerprint)
            else:
                reading.found.append(result)
                await self._shared.emit(Found(result))

    def _record(self, this: Round) -> None:
        shared, job, trip = self._shared, self._job, self.trip
        redact, plan, reading = shared.redactor.redact, shared.plan, trip.readings[-1]
        usage = this.usage or Usage()
        has_tools = bool(this.request.tools)
        body: dict[str, JsonValue] = {
            "call": trip.paid[-1].number,
            "project": plan.project_key,
            "lane": job.spec.lane.value,
            "path": redact(job.unit.source.path),
            "lines": [job.unit.first_line + 1, job.unit.last_line + 1],
            "text_sha256": job.unit.source.sha256,
            "model": shared.model,
            "endpoint": plan.endpoint,
            "thinking": plan.thinking.value,
            "prompt_version": prompt_version(job.spec.lane, has_tools=has_tools),
            "redactions": dict(shared.redactor.counts),
            "status": "called tools" if this.runs_tools else trip.status.value,
            "findings": [_finding_body(finding) for finding in reading.found],
            "known": list(reading.known),
            "rejected": [
                {"rule": redact(item.candidate.rule[:80]), "reason": redact(item.reason[:200])}
                for item in reading.rejected
            ],
            "malformed": [redact(item.reason[:200]) for item in reading.malformed],
            **round_body(this, usage, shared.till.cost_usd(usage), shared.redactor),
        }
        if has_tools:
            body["earlier_calls"] = [paid.number for paid in trip.paid[:-1]]  # the rounds that led to this one
        system, project, unit = (message.content for message in this.request.messages[:3])
        contents = {"system": system, "project": project, "unit": unit, **round_contents(this, shared.redactor)}
        shared.store.trail.append("model-call", body, contents, run_id=plan.run_id)

    def _remember(self, memory: Memory) -> None:
        review = encode_review(self.trip.found, self._job.unit.first_line)
        memory.put_many({self._job.key: review}, project=self._shared.plan.project_key)


def notices(job: Job, trip: Trip) -> Iterator[Notice]:
    """What a finished review fell short of."""
    label, path = job.unit.label, job.unit.source.path
    if trip.error is not None:
        verb = "answer cut" if trip.last.sent is not None or trip.found else "not reviewed"
        yield Notice(notice_code(trip.error), f"{verb} ({label}): {trip.error.line}", path, incomplete=True)
    elif trip.is_full:
        text = f"only the first {_FINDINGS_PER_UNIT} findings of the answer are kept ({label})"
        yield Notice("too-many-findings", text, path, incomplete=True)
    elif trip.status is not UnitStatus.REVIEWED:
        yield Notice("not-reviewed", f"{_shortfall(trip)} ({label})", path, incomplete=True)
    if trip.rejected:
        told = count_of(len(trip.rejected), "model finding")
        text = f"{told} without a place in this text, kept in the trail ({label})"
        yield Notice("unanchored", text, path)


def _shortfall(trip: Trip) -> str:
    """Why an answer without an error is not a review."""
    completion, answer = trip.last.completion, trip.last.answer
    if completion is None:
        return "not reviewed: no answer"
    if completion.finish is Finish.CONTENT_FILTER:
        return "not reviewed: the endpoint filtered the answer"
    if completion.finish is Finish.LENGTH:
        return "answer cut: it used all its tokens" if answer else "not reviewed: all tokens went into reasoning"
    if completion.finish is Finish.CUT:
        return "answer cut: the stream ended early" if answer else "not reviewed: the stream ended early"
    if not "".join(answer).strip():
        return (
            "not reviewed: it called tools and gave no answer"
            if trip.last.calls
            else "not reviewed: the answer was empty"
        )
    return (
        "answer cut: not well-formed to its end" if trip.found else "not reviewed: the answer was not in the asked form"
    )


def notice_code(error: KimiError | type[KimiError]) -> str:
    """A notice's code for an error or a kind of error: `model.rate_limited` is `model-rate-limited`."""
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
