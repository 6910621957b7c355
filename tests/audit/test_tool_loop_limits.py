"""Where the tool loop is cut: rounds, calls, characters, time, money, the model's window. And what a bad call gets."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from kimi_lsp.audit import Finished, ToolUsed, UnitDone, UnitStatus
from kimi_lsp.audit.toolloop import LoopLimits
from kimi_lsp.config import Budget
from kimi_lsp.model import estimate_tokens, profile_for
from kimi_lsp.store import Store
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
from tests.cli.harness import TRAVERSAL, answer
from tests.fakes.json_value import get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Script, ToolCall


@pytest.fixture
def store() -> Store:
    return Store.open("sqlite://")


async def test_after_the_last_round_with_tools_comes_one_without_and_it_answers(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.respond(
        lambda request: (
            answer(TRAVERSAL) if get(request.json, "tool_choice") == "none" else asks(search(str(request.number)))
        )
    )
    box = Shelf({"search_text": says("x")})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box, LoopLimits(max_rounds=2)))
    assert [get(chat.json, "tool_choice") for chat in kimi.chats] == ["auto", "auto", "none"]
    assert [bool(items(get(chat.json, "tools"))) for chat in kimi.chats] == [True] * 3, "the prefix stays the same"
    assert found(events) == ["path-traversal"]
    assert len(box.calls) == 2


async def test_a_model_that_goes_on_calling_is_not_reviewed_and_nothing_more_runs(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.respond(lambda request: asks(search(str(request.number))))
    box = Shelf({"search_text": says("x")})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box, LoopLimits(max_rounds=1)))
    assert (len(kimi.chats), len(box.calls)) == (2, 1)
    assert notices(events) == ["not reviewed: it called tools and gave no answer (app.py)"]
    first, last = store.trail.records()
    assert (first.body["status"], last.body["status"]) == ("called tools", "not reviewed")
    [call] = items(json.loads(json.dumps(last.body["tool_calls"])))
    assert get(call, "result") is None


async def test_too_many_calls_at_once_are_each_answered_and_not_run(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.enqueue(asks(*(search(str(number)) for number in range(5))), answer())
    box = Shelf({"search_text": says("x")})
    await all_events(auditor(settings_for(kimi, tmp_path), store, box, LoopLimits(max_calls_per_round=3)))
    assert len(box.calls) == 3
    assert results(kimi.chats[1])[3:] == ["error: not run: at the most 3 calls at once"] * 2


async def test_a_long_result_is_cut_at_a_line_and_says_so(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(1_000))
    kimi.enqueue(asks(search()), answer())
    limits = LoopLimits(max_result_chars=200)
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, Shelf({"search_text": says(text)}), limits))
    [result] = results(kimi.chats[1])
    shown, _, note = result.rpartition("\n")
    assert "line 25\nDATA " in shown
    assert "line 26" not in shown
    assert note == f"[cut: the first 197 of {len(text):,} characters; ask for less at once]"
    assert [event.chars for event in events if isinstance(event, ToolUsed)] == [len(text)]


async def test_a_huge_result_is_cut_before_it_is_read_and_no_half_of_a_secret_passes(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    secret = "AK" + "IA" + "Z7QX3M9LK2PWRT5V"
    text = "x" * (65_536 - 10) + f" {secret} " + "y" * 3_000_000
    kimi.enqueue(asks(search()), answer())
    limits = LoopLimits(max_result_chars=64_000)
    await all_events(auditor(settings_for(kimi, tmp_path), store, Shelf({"search_text": says(text)}), limits))
    kimi.assert_no_secret([secret, secret[:9]])
    assert len(results(kimi.chats[1])[0]) < 65_000


async def test_when_the_room_for_results_is_used_up_the_model_is_asked_to_answer(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search("a"), search("b"), search("c")), answer(TRAVERSAL))
    limits = LoopLimits(max_result_chars=100, max_total_chars=150)
    box = Shelf({"search_text": says("z" * 500)})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box, limits))
    assert [result.count("z") for result in results(kimi.chats[1])] == [100, 50, 0]
    assert results(kimi.chats[1])[2].startswith("error: not shown: ")
    assert get(kimi.chats[1].json, "tool_choice") == "none"
    assert found(events) == ["path-traversal"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (ToolCall("search_text", '{"query": "a"'), "error: the arguments are not valid JSON: "),
        (ToolCall("search_text", "[1]"), "error: the arguments are not a JSON object"),
        (ToolCall("search_text", '{"a":' * 50_000 + "1" + "}" * 50_000), "error: the arguments are nested too deeply"),
        (ToolCall("write_file", '{"path": "x"}'), "error: there is no tool write_file; there are: search_text"),
        (ToolCall("a\nb <|tool|>", "{}"), "error: there is no tool a_b___tool__; there are: search_text"),
    ],
)
async def test_a_bad_call_gets_an_error_as_its_answer_and_the_review_goes_on(
    kimi: FakeKimi, store: Store, tmp_path: Path, call: ToolCall, told: str
) -> None:
    kimi.enqueue(asks(call, chunk_chars=10_000), answer(TRAVERSAL))
    box = Shelf({"search_text": says("x")})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box))
    [result] = results(kimi.chats[1])
    assert result.startswith(told)
    assert box.calls == []
    assert found(events) == ["path-traversal"]
    [used] = [event for event in events if isinstance(event, ToolUsed)]
    assert used.is_error
    [echoed] = items(get(items(get(kimi.chats[1].json, "messages"))[3], "tool_calls"))
    assert isinstance(json.loads(str(get(echoed, "function", "arguments"))), dict), "some servers parse what goes back"


async def test_the_same_call_again_is_answered_from_memory_whatever_its_spelling(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.enqueue(
        asks(ToolCall("search_text", '{"query":"a","b":1}'), ToolCall("search_text", '{"b": 1, "query": "a"}')),
        asks(ToolCall("search_text", '{"b":1,"query":"a"}')),
        answer(),
    )
    box = Shelf({"search_text": says("found it")})
    await all_events(auditor(settings_for(kimi, tmp_path), store, box))
    assert len(box.calls) == 1
    first, second, third = results(kimi.chats[2])
    assert "made before" not in first
    for again in (second, third):
        assert "found it" in again
        assert again.endswith("[this call was made before; its answer is the same]")


async def test_a_tool_that_does_not_answer_in_time_is_ended_and_may_be_asked_again(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    ended: list[bool] = []

    async def waits(arguments: str) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)
        raise AssertionError("never")

    kimi.enqueue(asks(search()), asks(search()), answer(TRAVERSAL))
    limits = LoopLimits(call_deadline_s=0.01)
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, Shelf({"search_text": waits}), limits))
    assert results(kimi.chats[2]) == ["error: search_text gave no answer within 0.01 s"] * 2
    assert len(ended) == 2
    assert found(events) == ["path-traversal"]


async def test_calls_of_an_answer_that_was_cut_do_not_run(kimi: FakeKimi, store: Store, tmp_path: Path) -> None:
    kimi.enqueue(asks(search(), finish_reason="length"))
    box = Shelf({"search_text": says("x")})
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box))
    assert box.calls == []
    assert notices(events) == ["not reviewed: all tokens went into reasoning (app.py)"]


async def test_a_budget_that_is_used_up_in_the_second_round_is_said_and_ends_the_run(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    project = MemoryProject({f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(3)})
    kimi.respond(lambda request: asks(search(), prompt_tokens=1_000, completion_tokens=15_000))
    # A reserve is about 0.07 dollars and the first round costs 0.06: the second one does not fit under 0.10.
    settings = replace(settings_for(kimi, tmp_path), budget=Budget(run_usd=Decimal("0.10")))
    settings = replace(settings, limits=replace(settings.limits, concurrency=1))
    events = await all_events(
        auditor(settings, store, Shelf({"search_text": says("x")})), replace(REQUEST, project=project)
    )
    assert len(kimi.chats) == 1
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.NOT_REVIEWED: 3}
    assert not last.report.is_complete
    assert [event.status for event in events if isinstance(event, UnitDone)] == [UnitStatus.NOT_REVIEWED]
    refused, rest = notices(events)
    assert refused.startswith("not reviewed (m0.py): ")
    assert "run" in refused
    assert rest.startswith("2 of 3 units not reviewed: ")
    assert store.ledger.open_reservations() == []
    [record] = store.trail.records()
    assert record.body["status"] == "called tools"


async def test_findings_before_a_budget_is_used_up_stand_and_the_review_is_cut(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    content = json.dumps({"findings": [TRAVERSAL]})
    kimi.enqueue(
        Script(
            reasoning="So far.",
            content=content,
            tool_calls=(search(),),
            prompt_tokens=1_000,
            completion_tokens=15_000,
        )
    )
    settings = replace(settings_for(kimi, tmp_path), budget=Budget(run_usd=Decimal("0.10")))
    events = await all_events(auditor(settings, store, Shelf({"search_text": says("x")})))
    assert found(events) == ["path-traversal"]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.CUT: 1}
    assert notices(events)[0].startswith("answer cut (app.py): ")


async def test_rounds_wait_for_the_open_calls_of_other_units_before_the_budget_refuses_them(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    project = MemoryProject({f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(6)})

    def reply(chat: Recorded) -> Script:
        script = answer() if "tool" in roles(chat) else asks(search())
        return replace(script, prompt_tokens=1_000, completion_tokens=100)

    kimi.respond(reply)
    settings = replace(settings_for(kimi, tmp_path), budget=Budget(run_usd=Decimal("0.10")))
    box = Shelf({"search_text": says("x")})
    events = await all_events(auditor(settings, store, box), replace(REQUEST, project=project))
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.units == {UnitStatus.CACHED: 0, UnitStatus.REVIEWED: 6}
    assert len(kimi.chats) == 12


async def test_in_a_small_window_results_and_answers_shrink_until_they_fit(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.respond(lambda chat: asks(search()) if "tool" not in roles(chat) else answer(TRAVERSAL))
    box = Shelf({"search_text": says("word " * 40_000)})
    profile = replace(PROFILE, context_window=12_000)
    events = await all_events(auditor(settings_for(kimi, tmp_path), store, box, profile=profile))
    first, second = kimi.chats
    caps = [get(chat.json, "max_completion_tokens") for chat in (first, second)]
    assert isinstance(caps[0], int)
    assert isinstance(caps[1], int)
    assert 1_024 < caps[1] < caps[0] < 12_000
    assert caps[1] + estimate_tokens(second.body.decode()) < 12_000
    assert "[cut: the first " in results(second)[0]
    assert get(second.json, "tool_choice") == "none", "there is no room for another result"
    assert found(events) == ["path-traversal"]


async def test_reasoning_that_outgrows_the_window_ends_the_review_before_anything_is_paid(
    kimi: FakeKimi, store: Store, tmp_path: Path
) -> None:
    kimi.enqueue(asks(search(), reasoning="well " * 8_000, chunk_chars=10_000))
    profile = replace(PROFILE, context_window=10_000)
    events = await all_events(
        auditor(settings_for(kimi, tmp_path), store, Shelf({"search_text": says("x")}), profile=profile)
    )
    assert len(kimi.chats) == 1
    assert notices(events) == [
        "not reviewed (app.py): the conversation does not fit the model's context window any more"
    ]
    assert store.ledger.open_reservations() == []


@pytest.mark.parametrize("name", ["kimi-k2.7-code", "kimi-k3.1-pro"])
async def test_other_models_take_the_same_conversation(kimi: FakeKimi, store: Store, tmp_path: Path, name: str) -> None:
    with FakeKimi("moonshot-k2.6", models=[name]) as other:
        other.enqueue(asks(search()), asks(search("more")), answer(TRAVERSAL))
        settings = replace(settings_for(other, tmp_path), model=name)
        profile = profile_for(name, "https://api.moonshot.ai/v1")
        events = await all_events(auditor(settings, store, Shelf({"search_text": says("x")}), profile=profile))
        assert [chat.status for chat in other.chats] == [200] * 3
        assert found(events) == ["path-traversal"]


@pytest.mark.parametrize("values", [{"max_rounds": 0}, {"call_deadline_s": 0}, {"max_total_chars": -1}])
def test_limits_that_are_none_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        LoopLimits(**values)
