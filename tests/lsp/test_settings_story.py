"""What the user switches on and off, and clients that can do less."""

import asyncio
from pathlib import Path

from tests.cli.harness import answer
from tests.fakes.json_value import Json, JsonObject, get, items
from tests.fakes.kimi import FakeKimi
from tests.lsp.raw import CAPABILITIES, edit, span
from tests.lsp.story import APP, TRAVERSAL, codes, story

FACTS = ("5: shell-injection", "9: sql-injection")
ALL = (*FACTS, "13: path-traversal")


async def test_a_pause_in_typing_audits_what_changed_when_the_user_switched_it_on(
    kimi: FakeKimi, tmp_path: Path
) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    async with story(tmp_path, kimi, settings={"trigger": "onIdle", "idleMs": 500}) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        one.client.change(uri, edit((14, 0), (14, 0), "    print(path)\n"))
        await one.sees(uri, *ALL)
    assert len(kimi.chats) == 1


async def test_a_new_edit_ends_an_audit_that_nobody_asked_for(kimi: FakeKimi, tmp_path: Path) -> None:
    from tests.fakes.script import Gate

    gate = Gate()
    kimi.enqueue(answer(TRAVERSAL, gate=gate))
    async with story(tmp_path, kimi, settings={"trigger": "onSave"}) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        one.client.save(uri)
        await kimi.until(lambda fake: len(fake.chats) == 1)
        one.client.change(uri, edit((0, 0), (0, 0), "x = 1\n"))
        await kimi.until(lambda fake: fake.chats[0].closed_by_client_at is not None)
        gate.open()
        await one.sees(uri, "6: shell-injection", "10: sql-injection")


async def test_switched_off_it_is_silent_and_switched_on_it_speaks(tmp_path: Path) -> None:
    async with story(tmp_path, settings={"enable": False}) as one:
        uri = one.open()
        await one.sees(uri)
        one.client.settings["kimi"] = {"enable": True}
        one.client.notify("workspace/didChangeConfiguration", {"settings": None})
        await one.sees(uri, *FACTS)
        one.client.settings["kimi"] = {"minConfidence": "high", "maxDiagnostics": 1}
        mark = one.client.mark
        one.client.notify("workspace/didChangeConfiguration", {"settings": None})
        await one.client.published(uri, lambda shown: len(shown) <= 1, since=mark)


async def test_code_lens_and_inlay_hints_are_off_until_they_are_wanted(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    workspace: JsonObject = {"configuration": True, "codeLens": {"refreshSupport": True}}
    async with story(tmp_path, kimi, capabilities={**CAPABILITIES, "workspace": workspace}) as one:
        one.client.answers["workspace/codeLens/refresh"] = lambda params: None
        uri = one.open()
        await one.audit(uri)
        await one.sees(uri, *ALL)
        document: Json = {"textDocument": {"uri": uri}}
        hints: Json = {"textDocument": {"uri": uri}, "range": span((0, 0), (30, 0))}
        assert await one.client.call("textDocument/codeLens", document) == []
        assert await one.client.call("textDocument/inlayHint", hints) == []
        one.client.settings["kimi"] = {"codeLens": True, "inlayHints": True}
        one.client.notify("workspace/didChangeConfiguration", {"settings": None})
        await one.client.notification("workspace/codeLens/refresh")
        [lens] = items(await one.client.call("textDocument/codeLens", document))
        assert get(lens, "command", "command") == "kimi.showReasoning"
        labels = [get(hint, "label") for hint in items(await one.client.call("textDocument/inlayHint", hints))]
        assert labels == ["shell-injection", "sql-injection", "path-traversal"]


async def test_where_the_client_watches_nothing_the_server_does(tmp_path: Path) -> None:
    workspace: JsonObject = {"configuration": True, "didChangeWatchedFiles": {"dynamicRegistration": False}}
    capabilities: JsonObject = {**CAPABILITIES, "workspace": workspace}
    async with story(tmp_path, capabilities=capabilities) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        mark = one.client.mark
        for attempt in range(40):  # the watch begins a little after the start, and a file may be written before it
            (one.root / "kimi.toml").write_text(f'exclude = ["app.py"]\n# {attempt}\n')
            await asyncio.sleep(0.25)
            if one.shown(uri) == []:
                break
        await one.sees(uri, since=mark)
        assert not any(m.method == "client/registerCapability" for m in one.client.messages)


async def test_a_client_without_anything_is_served(kimi: FakeKimi, tmp_path: Path) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    async with story(tmp_path, kimi, capabilities={}) as one:
        uri = one.open()
        await one.sees(uri, *FACTS)
        assert get(await one.audit(uri), "state") == "finished"
        text = await one.hover(uri, 13, 8)
        assert "**" not in text
        menu = await one.menu(uri, 13, 8)
        assert all(isinstance(get(entry, "command"), str) for entry in menu)
        asked = {m.method for m in one.client.messages if m.method and "id" in m.body}
        assert asked == set()
        assert await one.client.shutdown() == 0


async def test_text_that_is_no_file_has_findings_of_tools_and_no_audit(kimi: FakeKimi, tmp_path: Path) -> None:
    async with story(tmp_path, kimi) as one:
        one.client.open("untitled:Untitled-1", APP)
        await one.sees("untitled:Untitled-1", *FACTS)
        request = one.start_audit("untitled:Untitled-1")
        response = await one.client.response(request)
        assert response.get("error", "code") == -32803
    assert kimi.chats == []


async def test_strange_line_ends_and_wide_characters_keep_every_finding_in_its_place(tmp_path: Path) -> None:
    text = "a = '\x0c\u2028\x85'\r\nb = '😀'; eval(input())\rc = 1\n"
    async with story(tmp_path) as one:
        uri = one.uri("odd.py")
        one.client.open(uri, text)
        message = await one.client.published(uri, lambda shown: codes(shown) == ["1: code-injection"])
        assert get(message.diagnostics[0], "range", "start", "character") == 10
        one.client.change(uri, edit((0, 0), (0, 0), "😀\r"))
        await one.sees(uri, "2: code-injection")


async def test_changed_settings_and_files_are_asked_for_where_the_client_wants_to_be_asked(tmp_path: Path) -> None:
    async with story(tmp_path) as one:
        asked = await one.client.notification("client/registerCapability")
        registrations = items(asked.get("params", "registrations"))
        assert [get(entry, "method") for entry in registrations] == [
            "workspace/didChangeConfiguration",
            "workspace/didChangeWatchedFiles",
        ]
        assert get(registrations[0], "registerOptions", "section") == "kimi"
