"""chuk-acp, a client that shares no code with the protocol's own SDKs and knows less of it than they do."""

from tests.acp.clients.agents import CHUK, start
from tests.acp.clients.stage import Stage
from tests.fakes.json_value import get
from tests.mcp.clients.world import Done, words


def test_a_question_is_answered(stage: Stage) -> None:
    done = _ask(stage, "What is dangerous here?")

    assert done.code == 0, words(done)
    assert "Connected to: kimi-auditor" in done.out
    assert "It is the second one" in done.out
    assert "[Stop reason: end_turn]" in done.out


def test_a_client_that_offers_nothing_is_asked_for_nothing(stage: Stage) -> None:
    stage.prepare(ASK_ABOVE_USD="1000")

    done = _ask(stage, "/audit app.py")

    assert "app.py:14" in stage.linked(done.out), words(done)
    asked = [message for message in stage.frames("agent") if "method" in message and "id" in message]
    assert asked == []
    (hello,) = stage.frames("client", "initialize")
    assert get(hello, "params", "clientCapabilities") is None


def _ask(stage: Stage, prompt: str) -> Done:
    client = (start(CHUK), "-m", "chuk_acp.cli", "--verbose", "--cwd", str(stage.root), "--prompt", prompt)
    return stage.run(*client, "client", *stage.command)
