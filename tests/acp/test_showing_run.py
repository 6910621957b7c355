"""Real audits in a panel: what the Auditor says against a fake endpoint, and what a person sees of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
from inline_snapshot import snapshot

from kimi_lsp.acp.panel import Card
from kimi_lsp.acp.protocol import PlanEntry
from kimi_lsp.acp.showing import About, Showing
from kimi_lsp.audit import Auditor, AuditRequest, Finished, Outgoing
from kimi_lsp.store import Store
from mcp_tools.project import MemoryProject
from tests.acp.test_showing import ROOT, Board
from tests.audit.test_auditor import REQUEST, auditor, settings_for
from tests.cli.harness import APP, TRAVERSAL, answer
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate

ABOUT = About(ROOT, "Audit", "kimi-k2.6", "api.example", 262_144)
_SIGNS = {"pending": " ", "in_progress": "-", "completed": "x"}


@dataclass
class Log(Board):
    """A panel that writes down what it is given, in order; what is said again, and pieces of a thought, once."""

    lines: list[str] = field(default_factory=list[str])

    def plan(self, entries: Sequence[PlanEntry]) -> None:
        super().plan(entries)
        self._add("plan " + "".join(f"[{_SIGNS[one.status]}]" for one in entries))

    def card(self, card: Card) -> None:
        super().card(card)
        self._add(f"{card.kind} {card.id} {card.status}: {card.title}")

    def think(self, markdown: str, message: str) -> None:
        super().think(markdown, message)
        if not self.lines[-1].startswith(f"{message} "):
            self.lines.append(f"{message} ")
        self.lines[-1] += markdown.replace("\n", "|")

    def _add(self, line: str) -> None:
        if line not in self.lines[-1:]:
            self.lines.append(line)


async def run(one: Auditor, request: AuditRequest, board: Board) -> Finished:
    showing = Showing(board, ABOUT)
    with anyio.fail_after(30):
        async with one.audit(replace(request, wants_reasoning=True)) as events:
            async for event in events:
                showing.take(event)
    finished = showing.finish()
    assert finished is not None
    assert board.open == []
    return finished


async def test_an_audit_of_one_file_as_a_person_sees_it(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL, reasoning="# First\nThe name [comes](http://a.example) from outside.\n"))
    log = Log()
    finished = await run(auditor(settings_for(kimi, tmp_path), Store.open("sqlite://")), REQUEST, log)
    assert log.lines == snapshot(
        [
            "plan [-][ ][ ][ ][ ]",
            "plan [x][-][ ][ ][ ]",
            "search facts-security in_progress: Security: 1 of 1 file",
            "plan [x][-][ ][ ][ ]",
            "search facts-security completed: Security: 1 of 1 file",
            "plan [x][x][x][-][ ]",
            "read read-1 completed: Read app.py",
            "think review-1 in_progress: kimi-k2.6 reviews app.py",
            "think-1 **`app.py`**||\\# First|The name [comes\\](http:&#8203;//a.example) from outside.|",
            "think review-1 completed: kimi-k2.6 reviews app.py: 1,338 tokens, $0.001579",
            "plan [x][x][x][-][ ]",
            "plan [x][x][x][x][x]",
            "think findings completed: Findings: Audit",
        ]
    )
    assert [entry.content for entry in log.plans[-1]] == snapshot(
        [
            "List files: 1 file",
            "Gather facts with the deterministic tools: 1 of 1 file",
            "Take secrets out",
            "Review with kimi-k2.6: 1 of 1 unit",
            "Report: 3 findings",
        ]
    )
    assert sum(log.costs) == finished.spent.cost_usd
    assert "path-traversal" in log.cards["review-1"].markdown[0]
    assert len(log.cards["findings"].markdown) == len(finished.report.findings)


async def test_what_nobody_agreed_to_send_is_not_shown_as_reviewed(kimi: FakeKimi, tmp_path: Path) -> None:
    async def no(outgoing: Outgoing) -> bool:
        del outgoing
        return False

    log = Log()
    settings = replace(settings_for(kimi, tmp_path), base_url="https://api.example/v1")
    finished = await run(auditor(settings, Store.open("sqlite://")), replace(REQUEST, consent=no), log)
    assert [notice.code for notice in finished.report.notices if notice.incomplete] == ["consent-missing"]
    assert [entry.content for entry in log.plans[-1]] == snapshot(
        [
            "List files: 1 file",
            "Gather facts with the deterministic tools: 1 of 1 file",
            "Take secrets out: nothing was sent",
            "Review with kimi-k2.6: 0 of 1 unit",
            "Report: 2 findings",
        ]
    )
    assert not kimi.chats
    assert log.costs == []


async def test_a_second_audit_knows_the_first_ones_answers(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    store = Store.open("sqlite://")
    one = auditor(settings_for(kimi, tmp_path), store)
    await run(one, REQUEST, Log())
    log = Log()
    await run(one, REQUEST, log)
    assert log.plans[-1][3].content == snapshot("Review with kimi-k2.6: nothing to ask, 1 known from before")
    assert log.costs == []
    assert "path-traversal" in "".join(log.cards["findings"].markdown)


async def test_many_files_at_once_all_have_closed_cards_and_reasoning_of_their_own(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.respond(lambda request: answer(TRAVERSAL, reasoning="One.\nTwo.\n"))
    project = MemoryProject({f"f{number}.py": APP + f"# {number}\n" for number in range(8)}, "shop")
    log = Log()
    one = auditor(settings_for(kimi, tmp_path), Store.open("sqlite://"))
    finished = await run(one, replace(REQUEST, project=project), log)
    assert {card.status for card in log.cards.values()} == {"completed"}
    assert log.plans[-1][3].content == "Review with kimi-k2.6: 8 of 8 units"
    assert sum(log.costs) == finished.spent.cost_usd
    thoughts = "".join(log.thoughts)
    assert all(thoughts.count(f"**`f{number}.py`**") == 1 for number in range(8))
    assert thoughts.count("One.\nTwo.\n") == 8


async def test_an_audit_that_is_cancelled_within_an_answer_leaves_no_open_card(kimi: FakeKimi, tmp_path: Path) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, gate=gate))
    gate.release(3)
    log = Log()
    showing = Showing(log, ABOUT)

    async def show() -> None:
        try:
            async with auditor(settings_for(kimi, tmp_path), Store.open("sqlite://")).audit(REQUEST) as events:
                async for event in events:
                    showing.take(event)
        except BaseException:
            showing.interrupted()
            raise

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(show)
            await kimi.until(lambda fake: bool(fake.chats) and fake.chats[0].events_sent >= 3)
            group.cancel_scope.cancel()
    assert log.open == []
    assert {entry.status for entry in log.plans[-1]} == {"completed"}
    assert log.plans[-1][-1].content == "Report (stopped)"
