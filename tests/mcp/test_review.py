"""`kimi_review` through the real server: when it is offered, what it sends, what it answers, what it refuses."""

import json
from pathlib import Path

import jsonschema
import pytest

from kimi_lsp.app.review import review_tool
from kimi_lsp.app.session import open_session
from tests.cli.harness import APP, KEY, TRAVERSAL, Cli, answer, finding, unit_path
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.json_value import JsonObject, compact, get
from tests.fakes.kimi import FakeKimi
from tests.fakes.record import Recorded
from tests.fakes.script import Gate, Script
from tests.mcp.reviewing import (
    COMMAND,
    ONE_FILE,
    TOOL,
    environment,
    found,
    notice_codes,
    review,
    reviewing,
    store,
    tools,
)
from tests.mcp.wire_client import Era, call, spawn

AWS_KEY = "AK" + "IA" + "Q5W8E2R7T4Y9U1P6"
PASSWORD = "correct-" + "8Hx3QvLm51Rz"
FACTS = [("shell-injection", "app.py", 6), ("sql-injection", "app.py", 10)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    (folder / "app.py").write_text(APP)
    return folder


def remote(kimi: FakeKimi) -> dict[str, str]:
    """An address that counts as another machine's, where the fake is reached all the same."""
    return {"BASE_URL": f"http://0.0.0.0:{kimi.port}/v1", "ALLOW_HTTP": "true"}


async def test_it_is_not_offered_by_default(root: Path, tmp_path: Path) -> None:
    async with reviewing(tmp_path, root, {}) as face:
        assert TOOL not in await tools(face)
        message = await face.ask("tools/call", {"name": TOOL, "arguments": {**ONE_FILE}})
        assert get(message, "error", "code") == -32602


@pytest.mark.parametrize(
    ("settings", "is_offered"),
    [
        ({"MCP_REVIEW": "true", "DEPTH": "screen", "BASE_URL": "http://127.0.0.1:9/v1"}, True),
        ({"MCP_REVIEW": "true", "DEPTH": "screen", "API_KEY": KEY}, True),
        ({"DEPTH": "screen", "BASE_URL": "http://127.0.0.1:9/v1"}, False),
        ({"MCP_REVIEW": "true", "BASE_URL": "http://127.0.0.1:9/v1"}, False),
        ({"MCP_REVIEW": "true", "DEPTH": "screen"}, False),
    ],
    ids=["on this machine", "with a key", "not switched on", "depth local", "no key"],
)
def test_it_is_offered_where_the_user_wants_it_and_a_model_can_be_asked(
    root: Path, settings: dict[str, str], is_offered: bool
) -> None:
    environ = {f"KIMI_LSP_{name}": value for name, value in settings.items()}
    resolved = open_session([root], environ).settings
    assert (review_tool(root, environ, resolved) is not None) is is_offered


def test_it_is_not_offered_where_the_project_allows_no_model(root: Path) -> None:
    (root / "kimi.toml").write_text('depth = "local"\n')
    environ = {"KIMI_LSP_MCP_REVIEW": "true", "KIMI_LSP_DEPTH": "screen", "KIMI_LSP_API_KEY": KEY}
    assert review_tool(root, environ, open_session([root], environ).settings) is None


async def test_it_is_not_offered_for_several_roots(kimi: FakeKimi, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with reviewing(tmp_path, [root, other], environment(kimi)) as face:
        assert TOOL not in await tools(face)


@pytest.mark.parametrize("name", ["stdio-modern", "http-legacy"])
async def test_a_review_is_anchored_paid_for_recorded_and_as_its_schema_says(
    capfd: pytest.CaptureFixture[str], kimi: FakeKimi, root: Path, tmp_path: Path, name: str
) -> None:
    cli = Cli(capfd, root)
    kimi.enqueue(answer(TRAVERSAL, reasoning="Nobody checks the name.", prompt_tokens=2_000, completion_tokens=500))
    async with reviewing(tmp_path, root, environment(kimi), name) as face:
        listed = await tools(face)
        said = await review(face, "app.py")
    assert {tool for tool in listed if get(listed[tool], "annotations", "openWorldHint")} == {TOOL}
    assert get(listed[TOOL], "annotations", "readOnlyHint") is True
    assert len(compact(listed[TOOL])) <= 1_300, "every agent pays for it with every request"
    schema = get(listed[TOOL], "outputSchema")
    assert isinstance(schema, dict)
    assert set(said.data) == set(schema["properties"] if isinstance(schema["properties"], dict) else ())
    jsonschema.validate(said.data, schema, cls=jsonschema.Draft202012Validator)

    assert not said.is_error
    assert found(said) == [*FACTS, ("path-traversal", "app.py", 14)]
    assert (said.data["complete"], said.data["total"], said.data["files_read"]) == (True, 3, 1)
    assert get(said.data, "usage", "calls") == len(kimi.chats) == 1
    assert get(said.data, "usage", "prompt_tokens") == 2_000
    assert get(said.data, "usage", "completion_tokens") == 500
    with store() as opened:
        spent = opened.ledger.spending()
        assert opened.ledger.open_reservations() == []
    assert get(said.data, "usage", "cost_usd") == float(spent.cost_usd) == pytest.approx(0.0039)  # 0.95 and 4 a million

    run_id, records = said.data["trail"], said.data["records"]
    assert isinstance(records, dict)
    assert list(records) == [get(said.data, "findings", 2, "id")]
    [record] = records.values()
    shown = cli("trail", "show", str(record))
    assert shown.code == 0
    assert "Nobody checks the name." in shown.out
    assert str(run_id) in cli("trail", "list", "--run", str(run_id)).out
    assert cli("trail", "verify").code == 0
    for part in (
        "2,000 tokens in",
        "500 out",
        "$0.0039",
        f"trail {run_id}",
        f"trail record {record}",
        *map(str, records),
    ):
        assert part in said.text


async def test_secrets_are_neither_sent_nor_told(kimi: FakeKimi, root: Path, tmp_path: Path) -> None:
    (root / ".env").write_text(f"PASSWORD={PASSWORD}\n")
    (root / "app.py").write_text(f'AWS_KEY = "{AWS_KEY}"\nlogin("{PASSWORD}")\n')
    quoted = finding("hard-coded-secret", 1, "AWS_KEY = ", "A key stands in the code.")
    kimi.respond(lambda request: answer(quoted))
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        said = await review(face, ".")
    assert [unit_path(chat) for chat in kimi.chats] == ["app.py"]
    kimi.assert_no_secret([AWS_KEY, PASSWORD])
    assert AWS_KEY not in said.whole
    assert PASSWORD not in said.whole
    assert said.data["total"] != 0


async def test_nothing_leaves_without_consent_and_all_is_well_with_it(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    kimi.respond(lambda request: answer())
    elsewhere = str(tmp_path / "elsewhere")
    async with reviewing(tmp_path, root, environment(kimi, **remote(kimi), CONSENT=elsewhere)) as face:
        said = await review(face, "app.py")
        assert said.is_error
        assert f"0.0.0.0:{kimi.port}" in said.text
        assert kimi.connections == 0
        with store() as opened:  # a person agrees meanwhile, as `kimi-lsp audit` asks
            opened.consents.give(str(root), f"0.0.0.0:{kimi.port}")
        assert not (await review(face, "app.py")).is_error
    assert len(kimi.chats) == 1


async def test_the_projects_file_is_read_at_each_call(kimi: FakeKimi, root: Path, tmp_path: Path) -> None:
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        (root / "kimi.toml").write_text('depth = "local"\n')
        local = await review(face, "app.py")
        (root / "kimi.toml").write_text('deny = ["app.py"]\n')
        denied = await review(face, "app.py")
        (root / "kimi.toml").write_text("depth = 3\n")
        broken = await review(face, "app.py")
        assert all(said.is_error for said in (local, denied, broken))
        assert "allows no model" in local.text
        assert "no listed file matches" in denied.text
        assert "kimi.toml" in broken.text
        assert str(root) not in local.text + denied.text + broken.text
    assert kimi.connections == 0


async def test_what_does_not_fit_or_lies_outside_is_refused_before_anything_is_sent(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.py").write_text(APP)
    for number in range(51):
        (root / f"m{number}.txt").write_text("text\n")
    wrong: dict[str, JsonObject] = {
        "paths": {},
        "at least 1": {"paths": []},
        "'depth'": {**ONE_FILE, "depth": "dual"},
        "max_cost_usd": {**ONE_FILE, "max_cost_usd": 0},
        "51 files match, the limit is 50": {"paths": ["*.txt"]},
        "outside-project": {"paths": ["../outside.py", str(tmp_path / "outside.py"), "~/x"]},
        "no-such-file": {"paths": ["missing.py"]},
    }
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        for word, arguments in wrong.items():
            said = await face.call(TOOL, arguments)
            assert said.is_error, arguments
            assert word in said.text
            assert str(tmp_path) not in said.text
        assert kimi.connections == 0
        kimi.enqueue(answer())
        mixed = await review(face, "app.py", "../outside.py")
    assert notice_codes(mixed) == {"outside-project"}
    assert [unit_path(chat) for chat in kimi.chats] == ["app.py"]


async def test_a_limit_can_only_be_lowered_and_a_spent_budget_is_said(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    for number in range(10):
        (root / f"m{number}.py").write_text(f"def f{number}():\n    return {number}\n")
    kimi.respond(lambda request: answer(prompt_tokens=2_000, completion_tokens=10_000))
    async with reviewing(tmp_path, root, environment(kimi, RUN_USD="0.20")) as face:
        none = await review(face, "app.py", max_cost_usd=0.000001)
        assert none.data["complete"] is False
        assert "INCOMPLETE" in none.text
        assert "budget-exceeded" in notice_codes(none)
        assert found(none) == FACTS, "what needs no model is told all the same"
        assert kimi.chats == []
        wanted_more = await review(face, "m*.py", max_cost_usd=50)
    assert wanted_more.data["complete"] is False
    assert "budget-exceeded" in notice_codes(wanted_more)
    cost = get(wanted_more.data, "usage", "cost_usd")
    assert isinstance(cost, float)
    assert 0 < cost <= 0.20
    assert 3 <= len(kimi.chats) < 10


async def test_an_endpoint_that_refuses_leaves_the_facts_and_is_said(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    kimi.respond(lambda request: Script(fault=Fault(FaultKind.UNAUTHORISED)))
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        said = await review(face, "app.py")
        told = await face.call("get_finding", {"id": get(said.data, "findings", 0, "id")})
    assert told.data["rule"] == "shell-injection", "a fact has the id that the other tools know it by"
    assert not said.is_error
    assert found(said) == FACTS
    assert "model-auth" in notice_codes(said)
    assert said.data["complete"] is False


async def test_many_findings_are_counted_exactly_and_shown_as_far_as_there_is_room(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    def respond(request: Recorded) -> Script:
        lines = [(n, f"value_{n} = compute_{n}(argument)") for n in range(80)]
        return answer(*(finding("weak-cryptography", n + 1, text, f"Finding {n}. " * 20) for n, text in lines))

    text = "".join(f"value_{n} = compute_{n}(argument)\n" for n in range(80))
    for number in range(3):
        (root / f"long{number}.py").write_text(text)
    kimi.respond(respond)
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        said = await review(face, "long*.py")
        graver = await review(face, "long*.py", min_severity="error")
    returned = len(found(said))
    assert (said.data["total"], said.data["returned"], said.data["truncated"]) == (240, returned, True)
    assert 50 <= returned <= 100
    assert len(said.text) + len(json.dumps(said.data)) < 60_000
    records = said.data["records"]
    assert isinstance(records, dict)
    assert set(records) == {str(get(said.data, "findings", n, "id")) for n in range(returned)}
    assert "showing 1-" in said.text
    assert "cursor" not in said.whole
    assert len(kimi.chats) == 3, "the second answer came from the cache"
    assert get(graver.data, "usage", "calls") == 0
    assert graver.data["total"] == 0


async def test_a_root_below_the_project_is_told_as_the_other_tools_tell_it(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    below = root / "services" / "shop"
    (below / "secret").mkdir(parents=True)
    (below / "app.py").write_text(APP)
    (below / "secret" / "plan.py").write_text(APP)
    (below / "list.py").write_text(APP)
    (root / "kimi.toml").write_text('deny = ["/services/shop/secret/"]\nexclude = ["services/*/list.py"]\n')
    kimi.respond(lambda request: answer(TRAVERSAL))
    async with reviewing(tmp_path, below, environment(kimi)) as face:
        said = await review(face, ".")
        assert [unit_path(chat) for chat in kimi.chats] == ["services/shop/app.py"]
        assert found(said) == [*FACTS, ("path-traversal", "app.py", 14)]
        fact = get(said.data, "findings", 0, "id")
        assert (await face.call("get_finding", {"id": fact})).data["path"] == "app.py"
        above = await review(face, "../../app.py")
        assert above.is_error
        for path in ("secret/plan.py", "list.py"):
            assert (await review(face, path)).is_error
            assert (await face.call("read_file", {"path": path})).is_error
    assert len(kimi.chats) == 1


async def test_a_second_review_at_a_time_is_refused_and_holds_no_other_tool_up(
    kimi: FakeKimi, root: Path, tmp_path: Path
) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, gate=gate))
    async with reviewing(tmp_path, root, environment(kimi)) as face:
        await face.process.send(call(face.era, "first", TOOL, **ONE_FILE))
        await kimi.until(lambda fake: len(fake.chats) == 1, 20)
        for _ in range(5):
            assert "under way" in (await review(face, "app.py")).text
        assert not (await face.call("list_files")).is_error
        gate.open()
        first = await face.process.answer("first")
        assert get(first, "result", "structuredContent", "total") == 3
        assert not (await review(face, "app.py")).is_error
    assert len(kimi.chats) == 1


async def test_without_structure_the_text_says_it_all(kimi: FakeKimi, root: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    command = [*COMMAND, "--root", str(root), "--no-structured"]
    async with spawn(command, cwd=root, env=environment(kimi)) as process:
        await process.open(Era.MODERN)
        message = await process.ask(call(Era.MODERN, 1, TOOL, **ONE_FILE))
    assert get(message, "result", "structuredContent") is None
    text = get(message, "result", "content", 0, "text")
    assert isinstance(text, str)
    for part in ("app.py:14 ", "path-traversal", "1 call", "trail record"):
        assert part in text
