"""A question and its answer: what streams, what it costs, how it ends, what the next question knows."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from kimi_lsp.audit.dialogue import Called, Calling, Ending, Question, Reasoned, Said, Used
from kimi_lsp.audit.toolloop import LoopLimits
from kimi_lsp.errors import BudgetError, ContentFilterError
from kimi_lsp.model import Message, Role
from mcp_tools.redaction import Redacted
from tests.audit.dialogue.desk import Desk, Heard, ask
from tests.audit.tool_loop import PROFILE, asks, results, roles, search
from tests.cli.harness import messages
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate, Script

CAPS = [
    ({"run_usd": Decimal("0.0001")}, Ending.BUDGET, "The run ceiling"),
    ({"daily_usd": Decimal("0.0001")}, Ending.BUDGET, "The daily ceiling"),
    ({"weekly_usd": Decimal("0.0001")}, Ending.BUDGET, "The weekly ceiling"),
    ({"run_tokens": 10}, Ending.BUDGET_TOKENS, "The run ceiling"),
    ({"daily_tokens": 10}, Ending.BUDGET_TOKENS, "The daily ceiling"),
    ({"weekly_tokens": 10}, Ending.BUDGET_TOKENS, "The weekly ceiling"),
]


@pytest.fixture
def desk(kimi: FakeKimi, tmp_path: Path) -> Desk:
    return Desk(kimi, tmp_path)


async def test_a_question_is_answered_after_a_tool_was_asked(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(
        asks(search(), reasoning="Who calls it?"),
        Script(reasoning="The web does.", content="It is read in\n`web.py:7`."),
    )
    heard = await ask(desk.dialogue(), "Who calls read?")
    assert (heard.end.ending, heard.end.error) == (Ending.COMPLETE, None)
    assert heard.said == heard.end.text == "It is read in\n`web.py:7`."
    assert [event.text for event in heard.of(Reasoned)] == ["Who calls it?", "The web does."]
    assert heard.of(Calling) == [Calling(1, "search_text", '{"query": "read("}')]
    [called] = heard.of(Called)
    assert (called.number, called.is_error, called.text) == (1, False, "web.py:7: read(ROOT, name)")
    kinds = [type(event) for event in heard.events if isinstance(event, Calling | Called | Used | Said)]
    assert kinds == [Used, Calling, Called, Said, Said, Used]
    assert roles(kimi.chats[1])[-3:] == ["user", "assistant", "tool"]
    assert (desk.shelf.opened, desk.shelf.closed) == (1, 1)


async def test_every_call_is_settled_recorded_and_told(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(asks(search()), Script(reasoning="I see.", content="Yes."))
    heard = await ask(desk.dialogue(), "Is it?")
    spending = desk.store.ledger.spending()
    assert spending.calls == 2
    assert desk.store.ledger.open_reservations() == []
    used = heard.of(Used)
    assert sum(one.cost_usd for one in used) == heard.end.spent.cost_usd == spending.cost_usd > 0
    records = desk.store.trail.records(heard.end.run_id)
    assert [f"{heard.end.run_id}/{one.body['call']}" for one in records] == list(heard.end.records)
    assert [(one.kind, one.body["round"]) for one in records] == [("dialogue-call", 1), ("dialogue-call", 2)]
    contents = [{name: desk.store.trail.content(digest) for name, digest in one.contents.items()} for one in records]
    assert contents[1]["reasoning"] == "I see."
    assert contents[1]["answer"] == "Yes."
    assert "Is it?" in contents[0].values()
    assert desk.store.trail.verify().is_ok


async def test_a_second_question_continues_the_first_behind_the_same_prefix(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(asks(search()), Script(reasoning="So.", content="In web.py."), Script(content="Yes."))
    dialogue = desk.dialogue()
    await ask(dialogue, "Who calls read?")
    await ask(dialogue, "Sure?")
    first, second, third = (messages(chat) for chat in kimi.chats)
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert [one["role"] for one in third] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert [one.role for one in dialogue.messages] == [Role(one["role"]) for one in third[1:]] + [Role.ASSISTANT]


async def test_another_dialogue_goes_on_from_what_was_said(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(Script(content="In web.py."), Script(content="Yes."))
    earlier = desk.dialogue()
    await ask(earlier, "Who calls read?")
    await ask(desk.dialogue(messages=earlier.messages), "Sure?")
    assert [one["content"] for one in messages(kimi.chats[1])[1:]] == ["Who calls read?", "In web.py.", "Sure?"]


async def test_questions_and_answers_of_an_earlier_process_are_said_again(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(Script(content="Yes."))
    dialogue = desk.dialogue()
    dialogue.restore([("Who calls read?", "The web."), ("Unanswered?", "")])
    assert dialogue.messages == (
        Message(Role.USER, Redacted("Who calls read?")),
        Message(Role.ASSISTANT, Redacted("The web.")),
    )
    await ask(dialogue, "Sure?")
    assert [one["content"] for one in messages(kimi.chats[0])[1:]] == ["Who calls read?", "The web.", "Sure?"]


async def test_what_does_not_fit_half_of_the_window_is_dropped_oldest_first_and_said(
    kimi: FakeKimi, desk: Desk
) -> None:
    desk.profile = replace(PROFILE, context_window=16_000, max_output_tokens=2_000)
    kimi.enqueue(Script(content="Yes."))
    dialogue = desk.dialogue()
    dialogue.restore([(f"Question {n}? " + "word " * 1_500, f"Answer {n}.") for n in range(6)])
    heard = await ask(dialogue, "And now?")
    assert heard.codes == ["conversation-trimmed"]
    said = [str(one["content"]) for one in messages(kimi.chats[0])[1:]]
    assert said[-3:] == [said[-3], "Answer 5.", "And now?"]
    assert said[0].startswith("Question "), "an exchange goes as a whole"
    assert 3 <= len(said) < 13
    assert [one.role for one in dialogue.messages][:2] == [Role.USER, Role.ASSISTANT]


@pytest.mark.parametrize(
    ("script", "ending", "text"),
    [
        (Script(content="Half of", finish_reason="length"), Ending.CUT, "Half of"),
        (Script(reasoning="Hm.", finish_reason="length"), Ending.CUT, ""),
        (Script(content="I will", fault=Fault(FaultKind.FILTERED_FINISH)), Ending.FILTERED, "I will"),
        (Script(reasoning="Hm.", content=""), Ending.FAILED, ""),
        (Script(reasoning="Hm.", content=" \n \n"), Ending.FAILED, " \n \n"),
        (Script(content="Half of it.", fault=Fault(FaultKind.HANG_UP, at=2)), Ending.FAILED, "Half of it."),
    ],
)
async def test_an_answer_that_is_not_whole_is_never_complete(
    kimi: FakeKimi, desk: Desk, script: Script, ending: Ending, text: str
) -> None:
    kimi.enqueue(script)
    dialogue = desk.dialogue()
    heard = await ask(dialogue, "Well?")
    assert heard.end.ending is ending
    assert heard.said == heard.end.text == text
    is_built_upon = ending is Ending.CUT and bool(text)
    assert bool(dialogue.messages) is is_built_upon, "half an answer can be gone on from, no other"
    assert desk.store.ledger.spending().calls == 1
    assert desk.store.ledger.open_reservations() == []
    assert len(desk.store.trail.records(heard.end.run_id)) == 1


async def test_a_question_that_the_endpoint_will_not_take_is_filtered(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(Script(fault=Fault(FaultKind.HIGH_RISK)))
    heard = await ask(desk.dialogue(), "Well?")
    assert heard.end.ending is Ending.FILTERED
    assert isinstance(heard.end.error, ContentFilterError)


@pytest.mark.parametrize(("caps", "ending", "named"), CAPS)
async def test_a_ceiling_refuses_before_anything_is_sent_and_is_named(
    kimi: FakeKimi, desk: Desk, caps: dict[str, Decimal], ending: Ending, named: str
) -> None:
    settings = desk.settings
    settings = replace(settings, budget=replace(settings.budget, **caps))
    heard = await ask(desk.dialogue(settings), "Well?")
    assert heard.end.ending is ending
    assert isinstance(heard.end.error, BudgetError)
    assert heard.end.error.line.startswith(named)
    assert kimi.requests == []
    assert desk.store.ledger.open_reservations() == []


async def test_a_model_that_only_calls_tools_is_stopped_and_asked_for_its_answer(kimi: FakeKimi, desk: Desk) -> None:
    desk.limits = LoopLimits(max_rounds=2)
    kimi.enqueue(asks(search("a")), asks(search("b")), Script(content="Enough."))
    heard = await ask(desk.dialogue(), "Well?")
    assert heard.end.ending is Ending.COMPLETE
    assert [json.loads(chat.body)["tool_choice"] for chat in kimi.chats] == ["auto", "auto", "none"]
    assert [event.number for event in heard.of(Calling)] == [event.number for event in heard.of(Called)] == [1, 2]


async def test_leaving_while_it_streams_closes_the_socket_settles_and_records(kimi: FakeKimi, desk: Desk) -> None:
    gate = Gate()
    kimi.enqueue(Script(content="one\ntwo\n" + "more\n" * 50, chunk_chars=4, gate=gate))
    dialogue = desk.dialogue()
    heard: list[object] = []
    with anyio.fail_after(20):
        async with dialogue.ask(Question("Count."), None) as events:
            gate.release(6)
            async for event in events:
                heard.append(event)
                if isinstance(event, Said):
                    break
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
    gate.open()
    assert isinstance(heard[-1], Said)
    assert desk.store.ledger.open_reservations() == []
    [entry] = desk.store.ledger.entries()
    assert entry.usage is not None
    assert entry.usage.is_estimated
    [record] = desk.store.trail.records()
    assert record.body["usage"] != {}
    assert desk.shelf.closed == 1
    assert dialogue.messages == ()


async def test_leaving_while_a_tool_runs_stops_it_and_records_its_call(kimi: FakeKimi, desk: Desk) -> None:
    is_stopped = False

    async def forever(arguments: str) -> str:
        nonlocal is_stopped
        try:
            await anyio.sleep_forever()
        finally:
            is_stopped = True
        raise AssertionError

    desk.shelf = type(desk.shelf)({"search_text": forever})
    kimi.enqueue(asks(search()))
    with anyio.fail_after(20):
        async with desk.dialogue().ask(Question("Well?"), None) as events:
            async for event in events:
                if isinstance(event, Calling):
                    break
    assert desk.store.ledger.open_reservations() == []
    [record] = desk.store.trail.records()
    assert "search_text" in json.dumps(dict(record.body))
    assert is_stopped or desk.shelf.calls == []


async def test_what_the_block_raises_comes_out_as_it_is(kimi: FakeKimi, desk: Desk) -> None:
    kimi.enqueue(Script(content="one\n" * 50))

    async def broken() -> None:
        async with desk.dialogue().ask(Question("Well?"), None) as events:
            async for _ in events:
                raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await broken()


async def test_a_tool_that_breaks_is_an_error_for_its_call_and_the_answer_comes(kimi: FakeKimi, desk: Desk) -> None:
    async def broken(arguments: str) -> str:
        raise RuntimeError("inner words")

    desk.shelf = type(desk.shelf)({"search_text": broken})
    kimi.enqueue(asks(search()), Script(content="Without it."))
    heard: Heard = await ask(desk.dialogue(), "Well?")
    assert [event.is_error for event in heard.of(Called)] == [True]
    assert heard.end.ending is Ending.COMPLETE
    assert "inner words" not in results(kimi.chats[1])[0]
