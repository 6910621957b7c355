"""Audits of more than a file, consent, trouble, and the end of a client in the middle of one."""

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest

from kimi_lsp.store import Store
from mcp_tools.project.landlock import landlock_abi
from tests.cli.harness import answer, finding
from tests.fakes.faults import Fault, FaultKind
from tests.fakes.json_value import Json, get, items
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate
from tests.lsp.raw import edit, span
from tests.lsp.story import APP, TRAVERSAL, codes, story

FACTS = ("5: shell-injection", "9: sql-injection")
ALL = (*FACTS, "13: path-traversal")
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True)


def remote(kimi: FakeKimi) -> dict[str, str]:
    """The fake at an address that is not this machine's own by name."""
    url = kimi.base_url.replace("127.0.0.1", "0.0.0.0")
    return {"KIMI_LSP_BASE_URL": url, "KIMI_LSP_ALLOW_HTTP": "1"}


def status_of(pid: int) -> str:
    """What the kernel says of a process."""
    return Path(f"/proc/{pid}/status").read_text()


async def test_nothing_leaves_before_the_user_agreed_and_then_it_is_remembered(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    async with story(tmp_path, kimi, env=remote(kimi)) as one:
        uri = one.open()
        refused = await one.audit(uri)
        assert kimi.chats == []
        assert "agreed" in str(get(refused, "notices"))
        [question] = [m for m in one.client.messages if m.method == "window/showMessageRequest"]
        assert "0.0.0.0" in str(question.get("params", "message"))
        assert "kimi-k2.6" in str(question.get("params", "message"))
        one.client.action = "Send it, and remember for this project"
        assert get(await one.audit(uri), "reviewed") == 1
        one.client.change(uri, edit((0, 0), (0, 0), "x = 1\n"))
        assert get(await one.audit(uri), "reviewed") == 1
        assert sum(m.method == "window/showMessageRequest" for m in one.client.messages) == 2


async def test_a_save_never_asks_for_consent(kimi: FakeKimi, tmp_path: Path) -> None:
    async with story(tmp_path, kimi, env=remote(kimi), settings={"trigger": "onSave"}) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        one.client.save(uri)
        status = await one.client.wait_for(
            lambda m: m.method == "kimi/status" and m.get("params", "state") == "attention"
        )
        assert "agreed" in str(status.get("params", "message"))
        assert not any(m.method in ("window/showMessageRequest", "window/showMessage") for m in one.client.messages)
    assert kimi.chats == []


async def test_the_workspace_is_audited_and_files_that_are_not_open_show_their_findings(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    files = {"app.py": APP, "lib/other.py": APP}
    async with story(tmp_path, kimi, files=files) as one:
        uri, other = one.open(), one.uri("lib/other.py")
        result = await one.client.execute("kimi.auditWorkspace")
        assert (get(result, "state"), get(result, "reviewed")) == ("finished", 2)
        await one.sees(uri, *ALL)
        assert sorted(codes(one.client.diagnostics(other) or [])) == sorted(ALL)
        assert one.client.publishes(other)[-1].get("params", "version") is None
        one.open("lib/other.py")
        await one.sees(other, *ALL, since=one.client.mark)
        mark = one.client.mark
        one.client.close(other)
        await one.sees(other, "13: path-traversal", since=mark)


async def test_what_changed_since_the_commit_is_audited_with_text_that_is_not_saved(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.respond(lambda chat: answer())
    filler = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(100))
    root = tmp_path / "shop"
    async with story(tmp_path, kimi, files={"a.py": filler, "b.py": filler, "c.py": filler}) as one:
        (root / ".git").rmdir()
        git(root, "init", "-q", "-b", "main")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "first")
        nothing = await one.client.execute("kimi.auditChanges")
        assert get(nothing, "message") == "nothing differs from the last commit"
        (root / "b.py").write_text(filler.replace("return 50\n", "return 51\n"))
        uri = one.open("c.py")
        one.client.change(uri, edit((1, 11), (1, 12), "77"))
        result = await one.client.execute("kimi.auditChanges")
        assert (get(result, "state"), get(result, "reviewed")) == ("finished", 2)
    prompts = "\n".join(chat.prompt for chat in kimi.chats)
    assert "File: a.py" not in prompts
    assert "return 77" in prompts
    assert "return 51" in prompts
    assert "return 99" not in prompts


async def test_a_selection_is_audited_with_what_surrounds_it(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    filler = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(100))
    async with story(tmp_path, kimi, files={"app.py": APP + filler}) as one:
        uri = one.open()
        selection: Json = {"uri": uri, "range": span((13, 0), (15, 0))}
        result = await one.client.execute("kimi.auditSelection", selection)
        assert get(result, "findings") == 3
        await one.sees(uri, *ALL)
    [chat] = kimi.chats
    assert "return 60" not in chat.prompt


async def test_commands_without_arguments_mean_the_document_used_last(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    async with story(tmp_path, kimi, files={"app.py": APP, "b.py": "x = 1\n"}) as one:
        one.open("b.py")
        uri = one.open("app.py")
        assert get(await one.client.execute("kimi.auditFile"), "findings") == 3
        await one.sees(uri, *ALL)
        assert await one.client.execute("kimi.cancel") == {"cancelled": 0}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("kimi.auditFile", [{"uri": 7}]),
        ("kimi.auditFile", [{"uri": "file:///nowhere.py"}]),
        ("kimi.auditSelection", [{"uri": None, "range": "all"}]),
        ("kimi.dismiss", [{"uri": "x:y", "fingerprint": "none"}]),
        ("kimi.showReasoning", []),
        ("kimi.openRulePage", ["../../etc/passwd"]),
        ("kimi.openRulePage", []),
        ("kimi.unknown", []),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused_in_words(
    tmp_path: Path, command: str, arguments: list[Json]
) -> None:
    async with story(tmp_path) as one:
        request = one.client.request("workspace/executeCommand", {"command": command, "arguments": arguments})
        response = await one.client.response(request)
        assert response.get("error", "code") in (-32602, -32803)
        assert not any(m.method == "window/showMessage" for m in one.client.messages)
        assert await one.client.shutdown() == 0


async def test_a_rule_page_opens_in_the_editor(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        result = await one.client.execute("kimi.openRulePage", "sql-injection")
        assert get(result, "shown") is True
        assert "sql" in str(get(result, "text")).lower()
        [asked] = [m for m in one.client.messages if m.method == "window/showDocument"]
        assert str(asked.get("params", "uri")).endswith("/sql-injection.md")


async def test_budget_and_endpoint_trouble_is_one_notice_and_a_status(kimi: FakeKimi, tmp_path: Path) -> None:
    async with story(tmp_path, kimi, env={"KIMI_LSP_DAILY_USD": "0"}) as one:
        uri = one.open()
        result = await one.audit(uri)
        assert get(result, "not_reviewed") is None
        assert get(result, "notReviewed") == 1
        boxes = [m for m in one.client.messages if m.method == "window/showMessage"]
        assert len(boxes) == 1
        status = [m for m in one.client.messages if m.method == "kimi/status"][-1]
        assert status.get("params", "state") == "attention"
        assert "0.00" in str(status.get("params", "message"))
    assert kimi.chats == []


async def test_a_cut_answer_keeps_what_came_and_is_not_called_clean(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL, chunk_chars=8, fault=Fault(FaultKind.RESET, at=42)))
    async with story(tmp_path, kimi, settings={"showNotices": "off"}) as one:
        uri = one.open()
        result = await one.audit(uri)
        assert get(result, "state") == "finished"
        assert get(result, "notReviewed") == 1
        assert items(get(result, "notices"))
        assert not any(m.method == "window/showMessage" for m in one.client.messages)


@pytest.mark.parametrize("way", ["eof", "term", "exit"])
async def test_the_end_in_the_middle_of_an_audit_is_clean_and_loses_nothing(
    kimi: FakeKimi, tmp_path: Path, way: str
) -> None:
    gate = Gate()
    second = finding("weak-cryptography", 2, "import sqlite3", "Something is weak.")
    kimi.enqueue(answer(TRAVERSAL, second, chunk_chars=8, gate=gate))
    gate.release(len(str(TRAVERSAL)) // 8 + 8)
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        one.start_audit(uri)
        await one.sees(uri, *ALL)
        if way == "eof":
            one.client.close_stdin()
        elif way == "term":
            one.client.signal(signal.SIGTERM)
        else:
            one.client.notify("exit")
        code = await one.client.exited(3)
        assert code == {"eof": 1, "term": 143, "exit": 1}[way]
        await one.client.assert_nothing_left()
    await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
    with Store.open(tmp_path / "state") as store:
        [record] = store.trail.records()
        assert record.body["status"] == "cut"
        assert store.trail.verify().is_ok
        assert store.ledger.open_reservations() == []
        [entry] = store.ledger.entries()
        assert entry.usage is not None


async def test_a_stale_finding_is_marked_where_the_user_wants_that(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    async with story(tmp_path, kimi, settings={"stale": "mark"}) as one:
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        one.client.change(uri, edit((13, 11), (13, 15), "base"))
        message = await one.client.published(uri, version=2)
        stale = next(d for d in message.diagnostics if get(d, "code") == "path-traversal")
        assert get(stale, "severity") == 4
        assert "stale" in str(get(stale, "message"))


async def test_two_roots_have_each_their_own_settings_and_folders_come_and_go(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    (other / "app.py").write_text(APP)
    (other / "kimi.toml").write_text('exclude = ["app.py"]\n')
    async with story(tmp_path) as one:
        folder: Json = {"uri": other.as_uri(), "name": "other"}
        one.client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
        await one.sees(one.open(), *FACTS)
        quiet = (other / "app.py").as_uri()
        one.client.open(quiet, APP)
        await one.sees(quiet)
        one.client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
        assert await one.client.shutdown() == 0


async def test_a_configuration_that_is_wrong_is_said_once_and_nothing_is_called_clean(tmp_path: Path) -> None:
    async with story(tmp_path, files={"app.py": APP, "b.py": APP, "kimi.toml": 'depht = "local"\n'}) as one:
        await one.sees(one.open("app.py"))
        await one.sees(one.open("b.py"))
        status = [m for m in one.client.messages if m.method == "kimi/status"][-1]
        assert status.get("params", "state") == "attention"
        logged = [m for m in one.client.messages if m.method == "window/logMessage" and "depht" in str(m.body)]
        assert len(logged) == 1
        result = await one.audit(one.uri())
        assert get(result, "state") == "failed"
        assert "depht" in str(get(result, "message"))


async def test_secrets_are_in_no_message_and_no_log(kimi: FakeKimi, tmp_path: Path) -> None:
    secret = "ghp_" + "a8Fk2LmQ9zXc7Vb1Nn" + "W5Rt3Yp6Ju0HdGeKs4"
    kimi.enqueue(answer(reasoning="I see a value."))
    async with story(tmp_path, kimi, files={"app.py": f'TOKEN = "{secret}"\n'}) as one:
        uri = one.open()
        await one.sees(uri, "0: hard-coded-secret")
        await one.audit(uri)
        await one.hover(uri, 0, 10)
        await one.menu(uri, 0, 10)
        assert await one.client.shutdown() == 0
        assert not any(secret in str(m.body) for m in one.client.messages)
        assert secret not in one.client.stderr
    kimi.assert_no_secret([secret])


async def test_many_documents_are_open_at_once(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        uris = [one.uri(f"f{number}.py") for number in range(300)]
        for uri in uris:
            one.client.open(uri, APP)
        await asyncio.gather(*(one.sees(uri, *FACTS) for uri in uris))
        assert await one.client.shutdown() == 0


@pytest.mark.skipif(landlock_abi() < 1, reason="this kernel has no Landlock")
async def test_the_server_has_no_right_to_write_into_a_project(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        await one.sees(one.open(), *FACTS)
        assert "NoNewPrivs:\t1" in status_of(one.client.pid)
        told = [m.get("params", "message") for m in one.client.messages if m.method == "window/logMessage"]
        assert any("confined" in str(text) and "not confined" not in str(text) for text in told)
