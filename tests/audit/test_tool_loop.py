"""A review in which the model calls tools, at the Auditor's door and against the strict fake endpoint."""

import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from kimi_lsp.app.session import find_record
from kimi_lsp.audit import (
    AskPlanned,
    AuditRequest,
    Door,
    Finished,
    Found,
    Noticed,
    Reasoned,
    Toolbox,
    ToolUsed,
    UnitDone,
    UnitStarted,
    UnitStatus,
)
from kimi_lsp.audit.toolloop import ErrorText
from kimi_lsp.errors import UsageError
from kimi_lsp.model import ChatRequest, Endpoint, Exchange
from kimi_lsp.store import Store
from mcp_tools.finding import Lane, Notice
from mcp_tools.project import MemoryProject
from tests.audit.tool_loop import (
    PROFILE,
    REQUEST,
    Shelf,
    all_events,
    asks,
    auditor,
    found,
    notices,
    results,
    roles,
    says,
    search,
    settings_for,
)
from tests.cli.harness import APP, TRAVERSAL, answer
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.json_value import get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate, Script, ToolCall

CALLER = "web.py:7: return read(ROOT, request.args['name'])"


@pytest.fixture
def store() -> Store:
    return Store.open("sqlite://")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({"search_text": says(CALLER), "read_file": says("1| x = 1")})


async def test_a_tool_is_called_and_its_result_leads_to_a_finding(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search(), reasoning="Who calls read?"), answer(TRAVERSAL, reasoning="The web does."))
    events = await all_events(
        auditor(settings_for(kimi, tmp_path), store, shelf), replace(REQUEST, wants_reasoning=True)
    )
    assert found(events) == ["path-traversal"]
    assert shelf.calls == [("search_text", '{"query": "read("}')]
    assert [event for event in events if isinstance(event, ToolUsed)] == [
        ToolUsed("app.py", Lane.SECURITY, "search_text", len(CALLER), False)
    ]
    assert "".join(event.text for event in events if isinstance(event, Reasoned)) == "Who calls read?The web does."
    first, second = kimi.chats
    assert (get(first.json, "tool_choice"), get(second.json, "tool_choice")) == ("auto", "auto")
    assert get(first.json, "tools") == get(second.json, "tools")
    assert items(get(second.json, "messages"))[:3] == get(first.json, "messages"), "the prefix is the cached one"
    assert roles(second) == ["system", "user", "user", "assistant", "tool"]
    echoed = items(get(second.json, "messages"))[3]
    assert get(echoed, "reasoning_content") == "Who calls read?"
    assert get(second.json, "thinking") == {"type": "enabled", "keep": "all"}
    [result] = results(second)
    assert result.startswith("<<<DATA ")
    assert CALLER in result
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.REVIEWED: 1}
    assert last.spent.calls == 2
    assert store.ledger.spending().calls == 2
    assert store.ledger.open_reservations() == []
    assert (shelf.opened, shelf.closed) == (1, 1)
    kinds = [type(event) for event in events if isinstance(event, UnitStarted | ToolUsed | Found | UnitDone)]
    assert kinds[-4:] == [UnitStarted, ToolUsed, Found, UnitDone]


