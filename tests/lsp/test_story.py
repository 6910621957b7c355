"""What a developer sees: the real process, a real project, a strict fake Kimi."""

from pathlib import Path

import pytest

from kimi_lsp.store import Store
from tests.cli.harness import answer, finding
from tests.fakes.json_value import Json, get
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate
from tests.lsp.raw import edit
from tests.lsp.story import APP, TRAVERSAL, code_at, progress_kinds, story

FACTS = ("5: shell-injection", "9: sql-injection")
ALL = (*FACTS, "13: path-traversal")


async def test_findings_of_tools_come_on_open_follow_edits_and_go_with_their_cause(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        uri = one.open()
        [shell, _] = await one.sees(uri, *FACTS)
        assert get(shell, "source") == "kimi"
        assert get(shell, "severity") in (1, 2)
        mark = one.client.mark
        one.client.change(uri, edit((0, 0), (0, 0), "# a new first line\n"))
        await one.sees(uri, "6: shell-injection", "10: sql-injection", since=mark)
        one.client.change(uri, edit((6, 0), (7, 0), "    pass\n"))
        await one.sees(uri, "10: sql-injection", since=mark)
        message = one.client.publishes(uri)[-1]
        assert message.get("params", "version") == 3


async def test_findings_of_a_model_appear_while_it_is_still_answering(kimi: FakeKimi, tmp_path: Path) -> None:
    gate = Gate()
    second = finding("weak-cryptography", 2, "import sqlite3", "Something is weak.")
    kimi.enqueue(answer(TRAVERSAL, second, chunk_chars=8, gate=gate))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        request = one.start_audit(uri, token="t1")
        gate.release(len(str(TRAVERSAL)) // 8 + 8)
        await one.sees(uri, *ALL)
        assert not any(message.is_response_to(request) for message in one.client.messages)
        gate.open()
        response = await one.client.response(request)
        await one.sees(uri, "1: weak-cryptography", *ALL)
        result = response.get("result")
        assert (get(result, "state"), get(result, "findings"), get(result, "reviewed")) == ("finished", 4, 1)
        kinds = progress_kinds(one.client.messages, "t1")
        assert (kinds[0], kinds[-1]) == ("begin", "end")
        assert set(kinds[1:-1]) <= {"report"}
        status = [message for message in one.client.messages if message.method == "kimi/status"]
        assert status[-1].get("params", "state") == "idle"
        assert any(message.get("params", "state") == "auditing" for message in status)


async def test_a_models_finding_stays_on_its_text_while_it_is_edited_and_undo_brings_it_back(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        one.client.change(uri, edit((0, 0), (0, 0), "import re\n\n"))
        await one.sees(uri, "7: shell-injection", "11: sql-injection", "15: path-traversal")
        mark = one.client.mark
        one.client.change(uri, edit((15, 11), (15, 15), "base"))
        await one.sees(uri, "7: shell-injection", "11: sql-injection", since=mark)
        one.client.change(uri, edit((15, 11), (15, 15), "root"))
        await one.sees(uri, "7: shell-injection", "11: sql-injection", "15: path-traversal", since=mark)
        assert len(kimi.chats) == 1


async def test_an_edit_while_the_model_reads_does_not_misplace_what_it_finds(kimi: FakeKimi, tmp_path: Path) -> None:
    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, gate=gate))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        request = one.start_audit(uri)
        await kimi.until(lambda fake: len(fake.chats) == 1)
        one.client.change(uri, edit((0, 0), (0, 0), "x = 1\ny = 2\n"))
        gate.open()
        await one.client.response(request)
        await one.sees(uri, "7: shell-injection", "11: sql-injection", "15: path-traversal")


@pytest.mark.parametrize("way", ["command", "progress", "request", "close"])
async def test_cancelling_closes_the_socket_and_leaves_nothing_behind(kimi: FakeKimi, tmp_path: Path, way: str) -> None:
    gate = Gate()
    second = finding("weak-cryptography", 2, "import sqlite3", "Something is weak.")
    kimi.enqueue(answer(TRAVERSAL, second, chunk_chars=8, gate=gate))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        request = one.start_audit(uri, token="t1")
        gate.release(len(str(TRAVERSAL)) // 8 + 8)
        await one.sees(uri, *ALL)
        mark = one.client.mark
        if way == "command":
            assert await one.client.execute("kimi.cancel") == {"cancelled": 1}
        elif way == "progress":
            one.client.notify("window/workDoneProgress/cancel", {"token": "t1"})
        elif way == "request":
            one.client.cancel(request)
        else:
            one.client.close(uri)
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
        response = await one.client.response(request)
        if way == "request":
            assert response.get("error", "code") == -32800
        else:
            assert response.get("result", "state") == "cancelled"
        await one.sees(uri, *(() if way == "close" else FACTS), since=mark)
        assert progress_kinds(one.client.messages, "t1")[-1] == "end"
        assert await one.client.shutdown() == 0
        with Store.open(one.state) as store:
            [record] = store.trail.records()
            assert record.body["status"] == "cut"
            assert store.ledger.open_reservations() == []


async def test_a_dismissed_finding_goes_and_stays_away_after_a_restart_on_another_line(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        menu = await one.menu(uri, 13, 6)
        assert all(get(action, "edit") is None for action in menu)
        mark = one.client.mark
        await one.choose(menu, "Kimi: Dismiss path-traversal")
        await one.sees(uri, *FACTS, since=mark)
        assert await one.client.shutdown() == 0
    (tmp_path / "shop" / "app.py").write_text("# moved\n" + APP)
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, "6: shell-injection", "10: sql-injection")
        result = await one.audit(uri)
        assert get(result, "state") == "finished"
        assert one.shown(uri) == ["6: shell-injection", "10: sql-injection"]


async def test_after_a_restart_what_was_found_is_there_again_and_nothing_is_asked(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.enqueue(answer(TRAVERSAL))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        assert await one.client.shutdown() == 0
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *ALL)
    assert len(kimi.chats) == 1


async def test_the_hover_says_why_and_what_it_cost(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.enqueue(answer(TRAVERSAL, reasoning="The name is joined to the root.\nNothing checks it."))
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        text = await one.hover(uri, 13, 8)
        assert "Nothing checks it." in text
        assert "kimi-k2.6" in text
        assert "$" in text
        reasoning = await one.choose(await one.menu(uri, 13, 8), "Kimi: Show reasoning")
        assert "The name is joined to the root." in str(get(reasoning, "text"))
        assert get(reasoning, "shown") is True


async def test_a_save_audits_what_changed_when_the_user_switched_it_on(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL) if "def read" in chat.prompt else answer())
    filler = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(100))
    async with story(tmp_path, kimi, files={"app.py": filler + APP}, settings={"trigger": "onSave"}) as one:
        uri = one.open()
        await one.sees(uri, "405: shell-injection", "409: sql-injection")
        await one.audit(uri)
        await one.sees(uri, "405: shell-injection", "409: sql-injection", "413: path-traversal")
        asked = len(kimi.chats)
        one.client.change(uri, edit((1, 11), (1, 12), "17"))
        one.client.save(uri)
        await kimi.until(lambda fake: len(fake.chats) == asked + 1)
        assert "def read" not in kimi.chats[-1].prompt
        await one.sees(uri, "405: shell-injection", "409: sql-injection", "413: path-traversal")


async def test_nothing_is_asked_unless_somebody_wants_it(kimi: FakeKimi, tmp_path: Path) -> None:
    async with story(tmp_path, kimi) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        one.client.change(uri, edit((0, 0), (0, 0), "\n"))
        one.client.save(uri)
        await one.sees(uri, "6: shell-injection", "10: sql-injection")
        assert await one.client.shutdown() == 0
    assert kimi.chats == []


async def test_an_untrusted_workspace_is_never_sent_and_that_is_said(kimi: FakeKimi, tmp_path: Path) -> None:
    async with story(tmp_path, kimi, options={"trusted": False}) as one:
        uri = one.open()
        result = await one.audit(uri)
        assert get(result, "state") == "finished"
        assert "not trusted" in str(get(result, "notices"))
        assert await one.client.shutdown() == 0
    assert kimi.chats == []


async def test_a_file_that_git_ignores_is_quiet(tmp_path: Path) -> None:
    files = {"app.py": APP, ".gitignore": "gen/\n", "gen/out.py": APP}
    async with story(tmp_path, files=files) as one:
        assert code_at(await one.sees(one.open("app.py"), *FACTS), "sql-injection")
        await one.sees(one.open("gen/out.py"))


async def test_a_changed_kimi_toml_holds_at_once(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        (one.root / "kimi.toml").write_text('exclude = ["app.py"]\n')
        changed: Json = {"uri": one.uri("kimi.toml"), "type": 1}
        one.client.notify("workspace/didChangeWatchedFiles", {"changes": [changed]})
        await one.sees(uri)
