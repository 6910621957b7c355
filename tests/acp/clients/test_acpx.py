"""acpx, a command line for agents: one-shot runs, machine-readable output, named sessions that outlive processes."""

import json
import subprocess
from collections.abc import Callable
from typing import cast

import pytest

from tests.acp.clients.agents import ACPX, start
from tests.acp.clients.driving import texts
from tests.acp.clients.stage import PROMPT_SECRET, Stage
from tests.acp.world import held
from tests.fakes.json_value import Json, get, items
from tests.mcp.clients.world import Done, words

Run = Callable[..., Done]
DENIED = 5  # what it exits with after a permission was denied, however the turn ended
TTL_S = 1


@pytest.fixture
def command(stage: Stage) -> tuple[str, ...]:
    """The client, told of the agent."""
    agent = " ".join(stage.command)
    return (start(ACPX), "--cwd", str(stage.root), "--ttl", str(TTL_S), "--agent", agent)


@pytest.fixture
def run(stage: Stage, command: tuple[str, ...]) -> Run:
    """Runs it to its end: flags of its own come first."""

    def ran(*arguments: str) -> Done:
        return stage.run(*command, *arguments)

    return ran


def test_an_audit_reads_well_in_a_terminal(stage: Stage, run: Run) -> None:
    done = run("exec", f"/audit app.py settings.py {PROMPT_SECRET}.py")

    assert done.code == 0, words(done)
    assert "[done] end_turn" in done.out
    assert "[thinking]" in done.out
    assert stage.linked(done.out) >= {"app.py:14", "settings.py:3"}
    assert len(stage.kimi.chats) == 2


def test_its_json_is_every_frame_and_ends_in_findings_for_programs(stage: Stage, run: Run) -> None:
    done = run("--format", "json", "--json-strict", "exec", "/audit app.py")

    assert done.code == 0, words(done)
    assert done.err == ""
    printed = [cast("Json", json.loads(line)) for line in done.out.splitlines()]
    assert all(message in printed for message in stage.frames("agent"))
    calls = [*stage.updates("tool_call"), *stage.updates("tool_call_update")]
    results = [get(call, "rawOutput", "results") for call in calls]
    (findings,) = [items(one) for one in results if one is not None]
    assert set(texts(findings, "ruleId")) >= {"path-traversal", "shell-injection"}
    assert set(texts(findings, "path")) == {"app.py"}
    assert [get(one, "startLine") for one in findings if get(one, "ruleId") == "path-traversal"] == [14]


@pytest.mark.parametrize(("flag", "code"), [("--deny-all", DENIED), ("--approve-all", 0)])
def test_money_is_spent_as_its_flags_say_and_findings_are_told_either_way(
    stage: Stage, run: Run, flag: str, code: int
) -> None:
    stage.prepare(ASK_ABOVE_USD="0.000001")

    done = run(flag, "exec", "/audit app.py")

    assert done.code == code, words(done)
    assert "[done] end_turn" in done.out
    assert "app.py:6" in stage.linked(done.out)
    assert len(stage.kimi.chats) == (flag == "--approve-all")


def test_a_named_session_is_configured_and_outlives_its_process(stage: Stage, run: Run) -> None:
    def said(*arguments: str) -> str:
        done = run(*arguments)
        assert done.code == 0, words(done)
        return done.out

    said("sessions", "new", "--name", "s1")
    assert "app.py:14" in stage.linked(said("prompt", "-s", "s1", "/audit app.py"))
    stage.wait_until_gone()  # nobody asked for anything for as long as it keeps an agent

    before, stays = len(stage.recordings()), ("--ttl", "60")
    assert "app.py:14" in stage.linked(said(*stays, "prompt", "-s", "s1", "/report"))
    assert len(stage.recordings()) == before + 1
    (resumed,) = [frame.message for frame in stage.recordings()[-1].judge().frames if frame.method == "session/resume"]
    assert get(resumed, "params", "cwd") == str(stage.root)
    assert "depth=local" in said("set", "-s", "s1", "depth", "local")
    assert "local" in said("set-mode", "-s", "s1", "local")
    assert "running" in said("status", "-s", "s1")
    assert "Audit app.py" in said("sessions", "list")
    said("prompt", "-s", "s1", "/audit app.py")
    assert len(stage.kimi.chats) == 1  # the first audit's: at this depth no model is asked
    said("sessions", "close", "s1")
    assert stage.frames("client", "session/close") != []


def test_a_prompt_is_cancelled_from_another_terminal(stage: Stage, run: Run, command: tuple[str, ...]) -> None:
    assert run("sessions", "new", "--name", "s1").code == 0
    holding = held(stage.kimi)
    prompt = subprocess.Popen(
        [*command, "prompt", "-s", "s1", "/audit app.py"],
        env=stage.environment,
        cwd=stage.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        stage.kimi.wait_for(lambda kimi: any(chat.events_sent >= 4 for chat in kimi.chats), 30.0)

        cancelled = run("cancel", "-s", "s1")

        assert cancelled.code == 0, words(cancelled)
        out, _ = prompt.communicate(timeout=30.0)
    finally:
        prompt.kill()
        prompt.wait(10.0)
        holding.gate.open()
    assert "[done] cancelled" in out
    stops = [get(message, "result", "stopReason") for message in stage.frames("agent") if "result" in message]
    assert "cancelled" in stops
    assert all(chat.closed_by_client_at is not None for chat in stage.kimi.chats)