class _Forgetful:
    """A door that leaves out the reasoning of earlier rounds."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def endpoint(self) -> Endpoint:
        return self._door.endpoint

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[Exchange]:
        return self._door.stream(
            replace(request, messages=tuple(replace(message, reasoning=None) for message in request.messages))
        )


async def test_the_endpoint_refuses_calls_without_their_reasoning(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search()))
    profile = replace(PROFILE, must_echo=False)
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, shelf, profile=profile, through=_Forgetful))
    assert [chat.status for chat in kimi.chats] == [200, 400]
    assert "reasoning_content is missing" in str(kimi.chats[1].problem)
    [notice] = notices(events)
    assert notice.startswith("not reviewed (app.py): ")
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.NOT_REVIEWED: 1}
    assert last.spent.calls == 1, "a refusal costs nothing"


async def test_calls_without_any_reasoning_go_back_as_the_endpoint_wants_them(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search(), reasoning=""), answer(TRAVERSAL))
    assert found(await all_events(auditor(settings_for(kimi, tmp_path), store, shelf))) == ["path-traversal"]


@pytest.mark.parametrize("kind", [None, FaultKind.TOOLS_INTERLEAVED, FaultKind.TOOLS_NAME_LAST])
async def test_two_calls_in_one_round_each_get_their_own_result(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path, kind: FaultKind | None
) -> None:
    calls = (search("a long enough query"), ToolCall("read_file", '{"query": "another long one"}'))
    kimi.enqueue(asks(*calls, chunk_chars=3, fault=Fault(kind) if kind else None), answer())
    await all_events(auditor(settings_for(kimi, tmp_path), store, shelf))
    assert sorted(shelf.calls) == [
        ("read_file", '{"query": "another long one"}'),
        ("search_text", '{"query": "a long enough query"}'),
    ]
    sent = items(get(kimi.chats[1].json, "messages"))
    ids = [get(call, "id") for call in items(get(sent[3], "tool_calls"))]
    assert [get(message, "tool_call_id") for message in sent[4:]] == ids
    assert CALLER in str(get(sent[4], "content"))
    assert "x = 1" in str(get(sent[5], "content"))


async def test_findings_beside_a_call_count_and_are_not_said_twice(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    early = Script(reasoning="So far:", content=json.dumps({"findings": [TRAVERSAL]}), tool_calls=(search(),))
    kimi.enqueue(early, answer(TRAVERSAL))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, shelf))
    assert found(events) == ["path-traversal"]
    [finding] = [event.finding for event in events if isinstance(event, Found) and event.finding.origin.model]
    assert str(finding.origin.trail_id).endswith("/1"), "it stood in the first round's answer"
    assert str(get(items(get(kimi.chats[1].json, "messages"))[3], "content")).startswith('{"findings"')


async def test_a_finding_names_the_round_that_led_to_it_and_that_one_the_earlier_rounds(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search(), reasoning="Hm."), asks(search("other"), reasoning="Well."), answer(TRAVERSAL))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, shelf))
    [finding] = [event.finding for event in events if isinstance(event, Found) and event.finding.origin.model]
    record = find_record(store, str(finding.origin.trail_id))
    assert record is not None
    assert record.body["round"] == 3
    assert record.body["earlier_calls"] == [1, 2]
    assert record.body["tool_calls"] == []
    assert record.body["status"] == "reviewed"
    first, second, third = store.trail.records()
    assert third.id == record.id
    assert [(one.body["call"], one.body["status"]) for one in (first, second)] == [
        (1, "called tools"),
        (2, "called tools"),
    ]
    assert store.trail.content(second.contents["reasoning"]) == "Well."
    [call] = items(json.loads(json.dumps(first.body["tool_calls"])))
    assert get(call, "tool") == "search_text"
    assert len(str(get(call, "arguments_sha256"))) == 64
    sent = store.trail.content(first.contents["result 1"])
    assert sent == results(kimi.chats[1])[0], "the trail keeps what went out"
    assert get(call, "result", "sent_chars") == len(str(sent))
    assert get(call, "result", "sha256") == first.contents["result 1"]
    assert store.trail.content(first.contents["call 1"]) == 'search_text {"query": "read("}'
    assert store.trail.verify().is_ok


async def test_a_review_that_called_tools_is_not_remembered_and_one_that_did_not_is(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    one = auditor(settings_for(kimi, tmp_path), store, shelf)
    kimi.enqueue(asks(search()), answer(TRAVERSAL), answer(TRAVERSAL))
    await all_events(one)
    await all_events(one)
    assert len(kimi.chats) == 3, "it was asked again"
    assert found(await all_events(one)) == ["path-traversal"]
    assert len(kimi.chats) == 3, "and then remembered"


async def test_what_was_asked_with_other_tools_is_asked_again(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    settings = settings_for(kimi, tmp_path)
    kimi.respond(lambda request: answer(TRAVERSAL))
    for box in (None, shelf, Shelf({"search_text": says("")}), shelf, None):
        await all_events(auditor(settings, store, box))
    assert len(kimi.chats) == 3


async def test_who_may_not_ask_opens_no_tools_and_finds_what_was_remembered_with_them(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    one, quiet = auditor(settings_for(kimi, tmp_path), store, shelf), replace(REQUEST, may_ask=False)
    kimi.enqueue(answer(TRAVERSAL))
    assert found(await all_events(one, quiet)) == []
    await all_events(one)
    assert found(await all_events(one, quiet)) == ["path-traversal"]
    assert shelf.opened == 1


async def test_without_a_toolbox_nothing_changes_in_what_is_sent(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    settings = settings_for(kimi, tmp_path)
    kimi.respond(lambda request: answer())
    await all_events(auditor(settings, store, None))
    await all_events(auditor(settings, Store.open("sqlite://"), Shelf({})))
    await all_events(auditor(settings, Store.open("sqlite://"), shelf))
    bare, empty, offered = kimi.chats
    assert bare.body == empty.body, "no tools are no toolbox"
    assert set(json.loads(bare.body)) == {
        *("model", "messages", "stream", "stream_options"),
        *("max_completion_tokens", "response_format", "prompt_cache_key"),
    }
    assert "DATA" not in bare.prompt
    assert get(bare.json, "response_format", "type") == "json_schema"
    assert offered.prompt.startswith(str(get(items(get(bare.json, "messages"))[0], "content"))), "rules come first"
    [record] = store.trail.records()
    assert not {"round", "tool_calls", "earlier_calls", "tools_offered"} & set(record.body)


async def test_while_tools_may_be_called_no_grammar_forbids_it_and_at_the_end_one_holds(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.respond(lambda request: asks(search(str(request.number))) if request.number < 7 else answer())
    await all_events(auditor(settings_for(kimi, tmp_path), store, shelf))
    assert len(kimi.chats) == 7
    assert [get(chat.json, "response_format", "type") for chat in kimi.chats] == [None] * 6 + ["json_schema"]


async def test_tools_that_do_not_open_cost_the_model_its_tools_and_nothing_else(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    class Locked(Shelf):
        @asynccontextmanager
        async def open(self, request: AuditRequest) -> AsyncGenerator[Toolbox]:
            raise UsageError("the server does not start")
            yield self

    kimi.enqueue(answer(TRAVERSAL))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, Locked({"search_text": says("")})))
    assert found(events) == ["path-traversal"]
    assert "tools" not in json.loads(kimi.chats[0].body)
    assert notices(events) == ["the model has no tools: the server does not start"]


async def test_what_a_toolbox_cannot_offer_and_what_fails_later_is_said_once(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    early, late = Notice("lender-tool-left-out", "one tool may write"), Notice("lender-failed", "a server ended")

    async def fails(arguments: str) -> str:
        box.notices = (early, late)
        return ErrorText("the server has ended")

    box = Shelf({"search_text": fails})
    box.notices = (early,)
    kimi.enqueue(asks(search()), answer())
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box))
    assert notices(events) == [early.message, late.message]


async def test_consent_is_asked_for_what_tools_may_bring_along(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    kimi.respond(lambda request: answer())
    settings = settings_for(kimi, tmp_path)
    planned = [
        event.outgoing
        for box in (None, shelf)
        for event in await all_events(auditor(settings, Store.open("sqlite://"), box))
        if isinstance(event, AskPlanned)
    ]
    assert [(one.requests, one.tools) for one in planned] == [(1, ()), (7, ("search_text", "read_file"))]
    assert planned[0].max_cost_usd * 7 < planned[1].max_cost_usd


async def test_a_secret_in_a_result_or_in_arguments_never_leaves(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    secret, low = "AK" + "IA" + "Z7QX3M9LK2PWRT5V", "Tr0ub4" + "dor7x"
    seen: list[str] = []

    async def read(arguments: str) -> str:
        seen.append(arguments)
        return f"aws_access_key_id = '{secret}'\nlogin('{low}')\n"

    project = MemoryProject({"app.py": APP, "conf/.env": f"LOGIN_PASSWORD={low}\n"}, "shop")
    kimi.enqueue(
        asks(ToolCall("read_file", json.dumps({"query": secret}))),
        asks(ToolCall("read_file", json.dumps({"query": secret}))),
        answer(TRAVERSAL),
    )
    request = replace(REQUEST, project=project, paths=("app.py",))
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, Shelf({"read_file": read})), request)
    assert found(events) == ["path-traversal"]
    kimi.assert_no_secret([secret, low])
    [result, again] = results(kimi.chats[2])
    assert "⟦SECRET:" in result
    assert "the same" in again
    assert len(seen) == 1
    assert secret not in seen[0], "a tool may be another's server"
    whole = "\n".join(store.trail.export())
    assert secret not in whole
    assert low not in whole


async def test_a_tool_that_breaks_is_an_answer_and_says_nothing_of_the_inside(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    async def breaks(arguments: str) -> str:
        raise OSError("/home/someone/private")

    async def fails(arguments: str) -> str:
        return ErrorText("no such file: x.py")

    kimi.enqueue(asks(ToolCall("read_file"), ToolCall("search_text")), answer(TRAVERSAL))
    box = Shelf({"read_file": breaks, "search_text": fails})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box))
    assert found(events) == ["path-traversal"]
    broken, failed = results(kimi.chats[1])
    assert broken == "error: read_file failed"
    assert "no such file: x.py" in failed
    assert [event.is_error for event in events if isinstance(event, ToolUsed)] == [True, True]


async def test_cancel_during_a_call_stops_the_tool_and_keeps_what_was_spent_and_asked(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    started, ended = anyio.Event(), anyio.Event()

    async def waits(arguments: str) -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        raise AssertionError("never")

    kimi.enqueue(asks(search(), reasoning="Who?"))
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            one = auditor(settings_for(kimi, tmp_path), store, Shelf({"search_text": waits}))
            group.start_soon(all_events, one)
            await started.wait()
            group.cancel_scope.cancel()
    assert ended.is_set()
    assert len(kimi.chats) == 1
    assert store.ledger.open_reservations() == []
    assert store.ledger.spending().calls == 1
    [record] = store.trail.records()
    [call] = items(json.loads(json.dumps(record.body["tool_calls"])))
    assert (get(call, "tool"), get(call, "result")) == ("search_text", None)
    assert store.trail.content(record.contents["reasoning"]) == "Who?"


async def test_leaving_the_audit_during_the_second_stream_closes_its_socket(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    gate = Gate()
    kimi.enqueue(asks(search()), answer(TRAVERSAL, TRAVERSAL | {"line": 1}, chunk_chars=8, gate=gate))
    gate.release(60)
    with anyio.fail_after(30):
        async with auditor(settings_for(kimi, tmp_path), store, shelf).audit(REQUEST) as events:
            async for event in events:
                if isinstance(event, Found) and event.finding.origin.model:
                    break
    await kimi.until(lambda fake: fake.chats[1].closed_by_client_at is not None)
    assert store.ledger.open_reservations() == []
    assert [record.body["status"] for record in store.trail.records()] == ["called tools", "cut"]
    assert store.trail.verify().is_ok


async def test_an_audit_of_many_units_shares_one_toolbox(
    kimi: FakeKimi, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    project = MemoryProject({f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(6)})
    kimi.respond(lambda request: asks(search()) if "tool" not in roles(request) else answer())
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, shelf), replace(REQUEST, project=project))
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.REVIEWED: 6}
    assert len(shelf.calls) == 6, "each unit's conversation has its own memory"
    assert shelf.opened == 1
    assert sum(isinstance(event, UnitStarted) for event in events) == 6
    assert not [event for event in events if isinstance(event, Noticed)]
