"""What a person is asked, and that only a yes is a yes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from kimi_lsp.acp.client import Client as ClientFacts
from kimi_lsp.acp.permission import Permissions
from kimi_lsp.acp.scribe import Purse, Scribe
from kimi_lsp.audit import Agreement, Outgoing
from tests.acp.inmemory import Client, agent
from tests.acp.recorded import Recorded
from tests.fakes.json_value import JsonObject, get, items

OUTGOING = Outgoing("shop", "api.example", "kimi-k2.6", 3, 12_345, 4, Decimal("0.75"))


def permissions(client: Client) -> tuple[Permissions, Recorded]:
    way = Recorded()
    numbers = iter(range(1, 100))
    found = Permissions(client.connection, "s1", lambda: f"permission-{next(numbers)}")
    found.begin_turn(Scribe(way, ClientFacts(), Purse(), "t1-", lambda _: None))
    return found, way


def chooses(option: str) -> JsonObject:
    return {"outcome": {"outcome": "selected", "optionId": option}}


async def test_the_question_names_what_leaves_where_it_goes_and_what_it_may_cost() -> None:
    async with agent({}) as client:
        client.answers["session/request_permission"] = lambda _: chooses("send-always")
        one, way = permissions(client)
        assert await one.may_send(OUTGOING) is Agreement.ALWAYS
        [asked] = client.asked
        text = str(get(asked, "params", "toolCall", "content", 0, "content", "text"))
        for told in ("3 files", "shop", "12 kB", "api.example", "kimi-k2.6", "4 requests", "$0.75"):
            assert told in text
        assert [str(get(each, "kind")) for each in items(get(asked, "params", "options"))] == [
            "allow_once",
            "allow_always",
            "reject_once",
        ]
        assert way.states("t1-permission-1") == ["pending", "completed"]


@pytest.mark.parametrize(
    "answer",
    [
        chooses("no"),
        chooses("something else"),
        {"outcome": {"outcome": "cancelled"}},
        {"outcome": {"outcome": "cancelled", "optionId": "send-always"}},
        {"outcome": {"outcome": "selected"}},
        {"outcome": "selected"},
        {},
    ],
)
async def test_anything_but_a_yes_is_a_no(answer: JsonObject) -> None:
    async with agent({}) as client:
        client.answers["session/request_permission"] = lambda _: answer
        one, way = permissions(client)
        assert await one.may_send(OUTGOING) is Agreement.NO
        assert await one.may_spend(OUTGOING) is Agreement.NO
        assert way.states("t1-permission-1") == ["pending", "failed"]


async def test_who_agreed_to_send_is_not_asked_in_the_same_turn_to_spend() -> None:
    async with agent({}) as client:
        client.answers["session/request_permission"] = lambda _: chooses("send-always")
        one, _ = permissions(client)
        assert await one.may_send(OUTGOING) is Agreement.ALWAYS
        assert await one.may_spend(OUTGOING) is Agreement.ONCE
        assert len(client.asked) == 1
        one.begin_turn(Scribe(Recorded(), ClientFacts(), Purse(), "t2-", lambda _: None))
        assert await one.may_spend(OUTGOING) is Agreement.NO, "a new turn, a new question; this is no answer to it"
        assert len(client.asked) == 2


async def test_once_is_once_and_always_is_for_the_session() -> None:
    async with agent({}) as client:
        client.answers["session/request_permission"] = lambda _: chooses("spend-once")
        one, _ = permissions(client)
        for turn in range(2):
            one.begin_turn(Scribe(Recorded(), ClientFacts(), Purse(), f"t{turn}-", lambda _: None))
            assert await one.may_spend(replace(OUTGOING, max_cost_usd=Decimal(turn))) is Agreement.ONCE
        assert len(client.asked) == 2
        client.answers["session/request_permission"] = lambda _: chooses("spend-always")
        for turn in range(3):
            one.begin_turn(Scribe(Recorded(), ClientFacts(), Purse(), f"u{turn}-", lambda _: None))
            assert await one.may_spend(OUTGOING) is not Agreement.NO
        assert len(client.asked) == 3
