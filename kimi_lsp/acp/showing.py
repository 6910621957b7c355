"""An audit in the panel: its events become a plan, tool calls, reasoning and money. It does not write the answer."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

from kimi_lsp.acp.floor import Floor, Piece
from kimi_lsp.acp.links import place_path
from kimi_lsp.acp.panel import Card, Panel, Spot
from kimi_lsp.acp.plain import named
from kimi_lsp.acp.plan import FACTS, LIST, REDACT, REPORT, SCREEN, Steps
from kimi_lsp.acp.protocol import ToolStatus
from kimi_lsp.acp.rest import Rest
from kimi_lsp.acp.telling import finding_line, finding_text, summary, worst_first
from kimi_lsp.audit import (
    AskPlanned,
    AuditEvent,
    FactsProgress,
    Finished,
    Found,
    Noticed,
    Planned,
    Reasoned,
    Reviewed,
    ToolUsed,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.faces.markup import dollars
from mcp_tools.finding import Finding, Lane
from mcp_tools.output import printable
from mcp_tools.output.summary import count_of, summarise

_TOOL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_SLICE = re.compile(r"(.+):([0-9]{1,9})-([0-9]{1,9})", re.DOTALL)
_MAX_UNITS = 60  # that have cards of their own
_MAX_ITEMS = 50  # findings in one card
_MAX_SPOTS = 200
_MAX_UNSAVED = 20  # texts that are named
_STEPS_SHOWN = 10  # of a tool's progress


@dataclass(frozen=True, slots=True)
class About:
    """What is audited and by whom."""

    root: Path  # of the project, absolute
    title: str  # in words
    model: str = ""  # its id
    endpoint: str = ""  # its host
    window: int = 0  # in tokens; 0 where it is not known
    prefix: str = ""  # makes the ids of this audit's cards differ from those of another in the same turn
    with_model: bool = True  # it will be asked
    unsaved: frozenset[str] = frozenset()  # paths whose text is the editor's and not the disk's


@dataclass(slots=True)
class _Review:
    """A unit that the model looks at."""

    unit: str
    card: Card | None
    findings: list[Finding] = field(default_factory=list[Finding])


class Showing:
    """Shows one audit. Every card that it opens is closed by `finish` or `interrupted`."""

    def __init__(self, panel: Panel, about: About) -> None:
        self._panel = panel
        self._about = about
        self._root = about.root
        self._steps = Steps.of(with_model=about.with_model)
        self._floor = Floor(time.monotonic)
        self._open: dict[str, Card] = {}
        self._facts: dict[Lane, list[Finding]] = {}
        self._reviews: dict[str, _Review] = {}
        self._rest = Rest()
        self._asks: AskPlanned | None = None
        self._units = self._begun = self._done = self._short = 0
        self._tools = 0
        self.run_id = ""
        self.cost_usd = Decimal(0)  # that was told
        self._lane: Lane | None = None
        self._finished: Finished | None = None
        self._steps.begin(LIST)
        self._show_plan()
        for number, path in enumerate(sorted(about.unsaved)[:_MAX_UNSAVED], start=1):
            title = f"Read {named(printable(path))} (unsaved)"
            spots = self._spots(path, None)
            panel.card(Card(f"{about.prefix}unsaved-{number}", title, "read", "completed", spots=spots))

    def take(self, event: AuditEvent) -> None:
        """Show an event."""
        match event:
            case Planned():
                self.run_id = event.run_id
                self._steps.end(LIST, f"List files: {count_of(event.files, 'file')}")
                self._steps.begin(FACTS)
                self._show_plan()
            case FactsProgress():
                self._progress(event)
            case Found():
                self._found(event.finding)
            case Finished():
                self._finished = event
            case Noticed() | Reviewed():
                pass  # what was not done stands in the answer
            case _:
                self._take_review(event)

    def _take_review(self, event: AskPlanned | UnitStarted | Reasoned | ToolUsed | UnitDone) -> None:
        match event:
            case AskPlanned():
                self._ask(event)
            case UnitStarted():
                self._begin(event.unit, event.lane)
            case Reasoned():
                self._think(self._floor.feed(event.unit, event.text))
            case ToolUsed():
                self._tool(event)
            case UnitDone():
                self._end(event)

    def finish(self) -> Finished | None:
        """The audit is over: close everything and show what it found in a card that programs can read."""
        self._close_facts()
        self._think(self._floor.flush())
        self._close("failed", "not finished")
        finished = self._finished
        if finished is None:
            self._steps.stop("stopped")
            self._show_plan()
            return None
        found = summarise(finished.report)
        self._say_asked()
        self._steps.begin(REPORT)
        self._steps.end(REPORT, f"Report: {count_of(len(found.active), 'finding')}")
        self._show_plan()
        ordered = worst_first(found.active)
        items = [finding_text(self._root, finding) for finding in ordered[:_MAX_ITEMS]]
        if len(ordered) > _MAX_ITEMS:
            items.append(f"{len(ordered) - _MAX_ITEMS:,} more.")
        self._panel.card(
            Card(
                f"{self._about.prefix}findings",
                f"Findings: {named(printable(self._about.title))}",
                "think",
                "completed",
                tuple(items) or (found.verdict,),
                self._spots_of(ordered),
                raw_output=summary(self._root, finished.report),
            )
        )
        return finished

    def interrupted(self) -> None:
        """The audit was stopped: nothing stays open."""
        self._think(self._floor.flush())
        self._close("failed", "stopped")
        self._steps.stop("stopped")
        self._show_plan()

    # Facts

    def _progress(self, event: FactsProgress) -> None:
        name = f"facts-{event.lane.value}"
        if event.lane is not self._lane:
            self._close_facts()
            self._lane = event.lane
        of_all = f"{event.done:,} of {count_of(event.total, 'file')}"
        self._steps.begin(FACTS, f"Gather facts with the deterministic tools: {of_all}")
        step = max(event.total // _STEPS_SHOWN, 1)
        if name not in self._open or event.done % step == 0 or event.done == event.total:
            card = self._open.get(name) or Card(f"{self._about.prefix}{name}", "", "search")
            self._open[name] = card.now("in_progress", title=f"{event.lane.value.capitalize()}: {of_all}")
            self._panel.card(self._open[name])
            self._show_plan()

    def _close_facts(self) -> None:
        if self._lane is None:
            return
        card = self._open.pop(f"facts-{self._lane.value}", None)
        found = self._facts.pop(self._lane, [])
        self._lane = None
        if card is not None:
            self._panel.card(self._with_findings(card, "completed", card.title, found))

    def _found(self, finding: Finding) -> None:
        if finding.suppressed is not None:
            return
        if finding.origin.model is None:
            self._facts.setdefault(finding.rule.lane, []).append(finding)
            return
        name = f"{finding.rule.lane.value} "
        for key, review in self._reviews.items():
            if key.startswith(name) and self._holds(review.unit, finding):
                review.findings.append(finding)
                return

    # The model

    def _ask(self, event: AskPlanned) -> None:
        self._close_facts()
        self._asks = event
        self._units = event.units
        self._steps.begin(REDACT)
        self._steps.begin(SCREEN, self._screened(count_of(event.units, "unit")))
        self._show_plan()

    def _screened(self, told: str) -> str:
        known = self._asks.cached if self._asks is not None else 0
        short = f", {self._short:,} of them not whole" if self._short else ""
        return f"Review with {self._about.model}: {told}{short}{f', {known:,} known from before' if known else ''}"

    def _so_far(self) -> str:
        units = max(self._units, self._done)
        return self._screened(f"{self._done:,} of {count_of(units, 'unit')}" if units else "nothing to ask")

    def _say_asked(self) -> None:
        """The steps of the model's part as they went: they may not have been taken."""
        if not self._begun:
            self._steps.say(REDACT, "Take secrets out: nothing was sent")
        self._steps.say(SCREEN, "Review with the model: not asked" if self._asks is None else self._so_far())

    def _begin(self, unit: str, lane: Lane) -> None:
        self._begun += 1
        number = self._begun
        path, lines = _parsed(unit)
        card: Card | None = None
        if number <= _MAX_UNITS:
            note = " (unsaved)" if path in self._about.unsaved else ""
            spots = self._spots(path, max(lines[0] - 1, 0) if lines is not None else 0)
            title = f"Read {named(printable(unit))}{note}"
            self._panel.card(Card(f"{self._about.prefix}read-{number}", title, "read", "completed", spots=spots))
            asked = {"model": self._about.model, "endpoint": self._about.endpoint, "unit": printable(unit)}
            card = Card(f"{self._about.prefix}review-{number}", self._asking(unit), "think", raw_input=asked)
        else:
            self._rest.begun += 1
        if number == _MAX_UNITS + 1:
            self._open["rest"] = Card(f"{self._about.prefix}review-rest", self._rest_title(), "think")
            self._panel.card(self._open["rest"])
        name = f"{lane.value} {unit}"
        if (earlier := self._open.pop(name, None)) is not None:
            self._panel.card(earlier.now("failed", "Begun again."))
        self._reviews[name] = _Review(unit, card)
        if card is not None:
            self._open[name] = card
            self._panel.card(card)

    def _asking(self, unit: str) -> str:
        return f"{self._about.model} reviews {named(printable(unit))}"

    def _rest_title(self) -> str:
        return self._rest.title(self._about.model, self._units - _MAX_UNITS)

    def _end_of_rest(self) -> None:
        """The card that counts is sent a few times in all."""
        if (card := self._open.get("rest")) is not None:
            self._open["rest"] = card.now("in_progress", title=self._rest_title())
            if self._rest.done % max((self._units - _MAX_UNITS) // _STEPS_SHOWN, 1) == 0:
                self._panel.card(self._open["rest"])

    def _tool(self, event: ToolUsed) -> None:
        self._tools += 1
        if self._tools <= _MAX_UNITS:
            tool = event.tool if _TOOL.fullmatch(event.tool) else "An unknown tool"  # a model can call anything
            title = f"{named(tool)} for {named(printable(event.unit))}: {event.chars:,} characters"
            status: ToolStatus = "failed" if event.is_error else "completed"
            self._panel.card(Card(f"{self._about.prefix}tool-{self._tools}", title, "search", status))

    def _end(self, event: UnitDone) -> None:
        self._done += 1
        self._think(self._floor.done(event.unit))
        used, cost_usd = event.used.usage.total_tokens, event.used.cost_usd
        self.cost_usd += cost_usd
        if event.used.calls:
            self._panel.spent(event.used.usage, self._about.window, cost_usd)
        is_whole = event.status in (UnitStatus.REVIEWED, UnitStatus.CACHED)
        self._short += not is_whole
        self._steps.begin(SCREEN, self._so_far())
        name = f"{event.lane.value} {event.unit}"
        review, card = self._reviews.pop(name, None), self._open.pop(name, None)
        if review is not None and card is None:
            self._rest.end(event.used, is_whole=is_whole)
            self._end_of_rest()
        if review is not None and card is not None:
            told = f"{used:,} tokens, {dollars(cost_usd)}" if event.used.calls else "not asked"
            title = f"{self._asking(event.unit)}: {'' if is_whole else f'{event.status.value}, '}{told}"
            self._panel.card(self._with_findings(card, "completed" if is_whole else "failed", title, review.findings))
        self._show_plan()

    # Below

    def _with_findings(self, card: Card, status: ToolStatus, title: str, found: list[Finding]) -> Card:
        lines = [finding_line(self._root, finding) for finding in found[:_MAX_ITEMS]]
        if len(found) > _MAX_ITEMS:
            lines.append(f"- {len(found) - _MAX_ITEMS:,} more")
        text = "\n".join(lines) or "No findings."
        return Card(
            card.id,
            title,
            card.kind,
            status,
            (text,),
            self._spots_of(found) or card.spots,
            card.raw_input,
            {"findings": len(found)},
        )

    def _spots(self, path: str, line: int | None) -> tuple[Spot, ...]:
        place = place_path(self._root, path)
        return () if place is None else (Spot(place, line),)

    def _spots_of(self, found: Iterable[Finding]) -> tuple[Spot, ...]:
        places = ((one.location.path, one.location.region) for one in islice(found, _MAX_SPOTS))
        return tuple(
            spot for path, region in places for spot in self._spots(path, None if region is None else region.start_line)
        )

    def _holds(self, unit: str, finding: Finding) -> bool:
        path, lines = _parsed(unit)
        region = finding.location.region
        if finding.location.path != path:
            return False
        return lines is None or region is None or lines[0] <= region.start_line + 1 <= lines[1]

    def _think(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._panel.think(piece.text, f"{self._about.prefix}{piece.message}")

    def _close(self, status: ToolStatus, why: str) -> None:
        for name, card in self._open.items():
            if name == "rest" and self._finished is not None and self._rest.is_done:
                self._panel.card(card.now("completed"))
                continue
            found = self._known(name)
            told = self._with_findings(card, status, card.title, found) if found else card.now(status)
            self._panel.card(replace(told, markdown=(*told.markdown, f"{why.capitalize()}.")))
        self._open.clear()

    def _known(self, name: str) -> list[Finding]:
        """What a card that is open has found so far."""
        if self._lane is not None and name == f"facts-{self._lane.value}":
            return self._facts.get(self._lane, [])
        return self._reviews[name].findings if name in self._reviews else []

    def _show_plan(self) -> None:
        self._panel.plan(self._steps.entries)


def _parsed(unit: str) -> tuple[str, tuple[int, int] | None]:
    """The file of a unit, and its 1-based lines where it is a slice: see `Unit.label`."""
    match = _SLICE.fullmatch(unit)
    return (unit, None) if match is None else (match[1], (int(match[2]), int(match[3])))
