"""The Auditor at its own door: a project in memory, a store in memory, a fake endpoint."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

import anyio
import pytest

from kimi_lsp.app.session import client
from kimi_lsp.audit import (
    LANES,
    AskPlanned,
    AuditEvent,
    Auditor,
    AuditRequest,
    Door,
    Finished,
    Found,
    Noticed,
    Outgoing,
    Parts,
    Planned,
    Reasoned,
    Reviewed,
    UnitDone,
    UnitStatus,
)
from kimi_lsp.audit.answer import Reader, Rejected
from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.parse import Candidate
from kimi_lsp.config import Budget, Depth, Rules, Settings
from kimi_lsp.errors import UsageError
from kimi_lsp.model import profile_for
from kimi_lsp.store import Decision, Store
from mcp_tools.finding import Finding, Lane
from mcp_tools.project import MemoryProject, Overlay
from mcp_tools.redaction import Redactor
from tests.cli.harness import APP, KEY, TRAVERSAL, answer, finding
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate

PROJECT = MemoryProject({"app.py": APP}, "shop")
KEY_BYTES = b"k" * 32


@pytest.fixture
def store() -> Store:
    return Store.open("sqlite://")


def settings_for(kimi: FakeKimi, tmp_path: Path) -> Settings:
    from kimi_lsp.config import Secret

    return Settings(
        tmp_path,
        base_url=kimi.base_url,
        model="kimi-k2.6",
        api_key=Secret(KEY),
        depth=Depth.SCREEN,
        lanes=(Lane.SECURITY,),
    )


def auditor(settings: Settings, store: Store) -> Auditor:
    @asynccontextmanager
    async def door(redactor: Redactor) -> AsyncGenerator[Door]:
        profile = profile_for(settings.model, settings.base_url)
        async with client(settings, replace(profile, prices=PRICES), redactor.scan) as opened:
            yield opened

    def opened(redactor: Redactor) -> AbstractAsyncContextManager[Door]:
        return door(redactor)

    return Auditor(Parts(settings, store=lambda: store, door=opened, key=lambda purpose: KEY_BYTES))


PRICES = profile_for("kimi-k2.6", "https://api.moonshot.ai/v1").prices
REQUEST = AuditRequest(PROJECT, "shop", depth=Depth.SCREEN)


async def all_events(one: Auditor, request: AuditRequest) -> Sequence[AuditEvent]:
    with anyio.fail_after(30):
        async with one.audit(request) as events:
            return [event async for event in events]


def found_rules(events: Sequence[AuditEvent]) -> list[str]:
    return [event.finding.rule.id for event in events if isinstance(event, Found)]


async def test_facts_come_before_the_model_and_the_report_last(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store), REQUEST)
    kinds = [type(event) for event in events]
    assert kinds[0] is Planned
    assert kinds[-1] is Finished
    assert kinds.index(Found) < kinds.index(AskPlanned) < kinds.index(UnitDone)
    assert found_rules(events)[-1] == "path-traversal"
    last = events[-1]
    assert isinstance(last, Finished)
    assert {item.rule.id for item in last.report.findings} == set(found_rules(events))
    assert last.spent.calls == 1
    assert last.spent.cost_usd > 0
    assert store.ledger.spending().cost_usd == last.spent.cost_usd
    assert store.ledger.open_reservations() == []


async def test_unsaved_text_is_what_is_audited(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(answer())
    overlay = Overlay(PROJECT, {"app.py": "import os\nos.system('ls ' + input())\n"})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store), replace(REQUEST, project=overlay))
    regions = [event.finding.location.region for event in events if isinstance(event, Found)]
    assert [region.start_line for region in regions if region] == [1]
    assert "sqlite3" not in kimi.chats[0].prompt


async def test_leaving_the_block_closes_the_socket_and_keeps_what_was_spent(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, finding("weak-cryptography", 2, "import sqlite3"), chunk_chars=8, gate=gate))
    gate.release(60)
    with anyio.fail_after(30):
        async with auditor(settings_for(kimi, tmp_path), store).audit(REQUEST) as events:
            async for event in events:
                if isinstance(event, Found) and event.finding.origin.model:
                    break
    await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
    assert store.ledger.open_reservations() == []
    [entry] = store.ledger.entries()
    assert entry.usage is not None
    assert entry.usage.is_estimated
    [record] = store.trail.records()
    assert record.body["status"] == "cut"


async def test_cancelling_the_task_cancels_the_call(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, gate=gate))
    gate.release(3)
    async with anyio.create_task_group() as group:
        group.start_soon(all_events, auditor(settings_for(kimi, tmp_path), store), REQUEST)
        await kimi.until(lambda fake: bool(fake.chats) and fake.chats[0].events_sent >= 3)
        group.cancel_scope.cancel()
    await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
    assert store.ledger.open_reservations() == []


async def test_an_error_of_the_reader_comes_out_as_it_is(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(answer())

    async def read_badly() -> None:
        async with auditor(settings_for(kimi, tmp_path), store).audit(REQUEST) as events:
            async for _ in events:
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await read_badly()


async def test_reasoning_streams_when_it_is_wanted(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(answer(reasoning="First this. Then that."))
    one = auditor(settings_for(kimi, tmp_path), store)
    events = await all_events(one, replace(REQUEST, wants_reasoning=True))
    assert "".join(event.text for event in events if isinstance(event, Reasoned)) == "First this. Then that."


async def test_a_dismissed_finding_is_suppressed_and_still_reported(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    one = auditor(settings_for(kimi, tmp_path), store)
    [model] = [
        event.finding
        for event in await all_events(one, REQUEST)
        if isinstance(event, Found) and event.finding.origin.model
    ]
    store.verdicts.set("shop", model.fingerprint, Decision.DISMISSED, reason="the caller checks")
    [again] = [
        event.finding
        for event in await all_events(one, REQUEST)
        if isinstance(event, Found) and event.finding.origin.model
    ]
    assert again.suppressed == "dismissed: the caller checks"
    assert len(kimi.chats) == 1


async def test_a_rule_that_the_user_turned_off_is_silent(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    settings = replace(
        settings_for(kimi, tmp_path), rules=Rules(yours={"path-traversal": "off", "shell-injection": "off"})
    )
    assert found_rules(await all_events(auditor(settings, store), REQUEST)) == ["sql-injection"]


async def test_consent_is_asked_once_and_says_what_would_leave(
    kimi: FakeKimi, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "is_loopback", property(lambda self: False))  # as a remote endpoint
    settings = replace(settings_for(kimi, tmp_path), trust_env=False)
    asked: list[Outgoing] = []
    replies = [False, True]

    async def ask(outgoing: Outgoing) -> bool:
        asked.append(outgoing)
        return replies[len(asked) - 1]

    one, request = auditor(settings, store), replace(REQUEST, consent=ask)
    refused = await all_events(one, request)
    assert kimi.chats == []
    assert [event.notice.code for event in refused if isinstance(event, Noticed)] == ["consent-missing"]
    assert (asked[0].files, asked[0].bytes, asked[0].endpoint) == (1, len(APP.encode()), settings.endpoint_host)
    kimi.respond(lambda request: answer())
    await all_events(one, request)
    changed = Overlay(PROJECT, {"app.py": APP + "\n# more\n"})
    await all_events(one, replace(request, project=changed))
    assert len(kimi.chats) == 2
    assert len(asked) == 2, "the second yes is remembered"


async def test_what_may_cost_a_lot_is_asked_for_where_somebody_can_be_asked(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.respond(lambda request: answer())
    asked: list[Outgoing] = []

    async def decline(outgoing: Outgoing) -> bool:
        asked.append(outgoing)
        return False

    settings = replace(settings_for(kimi, tmp_path), ask_above_usd=Decimal(0), budget=Budget(run_usd=Decimal("0.01")))
    declined = await all_events(auditor(settings, store), replace(REQUEST, spending=decline))
    assert [event.notice.code for event in declined if isinstance(event, Noticed)] == ["spending-declined"]
    assert [outgoing.max_cost_usd for outgoing in asked] == [Decimal("0.01")], "no more than the run's ceiling"
    assert kimi.chats == []
    await all_events(auditor(settings_for(kimi, tmp_path), store), replace(REQUEST, spending=decline))
    assert (len(asked), len(kimi.chats)) == (1, 1), "little is not asked for"
    changed = Overlay(PROJECT, {"app.py": APP + "\n# more\n"})
    unasked = replace(settings_for(kimi, tmp_path), ask_above_usd=Decimal(0))
    await all_events(auditor(unasked, store), replace(REQUEST, project=changed))
    assert len(kimi.chats) == 2, "with nobody to ask the ceilings alone hold"


async def test_units_wait_for_open_calls_before_the_budget_refuses_them(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    project = MemoryProject({f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(12)})
    kimi.respond(lambda request: answer(prompt_tokens=1_000, completion_tokens=100))
    # One reserve is about 0.07 dollars: with 0.10 only one call at a time fits, and each settles at about 0.0014.
    settings = replace(settings_for(kimi, tmp_path), budget=Budget(run_usd=Decimal("0.10")))
    events = await all_events(auditor(settings, store), replace(REQUEST, project=project))
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.REVIEWED: 12}
    assert last.report.is_complete


async def test_a_lane_that_does_not_exist_is_said_at_once(store: Store, tmp_path: Path) -> None:
    one = Auditor(Parts(Settings(tmp_path), store=lambda: store))
    with pytest.raises(UsageError, match="docs"):
        async with one.audit(replace(REQUEST, lanes=(Lane.DOCS,))):
            pass


async def test_a_large_file_is_asked_in_slices_and_findings_stay_in_theirs(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    body = "".join(f"def f{n}(a):\n    b = a + {n}\n    return b\n\n\n" for n in range(400))
    text = body + "def last(root, name):\n    path = root + '/' + name\n    return open(path).read()\n"
    kimi.respond(
        lambda request: answer(finding("path-traversal", text.count("\n") - 1, "    path = root + '/' + name"))
    )
    settings = settings_for(kimi, tmp_path)
    settings = replace(settings, limits=replace(settings.limits, unit_chars=4_000))
    project = MemoryProject({"big.py": text})
    events = await all_events(auditor(settings, store), replace(REQUEST, project=project))
    assert len(kimi.chats) > 3
    assert found_rules(events) == ["path-traversal"], "said by every slice, found only where the text was shown"
    assert "Outline of the rest of the file" in kimi.chats[0].prompt


class _Broken:
    """A tool or a parser that breaks after its first result."""

    def __init__(self, first: Iterable[Finding]) -> None:
        self._first = first

    def __call__(self, *_: object) -> Iterator[Finding]:
        yield from self._first
        raise RuntimeError("broken")


async def test_a_tool_that_breaks_costs_its_files_and_not_the_audit(
    kimi: FakeKimi, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    spec = LANES[Lane.SECURITY]
    found = [item for item in spec.tool(PROJECT, ["app.py"]) if isinstance(item, Finding)]
    monkeypatch.setitem(cast("dict[Lane, LaneSpec]", LANES), Lane.SECURITY, replace(spec, tool=_Broken(found[:1])))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store), REQUEST)
    last = events[-1]
    assert isinstance(last, Finished)
    assert not last.report.is_complete
    assert [notice.code for notice in last.report.notices] == ["tool-failed"]
    assert found_rules(events) == ["shell-injection", "path-traversal"]


async def test_a_defect_on_one_answer_costs_that_unit_and_is_paid_for(
    kimi: FakeKimi, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = MemoryProject({"a.py": APP, "b.py": APP + "\n"})
    kimi.respond(lambda request: answer(TRAVERSAL))
    read = Reader.read

    def breaks(self: Reader, candidate: Candidate) -> Finding | Rejected:
        if self.unit.source.path == "a.py":
            raise RuntimeError("broken")
        return read(self, candidate)

    monkeypatch.setattr(Reader, "read", breaks)
    events = await all_events(auditor(settings_for(kimi, tmp_path), store), replace(REQUEST, project=project))
    last = events[-1]
    assert isinstance(last, Finished)
    assert [notice.code for notice in last.report.notices] == ["internal"]
    assert [
        event.finding.location.path for event in events if isinstance(event, Found) and event.finding.origin.model
    ] == ["b.py"]
    assert store.ledger.open_reservations() == []
    assert store.ledger.spending().calls == 2


async def test_an_edit_above_a_unit_asks_nothing_again_and_the_finding_moves(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    settings = replace(settings_for(kimi, tmp_path), limits=replace(Settings(tmp_path).limits, unit_chars=2_000))
    filler = "".join(f"def f{n}():\n    return {n}\n" for n in range(80))
    text = filler + APP
    kimi.respond(lambda chat: answer(TRAVERSAL) if "sqlite3" in chat.prompt else answer())
    request = replace(REQUEST, project=MemoryProject({"app.py": text}, "shop"))
    before = await all_events(auditor(settings, store), request)
    asked = len(kimi.chats)
    edited = text.replace("    return 3\n", "    # more\n    return 3\n", 1)
    again = replace(request, project=MemoryProject({"app.py": edited}, "shop"))
    after = await all_events(auditor(settings, store), again)

    def lines(events: Sequence[AuditEvent]) -> list[int]:
        places = [event.finding.location.region for event in events if isinstance(event, Found)]
        return sorted(region.start_line for region in places if region)

    assert lines(after) == [line + 1 for line in lines(before)]
    assert 0 < len(kimi.chats) - asked <= 2
    assert sum(isinstance(event, Reviewed) for event in after) >= asked


async def test_a_focus_sends_the_lines_around_it_and_no_more(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    filler = "".join(f"def f{n}():\n    return {n}\n" for n in range(200))
    kimi.enqueue(answer(TRAVERSAL))
    project = MemoryProject({"app.py": filler + APP}, "shop")
    focus = {"app.py": [(filler.count("\n") + 3, filler.count("\n") + 3)]}
    events = await all_events(
        auditor(settings_for(kimi, tmp_path), store), replace(REQUEST, project=project, focus=focus)
    )
    [chat] = kimi.chats
    assert "return 5\n" not in chat.prompt
    assert "sqlite3" in chat.prompt
    [reviewed] = [event for event in events if isinstance(event, Reviewed)]
    assert reviewed.first_line <= focus["app.py"][0][0] <= reviewed.last_line


async def test_what_is_remembered_comes_without_asking(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    one = auditor(settings_for(kimi, tmp_path), store)
    quiet = replace(REQUEST, may_ask=False)
    assert "path-traversal" not in found_rules(await all_events(one, quiet))
    kimi.enqueue(answer(TRAVERSAL))
    await all_events(one, REQUEST)
    assert "path-traversal" in found_rules(await all_events(one, quiet))
    assert len(kimi.chats) == 1
