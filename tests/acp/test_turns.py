"""Turns, in memory with the strict fake Kimi: what is audited, asked, spent, cancelled and remembered."""

import asyncio
import json
from pathlib import Path

import anyio
import pytest

from kimi_lsp.config import Settings
from tests.acp.inmemory import RefusedByAgentError, agent, answered, kind
from tests.acp.world import World, held
from tests.audit.lenders.places import kind as lender
from tests.audit.tool_loop import asks, search
from tests.cli.harness import APP, TRAVERSAL, answer, unit_path, unit_text
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.json_value import get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Script, ToolCall


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path, {"app.py": APP, "pkg/other.py": "import os\n\n\ndef f(x):\n    os.system('ls ' + x)\n"})


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake as an endpoint on another machine: nothing may leave unasked."""
    monkeypatch.setattr(Settings, "is_loopback", property(lambda self: False))


YES = {"outcome": {"outcome": "selected", "optionId": "send-always"}}
ONCE = {"outcome": {"outcome": "selected", "optionId": "send-once"}}
NO = {"outcome": {"outcome": "selected", "optionId": "no"}}


def settings(world: World, kimi: FakeKimi | None = None, **more: str) -> dict[str, str]:
    return {name: value for name, value in world.env(kimi, TRUST_ENV="off", **more).items() if value}


async def test_an_audit_finds_by_tools_and_by_the_model_and_says_both(world: World, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer(TRAVERSAL) if unit_path(request) == "app.py" else answer())
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        result = await client.prompt(session, "/audit")
        assert result["stopReason"] == "end_turn"
        said = client.said(session)
        for told in ("A shell runs this command", "Outside text chooses the file"):
            assert told in said
        cost = get(result, "_meta", "kimi-lsp/usage", "costUsd")
        assert isinstance(cost, float)
        assert cost > 0
    world.assert_settled()


async def test_paths_folders_and_links_say_what_is_audited(world: World, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer())
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        link = {"type": "resource_link", "name": "app.py", "uri": (world.root / "app.py").as_uri()}
        for blocks, paths in (
            (("/audit pkg",), ["pkg/other.py"]),
            (("/security app.py",), ["app.py"]),
            (("/audit", link), ["app.py"]),
            (("/audit '*other.py'",), ["pkg/other.py"]),
        ):
            before = len(kimi.chats)
            await client.prompt(session, *blocks)
            assert sorted(map(unit_path, kimi.chats[before:])) in (paths, []), blocks  # [] where it is remembered
            assert client.updates(session)[-1]["sessionUpdate"] == "session_info_update"
        before = len(client.said(session))
        await client.prompt(session, "/audit /etc/passwd ../up nowhere.py")
        assert "Nothing to audit" in client.said(session)[before:]


async def test_in_a_folder_of_a_project_nothing_outside_is_audited_or_sent(world: World, kimi: FakeKimi) -> None:
    (world.root / ".git").mkdir()
    kimi.respond(lambda request: answer())
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root / "pkg")
        await client.prompt(session, "/audit")
        await client.prompt(session, "/audit ../app.py")
        assert [unit_path(request) for request in kimi.chats] == ["pkg/other.py"]
        assert "A shell runs this command" in client.said(session)
        assert "sqlite3" not in json.dumps(client.frames)


async def test_additional_folders_are_audited_too(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "late.py").write_text("import hashlib\nhashlib.md5(b'x')\n", "utf-8")
    async with agent(settings(world)) as client:
        session = await client.new(world.root, additionalDirectories=[str(other)])
        await client.prompt(session, "/audit")
        assert client.said(session).count("A shell runs this command") >= 2
        assert "MD5" in client.said(session) or "md5" in client.said(session)
        [one] = items((await client.ask("session/list"))["sessions"])
        assert get(one, "additionalDirectories") == [str(other)]


async def test_unsaved_text_is_what_is_reviewed(world: World, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer())
    unsaved = "import os\n\n\ndef only_in_the_editor(x):\n    os.system(x + '!')\n"

    def read(params: dict[str, object]) -> dict[str, object]:
        path = Path(str(params["path"]))
        return {"content": unsaved if path.name == "app.py" else path.read_text("utf-8")}

    async with agent(settings(world, kimi), fs={"readTextFile": True}) as client:
        client.answers["fs/read_text_file"] = read  # pyright: ignore[reportArgumentType] - JSON
        session = await client.new(world.root)
        await client.prompt(session, "/audit app.py")
        [request] = kimi.chats
        assert "only_in_the_editor" in unit_text(request)
        assert "sqlite3" not in unit_text(request)


@pytest.mark.usefixtures("remote")
async def test_nothing_leaves_before_somebody_agreed_and_a_no_still_gives_the_tools_word(
    world: World, kimi: FakeKimi
) -> None:
    kimi.respond(lambda request: answer())
    async with agent(settings(world, kimi)) as client:
        client.answers["session/request_permission"] = lambda _: NO  # pyright: ignore[reportArgumentType] - JSON
        session = await client.new(world.root)
        result = await client.prompt(session, "/audit")
        assert result["stopReason"] == "end_turn"
        assert (len(client.asked), kimi.chats) == (1, [])
        assert "A shell runs this command" in client.said(session)
        client.answers["session/request_permission"] = lambda _: ONCE  # pyright: ignore[reportArgumentType] - JSON
        await client.prompt(session, "/audit app.py")
        assert (len(client.asked), len(kimi.chats)) == (2, 1)
        client.answers["session/request_permission"] = lambda _: YES  # pyright: ignore[reportArgumentType] - JSON
        await client.prompt(session, "/audit")
        assert (len(client.asked), len(kimi.chats)) == (3, 2), "once was once"
        world.write({"more.py": "x = 1\n"})
        await client.prompt(session, "/audit")
        assert (len(client.asked), len(kimi.chats)) == (3, 3), "it is remembered"


async def test_much_money_is_asked_for_and_a_no_spends_nothing(world: World, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer())
    async with agent(settings(world, kimi, ASK_ABOVE_USD="0.01")) as client:
        client.answers["session/request_permission"] = lambda _: NO  # pyright: ignore[reportArgumentType] - JSON
        session = await client.new(world.root)
        await client.prompt(session, "/audit")
        [asked] = client.asked
        assert str(get(asked, "params", "toolCall", "title")).startswith("Spend up to $")
        assert kimi.chats == []


@pytest.mark.parametrize(
    ("ceiling", "reason"), [({"RUN_USD": "0.000001"}, "max_turn_requests"), ({"RUN_TOKENS": "10"}, "max_tokens")]
)
async def test_a_cap_is_named_and_never_passes_for_an_ordinary_end(
    world: World, kimi: FakeKimi, ceiling: dict[str, str], reason: str
) -> None:
    async with agent(settings(world, kimi, **ceiling)) as client:
        session = await client.new(world.root)
        result = await client.prompt(session, "/audit")
        assert result["stopReason"] == reason
        assert kimi.chats == []
        world.assert_settled()


async def test_a_chosen_budget_holds_for_a_turn(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        await client.ask("session/set_config_option", sessionId=session, configId="budget", value="0.05")
        assert (await client.prompt(session, "/audit"))["stopReason"] == "max_turn_requests"
        assert kimi.chats == []


async def test_what_a_cancelled_audit_has_cost_is_told(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        stream = held(kimi)
        reply = client.begin_prompt(session, "/audit app.py")
        await stream.streams()
        client.notify("session/cancel", sessionId=session)
        result = await answered(reply)
        stream.gate.open()
    with world.store() as store:
        spent = store.ledger.spending()
        assert spent.cost_usd > 0
        assert get(result, "_meta", "kimi-lsp/usage", "costUsd") == float(spent.cost_usd)


async def test_a_cancelled_turn_hangs_up_answers_and_leaves_nothing_open(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        stream = held(kimi)
        reply = client.begin_prompt(session, "/audit app.py")
        await stream.streams()
        client.notify("session/cancel", sessionId=session)
        assert (await answered(reply))["stopReason"] == "cancelled"
        since = len(client.frames)
        await stream.is_hung_up()
        stream.gate.open()
        assert (await client.prompt(session, "/budget"))["stopReason"] == "end_turn"
        told = [kind(get(one, "params", "update")) for one in client.frames[since:] if "params" in one]
        assert told == ["agent_message_chunk", "session_info_update"], (
            "nothing of the cancelled turn comes after its answer"
        )
    world.assert_settled()


async def test_a_request_can_be_cancelled_by_its_number_too(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        stream = held(kimi)
        reply = client.begin_prompt(session, "/audit app.py")
        await stream.streams()
        client.notify("$/cancel_request", requestId=client.last_number)
        assert (await answered(reply))["stopReason"] == "cancelled"
        stream.gate.open()


async def test_a_cancel_ends_a_question_to_the_person(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi, ASK_ABOVE_USD="0.01")) as client:
        session = await client.new(world.root)
        reply = client.begin_prompt(session, "/audit app.py")
        await client.until(lambda: bool(client.asked))
        client.notify("session/cancel", sessionId=session)
        assert (await answered(reply))["stopReason"] == "cancelled"
        assert kimi.chats == []


async def test_a_session_has_one_turn_at_a_time_and_others_go_on(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        one, other = await client.new(world.root), await client.new(world.root)
        stream = held(kimi)
        reply = client.begin_prompt(one, "/audit app.py")
        await stream.streams()
        with pytest.raises(RefusedByAgentError) as caught:
            await client.prompt(one, "/budget")
        assert caught.value.code == -32600
        assert (await client.prompt(other, "/budget"))["stopReason"] == "end_turn"
        stream.gate.open()
        assert (await answered(reply))["stopReason"] == "end_turn"


async def test_closing_or_deleting_a_session_ends_its_turn_first(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        for method in ("session/close", "session/delete"):
            session = await client.new(world.root)
            stream = held(kimi)
            reply = client.begin_prompt(session, "/audit app.py")
            await stream.streams()
            await client.ask(method, sessionId=session)
            assert (await answered(reply))["stopReason"] == "cancelled"
            stream.gate.open()
    world.assert_settled()


async def test_what_was_said_is_told_again_in_another_process(world: World) -> None:
    async with agent(settings(world)) as client:
        session = await client.new(world.root)
        await client.prompt(session, "/audit")
        await client.prompt(session, "/budget")
        live = client.said(session)
    async with agent(settings(world)) as client:
        await client.ask("session/load", sessionId=session, cwd=str(world.root), mcpServers=[])
        answer_at = next(n for n, frame in enumerate(client.frames) if "result" in frame)
        told = [kind(get(frame, "params", "update")) for frame in client.frames[:answer_at]]
        assert told.count("user_message_chunk") == 2
        assert client.said(session) == live
        await client.until(lambda: kind(client.updates(session)[-1]) == "usage_update")
        since = len(client.said(session))
        await client.prompt(session, "/report")
        assert "A shell runs this command" in client.said(session)[since:], "the last report is there again"


async def test_changes_are_audited_with_only_their_lines(world: World, kimi: FakeKimi) -> None:
    kimi.respond(lambda request: answer())
    git = ["git", "-C", str(world.root), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        await anyio.run_process([*git, *words])
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        await client.prompt(session, "/changes")
        assert "differs from" in client.said(session)
        with (world.root / "app.py").open("a", encoding="utf-8") as file:
            file.write("\n\ndef added(x):\n    return eval(x)\n")
        await client.prompt(session, "/changes HEAD")
        [request] = kimi.chats
        assert "added" in unit_text(request)
        since = len(client.said(session))
        await client.prompt(session, "/changes no-such-revision")
        assert client.said(session)[since:].startswith("Not done:")


async def test_an_unsaved_text_that_undoes_all_changes_is_no_audit_of_everything(world: World, kimi: FakeKimi) -> None:
    git = ["git", "-C", str(world.root), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        await anyio.run_process([*git, *words])
    with (world.root / "app.py").open("a", encoding="utf-8") as file:
        file.write("\n# more\n")
    async with agent(settings(world, kimi), fs={"readTextFile": True}) as client:
        client.answers["fs/read_text_file"] = lambda _: {"content": APP}
        session = await client.new(world.root)
        await client.prompt(session, "/changes")
        assert client.said(session) == "Nothing in `project` differs from `HEAD`.\n"
        assert kimi.chats == []


async def test_a_lane_that_is_not_there_yet_is_said_to_be_missing(world: World) -> None:
    async with agent(settings(world)) as client:
        session = await client.new(world.root)
        await client.prompt(session, "/style")
        assert client.said(session).startswith("Not done: the lane style is not in this version.")


async def test_servers_of_the_client_are_named_once_and_not_started(world: World, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    server = {"name": "Evil", "command": "/bin/sh", "args": ["-c", f"touch {mark}"], "env": []}
    async with agent(settings(world)) as client:
        opened = await client.ask("session/new", cwd=str(world.root), mcpServers=[server])
        session = str(opened["sessionId"])
        for _ in range(2):
            await client.prompt(session, "/audit")
        assert client.said(session).count("The editor passed MCP servers along (evil)") == 1
        assert not mark.exists()


async def test_servers_of_the_client_lend_what_only_reads_where_the_user_allows_it(
    world: World, kimi: FakeKimi
) -> None:
    kimi.enqueue(
        asks(ToolCall("my-docs__echo", '{"text": "page 7"}'), ToolCall("my-docs__writes", '{"text": "x"}')),
        Script(content="It says page 7."),
    )
    command, *arguments = lender().command
    env = [{"name": name, "value": secret.reveal()} for name, secret in lender().env.items()]
    server = {"name": "My docs", "command": command, "args": arguments, "env": env}
    async with agent(settings(world, kimi, CLIENT_MCP_SERVERS="on")) as client:
        opened = await client.ask("session/new", cwd=str(world.root), mcpServers=[server])
        session = str(opened["sessionId"])
        assert (await client.prompt(session, "What do the docs say?"))["stopReason"] == "end_turn"
        offered = {str(get(one, "function", "name")) for one in items(get(kimi.chats[0].json, "tools"))}
        assert {"my-docs__echo", "search_text"} <= offered
        assert not any("writes" in name or "destroys" in name for name in offered)
        answers = [str(get(one, "content")) for one in items(get(kimi.chats[1].json, "messages"))[-2:]]
        assert "page 7" in answers[0]
        assert "there is no tool my-docs__writes" in answers[1]
        assert "editor passed MCP servers" not in client.said(session)


async def test_a_turn_that_runs_when_the_client_goes_is_kept_and_settled(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        stream = held(kimi)
        client.begin_prompt(session, "/audit app.py")
        await stream.streams()
    world.assert_settled()
    stream.gate.open()
    with world.store() as store:
        kinds = [one.get("kind") for one in store.conversations.entries(session).entries if isinstance(one, dict)]
        assert kinds[0] == "user"
        assert "cost" in kinds


async def test_many_sessions_at_once_do_not_mix(world: World) -> None:
    async with agent(settings(world)) as client:
        sessions = [await client.new(world.root) for _ in range(8)]
        with anyio.fail_after(60):
            results = await asyncio.gather(*(client.prompt(one, "/audit app.py") for one in sessions))
        assert {str(result["stopReason"]) for result in results} == {"end_turn"}
        assert len({client.said(one) for one in sessions}) == 1


async def test_a_question_is_answered_with_tools_and_remembered(world: World, kimi: FakeKimi) -> None:
    kimi.enqueue(
        asks(search("def user"), reasoning="Look.\n"),
        Script(reasoning="I see.\n", content="It is in `app.py:9`.\nNothing else.\n"),
        Script(content="Still there."),
    )
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        result = await client.prompt(session, "Where is the user read?")
        assert result["stopReason"] == "end_turn"
        assert client.said(session) == "It is in `app.py:9`.\nNothing else.\n"
        assert client.said(session, "agent_thought_chunk") == "Look.\nI see.\n"
        card = next(one for one in client.updates(session) if kind(one) == "tool_call")
        assert (card["kind"], str(card["title"]).startswith("search_text ")) == ("search", True)
        done = next(one for one in client.updates(session) if kind(one) == "tool_call_update")
        assert "app.py" in json.dumps(get(done, "content"))
        costs = [get(one, "cost", "amount") for one in client.updates(session) if kind(one) == "usage_update"]
        assert costs == sorted(costs, key=str)
        assert len(set(map(str, costs))) == 3
        assert get(result, "_meta", "kimi-lsp/usage", "costUsd") == costs[-1]
        await client.prompt(session, "Sure?")
        assert [get(one, "role") for one in items(get(kimi.chats[2].json, "messages"))] == [
            *("system", "user", "assistant", "tool", "assistant", "user"),
        ]
    world.assert_settled()
    async with agent(settings(world, kimi)) as client:
        kimi.enqueue(Script(content="As I said."))
        await client.ask("session/resume", sessionId=session, cwd=str(world.root))
        await client.prompt(session, "And now?")
        told = items(get(kimi.chats[3].json, "messages"))
        assert [get(one, "role") for one in told] == ["system", *("user", "assistant") * 2, "user"]


async def test_what_is_attached_and_mentioned_is_before_the_model_and_what_is_not_readable_is_said(
    world: World, kimi: FakeKimi, tmp_path: Path
) -> None:
    world.write({"keys.pem": "-----BEGIN " + "PRIVATE KEY-----\nabc\n"})
    (tmp_path / "secret.txt").write_text("outside", "utf-8")
    kimi.enqueue(Script(content="Yes."))
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        await client.prompt(
            session,
            "Is this fine?",
            {"type": "resource_link", "name": "app.py", "uri": (world.root / "app.py").as_uri()},
            {"type": "resource_link", "name": "up", "uri": (tmp_path / "secret.txt").as_uri()},
            {"type": "resource_link", "name": "keys", "uri": (world.root / "keys.pem").as_uri()},
            {"type": "resource_link", "name": "Terminal", "uri": "zed:///agent/terminal-selection"},
            {"type": "resource", "resource": {"uri": "untitled:1", "text": "pasted = 'text'"}},
        )
        body = kimi.chats[0].prompt
        assert "def list_folder" in body
        assert "pasted = 'text'" in body
        assert "outside" not in body
        assert "PRIVATE" not in body
        said = client.said(session)
        for name in ("`up`", "`keys.pem`", "`Terminal`"):
            assert name in said, name


async def test_a_folder_whose_project_stays_local_is_not_there_for_the_models_tools(
    world: World, kimi: FakeKimi, tmp_path: Path
) -> None:
    for name, depth in (("open", "screen"), ("shut", "local")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kimi.toml").write_text(f'depth = "{depth}"\n', "utf-8")
        (tmp_path / name / "late.py").write_text(f"{name}_word = 1\n", "utf-8")
    kimi.enqueue(
        asks(ToolCall("search_text", '{"query": "_word"}')),
        Script(content="One."),
    )
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root, additionalDirectories=[str(tmp_path / "open"), str(tmp_path / "shut")])
        await client.prompt(session, "Which words are there?")
        told = str(get(items(get(kimi.chats[1].json, "messages"))[-1], "content"))
        assert "open_word" in told
        assert "shut_word" not in told


async def test_without_a_model_a_question_says_what_there_is(world: World) -> None:
    async with agent(settings(world)) as client:
        session = await client.new(world.root)
        assert (await client.prompt(session, "Why?"))["stopReason"] == "end_turn"
        assert "A question needs a model" in client.said(session)
        assert "`/audit`" in client.said(session)


async def test_a_cancelled_question_hangs_up_and_settles(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        stream = held(kimi)
        reply = client.begin_prompt(session, "Why?")
        await stream.streams()
        client.notify("session/cancel", sessionId=session)
        assert (await answered(reply))["stopReason"] == "cancelled"
        await stream.is_hung_up()
        stream.gate.open()
    world.assert_settled()


@pytest.mark.parametrize(
    ("script", "reason", "said"),
    [
        (Script(content="Half of it", finish_reason="length"), "max_tokens", "The answer is cut"),
        (Script(content=""), "end_turn", "Not answered."),
        (Script(fault=Fault(FaultKind.HIGH_RISK)), "refusal", "The endpoint filtered this."),
    ],
)
async def test_an_answer_that_fell_short_says_so(
    world: World, kimi: FakeKimi, script: Script, reason: str, said: str
) -> None:
    kimi.enqueue(script)
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        assert (await client.prompt(session, "Why?"))["stopReason"] == reason
        assert said in client.said(session)
    world.assert_settled()


async def test_what_is_given_up_before_its_answer_begins_counts_as_charged(world: World, kimi: FakeKimi) -> None:
    kimi.enqueue(Script(content="Late.", first_delay_s=30))
    async with agent(settings(world, kimi)) as client:
        session = await client.new(world.root)
        reply = client.begin_prompt(session, "Why?")
        await kimi.until(lambda one: len(one.chats) == 1, 20)
        client.notify("session/cancel", sessionId=session)
        result = await answered(reply)
        assert result["stopReason"] == "cancelled"
    world.assert_settled()
    with world.store() as store:
        spent = store.ledger.spending()
        assert (spent.calls, spent.estimated_calls) == (1, 1)
        assert spent.cost_usd > 0
        assert get(result, "_meta", "kimi-lsp/usage", "costUsd") == float(spent.cost_usd)


async def test_a_ceiling_stops_a_question_before_it_is_sent(world: World, kimi: FakeKimi) -> None:
    async with agent(settings(world, kimi, RUN_USD="0.000001")) as client:
        session = await client.new(world.root)
        assert (await client.prompt(session, "Why?"))["stopReason"] == "max_turn_requests"
        assert "The run ceiling of $0.000001" in client.said(session)
        assert kimi.chats == []
