"""What a turn shows is sent once, kept, and told again as it was."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.acp import protocol as p
from kimi_lsp.acp.client import Client
from kimi_lsp.acp.panel import Card, Spot
from kimi_lsp.acp.replay import exchanges, last_report, report_entry, spent_usd, turns, updates
from kimi_lsp.acp.scribe import Purse, Scribe, cut
from kimi_lsp.store import History, JsonValue
from kimi_lsp.usage import Usage
from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Notice, Origin, Region, Report, Rule
from tests.acp.recorded import Recorded, as_json
from tests.fakes.json_value import JsonObject, get

CARD = Card("read-1", "Read src/a.py", "read", "in_progress", (), (Spot(Path("/p/src/a.py"), 41),))


def scribe(client: Client = Client()) -> tuple[Scribe, Recorded, list[str]]:  # noqa: B008 - frozen
    way, titles = Recorded(), list[str]()
    return Scribe(way, client, Purse(), "t1-", titles.append), way, titles


def told_again(entries: list[JsonValue], line_base: int = 1) -> list[JsonObject]:
    kept: tuple[JsonValue, ...] = tuple(json.loads(json.dumps(entries)))  # as the store gives it back
    return [as_json(one) for one in updates(History(kept), line_base)]


def test_a_call_is_sent_whole_once_and_then_what_changed() -> None:
    one, way, _ = scribe()
    one.card(CARD)
    one.card(CARD)
    one.card(CARD.now("completed", "Done.", raw_output={"n": 1}))
    assert way.updates == [
        {
            "sessionUpdate": "tool_call",
            "toolCallId": "t1-read-1",
            "title": "Read src/a.py",
            "kind": "read",
            "status": "in_progress",
            "locations": [{"path": "/p/src/a.py", "line": 42}],
        },
        {
            "sessionUpdate": "tool_call_update",
            "toolCallId": "t1-read-1",
            "status": "completed",
            "content": [{"type": "content", "content": {"type": "text", "text": "Done."}}],
            "rawOutput": {"n": 1},
        },
    ]


def test_a_place_is_a_bare_path_and_a_line_as_the_client_counts() -> None:
    for client, line in ((Client("JetBrains.IDEA"), 42), (Client("zed"), 41), (Client("Zed Preview"), 41)):
        one, way, _ = scribe(client)
        one.card(CARD)
        assert get(way.updates[0], "locations", 0) == {"path": "/p/src/a.py", "line": line}
    one, way, _ = scribe()
    one.card(replace(CARD, spots=(Spot(Path("/p/bad\udcff.py"), 1), Spot(Path("/p/b.py")))))
    assert get(way.updates[0], "locations") == [{"path": "/p/b.py"}]


def test_the_plan_is_sent_when_it_changes_and_money_adds_up() -> None:
    one, way, titles = scribe()
    plan = [p.PlanEntry("List files", "medium", "in_progress")]
    one.plan(plan)
    one.plan(list(plan))
    one.spent(Usage(8, 0, 2), 100, Decimal("0.25"))
    one.spent(Usage(300, 50, 200), 100, Decimal("0.50"))
    one.spent(Usage(8, 0, 2), 0, Decimal(1))
    one.title("Audit")
    assert [one["sessionUpdate"] for one in way.updates] == ["plan", "usage_update", "usage_update"]
    assert [get(each, "cost", "amount") for each in way.updates[1:]] == [0.25, 0.75]
    assert get(way.updates[2], "used") == 100, "never more than the window"
    assert (one.purse.cost_usd, titles) == (Decimal("1.75"), ["Audit"])
    assert one.used == Usage(316, 50, 204)


def test_a_notice_goes_to_who_takes_them_alone() -> None:
    for client, count in ((Client(), 0), (Client(takes_notices=True), 1)):
        one, way, _ = scribe(client)
        one.notice("Careful", "")
        assert len(way.updates) == count


def test_what_was_said_is_told_again_as_it_was() -> None:
    one, way, _ = scribe()
    one.think("Hm", "think-1")
    one.say("Hello ", "answer")
    one.think("…", "think-1")
    one.say("there.", "answer")
    one.card(CARD)
    one.plan([p.PlanEntry("Report", "high", "completed")])
    one.card(CARD.now("completed", "Done.", raw_output={"secret": "x"}))
    assert told_again([{"kind": "user", "id": "t1-user", "text": "/audit"}, *one.entries()]) == [
        {"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": "/audit"}, "messageId": "t1-user"},
        {"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "Hm…"}, "messageId": "t1-think-1"},
        {
            "sessionUpdate": "agent_message_chunk",
            "content": {"type": "text", "text": "Hello there."},
            "messageId": "t1-answer",
        },
        {
            "sessionUpdate": "tool_call",
            "toolCallId": "t1-read-1",
            "title": "Read src/a.py",
            "kind": "read",
            "status": "completed",
            "content": [{"type": "content", "content": {"type": "text", "text": "Done."}}],
            "locations": [{"path": "/p/src/a.py", "line": 42}],
        },
        {
            "sessionUpdate": "plan",
            "entries": [{"content": "Report", "priority": "high", "status": "completed"}],
        },
    ]
    assert len(way.updates) == 7


def test_long_reasoning_is_kept_in_part_and_says_so() -> None:
    one, way, _ = scribe()
    one.think("x" * 50_000, "think-1")
    [told] = told_again(one.entries())
    text = str(get(told, "content", "text"))
    assert len(text) < 21_000
    assert "30,000 more characters; the trail has all of them" in text
    assert len(str(get(way.updates[0], "content", "text"))) == 50_000, "live it is whole"


def test_a_fence_that_is_cut_is_closed() -> None:
    assert cut("```\n" + "x" * 100, 50).count("```") == 2
    assert cut("a\n```\n" + "x" * 100, 50).count("```") == 2
    assert cut("a\n```\nb\n```\n" + "x" * 100, 50).count("```") == 2


RULE = Rule("sql-injection", "SQL from strings", Level.ERROR, Lane.SECURITY, ("CWE-89",))
FINDING = Finding(
    RULE,
    "The name reaches the query.",
    Location("src/b\udcffd.py", Region(1, 2, 3, 4)),
    Confidence.LOW,
    "evidence",
    "ab" * 16,
    origin=Origin("screen", "kimi-k2.6", "run/1"),
    level=Level.NOTE,
    protected_area="auth",
)


def test_a_report_comes_back_as_it_was() -> None:
    report = Report((FINDING,), (Notice("code", "not read", "x.py", incomplete=True),), 7)
    kept = json.loads(json.dumps(report_entry(Path("/p"), report)))
    assert last_report([{"kind": "user"}, kept, {"kind": "cost", "usd": "1"}]) == (Path("/p"), report)
    assert last_report([{"kind": "user"}]) is None


def test_what_else_is_kept_comes_back() -> None:
    entries: list[JsonValue] = [
        {"kind": "user", "id": "t1-user", "text": "?"},
        {"kind": "exchange", "question": "?", "answer": "!"},
        {"kind": "cost", "usd": "0.10"},
        {"kind": "user", "id": "t12-user", "text": "?"},
        {"kind": "cost", "usd": "0.30"},
    ]
    assert (turns(entries), exchanges(entries), spent_usd(entries)) == (12, [("?", "!")], Decimal("0.30"))
    assert (turns([]), exchanges([]), spent_usd([])) == (0, [], Decimal(0))


def test_parts_that_are_gone_are_told_first() -> None:
    [told] = [as_json(one) for one in updates(History((), 3, 1), 1)]
    assert "4 parts of this session" in str(get(told, "content", "text"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["kind", "id", "text", "title", "tool", "status", "markdown", "spots", "entries", "usd", "report"]
)
_kinds = st.sampled_from(["user", "agent", "thought", "card", "plan", "cost", "report", "exchange", "other"])
_entries = st.lists(st.dictionaries(_names, _json, max_size=6) | _json, max_size=4)


@given(_entries, _kinds)
def test_damaged_entries_are_passed_over_and_what_is_told_is_valid(entries: list[JsonValue], kind: str) -> None:
    told = [{**one, "kind": kind} if isinstance(one, dict) else one for one in entries]
    for update in updates(History(tuple(told)), 1):
        assert msgspec.json.encode(update)
    assert turns(told) >= 0
    assert spent_usd(told) is not None
    last_report(told)
    exchanges(told)


@pytest.mark.parametrize("usd", ["", "x", "NaN", "1e999999"])
def test_odd_amounts_are_no_money(usd: str) -> None:
    assert spent_usd([{"kind": "cost", "usd": usd}]) == 0
