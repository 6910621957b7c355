"""Whatever an audit says, in whatever order: nothing stays open, nothing is said twice, and it stays a short plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.acp.panel import Card
from kimi_lsp.acp.plan import FACTS, LIST, REPORT, SCREEN, Steps
from kimi_lsp.acp.protocol import PlanEntry
from kimi_lsp.acp.showing import About, Showing
from kimi_lsp.audit import (
    AskPlanned,
    AuditEvent,
    FactsProgress,
    Finished,
    Found,
    Noticed,
    Outgoing,
    Planned,
    Reasoned,
    Reviewed,
    Spent,
    ToolUsed,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.usage import Usage
from mcp_tools.finding import Finding, Lane, Level, Location, Notice, Origin, Region, Report, Rule
from mcp_tools.output import printable
from tests.faces.markdown import links, structure
from tests.faces.test_markup import ATTACKS

ROOT = Path("/p/shop")
RULE = Rule("sql-injection", "SQL", Level.ERROR, Lane.SECURITY)
FACT = Finding(RULE, "A fact.", Location("a.py", Region(3, 0, 3, 5)), fingerprint="aa" * 16)
MODELS = replace(FACT, message="A guess.", fingerprint="bb" * 16, origin=Origin("kimi", "kimi-k2.6", "r/1"))
OUTGOING = Outgoing("shop", "api.example", "kimi-k2.6", 2, 10, 2, Decimal(1))
USED = Spent(Usage(100, 0, 20), Decimal("0.01"), 1)


@dataclass
class Board:
    """A panel that keeps what it is given."""

    cards: dict[str, Card] = field(default_factory=dict[str, Card])
    plans: list[tuple[PlanEntry, ...]] = field(default_factory=list[tuple[PlanEntry, ...]])
    thoughts: list[str] = field(default_factory=list[str])
    costs: list[Decimal] = field(default_factory=list[Decimal])
    sent: int = 0

    def say(self, markdown: str, message: str) -> None:
        raise AssertionError("the answer is the turn's to write")

    def think(self, markdown: str, message: str) -> None:
        self.thoughts.append(markdown)

    def plan(self, entries: Sequence[PlanEntry]) -> None:
        self.plans.append(tuple(entries))

    def card(self, card: Card) -> None:
        self.sent += 1
        self.cards[card.id] = card

    def call_id(self, card: Card) -> str:
        return card.id

    def spent(self, usage: Usage, size: int, cost_usd: Decimal) -> None:
        self.costs.append(cost_usd)

    def title(self, text: str) -> None:
        raise AssertionError("the title is the turn's to give")

    def notice(self, title: str, text: str) -> None:
        """Nothing."""

    async def ready(self) -> None:
        """Always."""

    @property
    def open(self) -> list[str]:
        return [card.id for card in self.cards.values() if card.status in ("pending", "in_progress")]


def showing(**about: object) -> tuple[Showing, Board]:
    board = Board()
    told = replace(About(ROOT, "Audit", "kimi-k2.6", "api.example", 1_000), **about)  # pyright: ignore[reportArgumentType] - by name
    return Showing(board, told), board


def test_an_audit_from_its_beginning_to_its_end() -> None:
    one, board = showing(unsaved=frozenset({"a.py"}))
    for event in (
        Planned(2, "run"),
        Found(FACT),
        FactsProgress(Lane.SECURITY, 2, 2),
        AskPlanned(2, 1, OUTGOING),
        UnitStarted("a.py", Lane.SECURITY),
        UnitStarted("b.py:10-90", Lane.SECURITY),
        Reasoned("a.py", "Hm.\n"),
        ToolUsed("a.py", Lane.SECURITY, "search_text", 120, is_error=False),
        Found(MODELS),
        UnitDone("a.py", Lane.SECURITY, UnitStatus.REVIEWED, USED, USED),
        UnitDone("b.py:10-90", Lane.SECURITY, UnitStatus.CUT, USED, Spent()),
    ):
        one.take(event)
    one.take(Finished(Report((FACT, MODELS), (), 2), "run", USED))
    finished = one.finish()
    assert finished is not None
    assert board.open == []
    titles = {card.id: (card.title, card.status) for card in board.cards.values()}
    assert titles == {
        "unsaved-1": ("Read a.py (unsaved)", "completed"),
        "facts-security": ("Security: 2 of 2 files", "completed"),
        "read-1": ("Read a.py (unsaved)", "completed"),
        "review-1": ("kimi-k2.6 reviews a.py: 120 tokens, $0.01", "completed"),
        "read-2": ("Read b.py:10-90", "completed"),
        "review-2": ("kimi-k2.6 reviews b.py:10-90: cut, not asked", "failed"),
        "tool-1": ("search_text for a.py: 120 characters", "completed"),
        "findings": ("Findings: Audit", "completed"),
    }
    assert "A fact." in board.cards["facts-security"].markdown[0]
    assert "A guess." in board.cards["review-1"].markdown[0]
    assert [spot.line for spot in board.cards["read-2"].spots] == [9]
    assert len(board.cards["findings"].markdown) == 2
    assert isinstance(board.cards["findings"].raw_output, dict)
    assert [entry.status for entry in board.plans[-1]] == ["completed"] * 5
    assert board.plans[-1][3].content == "Review with kimi-k2.6: 2 of 2 units, 1 of them not whole, 1 known from before"
    assert board.costs == [Decimal("0.01")]


def test_an_audit_that_is_stopped_leaves_nothing_open_and_says_so() -> None:
    one, board = showing()
    one.take(Planned(2, "run"))
    one.take(FactsProgress(Lane.SECURITY, 1, 2))
    one.take(AskPlanned(1, 0, OUTGOING))
    one.take(UnitStarted("a.py", Lane.SECURITY))
    one.take(Found(MODELS))
    one.interrupted()
    assert board.open == []
    review = board.cards["review-1"]
    assert review.status == "failed"
    assert "A guess." in review.markdown[0], "what is known is not thrown away"
    assert review.markdown[-1] == "Stopped."
    assert [entry.status for entry in board.plans[-1]] == ["completed"] * 5
    assert board.plans[-1][-1].content == "Report (stopped)"


def test_an_audit_that_is_stopped_among_its_facts_keeps_those_that_it_has() -> None:
    one, board = showing()
    one.take(Planned(2, "run"))
    one.take(Found(FACT))
    one.take(FactsProgress(Lane.SECURITY, 1, 2))
    one.interrupted()
    facts = board.cards["facts-security"]
    assert facts.status == "failed"
    assert "A fact." in facts.markdown[0]
    assert facts.markdown[-1] == "Stopped."


def test_a_step_that_was_not_taken_is_not_said_to_have_been() -> None:
    one, board = showing()
    one.take(Planned(2, "run"))
    one.take(Finished(Report(), "run", Spent()))
    one.finish()
    assert [entry.content for entry in board.plans[-1]][2:4] == [
        "Take secrets out: nothing was sent",
        "Review with the model: not asked",
    ]
    one, board = showing()
    one.take(AskPlanned(2, 3, OUTGOING))  # and nobody agreed
    one.take(Finished(Report(), "run", Spent()))
    one.finish()
    assert [entry.content for entry in board.plans[-1]][2:4] == [
        "Take secrets out: nothing was sent",
        "Review with kimi-k2.6: 0 of 2 units, 3 known from before",
    ]


def test_the_gravest_findings_come_first_where_not_all_have_room() -> None:
    notes = [replace(FACT, level=Level.NOTE, location=Location(f"a{n}.py"), message=f"Note {n}.") for n in range(60)]
    grave = replace(FACT, location=Location("z.py"), message="Grave.")
    one, board = showing()
    one.take(Finished(Report((*notes, grave)), "run", Spent()))
    one.finish()
    card = board.cards["findings"]
    assert "Grave." in card.markdown[0]
    assert card.markdown[-1] == "11 more."
    assert card.spots[0].path == ROOT / "z.py"


def test_a_title_shows_a_name_as_it_is_to_clients_that_read_markdown_too() -> None:
    one, board = showing(title="Audit [x](command:y)")
    for path in ("src/a_b.py", "pkg/__init__.py", "[x](command:y).py", "../up.py"):
        one.take(UnitStarted(path, Lane.SECURITY))
    one.take(ToolUsed("a.py", Lane.SECURITY, "# [x](command:y)", 0, is_error=True))
    one.take(Finished(Report(), "run", Spent()))
    one.finish()
    assert [board.cards[f"read-{n}"].title for n in (1, 2, 3)] == [
        "Read src/a_b.py",
        "Read `pkg/__init__.py`",
        "Read `[x](command:y).py`",
    ]
    assert board.cards["tool-1"].title == "An unknown tool for a.py: 0 characters"
    assert board.cards["findings"].title == "Findings: `Audit [x](command:y)`"
    assert board.cards["read-4"].spots == (), "it lies outside the project"


def test_a_large_audit_has_few_cards_and_all_its_money() -> None:
    one, board = showing()
    one.take(Planned(1_000, "run"))
    for done in range(1, 1_001):
        one.take(FactsProgress(Lane.SECURITY, done, 1_000))
    one.take(AskPlanned(1_000, 0, OUTGOING))
    for number in range(1_000):
        one.take(UnitStarted(f"f{number}.py", Lane.SECURITY))
        one.take(UnitDone(f"f{number}.py", Lane.SECURITY, UnitStatus.REVIEWED, USED, USED))
    one.take(Finished(Report(), "run", USED))
    one.finish()
    assert len(board.cards) <= 125
    assert (board.cards["review-rest"].status, board.cards["review-rest"].title) == (
        "completed",
        "kimi-k2.6 reviews 940 of 940 more units: 112,800 tokens, $9.40",
    )
    assert board.sent < 400, "not every step of a thousand is sent"
    assert len(board.costs) == 1_000
    assert board.open == []


def test_without_a_model_there_are_no_steps_for_one() -> None:
    _, board = showing(with_model=False)
    assert [entry.content for entry in board.plans[0]] == [
        "List files",
        "Gather facts with the deterministic tools",
        "Report",
    ]


def test_a_step_that_begins_ends_those_before_it() -> None:
    steps = Steps.of(with_model=True)
    steps.begin(SCREEN)
    assert [entry.status for entry in steps.entries] == ["completed"] * 3 + ["in_progress", "pending"]
    steps.end(REPORT)
    steps.begin("no such step")
    assert steps.entries[-1].status == "completed"
    assert (LIST, FACTS) == ("list", "facts")


_text = st.sampled_from(ATTACKS) | st.text(max_size=12)
_unit = st.sampled_from(["a.py", "b.py:10-90", "c:d.py", "x-1:2-y", "", "a.py:0-1"]) | _text
_lane = st.sampled_from([Lane.SECURITY, Lane.STYLE])


def _somewhere(one: Finding, message: str, path: str) -> Finding:
    return replace(one, message=message, location=Location(path.replace("\0", "") or "x"))


_finding = st.builds(_somewhere, st.sampled_from([FACT, MODELS]), _text, _unit)
_events = st.one_of(
    st.builds(Planned, st.integers(0, 9), _text),
    st.builds(FactsProgress, _lane, st.integers(0, 9), st.integers(0, 9)),
    st.builds(AskPlanned, st.integers(0, 9), st.integers(0, 9), st.just(OUTGOING)),
    st.builds(Found, _finding),
    st.builds(Noticed, st.builds(Notice, _text, _text)),
    st.builds(Reasoned, _unit, _text),
    st.builds(ToolUsed, _unit, _lane, _text, st.integers(0, 9), st.booleans()),
    st.builds(UnitStarted, _unit, _lane),
    st.builds(UnitDone, _unit, _lane, st.sampled_from(UnitStatus), st.just(USED), st.sampled_from([USED, Spent()])),
    st.builds(Reviewed, _unit, _lane, st.integers(0, 9), st.integers(0, 9)),
)


@given(st.lists(_events, max_size=25), st.booleans(), st.booleans())
def test_any_events_in_any_order_leave_nothing_open_and_lead_nowhere(
    events: list[AuditEvent], is_stopped: bool, is_whole: bool
) -> None:
    one, board = showing()
    found = [event.finding for event in events if isinstance(event, Found)]
    for event in events:
        one.take(event)
    if is_whole:
        one.take(Finished(Report(tuple(found)), "run", USED))
    if is_stopped:
        one.interrupted()
    else:
        assert (one.finish() is not None) is is_whole
    assert board.open == []
    assert all(len(plan) <= 8 for plan in board.plans)
    assert all(sum(entry.status == "in_progress" for entry in plan) <= 1 for plan in board.plans)
    shown = [*board.thoughts, *(text for card in board.cards.values() for text in card.markdown)]
    assert all(link.startswith("file:///p/shop/") for text in shown for link in links(text))
    for card in board.cards.values():
        assert card.title == printable(card.title)
        assert links(card.title) == [], "some clients read it as Markdown"
        assert structure(card.title) == structure("x")
        assert all(spot.path.is_relative_to(ROOT) and ".." not in spot.path.parts for spot in card.spots)


@pytest.mark.parametrize("count", [0, 1, 59, 60, 61, 62])
def test_the_card_for_the_rest_appears_with_the_sixty_first_unit(count: int) -> None:
    one, board = showing()
    one.take(AskPlanned(count, 0, OUTGOING))
    for number in range(count):
        one.take(UnitStarted(f"f{number}.py", Lane.SECURITY))
    assert ("review-rest" in board.cards) is (count > 60)
